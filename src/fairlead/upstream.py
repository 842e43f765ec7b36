"""The one door to upstreams: pooled, bounded, and the only importer of `wire`.

Its transport is the seam for tests and the sandbox. A response is relayed as it comes or read whole, up to a limit;
redirects are handed to the caller, never followed; cookies are never kept.
"""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

import anyio
import httpx
from starlette.types import ASGIApp

from fairlead import __version__
from fairlead.decoding import ACCEPTED, Decoder
from fairlead.errors import ArgumentError, StartError, UpstreamBusy, UpstreamFailed, UpstreamTimeout
from fairlead.headers import Headers, to_caller
from fairlead.operation import Bytes, Result
from fairlead.wire.client import Client, Outgoing, Response
from fairlead.wire.compose import Content
from fairlead.wire.limits import Limits as Limits  # noqa: PLC0414 -- the bounds are part of this door
from fairlead.wire.proxy import basic, from_environment
from fairlead.wire.route import Route
from fairlead.wire.routes import Routes

for _noisy in ("httpx", "httpcore"):
    logging.getLogger(_noisy).setLevel(logging.WARNING)  # they would log URLs, and a URL may hold an API key

USER_AGENT: Final = f"fairlead/{__version__}"


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent: method, absolute URL (already encoded), headers with lower case names, body.

    Its repr shows the method alone, for everything else may hold a secret.
    """

    method: str
    url: str = field(repr=False)
    headers: Headers = field(default=(), repr=False)
    content: Content = field(default=None, repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    """Shows a client certificate; None for the TLS that all others share."""

    def with_header(self, name: str, value: str) -> Request:
        """The request with that header in place of any other of the name."""
        return replace(self, headers=(*(pair for pair in self.headers if pair[0] != name), (name, value)))


class Upstream:
    """Sends requests. Made by `connect`; shared by all operations of a runtime."""

    def __init__(self, limits: Limits, ca_file: Path | None, transport: httpx.AsyncBaseTransport | None) -> None:
        self._limits = limits
        self._ca_file = ca_file
        self._transport = transport
        self._client = Client(limits)
        self._routes = Routes(_tls(ca_file), from_environment()) if transport is None else None

    def tls_context(self) -> ssl.SSLContext:
        """A TLS context of its own that trusts what all requests trust, for a client certificate."""
        return _tls(self._ca_file)

    async def close(self) -> None:
        """Closes every connection."""
        self._client.close()
        if self._transport:
            await self._transport.aclose()

    async def send(self, request: Request) -> Result:
        """The response, its body not yet read.

        Raises:
            UpstreamFailed: No connection, or it broke off.
            UpstreamTimeout: A limit of time passed.
            UpstreamBusy: All connections are in use.
        """
        source: Response | _InProcess
        headers = _with_defaults(request.headers)
        if self._routes:
            route, path = _addressed(request, self._routes)
            source = await self._client.send(Outgoing(request.method, route, path, headers, request.content))
        else:
            assert self._transport
            source = await _in_process(self._transport, request, headers, self._limits.total)
        if not 200 <= source.status <= 599:
            source.close()
            raise UpstreamFailed(f"the upstream answered with {source.status}, which is no status of HTTP")
        encoding = next((value for name, value in source.headers if name == "content-encoding"), "")
        data = None if encoding else source.whole()
        is_here = data is not None and len(data) <= self._limits.body
        body = Bytes(data) if data is not None and is_here else _Stream(source, encoding, self._limits, data or b"")
        return Result(source.status, to_caller(source.headers), body)


_DEFAULTS: Final = (("user-agent", USER_AGENT), ("accept-encoding", ACCEPTED))


def _with_defaults(headers: Headers) -> Headers:
    names = {name for name, _ in headers}
    return (*headers, *(pair for pair in _DEFAULTS if pair[0] not in names))


_URL = re.compile(r"(https?://[^/?#@\\]+)(/[A-Za-z0-9\-._~!$&()*+,;=:@/?%]*)")
"""An origin, and a path that needs neither encoding nor tidying up unless `_ODD` finds something."""
_ODD = re.compile(r"/\.|%(?![0-9A-Fa-f]{2})")


def _addressed(request: Request, routes: Routes) -> tuple[Route, str]:
    """The route to the origin of the URL, and the path with its query."""
    match = _URL.fullmatch(request.url)
    if match and not _ODD.search(match[2]):
        return routes.to(*_origin(match[1]), tls=request.tls), match[2]
    try:
        url = httpx.URL(request.url)
        own = basic(*(url.userinfo.decode().partition(":")[::2]))
        return routes.to(*_origin_of(url), authorization=own, tls=request.tls), url.raw_path.decode()
    except httpx.InvalidURL:
        raise ArgumentError("the arguments make no URL that could be sent") from None


@lru_cache(maxsize=1024)
def _origin(text: str) -> tuple[str, str, int]:
    try:
        return _origin_of(httpx.URL(text))
    except httpx.InvalidURL:
        raise ArgumentError("the arguments make no URL that could be sent") from None


def _origin_of(url: httpx.URL) -> tuple[str, str, int]:
    host = url.raw_host.decode().strip("[]")
    if url.scheme not in ("http", "https") or not host:
        raise UpstreamFailed("cannot connect to the upstream")
    return url.scheme, host, url.port or (443 if url.scheme == "https" else 80)


@dataclass(frozen=True, slots=True)
class _Stream:
    """The body of an upstream response that is still on its way; `first` of it is already here."""

    source: Response | _InProcess
    encoding: str
    limits: Limits
    first: bytes = b""

    async def relay(self) -> AsyncGenerator[bytes]:
        try:
            if self.first:
                yield self.first
            while data := await self.source.piece():
                yield data
        finally:
            await self.close()

    async def read(self) -> bytes:
        try:
            async with asyncio.timeout(self.limits.total):
                return await self._read()
        except TimeoutError:
            raise UpstreamTimeout("the upstream did not answer in time") from None
        finally:
            await self.close()

    async def _read(self) -> bytes:
        decoder = Decoder(self.encoding, self.limits.body)
        decoder.feed(self.first)
        while data := await self.source.piece():
            decoder.feed(data)
        return decoder.whole()

    async def close(self) -> None:
        self.source.close()
        if isinstance(self.source, _InProcess):
            await self.source.aclose()


class _InProcess:
    """A response of an httpx transport, in the form of those from the network."""

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.headers = tuple((name.lower().decode(), value.decode("latin-1")) for name, value in response.headers.raw)
        self._response = response
        self._pieces = response.aiter_raw()

    def whole(self) -> bytes | None:
        return None

    async def piece(self) -> bytes:
        with _errors_mapped():
            async for data in self._pieces:
                if data:
                    return data
        return b""

    def close(self) -> None:
        """Nothing to give back at once."""

    async def aclose(self) -> None:
        with anyio.CancelScope(shield=True):
            await self._response.aclose()


async def _in_process(
    transport: httpx.AsyncBaseTransport, request: Request, headers: Headers, seconds: float
) -> _InProcess:
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    with _errors_mapped(), anyio.fail_after(seconds):
        sent = httpx.Request(request.method, request.url, headers=raw, content=request.content)
        return _InProcess(await transport.handle_async_request(sent))


@contextmanager
def _errors_mapped() -> Iterator[None]:
    try:
        yield
    except httpx.PoolTimeout:
        raise UpstreamBusy("all connections to upstreams are in use", headers=(("retry-after", "1"),)) from None
    except (httpx.TimeoutException, TimeoutError):
        raise UpstreamTimeout("the upstream did not answer in time") from None
    except httpx.ConnectError:
        raise UpstreamFailed("cannot connect to the upstream") from None
    except httpx.InvalidURL:
        raise ArgumentError("the arguments make no URL that could be sent") from None
    except (httpx.TransportError, httpx.StreamError):
        raise UpstreamFailed("the connection to the upstream broke off") from None


@asynccontextmanager
async def connect(
    limits: Limits | None = None, ca_file: Path | None = None, transport: httpx.AsyncBaseTransport | None = None
) -> AsyncIterator[Upstream]:
    """The client, closed on leaving.

    Args:
        limits: Times and sizes; the defaults where None.
        ca_file: PEM certificates that are trusted besides the system's.
        transport: Takes the place of the network: an in-process upstream.
    """
    upstream = Upstream(limits or Limits(), ca_file, transport)
    try:
        yield upstream
    finally:
        await upstream.close()


def _tls(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except (ssl.SSLError, OSError):
            raise StartError(f"{str(ca_file)!r} holds no PEM certificates") from None
    return context


async def answers(url: str) -> bool:
    """Whether a listener of our own answers a real request with success, within two seconds."""
    async with httpx.AsyncClient(trust_env=False, timeout=2.0) as client:
        try:
            response = await client.get(url)
        except httpx.TransportError:
            return False
    return response.is_success


def in_process(app: ASGIApp) -> httpx.AsyncBaseTransport:
    """A transport to an application in this process, for the sandbox."""
    return httpx.ASGITransport(app)
