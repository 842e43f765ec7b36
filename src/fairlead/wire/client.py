"""Sends a request along its route, once more where the pooled connection had gone stale, and gives the response."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf
from typing import Final, NamedTuple

from fairlead.wire import compose
from fairlead.wire.compose import Content
from fairlead.wire.connection import Connection, Disconnected
from fairlead.wire.limits import Limits
from fairlead.wire.parse import Head, Incoming, Pairs
from fairlead.wire.pool import Pool
from fairlead.wire.route import Route
from fairlead.wire.upload import Upload

IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})


class Outgoing(NamedTuple):
    """A request: names of headers in lower case, the path with its query already encoded."""

    method: str
    route: Route
    path: str
    headers: Pairs = ()
    content: Content = None

    def __repr__(self) -> str:
        return f"Outgoing({self.method})"  # everything else may hold a secret


class Response:
    """A response on its way, its head first; `close` it, or read to the end."""

    def __init__(
        self,
        incoming: Incoming,
        connection: Connection,
        route: Route,
        pool: Pool,
        deadline: float = inf,
        *,
        may_repeat: bool = False,
    ) -> None:
        self._incoming = incoming
        self._connection: Connection | None = connection
        self._route = route
        self._pool = pool
        self._deadline = deadline
        self._end = inf
        self._may_repeat = may_repeat
        self.is_stale = False
        self._close_at_end()

    @property
    def head(self) -> Head:
        """Status and headers, once they are there."""
        assert self._incoming.head
        return self._incoming.head

    @property
    def is_done(self) -> bool:
        """Whether all of the body is here."""
        return self._incoming.done

    def whole(self) -> bytes | None:
        """The body, where all of it is here already."""
        return self._incoming.take() if self._incoming.done else None

    async def piece(self) -> bytes:
        """The next bytes of the body; none at its end."""
        if self._connection is None:
            return self._incoming.take() if self._incoming.chunks else b""
        try:
            data = await self._connection.piece()
        except BaseException:
            self.close()
            raise
        self._close_at_end()
        return data

    def listen(self, told: Callable[[], object]) -> None:
        """Has `told` called, once, as soon as there is something new to `look` at, or it is too late."""
        assert self._connection
        latest = self._end if self._incoming.head else self._deadline
        self._connection.listen(told, min(self._connection.patience(), latest))

    def be_whole_by(self, end: float) -> None:
        """Bounds the time for all of the body, which is else how long the upstream may be silent."""
        self._end = end

    def look(self) -> bytes | None:
        """What is here of the body; None as long as the head is not. Raises a `CallError` where no more will come."""
        incoming, connection = self._incoming, self._connection
        if connection and not (incoming.done or incoming.chunks):
            try:
                connection.check()
            except Disconnected:
                self.is_stale = self._may_repeat and not incoming.began
                raise
        if incoming.head is None:
            return None
        data = connection.take() if connection else incoming.take()
        self._close_at_end()
        return data

    def close(self) -> None:
        """Gives the connection back; it is closed unless the response was read to its end."""
        if self._connection:
            connection, self._connection = self._connection, None
            connection.listen(None)
            self._pool.give_back(connection, self._route)

    async def aclose(self) -> None:
        self.close()

    def _close_at_end(self) -> None:
        if self._incoming.done:
            self.close()


class Ready(NamedTuple):
    """A request as it will be sent, with all of its body."""

    method: str
    route: Route
    head: bytes
    body: bytes
    pool: Pool
    total: float
    """Seconds for its answer."""

    def __repr__(self) -> str:
        return f"Ready({self.method})"  # everything else may hold a secret

    def begin(self, head: bytes) -> Response | None:
        """Sends a request of that head the same way; None where no connection is idle."""
        connection = self.pool.take_idle(self.route)
        if connection is None:
            return None
        deadline = asyncio.get_running_loop().time() + self.total
        incoming = connection.begin(self.method, head, self.body)
        may_repeat = self.method in IDEMPOTENT
        return Response(incoming, connection, self.route, self.pool, deadline, may_repeat=may_repeat)


class Client:
    """Sends requests over the connections of one pool."""

    def __init__(self, limits: Limits) -> None:
        self.pool = Pool(limits)
        self._total = limits.total

    def ready(self, request: Outgoing) -> Ready | None:
        """The request, ready to be sent without waiting; None where its body is still to come.

        Raises `ArgumentError`.
        """
        body = b"" if request.content is None else request.content
        if not isinstance(body, bytes):
            return None
        return Ready(request.method, request.route, _head(request), body, self.pool, self._total)

    async def send(self, request: Outgoing) -> Response:
        """The response, its body not yet read; raises a `CallError`."""
        head, content = _head(request), request.content
        deadline = asyncio.get_running_loop().time() + self._total
        streamed = None if content is None or isinstance(content, bytes) else content
        upload = Upload(streamed, compose.declared_length(request.headers)) if streamed else None
        try:
            connection = self.pool.take_idle(request.route) or await self.pool.take(request.route, deadline)
            try:
                return await self._exchange(connection, request, head, upload, deadline)
            except _Stale:
                connection = await self.pool.take(request.route, deadline, fresh=True)
                return await self._exchange(connection, request, head, upload, deadline)
        except BaseException:
            if upload:
                await upload.close()
            raise

    def close(self) -> None:
        self.pool.close()

    async def _exchange(
        self, connection: Connection, request: Outgoing, head: bytes, upload: Upload | None, deadline: float
    ) -> Response:
        body = request.content if isinstance(request.content, bytes) else b""
        incoming = connection.begin(request.method, head, body, upload)
        try:
            await connection.head(deadline)
        except BaseException as error:
            is_stale = isinstance(error, Disconnected) and not (connection.is_fresh or incoming.began)
            connection.close()
            self.pool.give_back(connection, request.route)
            if is_stale and request.method in IDEMPOTENT and (upload is None or upload.is_untouched):
                raise _Stale from None
            raise
        if upload:
            upload.is_untouched = False
        return Response(incoming, connection, request.route, self.pool)


class _Stale(Exception):
    """A pooled connection had ended before a byte of the response came, and the request may be sent again."""


def _head(request: Outgoing) -> bytes:
    method, route, path, headers, content = request
    if route.authorization:
        headers = (*(pair for pair in headers if pair[0] != "authorization"), ("authorization", route.authorization))
    if route.proxy and not route.tls and route.proxy.authorization:
        headers = (*headers, ("proxy-authorization", route.proxy.authorization))
    return compose.head(method, route.target(path), route.authority, headers, content)
