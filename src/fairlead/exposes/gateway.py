"""The REST routes of a listener as an ASGI application.

uvicorn -> guard -> Gateway: dispatch, arguments -> operation -> relay
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from starlette.types import ASGIApp, Receive, Scope, Send

from fairlead.auth import Check
from fairlead.auth.demand import admitted
from fairlead.errors import ArgumentError, CallError, MethodNotAllowed
from fairlead.exposes.forward import Proxy
from fairlead.exposes.http import UnlessGone, log, send_empty, send_error, send_result
from fairlead.exposes.proxy import METHODS, Forwarding, Passing
from fairlead.exposes.request import Reader, Reading, read_body
from fairlead.exposes.rest import Route
from fairlead.exposes.routing import Match, RouteTable
from fairlead.exposes.shortcut import Shortcut
from fairlead.exposes.upload import ClientGone, Upload
from fairlead.operation import Operation
from fairlead.relay import Caller, Relay


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A route, the operation behind it, how its arguments are read, and what its callers have to pass."""

    route: Route | Proxy
    operation: Operation | Forwarding
    reader: Reader | Passing
    check: Check | None
    shortcut: Shortcut | None = None


class Gateway:
    """Answers what its routes declare and hands everything else to `pages`.

    Args:
        operations: The routes, each with its operation and its check.
        forwards: The paths where all other requests go on, in the same way.
        pages: What answers where there is no route.
        reading: How requests are read.
        checks: Of these one has to be passed by whoever asks for a path that cannot be read.
    """

    def __init__(
        self,
        operations: Iterable[tuple[Route, Operation, Check | None]],
        forwards: Iterable[tuple[Proxy, Forwarding, Check | None]],
        pages: ASGIApp,
        reading: Reading,
        checks: tuple[Check, ...] = (),
    ) -> None:
        self._pages = pages
        self._reading = reading
        self._checks = checks
        self._table: RouteTable[Endpoint] = RouteTable()
        heads: list[tuple[str, Endpoint]] = []
        for route, operation, check in operations:
            reader = Reader(operation.inputs, reading, goes_on=not route.exposed.is_mock)
            endpoint = Endpoint(route, operation, reader, check, None if check else Shortcut(operation, reader))
            self._table.add(route.method, route.path, endpoint)
            heads += [(route.path, endpoint)] if route.method == "GET" else []
        for path, endpoint in heads:
            self._table.add("HEAD", path, endpoint)
        for proxy, forwarding, check in forwards:
            self._add(proxy, Endpoint(proxy, forwarding, Passing(proxy), check))

    def _add(self, proxy: Proxy, endpoint: Endpoint) -> None:
        """Adds a forward, which begins right behind the slash before the rest of its path."""
        for method, path in product(METHODS, dict.fromkeys((proxy.path.text, proxy.before))):
            self._table.add(method, path, endpoint)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._pages(scope, receive, send)
            return
        method, path = scope["method"], scope["raw_path"]
        try:
            match = self._table.find(method, path)
        except ArgumentError:
            await admitted(scope, self._checks)
            raise
        if match:
            await self._answer(match, scope, receive, send)
        elif methods := self._table.methods(path):
            await admitted(scope, self._checks_at(path, methods))
            await _other_method(method, methods, send)
        else:
            await self._pages(scope, receive, send)

    def relay(self, scope: Scope, caller: Caller) -> bool:
        """A `Relaying` of what comes from upstream."""
        method = scope["method"]
        match = self._table.find(method, scope["raw_path"]) if method != "HEAD" else None
        if match is None or match.found.shortcut is None:
            return False
        body = caller.body_here
        if body is None or len(body) > self._reading.body:
            return False
        response = match.found.shortcut.begin(match.values, scope, body)
        if response:
            Relay(response, caller, match.found.route)
        return response is not None

    def _checks_at(self, path: bytes, methods: Iterable[str]) -> tuple[Check, ...]:
        """The checks of all routes at a path; none where any of them is open."""
        there = [match.found.check for method in methods if (match := self._table.find(method, path))]
        checks = tuple(check for check in there if check)
        return checks if len(checks) == len(there) else ()

    async def _answer(self, match: Match[Endpoint], scope: Scope, receive: Receive, send: Send) -> None:
        head = scope["method"] == "HEAD"
        operation = match.found.operation
        try:
            if match.found.check:
                scope = await match.found.check(scope)
            operation.ensure_it_can_run()
            reader, later = match.found.reader, receive
            if reader.streams(scope):
                body: bytes | Upload = (upload := Upload(scope, receive))
                later = upload.after
            else:
                body = await read_body(scope, receive, self._reading.body)
            given, forwarded = reader.arguments(match.values, scope, body)
            with UnlessGone(scope, later):
                await send_result(await operation(given, forwarded), send, head=head)
        except CallError as error:
            if error.status >= 500:
                log.warning("%s: %d %s", match.found.route, error.status, error)
            await send_error(error, send, head=head)
        except ClientGone:
            log.debug("the caller hung up")


async def _other_method(method: str, methods: frozenset[str], send: Send) -> None:
    allow = (("allow", ", ".join(sorted(methods | {"OPTIONS"}))),)
    if method == "OPTIONS":
        await send_empty(204, allow, send)
    else:
        await send_error(MethodNotAllowed(f"method {method} is not allowed here", headers=allow), send)
