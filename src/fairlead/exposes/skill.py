"""The skill adapter as written and as planned: skills for agents, and the tools and files that they are made of.

- type: skill
  port: 8080
  skills:
  - name: order-ships
    description: How to order a ship
    location: file:///./skills/order-ships
    allowed-tools: list-ships
    tools:
    - {name: list-ships, description: List all, from: {sourceNamespace: ships-mcp, action: list-ships}}
    - {name: paint, description: Choose a colour, instruction: paint.md}
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final, Literal

from pydantic import Field

from fairlead.binds import path_of
from fairlead.errors import Place, Problem, did_you_mean
from fairlead.exposes.adapter import Adapter
from fairlead.model import Model, Name, Text
from fairlead.names import find

_LONGEST: Final = {"description": 1024, "compatibility": 500}
_NAME = re.compile(r"[A-Za-z0-9._-]+")


class Origin(Model):
    """The operation or tool of another adapter of the document."""

    spellings: ClassVar[Mapping[str, str]] = {"namespace": "sourceNamespace", "name": "action"}

    source_namespace: Text = ""
    action: Text = ""


class SkillTool(Model):
    """What a skill uses: an operation of another adapter, or an instruction in one of its files."""

    name: Name
    label: Text = ""
    description: Text = ""
    from_: Origin | None = Field(default=None, alias="from")
    instruction: Text = ""


class Skill(Model):
    """A skill, in the keys of the Agent Skills format."""

    name: Name
    label: Text = ""
    description: Text = ""
    license: Text = ""
    compatibility: Text = ""
    argument_hint: Text = Field(default="", alias="argument-hint")
    allowed_tools: Text = Field(default="", alias="allowed-tools")
    user_invocable: bool | None = Field(default=None, alias="user-invocable")
    disable_model_invocation: bool | None = Field(default=None, alias="disable-model-invocation")
    metadata: dict[str, Text] = Field(default_factory=dict)
    location: Text = ""
    tools: tuple[SkillTool, ...] = ()


class SkillExposes(Adapter):
    """A skill adapter."""

    type: Literal["skill", "agent-skill"]
    skills: tuple[Skill, ...] = ()


@dataclass(frozen=True)
class Sibling:
    """Another adapter of the document, and what its operations or tools are called."""

    namespace: str
    mode: Literal["rest", "mcp"]
    actions: tuple[str, ...]


@dataclass(frozen=True)
class Invocation:
    """What a tool calls, by the name it has there."""

    sibling: Sibling
    action: str

    def __str__(self) -> str:
        return f"{self.sibling.mode} {self.sibling.namespace}.{self.action}"


@dataclass(frozen=True)
class PlannedTool:
    """A tool and what it calls; one with problems is not told of."""

    written: SkillTool
    calls: Invocation | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class PlannedSkill:
    """A skill with the folder of its files; one with problems answers nothing but those."""

    written: Skill
    adapter: SkillExposes
    tools: tuple[PlannedTool, ...]
    folder: Path | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def name(self) -> str:
        return self.written.name

    @property
    def place(self) -> Place:
        return self.written.at()

    @property
    def findings(self) -> Iterator[Problem]:
        """All that is wrong with it and its tools, and what its writer may not expect."""
        yield from self.problems
        for tool in self.tools:
            yield from tool.problems
        if self.folder and not self.folder.is_dir():
            message = f"there is no folder at the location {self.written.location!r}"
            yield Problem(self.written.at("location"), message, "its files are answered with 404", "warning")
        for key, longest in _LONGEST.items():
            if len(getattr(self.written, key)) > longest:
                message = f"{key!r} of skill {self.name!r} is longer than {longest} characters"
                yield Problem(self.written.at(key), message, "agents may cut it", "warning")


def skills(adapter: SkillExposes, siblings: Sequence[Sibling]) -> tuple[PlannedSkill, ...]:
    """The skills of an adapter."""
    return tuple(_planned(skill, adapter, siblings) for skill in adapter.skills)


def _planned(skill: Skill, adapter: SkillExposes, siblings: Sequence[Sibling]) -> PlannedSkill:
    folder = path_of(skill.location, Path(skill.at().file).parent) if skill.location else None
    problems = [*adapter.faults(besides="skills"), *skill.faults(besides="tools")]
    if skill.location and folder is None:
        problems.append(Problem(skill.at("location"), f"the location {skill.location!r} is no file:// path"))
    if not _NAME.fullmatch(skill.name):
        hint = "only letters, digits, '.', '_' and '-' can"
        problems.append(Problem(skill.at("name"), f"the name {skill.name!r} cannot stand in a path", hint))
    tools = tuple(_tool(tool, skill, siblings) for tool in skill.tools)
    return PlannedSkill(skill, adapter, tools, folder, tuple(problems))


def _tool(tool: SkillTool, skill: Skill, siblings: Sequence[Sibling]) -> PlannedTool:
    found = _meant(tool, skill, siblings)
    if isinstance(found, Problem):
        return PlannedTool(tool, problems=(*tool.faults(), found))
    return PlannedTool(tool, found, tool.faults())


def _meant(tool: SkillTool, skill: Skill, siblings: Sequence[Sibling]) -> Invocation | Problem | None:
    """What the tool calls, None for an instruction; or why it can be neither."""
    named = f"tool {tool.name!r} of skill {skill.name!r}"
    if tool.from_ and tool.instruction:
        return Problem(tool.at("instruction"), f"{named} has both `from` and `instruction`")
    if tool.from_:
        return _invocation(tool.from_, named, siblings)
    if not tool.instruction:
        return Problem(tool.at(), f"{named} has neither `from` nor `instruction`")
    if not skill.location:
        return Problem(tool.at("instruction"), f"{named} has an `instruction`, and the skill has no `location`")
    return None


def _invocation(origin: Origin, named: str, siblings: Sequence[Sibling]) -> Invocation | Problem:
    said = origin.source_namespace
    namespaces = [one.namespace for one in siblings]
    there = [one for one in siblings if one.namespace == find(said, dict.fromkeys(namespaces))]
    if not there:
        place = origin.at("sourceNamespace")
        return Problem(place, f"{named} is from unknown namespace {said!r}", did_you_mean(said, namespaces))
    for sibling in there:
        if action := find(origin.action, dict.fromkeys(sibling.actions)):
            return Invocation(sibling, action)
    known = [action for sibling in there for action in sibling.actions]
    message = f"{named} is from unknown action {origin.action!r} of {said!r}"
    return Problem(origin.at("action"), message, did_you_mean(origin.action, known))
