"""Opens a connection along a route: resolved, connected, tunnelled and secured within one bound of time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from fairlead.errors import UpstreamFailed, UpstreamTimeout
from fairlead.wire import compose
from fairlead.wire.connection import Connection
from fairlead.wire.route import Proxy, Route


async def dial(route: Route, seconds: float, lost: Callable[[Connection], None]) -> Connection:
    """A connection that is ready for its first request."""
    made: list[Connection] = []

    def make() -> Connection:
        made.append(Connection(lost))
        return made[-1]

    try:
        async with asyncio.timeout(seconds):
            return await _dial(route, seconds, make)
    except TimeoutError:
        _close(made)
        raise UpstreamTimeout("the upstream did not answer in time") from None
    except (OSError, UnicodeError):
        _close(made)
        raise UpstreamFailed("cannot connect to the upstream") from None
    except BaseException:
        _close(made)
        raise


def _close(made: list[Connection]) -> None:
    for connection in made:
        connection.close()


async def _dial(route: Route, seconds: float, make: Callable[[], Connection]) -> Connection:
    loop = asyncio.get_running_loop()
    host, port = (route.proxy.host, route.proxy.port) if route.proxy else (route.host, route.port)
    tls = route.proxy_tls if route.proxy else route.tls
    _, connection = await loop.create_connection(make, host, port, ssl=tls, server_hostname=host if tls else None)
    if route.proxy and route.is_tunnel:
        await _tunnel(connection, route, route.proxy, seconds)
    return connection


async def _tunnel(connection: Connection, route: Route, proxy: Proxy, seconds: float) -> None:
    loop, tls = asyncio.get_running_loop(), route.tls
    assert tls
    host = f"[{route.host}]" if ":" in route.host else route.host
    target = f"{host}:{route.port}"
    credentials = (("proxy-authorization", proxy.authorization),) if proxy.authorization else ()
    connection.begin("CONNECT", compose.head("CONNECT", target, target, credentials, None))
    head = await connection.head(seconds, seconds)
    incoming = connection.incoming
    if head.status >= 300 or not incoming or not incoming.done or not connection.is_open:
        raise UpstreamFailed(f"the proxy answered with {head.status} and makes no connection to the upstream")
    await connection.secure(
        lambda inner: asyncio.ensure_future(loop.start_tls(inner, connection, tls, server_hostname=route.host))
    )
