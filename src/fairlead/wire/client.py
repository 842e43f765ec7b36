"""Sends a request along its route, once more where the pooled connection had gone stale, and gives the response."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

from fairlead.wire import compose
from fairlead.wire.compose import Content
from fairlead.wire.connection import Connection, Disconnected
from fairlead.wire.limits import Limits
from fairlead.wire.parse import Head, Pairs
from fairlead.wire.pool import Pool
from fairlead.wire.route import Route

IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request: names of headers in lower case, the path with its query already encoded."""

    method: str
    route: Route
    path: str = field(repr=False)
    headers: Pairs = field(default=(), repr=False)
    content: Content = field(default=None, repr=False)


class Response:
    """A response whose body is on its way; `close` it, or read to the end."""

    def __init__(self, head: Head, connection: Connection, route: Route, pool: Pool, read: float) -> None:
        assert connection.incoming
        self.status = head.status
        self.headers = head.headers
        self._incoming = connection.incoming
        self._lent: tuple[Connection, Route] | None = (connection, route)
        self._pool = pool
        self._read = read
        if self._incoming.done:
            self.close()

    def whole(self) -> bytes | None:
        """The body, where all of it is here already."""
        return self._incoming.take() if self._incoming.done else None

    async def piece(self) -> bytes:
        """The next bytes of the body; none at its end."""
        if self._incoming.chunks and self._lent is None:
            return self._incoming.take()
        if self._lent is None:
            return b""
        try:
            data = await self._lent[0].piece(self._read)
        except BaseException:
            self.close()
            raise
        if self._incoming.done:
            self.close()
        return data

    def close(self) -> None:
        """Gives the connection back; it is closed unless the response was read to its end."""
        if self._lent:
            lent, self._lent = self._lent, None
            self._pool.give_back(*lent)


class Client:
    """Sends requests over the connections of one pool."""

    def __init__(self, limits: Limits) -> None:
        self.pool = Pool(limits)
        self._limits = limits

    async def send(self, request: Outgoing) -> Response:
        """The response, its body not yet read; raises a `CallError`."""
        data = _head(request)
        body = _Once(request.content) if isinstance(request.content, AsyncIterator) else None
        try:
            return await self._attempt(request, data, body)
        except _Stale:
            return await self._attempt(request, data, body, fresh=True)

    def close(self) -> None:
        self.pool.close()

    async def _attempt(self, request: Outgoing, data: bytes, body: _Once | None, *, fresh: bool = False) -> Response:
        connection = await self.pool.take(request.route, fresh=fresh)
        try:
            connection.begin(request.method, data)
            incoming = connection.incoming
            if body:
                connection.upload(body, compose.declared_length(request.headers), self._limits.read)
            head = await connection.head(self._limits.read, self._limits.total)
        except Disconnected:
            is_stale = not connection.is_fresh and request.method in IDEMPOTENT and not (incoming and incoming.began)
            self._drop(connection, request.route)
            if is_stale and not (body and body.began):
                raise _Stale from None
            raise
        except BaseException:
            self._drop(connection, request.route)
            raise
        return Response(head, connection, request.route, self.pool, self._limits.read)

    def _drop(self, connection: Connection, route: Route) -> None:
        connection.close()
        self.pool.give_back(connection, route)


class _Stale(Exception):
    """A pooled connection had ended before a byte of the response came, and the request may be sent again."""


class _Once:
    """A streamed body that knows whether any of it was taken."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self.began = False
        self._pieces = pieces

    def __aiter__(self) -> _Once:
        return self

    async def __anext__(self) -> bytes:
        self.began = True
        return await anext(self._pieces)


def _head(request: Outgoing) -> bytes:
    route, headers = request.route, request.headers
    if route.authorization:
        headers = (*(pair for pair in headers if pair[0] != "authorization"), ("authorization", route.authorization))
    if route.proxy and not route.is_tunnel and route.proxy.authorization:
        headers = (*headers, ("proxy-authorization", route.proxy.authorization))
    content = request.content
    data = compose.head(request.method, route.target(request.path), route.authority, headers, content)
    return data + content if content and isinstance(content, bytes) else data
