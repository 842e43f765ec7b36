"""From documents to what answers on each port.

`build` takes no decisions: listeners were arranged, calls resolved and inputs derived before. A missing secret makes
the operations that need it answer so; everything else works.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from anyio import create_task_group, sleep_forever
from anyio.abc import TaskStatus
from starlette.types import ASGIApp, Receive, Scope, Send

from fairlead.access import Access, Guarded, metadata
from fairlead.exposes.adapter import Adapter
from fairlead.exposes.control import TRACES
from fairlead.exposes.gateway import Gateway
from fairlead.exposes.library import Library
from fairlead.exposes.management import adapters_of, management
from fairlead.exposes.mcp import Tool
from fairlead.exposes.openapi import description
from fairlead.exposes.pages import ASSETS, HEALTH, LISTS, SKILLS, Ready, pages
from fairlead.exposes.proxy import forwarding
from fairlead.exposes.resources import Resource
from fairlead.exposes.rest import Route
from fairlead.exposes.skills import Below, SkillPages
from fairlead.exposes.toolbox import ToolEndpoint, chosen
from fairlead.exposes.tools import McpEndpoint, hint_of
from fairlead.guard import LOOPBACK, Guard, is_local
from fairlead.listeners import Listener
from fairlead.log_lines import LogLines
from fairlead.observed import Observed, observed
from fairlead.operation import Operation
from fairlead.relay import Caller, Relaying
from fairlead.settings import Settings
from fairlead.toolsets import ToolSet
from fairlead.wiring import Wiring

if TYPE_CHECKING:
    from fairlead.tracing import Tracing


@dataclass(frozen=True)
class Served:
    """One port and the application behind it. Enter `running()` before the first request."""

    port: int
    app: ASGIApp
    endpoints: tuple[McpEndpoint, ...]
    lines: LogLines | None = None
    tracing: Tracing | None = None
    """What is ended with it, where it is the first of all."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            if self.tracing:
                stack.push_async_callback(self.tracing.close)
            if self.lines:
                stack.enter_context(self.lines.kept())
            beside = await stack.enter_async_context(create_task_group())
            for endpoint in self.endpoints:
                await beside.start(_live, endpoint)
            yield
            beside.cancel_scope.cancel()

    def stop(self) -> None:
        """Ends what would go on for ever."""
        if self.lines:
            self.lines.end()


async def _live(endpoint: McpEndpoint, *, task_status: TaskStatus[None]) -> None:
    """The life of an endpoint, beside those of others: within each other, a thousand are too deep to be cancelled."""
    async with endpoint.running():
        task_status.started()
        await sleep_forever()


def build(listeners: Iterable[Listener], wiring: Wiring, settings: Settings, ready: Ready) -> tuple[Served, ...]:
    """The applications of all listeners; `ready` is what `/health/ready` asks."""
    listed = tuple(listeners)
    seen = observed(listed, wiring.environ, wiring.tracing)
    wiring = replace(wiring, upstream=seen.upstream(wiring.upstream), tracing=seen.tracing)
    access = Access(listed, wiring)
    served = tuple(_served(listener, wiring, settings, ready, access, seen) for listener in listed)
    return (replace(served[0], tracing=seen.tracing), *served[1:]) if served else ()


def _served(
    listener: Listener, wiring: Wiring, settings: Settings, ready: Ready, access: Access, seen: Observed
) -> Served:
    def operation(one: Route | Tool | Resource) -> Operation:
        return seen.operation(one.exposed.operation(wiring), one.adapter.namespace)

    adapters = tuple(occupant.adapter for occupant in listener.occupants)
    checks = access.every(adapters)
    operations = {id(tool): operation(tool) for tool in listener.tools}
    operations |= {id(resource): operation(resource) for resource in listener.resources}
    endpoints: list[McpEndpoint] = []
    lines = LogLines() if any(control.adapter.management.logs for control in listener.controls) else None

    def documented(shown: tuple[Adapter, ...]) -> ASGIApp:
        meant = set(map(id, shown))
        routes = [route for route in listener.routes if id(route.adapter) in meant]
        forwards = [proxy for proxy in listener.forwards if id(proxy.adapter) in meant]
        told = [one for control in listener.controls for one in adapters_of(control)]
        return pages(ready, description(routes, forwards) if routes or forwards else None, told)

    def endpoint(tools: ToolSet, shown: tuple[Adapter, ...]) -> McpEndpoint:
        made = _endpoint(tools.of(shown), operations, settings.reading.body)
        endpoints.append(made)
        return made

    full = documented(adapters)
    lists = access.divided(adapters, documented) if checks else full
    mcp = {tools.path: access.divided(tools.adapters, partial(endpoint, tools)) for tools in listener.tool_sets()}
    controls = dict(_controls(listener, access, seen, lines, wiring, settings))
    if "/mcp" in mcp and not listener.routes and not listener.forwards:
        mcp[""] = mcp["/mcp"]  # a port of nothing else is the endpoint, as clients of the reference engine have it
    apps: dict[str, ASGIApp] = {
        **controls,
        **dict(metadata(listener, access)),
        **mcp,
        **dict.fromkeys(HEALTH, full),
        **dict.fromkeys(LISTS, lists),
    }
    unserved = Guarded(full, checks, besides=ASSETS) if checks else full
    routes = ((route, operation(route), access.of(route.adapter)) for route in listener.routes)
    forwards = ((proxy, forwarding(proxy, wiring), access.of(proxy.adapter)) for proxy in listener.forwards)
    dispatch = Dispatch(apps, Gateway(routes, forwards, unserved, settings.reading, checks))
    app: ASGIApp = Below(SKILLS, _skills(listener, access), dispatch) if listener.skills else dispatch
    app = Below(TRACES, controls[TRACES], app) if TRACES in controls else app
    hosts = LOOPBACK | {settings.host} | frozenset(settings.allowed_hosts)
    besides = HEALTH | controls.keys() | ({f"{TRACES}/"} if TRACES in controls else set())
    return Served(listener.port, seen.app(Guard(app, hosts), listener.port, besides), tuple(endpoints), lines)


def endpoint_of(tools: ToolSet, wiring: Wiring, settings: Settings, include: Collection[str]) -> McpEndpoint:
    """An endpoint on its own, for a caller who needs no check; with `include` it has a part of the tools."""
    planned: list[Tool | Resource] = [*(named.tool for named in tools.tools), *tools.resources]
    operations = {id(one): one.exposed.operation(wiring) for one in planned}
    return _endpoint(tools, operations, settings.reading.body, include)


def _endpoint(
    tools: ToolSet, operations: Mapping[int, Operation], max_body: int, include: Collection[str] = ()
) -> McpEndpoint:
    listed = (ToolEndpoint(one.name, one.tool, operations[id(one.tool)]) for one in tools.tools)
    return McpEndpoint(
        tools.name,
        tools.instructions,
        chosen(listed, include),
        max_body,
        Library(((one, operations[id(one)]) for one in tools.resources), tools.prompts),
        hint=hint_of(tools.adapters),
        version=tools.version,
    )


def _skills(listener: Listener, access: Access) -> ASGIApp:
    """The skills of the adapters that let the caller in."""
    adapters = {id(skill.adapter): skill.adapter for skill in listener.skills}

    def shown(allowed: tuple[Adapter, ...]) -> ASGIApp:
        meant = set(map(id, allowed))
        return SkillPages(skill for skill in listener.skills if id(skill.adapter) in meant)

    return access.divided(adapters.values(), shown)


def _controls(
    listener: Listener,
    access: Access,
    seen: Observed,
    lines: LogLines | None,
    wiring: Wiring,
    settings: Settings,
) -> Iterator[tuple[str, ASGIApp]]:
    """The pages of control adapters by their paths, each behind its check."""
    for control in listener.controls:
        check = access.of(control.adapter)
        fixed = _fixed(settings, is_guarded=check is not None)
        for path, page in management(control, seen.metrics, seen.tracing, lines, wiring.scripts, fixed):
            yield path, Guarded(page, (check,)) if check else page


def _fixed(settings: Settings, *, is_guarded: bool) -> str:
    """Why nothing can be changed at a control adapter, if so."""
    if settings.workers > 1:
        return "each worker would have to be told; serve with one"
    if not is_guarded and not is_local(settings.host):
        return "whoever reaches this port could; add `authentication` to the control adapter"
    return ""


class Dispatch:
    """Hands the paths of MCP endpoints and of our own pages to them, and all others to the REST gateway."""

    def __init__(self, apps: Mapping[str, ASGIApp], gateway: Gateway) -> None:
        self._apps = apps
        self._gateway = gateway
        self._relays: dict[str, Relaying | None] = {path: getattr(app, "relay", None) for path, app in apps.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._apps.get(scope["path"].rstrip("/"), self._gateway)
        await app(scope, receive, send)

    def relay(self, scope: Scope, caller: Caller) -> bool:
        """A `Relaying`, where the application of the path is one."""
        relay = self._relays.get(scope["path"].rstrip("/"), self._gateway.relay)
        return relay is not None and relay(scope, caller)
