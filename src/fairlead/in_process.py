"""An upstream without a network: the seam for tests and the sandbox, a transport of httpx in the client's place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import anyio
import httpx
from starlette.types import ASGIApp

from fairlead.errors import ArgumentError, UpstreamBusy, UpstreamFailed, UpstreamTimeout
from fairlead.headers import Headers
from fairlead.wire.compose import Content
from fairlead.wire.parse import head_of


def in_process(app: ASGIApp) -> httpx.AsyncBaseTransport:
    """A transport to an application in this process."""
    return httpx.ASGITransport(app)


class Answer:
    """A response of a transport, in the form of those from the network."""

    def __init__(self, response: httpx.Response) -> None:
        headers = tuple((name.lower().decode(), value.decode("latin-1")) for name, value in response.headers.raw)
        self.head = head_of(response.http_version[-1], response.status_code, headers)
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

    async def aclose(self) -> None:
        with anyio.CancelScope(shield=True):
            await self._response.aclose()


async def send(
    transport: httpx.AsyncBaseTransport, method: str, url: str, headers: Headers, content: Content, seconds: float
) -> Answer:
    """The response of the transport, its body not yet read."""
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    with _errors_mapped(), anyio.fail_after(seconds):
        sent = httpx.Request(method, url, headers=raw, content=content)
        return Answer(await transport.handle_async_request(sent))


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
