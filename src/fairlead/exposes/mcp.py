"""The MCP adapter as written and as planned.

- type: mcp
  namespace: together-ai-batches-mcp
  port: 9090
  transport: http
  tools:
  - {name: get-batch-job, hints: {readOnly: true}, call: together-ai-batches.get, with: {id: tools.id}}
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

from fairlead.binds import Bindings
from fairlead.consumed import Consumed
from fairlead.errors import Problem
from fairlead.exposed import Caller, Entry, Exposed, plan
from fairlead.exposes.adapter import Adapter
from fairlead.model import Model
from fairlead.scope import Scope


class Hints(Model):
    """What clients may expect of a tool; what is not said stays unsaid."""

    read_only: bool | None = None
    destructive: bool | None = None
    idempotent: bool | None = None
    open_world: bool | None = None


class McpTool(Caller):
    """A tool."""

    hints: Hints | None = None


class McpExposes(Adapter):
    """An MCP adapter."""

    type: Literal["mcp"]
    transport: Literal["http", "stdio"] = "http"
    tools: tuple[McpTool, ...] = ()


@dataclass(frozen=True)
class Tool:
    """A tool and the plan of what it does."""

    exposed: Exposed
    hints: Hints | None
    adapter: McpExposes

    @property
    def namespace(self) -> str:
        return self.adapter.namespace

    @property
    def name(self) -> str:
        return self.exposed.name


def tools(adapter: McpExposes, consumed: tuple[Consumed, ...], bindings: Bindings) -> tuple[Tool, ...]:
    """The tools of an adapter."""
    names = frozenset({adapter.namespace, *(one.section.namespace for one in consumed)})
    faults = adapter.faults(besides="tools")
    entries = (_entry(tool, names, bindings, faults) for tool in adapter.tools)
    return tuple(
        Tool(exposed, tool.hints, adapter) for tool, exposed in zip(adapter.tools, plan(entries, consumed), strict=True)
    )


def _entry(tool: McpTool, names: frozenset[str], bindings: Bindings, faults: tuple[Problem, ...]) -> Entry:
    declared = tuple(
        parameter.model_copy(update={"required": True}) if parameter.required is None else parameter
        for parameter in tool.input_parameters
    )
    scope = Scope(names, bindings, partial(tool.at, "with"), None, declared, declared)
    return Entry(tool, tool.as_call(), scope, faults)
