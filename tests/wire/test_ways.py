"""The ways to an origin: TLS, proxies that forward, and tunnels through them."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from httpx._utils import URLPattern, get_environment_proxies
from serving.sockets import private_ca

from fairlead.errors import ArgumentError, StartError, UpstreamFailed, UpstreamTimeout
from fairlead.wire.client import Client, Outgoing
from fairlead.wire.limits import Limits
from fairlead.wire.proxy import Proxies, from_environment
from fairlead.wire.route import Proxy, Route
from fairlead.wire.routes import Routes
from fairlead.wire.transport import Transport
from wire.upstream import OK, SHORT, Peer, body, stage

pytestmark = pytest.mark.anyio


async def test_a_tunnel_carries_tls_that_is_verified_against_the_origin(tmp_path: Path) -> None:
    ca_file, tls = private_ca(tmp_path)
    asked: list[bytes] = []

    async def origin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, OSError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(OK)
        writer.close()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
        writer.close()

    server = await asyncio.start_server(origin, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]

    async def proxy(peer: Peer) -> None:
        asked.append(await peer.request())
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await peer.send(b"HTTP/1.1 200 Connected\r\n\r\n")
        await asyncio.gather(pump(peer.reader, writer), pump(reader, peer.writer))

    trusting = ssl.create_default_context(cafile=ca_file)
    async with server, stage(proxy) as one:
        at = Proxy("127.0.0.1", one.route.port, authorization="Basic dTpw")
        one.route = Route("127.0.0.1", port, "origin", trusting, at)
        assert [await one.get(), await one.get()] == [(200, b"{}")] * 2
        one.route = Route("127.0.0.1", port, "origin", ssl.create_default_context(), at)
        with pytest.raises(UpstreamFailed, match="cannot connect"):
            await one.get()
        one.client.close()

    first = asked[0].split(b"\r\n")
    assert first[0] == b"CONNECT 127.0.0.1:%d HTTP/1.1" % port
    assert (b"proxy-authorization: Basic dTpw" in first, len(asked)) == (True, 2)


async def test_a_proxy_that_refuses_a_tunnel_is_told() -> None:
    async def proxy(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n")

    async with stage(proxy) as one:
        at = Proxy("127.0.0.1", one.route.port)
        one.route = Route("x.invalid", 443, "x.invalid", ssl.create_default_context(), at)
        with pytest.raises(UpstreamFailed, match="407"):
            await one.get()
        assert (one.client.pool.lent, one.client.pool.idle) == (0, 0)


async def test_a_forwarding_proxy_is_told_the_whole_url() -> None:
    asked: list[bytes] = []

    async def proxy(peer: Peer) -> None:
        asked.append(await peer.request())
        await peer.send(OK)

    async with stage(proxy) as one:
        at = Proxy("127.0.0.1", one.route.port, authorization="Basic dTpw")
        one.route = Route("x.invalid", 80, "x.invalid", None, at)
        assert await one.get() == (200, b"{}")

    lines = asked[0].split(b"\r\n")
    assert lines[:2] == [b"GET http://x.invalid/ HTTP/1.1", b"host: x.invalid"]
    assert b"proxy-authorization: Basic dTpw" in lines


async def test_a_certificate_for_another_name_and_a_server_without_tls_are_no_connection(tmp_path: Path) -> None:
    ca_file, tls = private_ca(tmp_path)
    trusting = ssl.create_default_context(cafile=ca_file)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    client = Client(SHORT)
    async with server:
        for route in (Route("localhost", port, "x", trusting), Route("does-not-exist.invalid", 80, "x")):
            with pytest.raises(UpstreamFailed, match="cannot connect"):
                await client.send(Outgoing("GET", route, "/"))
    client.close()
    assert client.pool.lent == 0


async def test_a_handshake_that_does_not_end_is_a_timeout() -> None:
    async def mute(peer: Peer) -> None:
        await peer.reader.read()

    async with stage(mute, Limits(connect=0.1)) as one:
        one.route = Route("127.0.0.1", one.route.port, "x", ssl.create_default_context())
        with pytest.raises(UpstreamTimeout):
            await one.get()
        assert one.client.pool.lent == 0


@pytest.mark.parametrize(
    "no_proxy",
    """a.example example .example .a.example a.example:81 127.0.0.1 ::1 localhost .localhost
    http://a.example https://a.example all://a.example a.example,b.example ,, a.example: 10.0.0.0/8 B.EXAMPLE
    * x,* 127.0.0.1:8080 http://a.example:8080""".split(),
)
def test_hosts_are_exempt_from_proxies_as_httpx_has_them_exempt(monkeypatch: pytest.MonkeyPatch, no_proxy: str) -> None:
    monkeypatch.setenv("http_proxy", "http://u:p%40@proxy:3128")
    monkeypatch.setenv("https_proxy", "http://proxy:3129")
    monkeypatch.setenv("no_proxy", no_proxy)
    ours = from_environment()
    patterns = sorted(
        ((URLPattern(key), proxy) for key, proxy in get_environment_proxies().items()), key=lambda one: one[0]
    )
    for text in URLS:
        url = httpx.URL(text)
        port = url.port or (443 if url.scheme == "https" else 80)
        theirs = next((proxy for pattern, proxy in patterns if pattern.matches(url)), None)
        assert (ours.of(url.scheme, url.raw_host.decode().strip("[]"), port) is not None) == (theirs is not None), text


URLS = """http://a.example https://a.example http://x.a.example http://aa.example http://b.example http://a.example:81
    http://a.example:8080 http://127.0.0.1 http://127.0.0.1:8080 http://[::1] http://localhost http://a.localhost
    http://10.1.2.3 http://example http://A.Example""".split()


@pytest.mark.parametrize(("no_proxy", "url"), [("a.example:80", "http://a.example"), ("[::1]", "http://[::1]")])
def test_a_port_may_be_the_usual_one_and_an_address_may_stand_in_brackets(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str, url: str
) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    monkeypatch.setenv("no_proxy", no_proxy)
    assert from_environment().of("http", httpx.URL(url).host, 80) is None


def test_a_proxy_may_want_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://u:p%40@proxy:3128")
    assert from_environment().of("http", "a.example", 80) == Proxy("proxy", 3128, authorization="Basic dTpwQA==")


@pytest.mark.parametrize(
    ("url", "host", "port", "authority", "path"),
    [
        ("http://[::1]:8080/a?b", "::1", 8080, "[::1]:8080", "/a?b"),
        ("https://[2001:db8::1]/", "2001:db8::1", 443, "[2001:db8::1]", "/"),
        ("http://b\u00fccher.example/\u00fc", "xn--bcher-kva.example", 80, "xn--bcher-kva.example", "/%C3%BC"),
        ("HTTP://A.Example", "a.example", 80, "a.example", "/"),
        ("http://a.example?x=1", "a.example", 80, "a.example", "/?x=1"),
        ("http://a.example:81/b/../c%2", "a.example", 81, "a.example:81", "/c%2"),
    ],
)
def test_a_url_names_a_route_and_a_target_the_same_each_time(
    url: str, host: str, port: int, authority: str, path: str
) -> None:
    routes = Routes(ssl.create_default_context(), Proxies({}, ()))
    (route, target), again = routes.find(url), routes.find(url)
    assert ((route.host, route.port, route.authority, target), again) == (
        (host, port, authority, path),
        (route, target),
    )


@pytest.mark.parametrize("url", ["ftp://a.example/", "http:///a", "/a", "", "http://a\x00b/", "http://a:x/"])
def test_what_is_no_url_of_http_has_no_route(url: str) -> None:
    with pytest.raises((ArgumentError, UpstreamFailed)):
        Routes(ssl.create_default_context(), Proxies({}, ())).find(url)


def test_a_proxy_of_another_kind_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", "socks5://proxy:1080")
    with pytest.raises(StartError, match="socks5"):
        from_environment()


async def test_the_client_serves_as_a_transport_of_httpx() -> None:
    async def play(peer: Peer) -> None:
        while True:
            request = await peer.request()
            length = 3 if b"content-length: 3" in request else 13 if b"chunked" in request else 0
            got = (await peer.reader.readexactly(length)).split(b"\r\n")
            await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n" + (got[len(got) > 1] or b"non"))

    async with stage(play) as one:
        transport = Transport(one.client, Routes(ssl.create_default_context(), Proxies({}, ())))
        async with httpx.AsyncClient(transport=transport) as client:
            url = f"http://127.0.0.1:{one.route.port}/"
            answers = [await client.get(url), await client.post(url, content=b"abc")]
            answers.append(await client.post(url, content=chunks()))
            with pytest.raises(httpx.RemoteProtocolError):
                await client.get("http://does-not-exist.invalid")
        assert [answer.content for answer in answers] == [b"non", b"abc", b"def"]
        assert one.connections == 1


async def chunks() -> AsyncIterator[bytes]:
    yield b"def"


async def test_the_body_of_a_head_request_is_empty() -> None:
    async def play(peer: Peer) -> None:
        await peer.request()
        await peer.send(OK.partition(b"{")[0])
        await peer.request()
        await peer.send(OK)

    async with stage(play) as one:
        response = await one.send("HEAD")
        assert await body(response) == b""
        assert (await one.get(), one.connections) == ((200, b"{}"), 1)
