"""The one HTTP client: pooled, bounded, and the only importer of the client library.

Its transport is the seam for tests and the sandbox. A response is relayed as it comes or read whole, up to a limit;
redirects are handed to the caller, never followed; cookies are never kept.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Final

import anyio
import httpx
from starlette.types import ASGIApp

from fairlead import __version__
from fairlead.decoding import ACCEPTED, Decoder
from fairlead.errors import ArgumentError, StartError, UpstreamBusy, UpstreamFailed, UpstreamTimeout
from fairlead.headers import Headers, to_caller
from fairlead.operation import Result

for _noisy in ("httpx", "httpcore"):
    logging.getLogger(_noisy).setLevel(logging.WARNING)  # they would log URLs, and a URL may hold an API key

USER_AGENT: Final = f"fairlead/{__version__}"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of every exchange with an upstream; times in seconds, sizes in bytes.

    `read` bounds each wait for more bytes; `total` bounds the wait for the response's headers and the reading of a
    body that is read whole, not the relaying of a stream.
    """

    connect: float = 5.0
    read: float = 30.0
    total: float = 60.0
    connections: int = 100
    body: int = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent: method, absolute URL (already encoded), headers with lower case names, body.

    Its repr shows the method alone, for everything else may hold a secret.
    """

    method: str
    url: str = field(repr=False)
    headers: Headers = field(default=(), repr=False)
    content: bytes | None = field(default=None, repr=False)
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
        self._clients: dict[ssl.SSLContext | None, httpx.AsyncClient] = {None: self._connected(None)}

    def tls_context(self) -> ssl.SSLContext:
        """A TLS context of its own that trusts what all requests trust, for a client certificate."""
        return _tls(self._ca_file)

    async def close(self) -> None:
        """Closes every connection."""
        for client in self._clients.values():
            await client.aclose()

    def _client(self, tls: ssl.SSLContext | None = None) -> httpx.AsyncClient:
        """The client whose connections have that TLS."""
        if tls not in self._clients:
            self._clients[tls] = self._connected(tls)
        return self._clients[tls]

    def _connected(self, tls: ssl.SSLContext | None) -> httpx.AsyncClient:
        limits = self._limits
        return httpx.AsyncClient(
            transport=self._transport,
            verify=self._transport is not None or tls or _tls(self._ca_file),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            timeout=httpx.Timeout(limits.read, connect=limits.connect, pool=limits.connect),
            limits=httpx.Limits(max_connections=limits.connections, max_keepalive_connections=limits.connections),
            follow_redirects=False,
        )

    async def send(self, request: Request) -> Result:
        """The response, its body not yet read.

        Raises:
            UpstreamFailed: No connection, or it broke off.
            UpstreamTimeout: A limit of time passed.
            UpstreamBusy: All connections are in use.
        """
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers]
        with _errors_mapped(), anyio.fail_after(self._limits.total):
            sent = httpx.Request(request.method, request.url, headers=headers, content=request.content)
            sent.headers.setdefault("user-agent", USER_AGENT)
            sent.headers.setdefault("accept-encoding", ACCEPTED)
            client = self._client(request.tls)
            sent.extensions["timeout"] = client.timeout.as_dict()
            response = await client.send(sent, stream=True)
        if not 200 <= response.status_code <= 599:
            await response.aclose()
            raise UpstreamFailed(f"the upstream answered with {response.status_code}, which is no status of HTTP")
        received = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw)
        return Result(response.status_code, to_caller(received), _Stream(response, self._limits))


@dataclass(frozen=True, slots=True)
class _Stream:
    """The body of an upstream response that is still on its way."""

    response: httpx.Response
    limits: Limits

    async def relay(self) -> AsyncGenerator[bytes]:
        try:
            with _errors_mapped():
                async for chunk in self.response.aiter_raw():
                    yield chunk
        finally:
            await self.close()

    async def read(self) -> bytes:
        try:
            with _errors_mapped(), anyio.fail_after(self.limits.total):
                return await self._read()
        finally:
            await self.close()

    async def _read(self) -> bytes:
        decoder = Decoder(self.response.headers.get("content-encoding", ""), self.limits.body)
        async for chunk in self.response.aiter_raw():
            decoder.feed(chunk)
        return decoder.whole()

    async def close(self) -> None:
        with anyio.CancelScope(shield=True):
            await self.response.aclose()


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
