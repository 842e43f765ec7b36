"""Which adapters answer on which port, and what of them clashes.

All published files want the same two ports, so adapters share listeners. Two routes of one method and path that call
the same upstream operation are one route; with different targets they clash, which is a problem naming both places.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fairlead.binds import Value
from fairlead.consumed import Api
from fairlead.document import Document
from fairlead.errors import Problem
from fairlead.exposes.adapter import Adapter
from fairlead.exposes.mcp import Tool
from fairlead.exposes.pages import LIVE, READY
from fairlead.exposes.rest import Route
from fairlead.names import unique_names
from fairlead.operation import Argument, Source
from fairlead.settings import DEFAULT_MCP_PORT, DEFAULT_REST_PORT, Settings
from fairlead.template import parse

RESERVED = frozenset({LIVE, READY, "/docs", "/openapi.json"})
"""What every listener answers itself."""


@dataclass(frozen=True)
class NamedTool:
    """A tool under the name it has on one endpoint."""

    name: str
    tool: Tool


@dataclass(frozen=True)
class ToolSet:
    """The tools that answer at one path of a listener."""

    path: str
    name: str
    instructions: str
    tools: tuple[NamedTool, ...]


@dataclass
class Listener:
    """One port, its REST routes and its MCP endpoints."""

    port: int
    by_shape: dict[tuple[str, str], Route] = field(default_factory=dict)
    adapters: dict[str, tuple[Adapter, tuple[Tool, ...]]] = field(default_factory=dict)

    @property
    def routes(self) -> tuple[Route, ...]:
        return tuple(self.by_shape.values())

    @property
    def tools(self) -> tuple[Tool, ...]:
        return tuple(tool for _, tools in self.adapters.values() for tool in tools)

    def tool_sets(self) -> Iterator[ToolSet]:
        """One set per adapter, and where there is any the set of all."""
        for namespace, (adapter, tools) in self.adapters.items():
            yield _tool_set(f"/{namespace}/mcp", namespace, adapter.description, tools)
        if self.adapters:
            yield _tool_set("/mcp", "fairlead", "", self.tools)


def _tool_set(path: str, name: str, instructions: str, tools: tuple[Tool, ...]) -> ToolSet:
    names = unique_names([(tool.namespace, tool.name) for tool in tools])
    named = (NamedTool(unique, tool) for unique, tool in zip(names, tools, strict=True))
    return ToolSet(path, name, instructions, tuple(named))


def arrange(documents: Iterable[Document], settings: Settings) -> tuple[tuple[Listener, ...], tuple[Problem, ...]]:
    """The listeners of all documents, in the order of the documents, and what clashes on them."""
    listeners: dict[int, Listener] = {}
    problems: list[Problem] = []
    for document in documents:
        for rest in document.rest:
            listener = _listener(listeners, settings.rest_port or rest.port or DEFAULT_REST_PORT)
            own = (route for route in document.routes if route.adapter is rest)
            problems += (problem for route in own for problem in _add_route(listener, route))
        for mcp in document.mcp:
            listener = _listener(listeners, settings.mcp_port or mcp.port or DEFAULT_MCP_PORT)
            tools = tuple(tool for tool in document.tools if tool.adapter is mcp)
            problems += _add_tools(listener, mcp, tools)
    for listener in listeners.values():
        problems += [*_renamed(listener), *_hidden(listener)]
    return tuple(listeners.values()), tuple(sorted(problems))


def _listener(listeners: dict[int, Listener], port: int) -> Listener:
    return listeners.setdefault(port, Listener(port))


def _add_route(listener: Listener, route: Route) -> Iterator[Problem]:
    """Adds a route, and tells what it means where one of its method and path is there already."""
    twin = listener.by_shape.setdefault((route.method, route.shape), route)
    if twin is route:
        return
    if _same_target(twin, route):
        yield Problem(route.place, f"{route} is the same as at {twin.place}", "they are served as one", "warning")
    else:
        hint = f"{twin.place} has it already; keep one, or serve with --rest-prefix namespace"
        yield Problem(route.place, f"{route} clashes with another route on port {listener.port}", hint)


def _same_target(one: Route, other: Route) -> bool:
    return bool(one.exposed.target and other.exposed.target) and _meaning(one) == _meaning(other)


def _meaning(route: Route) -> tuple[Any, ...]:
    """What a call of the route does, wherever it stands: two of one meaning can be served as one."""
    exposed = route.exposed
    assert exposed.target is not None
    consumed = exposed.target.consumed
    credential = consumed.section.authentication
    secrets = [_text(value) for value in credential.values(consumed.bindings)] if credential else []
    numbers = {hole: f"{{{number}}}" for number, hole in enumerate(parse(route.path).holes)}
    inputs = [replace(item, name=numbers.get(item.name, item.name)) for item in exposed.inputs]
    sources = [(name, _numbered(source, numbers)) for name, source in exposed.binding.sources]
    constants = [(one.name, one.location, one.constant and one.constant[0]) for one in consumed.parameters]
    base = _text(Api(consumed.section, consumed.bindings).base_uri)
    request = (str(consumed), base, constants, consumed.operation.body, type(credential), credential, secrets)
    return *request, inputs, sources, exposed.outputs


def _text(value: Source | Value) -> Any:
    return (value.template, value.variables) if isinstance(value, Value) else value


def _numbered(source: Source | Value, numbers: Mapping[str, str]) -> Any:
    """The source with the placeholders of the path by their order, for their names may differ."""
    return Argument(numbers.get(source.name, source.name)) if isinstance(source, Argument) else _text(source)


def _add_tools(listener: Listener, adapter: Adapter, tools: tuple[Tool, ...]) -> Iterator[Problem]:
    if adapter.namespace in listener.adapters:
        first = listener.adapters[adapter.namespace][0].at()
        hint = f"{first} has it already; rename one of the two"
        yield Problem(adapter.at("namespace"), f"MCP namespace {adapter.namespace!r} is taken", hint)
    else:
        listener.adapters[adapter.namespace] = (adapter, tools)


def _hidden(listener: Listener) -> Iterator[Problem]:
    """Routes at paths where the gateway answers itself, with MCP or a page of its own."""
    paths = RESERVED | {tools.path for tools in listener.tool_sets()}
    for route in listener.routes:
        if route.path.rstrip("/") in paths:
            hint = f"the gateway answers there itself on port {listener.port}; serve with --rest-prefix namespace"
            yield Problem(route.place, f"{route} cannot be reached", hint)


def _renamed(listener: Listener) -> Iterator[Problem]:
    """A note for each tool that has another name on an endpoint than in its document."""
    for tools in listener.tool_sets():
        for named in tools.tools:
            if named.name != named.tool.name:
                message = f"tool {named.tool.name!r} is called {named.name!r} at {tools.path}"
                yield Problem(named.tool.exposed.place, message, "", "warning")
