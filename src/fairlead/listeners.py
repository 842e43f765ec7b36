"""Which adapters answer on which port, and what of them clashes.

All published files want the same two ports, so adapters share listeners. Two routes of one method and path that call
the same upstream operation are one route; with different targets they clash, which is a problem naming both places.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, count

from fairlead.binds import Bindings
from fairlead.clashes import apart, settled
from fairlead.document import Document
from fairlead.errors import Problem
from fairlead.exposes.adapter import Adapter
from fairlead.exposes.control import Control, ControlExposes
from fairlead.exposes.forward import Proxy
from fairlead.exposes.mcp import McpExposes, Tool
from fairlead.exposes.pages import HEALTH, LISTS, SKILLS
from fairlead.exposes.resources import Resource
from fairlead.exposes.rest import Route
from fairlead.exposes.skill import PlannedSkill, SkillExposes
from fairlead.settings import DEFAULT_CONTROL_PORT, DEFAULT_MCP_PORT, DEFAULT_REST_PORT, Settings
from fairlead.toolsets import Offer, ToolSet, tool_sets

RESERVED = HEALTH | LISTS
"""What every listener answers itself."""


@dataclass(frozen=True)
class Occupant:
    """An adapter on a listener, whatever its kind and however little it serves, and what its variables mean."""

    adapter: Adapter
    bindings: Bindings


@dataclass(frozen=True)
class Listener:
    """One port, its REST routes and forwards, and its MCP adapters by namespace, each with its tools."""

    port: int
    routes: tuple[Route, ...]
    offers: Mapping[str, Offer]
    occupants: tuple[Occupant, ...] = ()
    forwards: tuple[Proxy, ...] = ()
    controls: tuple[Control, ...] = ()
    skills: tuple[PlannedSkill, ...] = ()

    @property
    def tools(self) -> tuple[Tool, ...]:
        return tuple(tool for offer in self.offers.values() for tool in offer.tools)

    @property
    def resources(self) -> tuple[Resource, ...]:
        return tuple(resource for offer in self.offers.values() for resource in offer.resources)

    def tool_sets(self) -> Iterator[ToolSet]:
        return tool_sets(self.offers)


@dataclass
class _Parts:
    """What is to answer on one port, as it is found."""

    routes: list[Route] = field(default_factory=list)
    forwards: list[Proxy] = field(default_factory=list)
    offers: list[Offer] = field(default_factory=list)
    controls: list[Control] = field(default_factory=list)
    skills: list[PlannedSkill] = field(default_factory=list)
    occupants: list[Occupant] = field(default_factory=list)


def arrange(documents: Iterable[Document], settings: Settings) -> tuple[tuple[Listener, ...], tuple[Problem, ...]]:
    """The listeners of all documents, in the order of the documents, and what clashes on them."""
    ports: dict[int, _Parts] = {}
    for document in documents:
        for adapter in (*document.rest, *document.mcp, *document.skill, *document.control):
            parts = ports.setdefault(_port(adapter, settings), _Parts())
            parts.occupants.append(Occupant(adapter, document.bindings))
            _add(adapter, document, parts, settings)
    problems: list[Problem] = []
    listeners = [_listener(port, parts, problems) for port, parts in ports.items()]
    return tuple(listeners), tuple(sorted(problems))


def _port(adapter: Adapter, settings: Settings) -> int:
    match adapter:
        case McpExposes():
            return settings.mcp_port or adapter.port or DEFAULT_MCP_PORT
        case ControlExposes():
            return adapter.port or DEFAULT_CONTROL_PORT
        case SkillExposes():
            return adapter.port or settings.rest_port or DEFAULT_REST_PORT
        case _:
            return settings.rest_port or adapter.port or DEFAULT_REST_PORT


def _add(adapter: Adapter, document: Document, parts: _Parts, settings: Settings) -> None:
    match adapter:
        case McpExposes():
            parts.offers.append(_offer(document, adapter))
        case ControlExposes():
            ports = tuple((one, _port(one, settings)) for one in document.adapters)
            model, scripting = document.model, document.scripting
            is_ikanos = model.ikanos is not None
            control = Control(adapter, document.label, model.version, ports, scripting, is_ikanos)
            parts.controls.append(replace(control, collector=adapter.collector(document.bindings)))
        case SkillExposes():
            parts.skills += (skill for skill in document.skills if skill.adapter is adapter)
        case _:
            parts.routes += (route for route in document.routes if route.adapter is adapter)
            parts.forwards += (proxy for proxy in document.forwards if proxy.adapter is adapter)


def _offer(document: Document, adapter: McpExposes) -> Offer:
    return Offer(
        adapter,
        tuple(tool for tool in document.tools if tool.adapter is adapter),
        tuple(resource for resource in document.resources if resource.adapter is adapter),
        tuple(prompt for prompt in document.prompts if prompt.adapter is adapter),
        document.model.info.version if document.model.info else "",
    )


def _listener(port: int, parts: _Parts, problems: list[Problem]) -> Listener:
    alike: dict[tuple[str, str], list[Route]] = {}
    for route in parts.routes:
        alike.setdefault((route.method, route.shape), []).append(route)
    served = [settled(same, port) for same in alike.values()]
    problems += (problem for _, found in served for problem in found)
    named: dict[str, Offer] = {}
    for offer in parts.offers:
        adapter = offer.adapter
        name = _free(adapter.namespace, named)
        if name != adapter.namespace:
            message = f"MCP namespace {adapter.namespace!r} is taken; {named[adapter.namespace].adapter.at()} has it"
            problems.append(Problem(adapter.at("namespace"), message, f"its tools are at /{name}/mcp", "warning"))
        named[name] = offer
    listener = Listener(
        port,
        tuple(route for route, _ in served),
        named,
        tuple(parts.occupants),
        tuple(apart(parts.forwards, port, problems)),
        tuple(parts.controls[:1]),
        tuple(parts.skills),
    )
    problems += (_second(control, parts.controls[0], port) for control in parts.controls[1:])
    problems += [*_renamed(listener), *_hidden(listener), *_same_uris(listener), *_same_skills(listener)]
    return listener


def _second(control: Control, first: Control, port: int) -> Problem:
    message = f"only one control adapter answers on port {port}; {first.place} does"
    return Problem(control.place, message, "give it a port of its own", "warning")


def _free(namespace: str, taken: Collection[str]) -> str:
    """The namespace, with a number where it is taken."""
    names = chain([namespace], (f"{namespace}-{number}" for number in count(2)))
    return next(name for name in names if name not in taken)


def _hidden(listener: Listener) -> Iterator[Problem]:
    """Routes and forwards at paths where the gateway answers itself, with MCP or a page of its own."""
    paths = RESERVED | {tools.path for tools in listener.tool_sets()}
    paths |= {path for control in listener.controls for path in control.adapter.paths}
    listed: list[tuple[str, Route | Proxy]] = [(route.path, route) for route in listener.routes]
    for path, one in [*listed, *((proxy.path.text, proxy) for proxy in listener.forwards)]:
        if path.rstrip("/") in paths or (listener.skills and f"{path}/".startswith(f"{SKILLS}/")):
            hint = f"the gateway answers there itself on port {listener.port}; serve with --rest-prefix namespace"
            yield Problem(one.place, f"{one} cannot be reached", hint)


def _same_skills(listener: Listener) -> Iterator[Problem]:
    """A note for each skill that cannot be asked for, because another one has its name."""
    first: dict[str, PlannedSkill] = {}
    for skill in listener.skills:
        other = first.setdefault(skill.name, skill)
        if other is not skill:
            message = f"the skill at {other.place} has the name {skill.name!r} too"
            yield Problem(skill.place, message, f"that one is answered on port {listener.port}", "warning")


def _same_uris(listener: Listener) -> Iterator[Problem]:
    """A note for each resource whose URI another one has at `/mcp`, where the first of them is read."""
    first: dict[str, Resource] = {}
    for resource in listener.resources:
        other = first.setdefault(resource.uri, resource)
        if other is not resource:
            message = f"the URI {resource.uri!r} is that of the resource at {other.place} too"
            hint = f"it is read at /{resource.adapter.namespace}/mcp"
            yield Problem(resource.place, message, hint, "warning")


def _renamed(listener: Listener) -> Iterator[Problem]:
    """A note for each tool or prompt that has another name on an endpoint than in its document."""
    for tools in listener.tool_sets():
        for named in tools.tools:
            if named.name != named.tool.name:
                message = f"tool {named.tool.name!r} is called {named.name!r} at {tools.path}"
                yield Problem(named.tool.exposed.place, message, "", "warning")
        for prompt in tools.prompts:
            if prompt.name != prompt.prompt.name:
                message = f"prompt {prompt.prompt.name!r} is called {prompt.name!r} at {tools.path}"
                yield Problem(prompt.prompt.place, message, "", "warning")
