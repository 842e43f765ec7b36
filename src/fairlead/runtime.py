"""From documents to what answers on each port.

`build` takes no decisions: listeners were arranged, calls resolved and inputs derived before. A missing secret makes
the operations that need it answer so; everything else works.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial

from starlette.types import ASGIApp, Receive, Scope, Send

from fairlead.access import Access, Guarded, metadata
from fairlead.exposes.adapter import Adapter
from fairlead.exposes.gateway import Gateway
from fairlead.exposes.library import Library
from fairlead.exposes.management import adapters_of, management
from fairlead.exposes.mcp import Tool
from fairlead.exposes.openapi import description
from fairlead.exposes.pages import ASSETS, HEALTH, LISTS, Ready, pages
from fairlead.exposes.proxy import forwarding
from fairlead.exposes.resources import Resource
from fairlead.exposes.rest import Route
from fairlead.exposes.skills import Below, SkillPages
from fairlead.exposes.toolbox import ToolEndpoint
from fairlead.exposes.tools import McpEndpoint, hint_of
from fairlead.guard import LOOPBACK, Guard
from fairlead.listeners import Listener, ToolSet
from fairlead.metrics import MeasuredApp, MeasuredUpstream, Metrics, measured
from fairlead.operation import Operation
from fairlead.relay import Caller
from fairlead.settings import Settings
from fairlead.wiring import Wiring


@dataclass(frozen=True)
class Served:
    """One port and the application behind it. Enter `running()` before the first request."""

    port: int
    app: ASGIApp
    endpoints: tuple[McpEndpoint, ...]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for endpoint in self.endpoints:
                await stack.enter_async_context(endpoint.running())
            yield


def build(listeners: Iterable[Listener], wiring: Wiring, settings: Settings, ready: Ready) -> tuple[Served, ...]:
    """The applications of all listeners; `ready` is what `/health/ready` asks."""
    listed = tuple(listeners)
    metrics = Metrics() if any(one.adapter.has_metrics for listener in listed for one in listener.controls) else None
    if metrics:
        wiring = replace(wiring, upstream=MeasuredUpstream(wiring.upstream, metrics))
    access = Access(listed, wiring)
    return tuple(_served(listener, wiring, settings, ready, access, metrics) for listener in listed)


def _served(
    listener: Listener, wiring: Wiring, settings: Settings, ready: Ready, access: Access, metrics: Metrics | None
) -> Served:
    def operation(one: Route | Tool | Resource) -> Operation:
        return measured(one.exposed.operation(wiring), one.adapter.namespace, metrics)

    adapters = tuple(occupant.adapter for occupant in listener.occupants)
    checks = access.every(adapters)
    operations = {id(tool): operation(tool) for tool in listener.tools}
    operations |= {id(resource): operation(resource) for resource in listener.resources}
    endpoints: list[McpEndpoint] = []

    def documented(shown: tuple[Adapter, ...]) -> ASGIApp:
        routes = [route for route in listener.routes if any(route.adapter is one for one in shown)]
        forwards = [proxy for proxy in listener.forwards if any(proxy.adapter is one for one in shown)]
        told = [one for control in listener.controls for one in adapters_of(control)]
        return pages(ready, description(routes, forwards) if routes or forwards else None, told)

    def endpoint(tools: ToolSet, shown: tuple[Adapter, ...]) -> McpEndpoint:
        part = tools.of(shown)
        listed = (ToolEndpoint(one.name, one.tool, operations[id(one.tool)]) for one in part.tools)
        library = Library(((one, operations[id(one)]) for one in part.resources), part.prompts)
        hint = hint_of(part.adapters)
        made = McpEndpoint(part.name, part.instructions, listed, settings.reading.body, library, hint=hint)
        endpoints.append(made)
        return made

    full = documented(adapters)
    lists = access.divided(adapters, documented) if checks else full
    mcp = {tools.path: access.divided(tools.adapters, partial(endpoint, tools)) for tools in listener.tool_sets()}
    if "/mcp" in mcp and not listener.routes and not listener.forwards:
        mcp[""] = mcp["/mcp"]  # a port of nothing else is the endpoint, as clients of the reference engine have it
    apps: dict[str, ASGIApp] = {
        **dict(_controls(listener, access, metrics, wiring)),
        **dict(metadata(listener, access)),
        **mcp,
        **dict.fromkeys(HEALTH, full),
        **dict.fromkeys(LISTS, lists),
    }
    unserved = Guarded(full, checks, besides=ASSETS) if checks else full
    routes = ((route, operation(route), access.of(route.adapter)) for route in listener.routes)
    forwards = ((proxy, forwarding(proxy, wiring), access.of(proxy.adapter)) for proxy in listener.forwards)
    dispatch = Dispatch(apps, Gateway(routes, forwards, unserved, settings.reading, checks))
    app: ASGIApp = Below(_skills(listener, access), dispatch) if listener.skills else dispatch
    hosts = LOOPBACK | {settings.host} | frozenset(settings.allowed_hosts)
    guarded = Guard(app, hosts)
    app = MeasuredApp(guarded, metrics, str(listener.port)) if metrics else guarded
    return Served(listener.port, app, tuple(endpoints))


def _skills(listener: Listener, access: Access) -> ASGIApp:
    """The skills of the adapters that let the caller in."""
    adapters = {id(skill.adapter): skill.adapter for skill in listener.skills}

    def shown(allowed: tuple[Adapter, ...]) -> ASGIApp:
        return SkillPages(skill for skill in listener.skills if any(skill.adapter is one for one in allowed))

    return access.divided(adapters.values(), shown)


def _controls(
    listener: Listener, access: Access, metrics: Metrics | None, wiring: Wiring
) -> Iterator[tuple[str, ASGIApp]]:
    """The pages of control adapters by their paths, each behind its check."""
    for control in listener.controls:
        check = access.of(control.adapter)
        for path, page in management(control, metrics, wiring.scripts):
            yield path, Guarded(page, (check,)) if check else page


class Dispatch:
    """Hands the paths of MCP endpoints and of our own pages to them, and all others to the REST gateway."""

    def __init__(self, apps: Mapping[str, ASGIApp], gateway: Gateway) -> None:
        self._apps = apps
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._apps.get(scope["path"].rstrip("/"), self._gateway)
        await app(scope, receive, send)

    def relay(self, scope: Scope, caller: Caller) -> bool:
        """As `Gateway.relay`."""
        return scope["path"].rstrip("/") not in self._apps and self._gateway.relay(scope, caller)
