"""Upstreams that play a script over real sockets, and a client before them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from fairlead.wire.client import Client, Outgoing, Response
from fairlead.wire.compose import Content
from fairlead.wire.limits import Limits
from fairlead.wire.route import Route

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
LOOPS = [("asyncio", {"use_uvloop": False}), ("asyncio", {"use_uvloop": True})]
"""The parameters of `anyio_backend` for a test that runs on both event loops."""
SHORT = Limits(connect=5, read=5, total=5, connections=2, idle=30)


@dataclass
class Peer:
    """One connection as the upstream sees it."""

    number: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def request(self) -> bytes:
        return await self.reader.readuntil(b"\r\n\r\n")

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()


Play = Callable[[Peer], Awaitable[None]]


@dataclass
class Stage:
    """A listening upstream and a client that knows the way."""

    client: Client
    route: Route
    connections: int = 0
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def send(self, method: str = "GET", path: str = "/", content: Content = None, **headers: str) -> Response:
        pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        return await self.client.send(Outgoing(method, self.route, path, pairs, content))

    async def get(self, method: str = "GET", content: Content = None) -> tuple[int, bytes]:
        response = await self.send(method, content=content)
        return response.head.status, await body(response)


async def body(response: Response) -> bytes:
    data = bytearray()
    while piece := await response.piece():
        data += piece
    return bytes(data)


@asynccontextmanager
async def stage(play: Play, limits: Limits = SHORT, host: str = "127.0.0.1") -> AsyncIterator[Stage]:
    client = Client(limits)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        one.connections += 1
        task = asyncio.current_task()
        assert task
        one.tasks.add(task)
        with suppress(OSError, asyncio.IncompleteReadError):
            await play(Peer(one.connections, reader, writer))
        with suppress(OSError):
            writer.close()
            await writer.wait_closed()

    server = await asyncio.start_server(handle, host, 0)
    port = server.sockets[0].getsockname()[1]
    one = Stage(client, Route(host, port, f"{host}:{port}"))
    try:
        async with asyncio.timeout(20):
            yield one
    finally:
        client.close()
        server.close()  # and not waited for: a connection to it may be another stage's
        await asyncio.wait(one.tasks or {asyncio.create_task(asyncio.sleep(0))}, timeout=5)
