"""The one door to upstreams: pooled and bounded.

Its transport is the seam for tests and the sandbox. A response is relayed as it comes or read whole, up to a limit;
redirects are handed to the caller, never followed; cookies are never kept.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import httpx

from fairlead import __version__
from fairlead.decoding import ACCEPTED, Decoder
from fairlead.errors import StartError, UpstreamFailed, UpstreamTimeout
from fairlead.headers import Headers
from fairlead.in_process import Answer, send
from fairlead.response import Body, Bytes, Ready, Result
from fairlead.underway import Passing, shown
from fairlead.wire.client import Client, Outgoing, Response
from fairlead.wire.compose import Content
from fairlead.wire.limits import Limits as Limits  # noqa: PLC0414 -- the bounds are part of this door
from fairlead.wire.proxy import Proxies, from_environment
from fairlead.wire.routes import Routes
from fairlead.wire.transport import Transport

for _noisy in ("httpx", "httpcore"):
    logging.getLogger(_noisy).setLevel(logging.WARNING)  # they would log URLs, and a URL may hold an API key

USER_AGENT: Final = f"fairlead/{__version__}"


class Request(NamedTuple):
    """What is sent: method, absolute URL (already encoded), headers with lower case names, body.

    Its repr shows the method alone, for everything else may hold a secret.
    """

    method: str
    url: str
    headers: Headers = ()
    content: Content = None
    tls: ssl.SSLContext | None = None
    """Shows a client certificate; None for the TLS that all others share."""

    def __repr__(self) -> str:
        return f"Request({self.method})"

    def with_header(self, name: str, value: str) -> Request:
        """The request with that header in place of any other of the name."""
        return self._replace(headers=(*(pair for pair in self.headers if pair[0] != name), (name, value)))


class Upstream:
    """Sends requests. Made by `connect`; shared by all operations of a runtime."""

    def __init__(self, limits: Limits, ca_file: Path | None, transport: httpx.AsyncBaseTransport | None) -> None:
        self._limits = limits
        self._ca_file = ca_file
        self._transport = transport
        self._client = Client(limits)
        self._routes = Routes(_tls(ca_file), from_environment() if transport is None else Proxies({}, ()))

    def tls_context(self) -> ssl.SSLContext:
        """A TLS context of its own that trusts what all requests trust, for a client certificate."""
        return _tls(self._ca_file)

    async def close(self) -> None:
        """Closes every connection."""
        self._client.close()
        if self._transport:
            await self._transport.aclose()

    def ready(self, request: Request) -> Ready | None:
        """The request, ready for whoever does not wait; None where only `send` can send it. Raises `ArgumentError`."""
        if self._transport:
            return None
        route, path = self._routes.find(request.url, request.tls)
        headers = _with_defaults(request.headers)
        sent = self._client.ready(Outgoing(request.method, route, path, headers, request.content))
        return Passing(sent, self._limits) if sent else None

    async def send(self, request: Request) -> Result:
        """The response, its body not yet read.

        Raises:
            UpstreamFailed: No connection, or it broke off.
            UpstreamTimeout: A limit of time passed.
            UpstreamBusy: All connections are in use.
        """
        headers = _with_defaults(request.headers)
        source: Response | Answer
        if self._transport:
            seconds = self._limits.total
            source = await send(self._transport, request.method, request.url, headers, request.content, seconds)
        else:
            route, path = self._routes.find(request.url, request.tls)
            source = await self._client.send(Outgoing(request.method, route, path, headers, request.content))
        try:
            return Result(source.head.status, shown(source.head), self._body(source))
        except UpstreamFailed:
            await source.aclose()
            raise

    def _body(self, source: Response | Answer) -> Body:
        encoding = source.head.said.get("content-encoding", "")
        data = None if encoding else source.whole()
        if data is None:
            return _Stream(source, encoding, self._limits)
        return Bytes(data) if len(data) <= self._limits.body else _Stream(source, encoding, self._limits, data)


_DEFAULTS: Final = (("user-agent", USER_AGENT), ("accept-encoding", ACCEPTED))


@lru_cache(maxsize=64)
def _with_defaults(headers: Headers) -> Headers:
    given = [name for name, _ in headers]
    return headers + tuple([pair for pair in _DEFAULTS if pair[0] not in given])


@dataclass(frozen=True, slots=True)
class _Stream:
    """The body of an upstream response that is still on its way; `first` of it is already here."""

    source: Response | Answer
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
        await self.source.aclose()


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
    routes = Routes(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), Proxies({}, ()))
    transport = Transport(Client(Limits(connect=2.0, read=2.0, total=2.0)), routes)
    async with httpx.AsyncClient(transport=transport) as client:
        try:
            response = await client.get(url)
        except httpx.TransportError:
            return False
    return response.is_success
