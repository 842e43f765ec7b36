"""How connections end: which endings are a body's end, over TCP and TLS, on both event loops."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from serving.sockets import private_ca

from fairlead.errors import UpstreamFailed
from fairlead.wire.client import Client, Outgoing
from fairlead.wire.route import Route
from wire.upstream import LOOPS, SHORT, body

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", LOOPS, ids=["asyncio", "uvloop"])]
HALF = b"HTTP/1.1 200 OK\r\n\r\nhalf of it"


End = Callable[[socket.socket], None]


def fin(sock: socket.socket) -> None:
    """Ends the TCP connection in good order, whatever the layers above it think."""
    sock.shutdown(socket.SHUT_WR)


def reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def notify(sock: socket.socket) -> None:
    """Says that TLS is over, as it should be said."""
    assert isinstance(sock, ssl.SSLSocket)
    with suppress(OSError):
        sock.unwrap()


def answer_once(listener: socket.socket, tls: ssl.SSLContext | None, end: End) -> None:
    plain, _ = listener.accept()
    with plain, tls.wrap_socket(plain, server_side=True) if tls else plain as sock:
        sock.settimeout(5)
        sock.recv(65536)
        sock.sendall(HALF)
        end(sock)


async def ended(tls: ssl.SSLContext | None, route_tls: ssl.SSLContext | None, end: End) -> bytes:
    """The body that a client gets from an upstream that ends its connection so."""
    client = Client(SHORT)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        served = asyncio.get_running_loop().run_in_executor(None, answer_once, listener, tls, end)
        try:
            return await body(await client.send(Outgoing("GET", Route("127.0.0.1", port, "x", route_tls), "/")))
        finally:
            client.close()
            await served


async def test_a_connection_that_ends_in_good_order_ends_the_body(tmp_path: Path) -> None:
    ca_file, tls = private_ca(tmp_path)
    assert await ended(None, None, fin) == b"half of it"
    assert await ended(tls, ssl.create_default_context(cafile=ca_file), notify) == b"half of it"


@pytest.mark.parametrize("end", [fin, reset])
async def test_tls_that_is_cut_off_is_no_end_of_a_body(tmp_path: Path, end: End) -> None:
    ca_file, tls = private_ca(tmp_path)
    with pytest.raises(UpstreamFailed):
        await ended(tls, ssl.create_default_context(cafile=ca_file), end)


async def test_a_connection_that_is_reset_is_no_end_of_a_body() -> None:
    with pytest.raises(UpstreamFailed):
        await ended(None, None, reset)
