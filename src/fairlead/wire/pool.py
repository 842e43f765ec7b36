"""The connections of a runtime: so many in all, shared by route, and none idle or silent for longer than allowed."""

from __future__ import annotations

import asyncio
from typing import Final

from fairlead.errors import UpstreamBusy
from fairlead.wire.connection import Connection
from fairlead.wire.dial import dial
from fairlead.wire.limits import Limits
from fairlead.wire.route import Route

TICK: Final = 0.1
"""Seconds between two looks at the deadlines of all connections: cheaper than a timer for every wait."""


class Pool:
    """Lends connections: every one from `take` or `take_idle` is followed by one `give_back`."""

    def __init__(self, limits: Limits) -> None:
        self.lent = 0
        self._limits = limits
        self._waiting: dict[asyncio.Future[None], None] = {}  # who came first is first
        self._open: set[Connection] = set()
        self._idle: dict[Route, list[Connection]] = {}  # the longest idle first; no route without any
        self._ticker: asyncio.TimerHandle | None = None

    @property
    def idle(self) -> int:
        return sum(map(len, self._idle.values()))

    def take_idle(self, route: Route) -> Connection | None:
        """A connection that is there already, if that is all it takes."""
        if self.lent >= self._limits.connections:
            return None
        self.lent += 1
        found = self._reused(route)
        self.lent -= found is None
        return found

    async def take(self, route: Route, deadline: float, *, fresh: bool = False) -> Connection:
        """A connection of the route; raises `UpstreamBusy` when none gets free in time."""
        await self._acquire(deadline)
        try:
            return (None if fresh else self._reused(route)) or await self._dialled(route, deadline)
        except BaseException:
            self._release()
            raise

    def give_back(self, connection: Connection, route: Route) -> None:
        """Keeps the connection for the next request of the route, or closes it."""
        if connection.can_be_reused:
            connection.rest()
            connection.deadline = asyncio.get_running_loop().time() + self._limits.idle
            self._idle.setdefault(route, []).append(connection)
        else:
            connection.close()
        self._release()

    def close(self) -> None:
        for connection in [*self._open]:
            connection.close()

    async def _acquire(self, deadline: float) -> None:
        if self.lent < self._limits.connections:
            self.lent += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting[turn] = None
        try:
            async with asyncio.timeout(self._at_most(deadline)):
                await turn
        except BaseException as error:
            self._waiting.pop(turn, None)
            if not turn.cancelled():
                self._release()  # the turn came in the same moment
            if not isinstance(error, TimeoutError):
                raise
            retry = (("retry-after", "1"),)
            raise UpstreamBusy("all connections to upstreams are in use", headers=retry) from None

    def _release(self) -> None:
        while self._waiting:
            turn = next(iter(self._waiting))
            del self._waiting[turn]
            if not turn.done():
                turn.set_result(None)
                return
        self.lent -= 1

    def _reused(self, route: Route) -> Connection | None:
        there = self._idle.get(route)
        if not there:
            return None
        connection = there.pop()
        if not there:
            del self._idle[route]
        return connection

    async def _dialled(self, route: Route, deadline: float) -> Connection:
        if self.lent + self.idle > self._limits.connections:
            min((there[0] for there in self._idle.values()), key=lambda one: one.deadline).close()
        return await dial(route, self._at_most(deadline), self._new)

    def _at_most(self, deadline: float) -> float:
        return min(self._limits.connect, deadline - asyncio.get_running_loop().time())

    def _new(self) -> Connection:
        connection = Connection(self._limits.read, self._forget)
        self._open.add(connection)
        if self._ticker is None:
            self._tick()
        return connection

    def _forget(self, connection: Connection) -> None:
        self._open.discard(connection)
        for route, there in [*self._idle.items()]:
            if connection in there:
                there.remove(connection)
                if not there:
                    del self._idle[route]
        if self._ticker and not self._open:
            self._ticker.cancel()
            self._ticker = None

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        self._ticker = loop.call_later(TICK, self._tick)
        for connection in [one for one in self._open if one.deadline <= loop.time()]:
            connection.expire()
