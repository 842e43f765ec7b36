"""What our server makes of the messages of an application, byte by byte on a connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.server import ServerState

from fairlead.exposes.http import UnlessGone
from fairlead.protocol import Protocol

pytestmark = pytest.mark.anyio
GET = b"GET /a%20b?c=d HTTP/1.1\r\nhost: localhost\r\n\r\n"
LENGTH_2 = (b"content-length", b"2")


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
    config = uvicorn.Config(app, lifespan="off", log_config=None, ws="none", timeout_keep_alive=keep_alive)
    config.load()
    made: list[Watched] = []

    def new() -> Watched:
        made.append(Watched(config, ServerState(), {}))
        return made[-1]

    server = await asyncio.get_running_loop().create_server(new, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Served(reader, writer, made)
    finally:
        writer.close()
        server.close()


def answering(*messages: tuple[bytes, bool], headers: list[tuple[bytes, bytes]] | None = None) -> ASGIApp:
    """Sends a head, and then pieces of a body, each with whether more follow."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers or []})
        for body, more in messages:
            await send({"type": "http.response.body", "body": body, "more_body": more})

    return app


async def test_a_body_without_a_length_is_chunked_and_one_with_a_length_is_not() -> None:
    async with serving(answering((b"ab", True), (b"", True), (b"c", False))) as one:
        await one.ask()
        assert b"transfer-encoding: chunked\r\n" in await one.head()
        assert await one.reader.readuntil(b"0\r\n\r\n") == b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
    async with serving(answering((b"ab", False), headers=[LENGTH_2])) as one:
        await one.ask()
        assert await one.head() == b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"
        assert await one.reader.readexactly(2) == b"ab"


async def test_a_head_does_not_wait_for_a_body_that_comes_later() -> None:
    goes_on = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [LENGTH_2]})
        await goes_on.wait()
        await send({"type": "http.response.body", "body": b"ab"})

    async with serving(app) as one:
        await one.ask()
        await one.head()
        goes_on.set()
        assert await one.reader.readexactly(2) == b"ab"


async def test_requests_on_one_connection_are_answered_one_after_the_other() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0)
        said = scope["path"].encode() + b"?" + scope["query_string"]
        await answering((said, False), headers=[(b"content-length", b"%d" % len(said))])(scope, receive, send)

    async with serving(app) as one:
        await one.ask(GET + GET.replace(b"c=d", b"e") + GET.replace(b"1.1", b"1.0"))
        got = (await one.rest()).replace(b"\r\n", b"\n")

    head = b"HTTP/1.1 200 OK\ncontent-length: %d\n\n"
    last = b"HTTP/1.1 200 OK\ncontent-length: 8\nconnection: close\n\n/a b?c=d"
    assert got == head % 8 + b"/a b?c=d" + head % 6 + b"/a b?e" + last


async def test_the_answer_to_head_has_no_body() -> None:
    async with serving(answering((b"ab", False), headers=[LENGTH_2, (b"connection", b"close")])) as one:
        await one.ask(GET.replace(b"GET", b"HEAD"))
        assert await one.rest() == b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n"


HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n"


@pytest.mark.parametrize(
    ("app", "sent"),
    [
        (answering((b"a", False), headers=[(b"x", b"a\r\nb: c")]), b""),
        (answering((b"a", False), headers=[(b"x y", b"a")]), b""),
        (answering((b"abc", False), headers=[LENGTH_2]), b""),
        (answering((b"a", False), headers=[LENGTH_2]), HEAD + b"\r\na"),
        (answering((b"ab", True), headers=[LENGTH_2]), HEAD + b"\r\nab"),
        (
            answering((b"ab", False), (b"c", False), headers=[LENGTH_2, (b"connection", b"close")]),
            HEAD + b"connection: close\r\n\r\nab",
        ),
    ],
)
async def test_what_is_no_http_is_cut_off(app: ASGIApp, sent: bytes) -> None:
    async with serving(app) as one:
        await one.ask()

        assert await one.rest() == sent


async def test_a_connection_is_closed_when_no_request_has_come_for_long() -> None:
    async with serving(answering((b"ab", False), headers=[LENGTH_2]), keep_alive=0) as one:
        await one.ask(GET)
        await one.head()
        (protocol,) = one.made
        protocol.close_if_idle()
        assert await one.rest() == b"ab"


async def test_a_connection_that_waits_for_its_answer_is_not_idle() -> None:
    begun, goes_on = asyncio.Event(), asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        await goes_on.wait()
        await answering((b"ab", False), headers=[LENGTH_2])(scope, receive, send)

    async with serving(app, keep_alive=0) as one:
        await one.ask()
        await begun.wait()
        (protocol,) = one.made
        protocol.close_if_idle()
        goes_on.set()
        assert await one.head()
        assert await one.reader.readexactly(2) == b"ab"


@pytest.mark.parametrize("before", [True, False])
async def test_work_ends_as_soon_as_its_caller_hangs_up(before: bool) -> None:
    begun, goes_on, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        if before:
            await goes_on.wait()
        with UnlessGone(scope, receive):
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

    async with serving(app) as one:
        await one.ask()
        await begun.wait()
        one.writer.close()
        await one.writer.wait_closed()
        (protocol,) = one.made
        await protocol.lost.wait()
        goes_on.set()
        await asyncio.wait_for(ended.wait(), 5)
