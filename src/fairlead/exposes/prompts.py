"""The prompts of an MCP adapter, as written and as planned.

prompts:
- name: describe-ship
  arguments: [{name: imo, description: The IMO number of the ship}]
  template: [{role: user, content: 'Describe the ship {{imo}} for a harbour master.'}]
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from fairlead.binds import path_of
from fairlead.errors import ArgumentError, Place, Problem, did_you_mean
from fairlead.exposes.adapter import LISTED, Adapter
from fairlead.model import Model, Name, Text

_HOLE = re.compile(r"\{\{\s*([\w-]+)\s*\}\}")


class PromptArgument(Model):
    """A text that fills the places of its name; needed unless it says otherwise."""

    name: Name
    label: Text = ""
    description: Text = ""
    required: bool = True


class PromptMessage(Model):
    """One message, and who says it."""

    spellings: ClassVar[Mapping[str, str]] = {"text": "content"}

    role: Literal["user", "assistant"] = "user"
    content: Text


class McpPrompt(Model):
    """A prompt: messages, or the file that its only message stands in."""

    spellings: ClassVar[Mapping[str, str]] = {"messages": "template"}

    name: Name
    label: Text = ""
    description: Text = ""
    arguments: tuple[PromptArgument, ...] = ()
    template: tuple[PromptMessage, ...] = ()
    location: Text = ""


@dataclass(frozen=True)
class Prompt:
    """A prompt and what is wrong with it; one that anything is wrong with is not served."""

    written: McpPrompt
    adapter: Adapter
    problems: tuple[Problem, ...] = ()

    @property
    def name(self) -> str:
        return self.written.name

    @property
    def namespace(self) -> str:
        return self.adapter.namespace

    @property
    def place(self) -> Place:
        return self.written.at()

    @property
    def title(self) -> str:
        return self.written.label

    @property
    def file(self) -> Path | None:
        """The file of its only message, if it has one."""
        return _file(self.written)

    def filled(self, text: str, given: Mapping[str, str]) -> str:
        """The text with the arguments in their places, once; what no argument is called stays as it is."""
        values = {argument.name: "" for argument in self.written.arguments} | dict(given)
        return _HOLE.sub(lambda hole: values.get(hole[1], hole[0]), text)

    def check(self, given: Mapping[str, str]) -> None:
        """Raises `ArgumentError` for what is missing or not declared."""
        known = {argument.name: argument.required for argument in self.written.arguments}
        for name, required in known.items():
            if required and name not in given:
                raise ArgumentError.about(name, "is required")
        for name in given:
            if name not in known:
                raise ArgumentError.about(name, f"is not declared; {did_you_mean(name, known)}".rstrip("; "))


@dataclass(frozen=True, slots=True)
class NamedPrompt:
    """A prompt under the name it has on one endpoint."""

    name: str
    prompt: Prompt


def prompts(adapter: Adapter, listed: tuple[McpPrompt, ...]) -> tuple[Prompt, ...]:
    """The prompts of an adapter."""
    faults = adapter.faults(besides=LISTED)
    return tuple(Prompt(one, adapter, (*faults, *one.faults(), *_problems(one))) for one in listed)


def _file(one: McpPrompt) -> Path | None:
    return path_of(one.location, Path(one.at().file).parent) if one.location else None


def _problems(one: McpPrompt) -> Iterator[Problem]:
    if bool(one.template) == bool(one.location):
        has = "both `template` and `location`" if one.location else "neither `template` nor `location`"
        yield Problem(one.at(), f"the prompt {one.name!r} has {has}")
    if not one.location:
        return
    path = _file(one)
    if path is None:
        yield Problem(one.at("location"), f"the location {one.location!r} is no file:// path")
    elif not path.is_file():
        yield Problem(one.at("location"), f"there is no file at the location {one.location!r}")
