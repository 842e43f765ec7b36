"""How connections come about: over TLS, through proxies that want TLS themselves, past addresses that are silent."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from serving.sockets import private_ca

from fairlead.errors import UpstreamBusy, UpstreamTimeout
from fairlead.wire import addresses
from fairlead.wire.client import Client, Outgoing
from fairlead.wire.route import Proxy, Route
from wire.upstream import LOOPS, OK, SHORT, Peer, body, stage

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", LOOPS, ids=["asyncio", "uvloop"])]


async def origin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(asyncio.IncompleteReadError, OSError):
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK)
    writer.close()


async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Makes tunnels, and answers what it is to forward itself."""
    request = await reader.readuntil(b"\r\n\r\n")
    if not request.startswith(b"CONNECT "):
        writer.write(OK)
        writer.close()
        return
    host, _, port = request.split(b" ")[1].decode().rpartition(":")
    inner_reader, inner_writer = await asyncio.open_connection(host, int(port))
    writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
    await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer))


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
    writer.close()


@asynccontextmanager
async def listening(serve: object, tls: ssl.SSLContext | None) -> AsyncIterator[int]:
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        await serve(reader, writer)  # type: ignore[operator]
        with suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        if tasks:
            await asyncio.wait(tasks, timeout=5)


def trusting(ca_file: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    context.check_hostname = False
    return context


async def test_a_proxy_that_wants_tls_itself_forwards_and_makes_tunnels_with_tls_inside(tmp_path: Path) -> None:
    ca_file, tls = private_ca(tmp_path)
    context = ssl.create_default_context(cafile=ca_file)
    client = Client(SHORT)
    async with asyncio.timeout(20), listening(origin, tls) as inner, listening(proxy, tls) as outer:
        at = Proxy("127.0.0.1", outer, is_tls=True)
        for route in (
            Route("127.0.0.1", inner, "x", context, at, context),
            Route("x.invalid", 80, "x.invalid", None, at, context),
        ):
            for _ in range(2):
                assert await body(await client.send(Outgoing("GET", route, "/"))) == b"{}"
        client.close()
    assert client.pool.lent == 0


async def test_a_server_is_told_the_name_it_is_wanted_by(tmp_path: Path) -> None:
    ca_file, tls = private_ca(tmp_path)
    names: list[str | None] = []
    tls.sni_callback = lambda _, name, __: names.append(name)
    client = Client(SHORT)
    async with asyncio.timeout(20), listening(origin, tls) as port, listening(proxy, None) as tunnel:
        direct = Route("localhost", port, "x", trusting(ca_file))
        for route in (direct, replace(direct, proxy=Proxy("127.0.0.1", tunnel)), replace(direct, host="127.0.0.1")):
            assert await body(await client.send(Outgoing("GET", route, "/"))) == b"{}"
        client.close()
    assert names == ["localhost", "localhost", None]


@asynccontextmanager
async def silent() -> AsyncIterator[int]:
    """A port where connections wait for ever: its queue is full."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for one in (first, second):
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


async def test_an_address_that_is_silent_does_not_hold_up_the_next() -> None:
    async with silent() as mute:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            there = listener.getsockname()
            refusing = (socket.AF_INET, ("127.0.0.1", 1))
            tried = [(socket.AF_INET, ("127.0.0.1", mute)), refusing, (socket.AF_INET, there)]
            with await addresses.first(tried) as found:
                assert found.getpeername() == there


async def test_where_no_address_takes_a_connection_the_last_failure_is_told() -> None:
    with pytest.raises(ConnectionRefusedError):
        await addresses.first([(socket.AF_INET, ("127.0.0.1", 1))] * 2)


async def test_an_upstream_whose_only_address_is_silent_is_a_timeout_and_leaves_no_socket() -> None:
    client = Client(replace(SHORT, connect=0.1))
    async with silent() as mute:
        with pytest.raises(UpstreamTimeout):
            await client.send(Outgoing("GET", Route("127.0.0.1", mute, "x"), "/"))
    assert client.pool.lent == 0


def test_families_take_turns(anyio_backend: object) -> None:
    six, four = socket.AF_INET6, socket.AF_INET
    found = [(six, 1), (six, 2), (four, 3), (six, 4)]
    assert addresses.in_turns(found) == [(six, 1), (four, 3), (six, 2), (six, 4)]


async def test_the_total_time_holds_for_the_wait_for_a_connection_too() -> None:
    async def hold(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n")
        await peer.reader.read()

    async with stage(hold, replace(SHORT, connections=1, total=0.1)) as one:
        response = await one.send()
        with pytest.raises(UpstreamBusy):
            await one.send()
        response.close()


async def test_the_total_time_holds_for_connecting_too() -> None:
    client = Client(replace(SHORT, total=0.1))
    async with silent() as mute:
        with pytest.raises(UpstreamTimeout):
            await client.send(Outgoing("GET", Route("127.0.0.1", mute, "x"), "/"))
