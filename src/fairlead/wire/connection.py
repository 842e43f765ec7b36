"""One connection to an upstream: carries one exchange at a time, and is closed by whatever goes wrong in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from math import inf
from typing import Final, cast

from fairlead.errors import CallError, UpstreamFailed, UpstreamTimeout
from fairlead.wire.grammar import Malformed
from fairlead.wire.parse import Head, Incoming
from fairlead.wire.tls import is_cut_off
from fairlead.wire.upload import Upload

HIGH_WATER: Final = 128 * 1024
"""How many bytes of a body may wait for a slow reader before reading from the upstream pauses."""

MAX_JOINED: Final = 64 * 1024
"""The longest body that is copied behind its head."""


class Disconnected(UpstreamFailed):
    """The connection ended before the response did."""


class Connection(asyncio.Protocol):
    """Made by the event loop. `begin` an exchange, await its `head`, then its body `piece` by piece."""

    def __init__(self, read: float, lost: Callable[[Connection], None]) -> None:
        self.is_fresh = True
        self.deadline = inf
        """When the pool is to call `expire`."""
        self.incoming: Incoming | None = None
        self._loop = asyncio.get_running_loop()
        self._read = read
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self._error: CallError | None = None
        self._told: Callable[[], object] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._upload: Upload | None = None
        self._paused = False

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are no subclasses of it

    def data_received(self, data: bytes) -> None:
        incoming = self.incoming
        if incoming is None or incoming.done:
            self.close()
            return
        try:
            incoming.feed(data)
        except Malformed:
            self.fail(UpstreamFailed("the connection to the upstream broke off"))
            return
        self._wake()
        waits = self.incoming is incoming and incoming.buffered > HIGH_WATER  # whoever was told has left it there
        if waits and not self._paused and self._transport and self._error is None:
            self._paused = True
            self._transport.pause_reading()

    def eof_received(self) -> None:
        """The only end that can be a body's: the other side says so, inside of TLS where there is TLS."""
        if self.incoming and not is_cut_off(self._transport) and self.incoming.end():
            self.incoming.keeps_alive = False
        self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.close()

    def pause_writing(self) -> None:
        self._drained = self._loop.create_future()

    def resume_writing(self) -> None:
        if self._drained and not self._drained.done():
            self._drained.set_result(None)
        self._drained = None

    # What an exchange calls.

    @property
    def is_open(self) -> bool:
        return self._error is None

    @property
    def can_be_reused(self) -> bool:
        """Whether both directions are at their end and nothing spoke against another exchange."""
        incoming, transport = self.incoming, self._transport
        return bool(
            self._error is None
            and not self._paused
            and incoming
            and incoming.done
            and incoming.keeps_alive
            and (self._upload is None or self._upload.done)
            and transport
            and transport.get_write_buffer_size() == 0
        )

    def begin(self, method: str, head: bytes, body: bytes = b"", upload: Upload | None = None) -> Incoming:
        """Sends the head, with a body that is here; one that is streamed follows by itself."""
        assert self._transport
        incoming = self.incoming = Incoming(method)
        self._upload = upload
        if self._error is None:
            if len(body) > MAX_JOINED:
                self._transport.writelines([head, body])
            else:
                self._transport.write(head + body if body else head)
        if upload:
            upload.start(self)
        return incoming

    def listen(self, told: Callable[[], object] | None, deadline: float = inf) -> None:
        """Has `told` called once, when something has happened: by the deadline that it could not go on."""
        self._told = told
        self.deadline = deadline
        if told and self._error:  # what will never happen again
            self._loop.call_soon(self._wake)

    def patience(self) -> float:
        """Until when the upstream may stay silent."""
        return self._loop.time() + self._read

    async def head(self, deadline: float) -> Head:
        """The response's head; the time of a streamed upload does not count."""
        assert self.incoming
        total = deadline - self._loop.time() if self._upload else 0.0
        while self.incoming.head is None:
            self.check()
            if self._upload and self._upload.is_running:
                await self._wait(inf)
                deadline = self._loop.time() + total
            else:
                await self._wait(min(self.patience(), deadline))
        return self.incoming.head

    async def piece(self) -> bytes:
        """The next bytes of the body; none at its end."""
        assert self.incoming
        while not self.incoming.chunks:
            if self.incoming.done:
                return b""
            self.check()
            await self._wait(self.patience())
        return self.take()

    def take(self) -> bytes:
        """The bytes of the body that are here; more may come."""
        assert self.incoming
        data = self.incoming.take()
        if self._paused and self._transport and self._error is None:
            self._paused = False
            self._transport.resume_reading()
        return data

    def check(self) -> None:
        """Raises what has gone wrong."""
        if self._error:
            raise self._error.again()

    def rest(self) -> None:
        """Leaves the exchange behind; whatever comes now was not asked for."""
        self.is_fresh = False
        self.incoming = None
        self._upload = None

    def fail(self, error: CallError) -> None:
        """Closes the connection at once, and tells whoever waits why."""
        if self._error is None:
            self._error = error
            if self._upload:
                self._upload.stop()
            if self._transport:
                self._transport.abort()
            self._lost(self)
        self._wake()
        self.resume_writing()

    def close(self) -> None:
        self.fail(Disconnected("the connection to the upstream broke off"))

    def expire(self) -> None:
        """Told that the deadline has passed."""
        self.fail(UpstreamTimeout("the upstream did not answer in time"))

    async def secure(self, start: Callable[[asyncio.Transport], asyncio.Future[asyncio.Transport | None]]) -> None:
        """Changes to TLS, inside of a tunnel."""
        assert self._transport
        self.rest()
        self.is_fresh = True
        self._transport = await start(self._transport)

    # What an upload calls.

    async def push(self, data: bytes) -> None:
        assert self._transport
        self.check()
        self._transport.write(data)
        if self._drained:
            try:
                async with asyncio.timeout(self._read):
                    await self._drained
            except TimeoutError:
                self.expire()
            self.check()

    def uploaded(self, error: CallError | None) -> None:
        if error:
            self.fail(error)
        self._wake()

    def _wake(self) -> None:
        told, self._told = self._told, None
        if told:
            self.deadline = inf
            told()

    def _wait(self, deadline: float) -> asyncio.Future[None]:
        """Done when something has happened; whoever gives up waiting closes the connection."""
        waiter: asyncio.Future[None] = self._loop.create_future()
        self.listen(partial(_done, waiter), deadline)
        return waiter


def _done(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
