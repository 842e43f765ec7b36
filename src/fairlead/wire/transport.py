"""The client as a transport of httpx, for whoever needs that interface."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import httpx

from fairlead.errors import ArgumentError, CallError, UpstreamBusy, UpstreamTimeout
from fairlead.wire.client import Client, Outgoing, Response
from fairlead.wire.compose import Content
from fairlead.wire.routes import Routes


class Transport(httpx.AsyncBaseTransport):
    """Bounded by the client's own limits; the timeouts of single requests are not looked at."""

    def __init__(self, client: Client, routes: Routes) -> None:
        self._client = client
        self._routes = routes

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        port = url.port or (443 if url.scheme == "https" else 80)
        headers = tuple((name.lower().decode(), value.decode("latin-1")) for name, value in request.headers.raw)
        route = self._routes.to(url.scheme, url.raw_host.decode().strip("[]"), port)
        with _errors_mapped():
            sent = Outgoing(request.method, route, url.raw_path.decode(), headers, _content(request))
            response = await self._client.send(sent)
        head = response.head
        return httpx.Response(head.status, headers=list(head.headers), stream=_Stream(response))

    async def aclose(self) -> None:
        self._client.close()


def _content(request: httpx.Request) -> Content:
    stream = request.stream
    if isinstance(stream, httpx.ByteStream):
        return b"".join(stream)
    assert isinstance(stream, httpx.AsyncByteStream)
    return aiter(stream)


class _Stream(httpx.AsyncByteStream):
    def __init__(self, response: Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _errors_mapped():
            while data := await self._response.piece():
                yield data

    async def aclose(self) -> None:
        self._response.close()


@contextmanager
def _errors_mapped() -> Iterator[None]:
    try:
        yield
    except UpstreamBusy as error:
        raise httpx.PoolTimeout(str(error)) from None
    except UpstreamTimeout as error:
        raise httpx.ReadTimeout(str(error)) from None
    except ArgumentError as error:
        raise httpx.LocalProtocolError(str(error)) from None
    except CallError as error:
        raise httpx.RemoteProtocolError(str(error)) from None
