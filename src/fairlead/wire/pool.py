"""The connections of a runtime: so many in all, shared by route, and none idle for long."""

from __future__ import annotations

import asyncio

from fairlead.errors import UpstreamBusy
from fairlead.wire.connection import Connection
from fairlead.wire.dial import dial
from fairlead.wire.limits import Limits
from fairlead.wire.route import Route


class Pool:
    """Lends connections: every `take` is followed by one `give_back`."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._free = asyncio.Semaphore(limits.connections)
        self._lent = 0
        self._idle: dict[Connection, Route] = {}  # the longest idle first
        self._sweeper: asyncio.TimerHandle | None = None

    @property
    def lent(self) -> int:
        return self._lent

    @property
    def idle(self) -> int:
        return len(self._idle)

    async def take(self, route: Route, *, fresh: bool = False) -> Connection:
        """A connection of the route; raises `UpstreamBusy` when none gets free in time."""
        await self._acquire()
        self._lent += 1
        try:
            return (None if fresh else self._reused(route)) or await self._dialled(route)
        except BaseException:
            self._release()
            raise

    def give_back(self, connection: Connection, route: Route) -> None:
        """Keeps the connection for the next request of the route, or closes it."""
        if connection.can_be_reused:
            connection.rest()
            connection.since = asyncio.get_running_loop().time()
            self._idle[connection] = route
            self._sweep_later()
        else:
            connection.close()
        self._release()

    def close(self) -> None:
        for connection in [*self._idle]:
            connection.close()
        if self._sweeper:
            self._sweeper.cancel()

    async def _acquire(self) -> None:
        if not self._free.locked():
            await self._free.acquire()
            return
        try:
            async with asyncio.timeout(self._limits.connect):
                await self._free.acquire()
        except TimeoutError:
            retry = (("retry-after", "1"),)
            raise UpstreamBusy("all connections to upstreams are in use", headers=retry) from None

    def _release(self) -> None:
        self._lent -= 1
        self._free.release()

    def _reused(self, route: Route) -> Connection | None:
        found = next((one for one in reversed(self._idle) if self._idle[one] is route), None)
        if found:
            del self._idle[found]
        return found

    async def _dialled(self, route: Route) -> Connection:
        if self._lent + len(self._idle) > self._limits.connections:
            next(iter(self._idle)).close()
        return await dial(route, self._limits.connect, self._forget)

    def _forget(self, connection: Connection) -> None:
        self._idle.pop(connection, None)

    def _sweep_later(self) -> None:
        if self._sweeper is None and self._idle:
            self._sweeper = asyncio.get_running_loop().call_later(self._limits.idle, self._sweep)

    def _sweep(self) -> None:
        self._sweeper = None
        expired = asyncio.get_running_loop().time() - self._limits.idle
        for connection in [one for one in self._idle if one.since <= expired]:
            connection.close()
        self._sweep_later()
