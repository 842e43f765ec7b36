"""An open connection to our own server, byte by byte."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from fairlead.protocol import Protocol

GET = b"GET /a%20b?c=d HTTP/1.1\r\nhost: localhost\r\n\r\n"


class Watched(Protocol):
    """Tells when its connection is gone."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.lost = asyncio.Event()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.lost.set()


@dataclass
class Served:
    """An open connection to an application."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    made: list[Watched] = field(default_factory=list)

    async def ask(self, request: bytes = GET) -> None:
        self.writer.write(request)
        await self.writer.drain()

    async def head(self) -> bytes:
        return await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 5)

    async def rest(self) -> bytes:
        """All that comes until the server closes."""
        return await asyncio.wait_for(self.reader.read(), 5)


@asynccontextmanager
async def serving(app: ASGIApp, keep_alive: int = 75) -> AsyncIterator[Served]:
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        ws="none",
        interface="asgi3",
        proxy_headers=False,
        timeout_keep_alive=keep_alive,
    )
    config.load()
    made: list[Watched] = []
    accepted = asyncio.Event()

    def new() -> Watched:
        made.append(Watched(config, ServerState(), {}))
        accepted.set()
        return made[-1]

    server = await asyncio.get_running_loop().create_server(new, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await accepted.wait()
    try:
        yield Served(reader, writer, made)
    finally:
        writer.close()
        server.close()
