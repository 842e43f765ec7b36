"""Opens a connection along a route: resolved, connected, tunnelled and secured within one bound of time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf

from fairlead.errors import UpstreamFailed, UpstreamTimeout
from fairlead.wire import addresses, compose
from fairlead.wire.connection import Connection
from fairlead.wire.route import Proxy, Route


async def dial(route: Route, seconds: float, new: Callable[[], Connection]) -> Connection:
    """A connection that is ready for its first request."""
    connection = new()
    try:
        async with asyncio.timeout(seconds):
            await _dial(route, connection)
    except TimeoutError:
        connection.close()
        raise UpstreamTimeout("the upstream did not answer in time") from None
    except (OSError, UnicodeError):
        connection.close()
        raise UpstreamFailed("cannot connect to the upstream") from None
    except BaseException:
        connection.close()
        raise
    return connection


async def _dial(route: Route, connection: Connection) -> None:
    host, port = (route.proxy.host, route.proxy.port) if route.proxy else (route.host, route.port)
    tls = route.proxy_tls if route.proxy else route.tls
    sock = await addresses.connected(host, port)
    try:
        loop, name = asyncio.get_running_loop(), host if tls else None
        await loop.create_connection(lambda: connection, sock=sock, ssl=tls, server_hostname=name)
    except BaseException:
        sock.close()
        raise
    if route.proxy and route.is_tunnel:
        await _tunnel(connection, route, route.proxy)


async def _tunnel(connection: Connection, route: Route, proxy: Proxy) -> None:
    loop, tls = asyncio.get_running_loop(), route.tls
    assert tls
    host = f"[{route.host}]" if ":" in route.host else route.host
    target = f"{host}:{route.port}"
    credentials = (("proxy-authorization", proxy.authorization),) if proxy.authorization else ()
    incoming = connection.begin("CONNECT", compose.head("CONNECT", target, target, credentials, None))
    head = await connection.head(inf)
    if head.status >= 300 or not incoming.done or not connection.is_open:
        raise UpstreamFailed(f"the proxy answered with {head.status} and makes no connection to the upstream")
    await connection.secure(
        lambda inner: asyncio.ensure_future(loop.start_tls(inner, connection, tls, server_hostname=route.host))
    )
