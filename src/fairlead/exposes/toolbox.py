"""The tools of an MCP endpoint, and the part of them that a client asks for: `/mcp?include=get-*,weather-mcp`.

Clients accept 40 tools, or 128, or pay for each with tokens; a pattern names tools, or the namespaces they come from.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Final
from urllib.parse import parse_qsl

import mcp_types as types

from fairlead.errors import ArgumentError, did_you_mean
from fairlead.exposes.learned import Learner, takes_any_text
from fairlead.exposes.mcp import Hints, Tool
from fairlead.jsontext import dumps
from fairlead.operation import Operation
from fairlead.response import Arguments

PAGE: Final = 500
"""How many tools one answer to tools/list holds."""


@dataclass(frozen=True)
class ToolEndpoint:
    """A tool under the name it has on one endpoint, and the operation behind it."""

    name: str
    tool: Tool
    operation: Operation
    learner: Learner = field(default_factory=Learner, compare=False)

    @cached_property
    def takes_any_text(self) -> bool:
        """Whether nothing is wrong with arguments that are texts, as far as their inputs say."""
        return all(map(takes_any_text, self.operation.inputs))

    def __str__(self) -> str:
        return f"tool {self.name}"

    def of_nothing(self, arguments: Arguments) -> bytes | None:
        """The structure of an empty answer, where the tool has promised one."""
        exposed = self.tool.exposed
        if exposed.shape is None or not exposed.answers_by_schema:
            return None
        return dumps(exposed.shape(None, self.operation.inputs.by_name(arguments)))

    def described(self) -> types.Tool:
        exposed = self.tool.exposed
        return types.Tool(
            name=self.name,
            title=exposed.title or None,
            description=exposed.description or None,
            input_schema=self.operation.inputs.schema,
            output_schema=exposed.schema if exposed.answers_by_schema else None,
            annotations=_annotations(self.tool.hints, exposed.title or None),
        )


def _annotations(hints: Hints | None, title: str | None) -> types.ToolAnnotations | None:
    if hints is None:
        return types.ToolAnnotations(title=title) if title else None
    return types.ToolAnnotations(
        title=title,
        read_only_hint=hints.read_only,
        destructive_hint=hints.destructive,
        idempotent_hint=hints.idempotent,
        open_world_hint=hints.open_world,
    )


class Toolbox:
    """Tools by name, and the answers to tools/list; refused tools answer why, and are not listed."""

    def __init__(self, tools: Iterable[ToolEndpoint]) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._original = _original_names(self._tools)
        self.pages = _pages([tool.described() for tool in self._listed()])

    def _listed(self) -> Iterator[ToolEndpoint]:
        return (tool for tool in self._tools.values() if tool.tool.exposed.target)

    def find(self, name: str) -> ToolEndpoint | None:
        """The tool of that name, here or, where it is the only one called so, in its document."""
        return self._tools.get(name) or self._original.get(name)

    def hint(self, name: str) -> str:
        """What may have been meant by a name that no tool has."""
        return did_you_mean(name, self._tools)

    def part(self, query: bytes) -> Toolbox:
        """The tools that a query asks for; raises `ArgumentError` for a query that can mean no tool."""
        return Toolbox(chosen(self._tools.values(), *_patterns(query)))


def chosen(
    tools: Iterable[ToolEndpoint], included: Collection[str], excluded: Collection[str] = ()
) -> Iterator[ToolEndpoint]:
    """The tools that fit a pattern, or all where there is none; raises `ArgumentError` for one that fits no tool."""
    listed = tuple(tools)
    for pattern in (*included, *excluded):
        if not any(_matches(tool, [pattern]) for tool in listed):
            known = {*(tool.name for tool in listed), *(tool.tool.namespace for tool in listed)}
            hint = did_you_mean(pattern, known)
            raise ArgumentError.about(pattern, "matches no tool and no namespace" + (f"; {hint}" if hint else ""))
    for tool in listed:
        if (not included or _matches(tool, included)) and not _matches(tool, excluded):
            yield tool


def _matches(tool: ToolEndpoint, patterns: Iterable[str]) -> bool:
    names = (tool.name, tool.tool.name, tool.tool.namespace)
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in names)


def _patterns(query: bytes) -> tuple[list[str], list[str]]:
    """The patterns that a query includes and excludes; raises `ArgumentError` for one that says anything else."""
    found: dict[str, list[str]] = {"include": [], "exclude": []}
    for key, text in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if key not in found:
            raise ArgumentError.about(key, "is not declared (known: exclude, include)")
        found[key] += split(text)
    return found["include"], found["exclude"]


def split(text: str) -> Iterator[str]:
    """The patterns of a list with commas."""
    return (pattern.strip() for pattern in text.split(","))


def _original_names(tools: Mapping[str, ToolEndpoint]) -> dict[str, ToolEndpoint]:
    """The names in the documents that only one tool has."""
    named: dict[str, list[ToolEndpoint]] = {}
    for tool in tools.values():
        named.setdefault(tool.tool.name, []).append(tool)
    return {name: found[0] for name, found in named.items() if len(found) == 1}


def _pages(tools: list[types.Tool]) -> Mapping[str, types.ListToolsResult]:
    """The answers to tools/list by cursor; a short list is one page."""
    starts = range(0, max(len(tools), 1), PAGE)
    return {
        str(start): types.ListToolsResult(
            tools=tools[start : start + PAGE], next_cursor=str(start + PAGE) if start + PAGE < len(tools) else None
        )
        for start in starts
    }
