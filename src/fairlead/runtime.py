"""From documents to what answers on each port.

`build` takes no decisions: listeners were arranged, calls resolved and inputs derived before. A missing secret makes
the operations that need it answer so; everything else works.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from fairlead.exposes.gateway import Gateway
from fairlead.exposes.openapi import description
from fairlead.exposes.pages import Ready, pages
from fairlead.exposes.toolbox import ToolEndpoint
from fairlead.exposes.tools import McpEndpoint
from fairlead.guard import LOOPBACK, Guard
from fairlead.listeners import RESERVED, Listener
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
    return tuple(_served(listener, wiring, settings, ready) for listener in listeners)


def _served(listener: Listener, wiring: Wiring, settings: Settings, ready: Ready) -> Served:
    routes = listener.routes
    base = pages(ready, description(routes) if routes else None)
    gateway = Gateway(((route, route.exposed.operation(wiring)) for route in routes), base, settings.reading)
    operations = {id(tool): tool.exposed.operation(wiring) for tool in listener.tools}
    endpoints = {
        tools.path: McpEndpoint(
            tools.name,
            tools.instructions,
            (ToolEndpoint(one.name, one.tool, operations[id(one.tool)]) for one in tools.tools),
            settings.reading.body,
        )
        for tools in listener.tool_sets()
    }
    hosts = LOOPBACK | {settings.host} | frozenset(settings.allowed_hosts)
    dispatch = Dispatch({**endpoints, **dict.fromkeys(RESERVED, base)}, gateway)
    return Served(listener.port, Guard(dispatch, hosts), tuple(endpoints.values()))


class Dispatch:
    """Hands the paths of MCP endpoints and of our own pages to them, and all others to the REST gateway."""

    def __init__(self, apps: Mapping[str, ASGIApp], gateway: ASGIApp) -> None:
        self._apps = apps
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._apps.get(scope["path"].rstrip("/"), self._gateway)
        await app(scope, receive, send)
