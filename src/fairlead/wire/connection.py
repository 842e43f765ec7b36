"""One connection to an upstream: carries one exchange at a time, and is closed by whatever goes wrong in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final, cast

from fairlead.errors import CallError, UpstreamFailed, UpstreamTimeout
from fairlead.wire.grammar import Malformed
from fairlead.wire.parse import Head, Incoming

HIGH_WATER: Final = 128 * 1024
"""How many bytes of a body may wait for a slow reader before reading from the upstream pauses."""


class Disconnected(UpstreamFailed):
    """The connection ended before the response did."""


class Connection(asyncio.Protocol):
    """Made by the event loop. `begin` an exchange, await its `head`, then its body `piece` by piece."""

    def __init__(self, lost: Callable[[Connection], None]) -> None:
        self.is_fresh = True
        self.since = 0.0
        """Since when it is idle."""
        self.incoming: Incoming | None = None
        self._loop = asyncio.get_running_loop()
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self._error: CallError | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._upload: asyncio.Task[None] | None = None
        self._paused = False

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are no subclasses of it

    def data_received(self, data: bytes) -> None:
        if self.incoming is None or self.incoming.done:
            self.fail(Disconnected("the connection to the upstream broke off"))
            return
        try:
            self.incoming.feed(data)
        except Malformed:
            self.fail(UpstreamFailed("the connection to the upstream broke off"))
            return
        if self.incoming.buffered > HIGH_WATER and not self._paused and self._transport:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        self._ended()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended(whole=exc is None)

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
            and (self._upload is None or (self._upload.done() and not self._upload.cancelled()))
            and transport
            and transport.get_write_buffer_size() == 0
        )

    def begin(self, method: str, data: bytes) -> None:
        """Sends the head, with a body that is here."""
        assert self._transport
        self.incoming = Incoming(method)
        self._upload = None
        if self._error is None:
            self._transport.write(data)

    def upload(self, pieces: AsyncIterator[bytes], length: int | None, seconds: float) -> None:
        """Sends a body beside the reading of the response, no faster than the upstream takes it."""
        self._upload = asyncio.create_task(self._send(pieces, length, seconds))

    async def head(self, read: float, total: float) -> Head:
        """The response's head; time counts from the end of the upload."""
        assert self.incoming
        deadline = self._loop.time() + total
        while self.incoming.head is None:
            self._check()
            if self._upload and not self._upload.done():
                await self._wait(None)
                deadline = self._loop.time() + total
            else:
                await self._wait(min(read, deadline - self._loop.time()))
        return self.incoming.head

    async def piece(self, read: float) -> bytes:
        """The next bytes of the body; none at its end."""
        assert self.incoming
        while not self.incoming.chunks:
            if self.incoming.done:
                return b""
            self._check()
            await self._wait(read)
        data = self.incoming.take()
        if self._paused and self._transport and self._error is None:
            self._paused = False
            self._transport.resume_reading()
        return data

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
                self._upload.cancel()
            if self._transport:
                self._transport.abort()
            self._lost(self)
        self._wake()
        self.resume_writing()

    def close(self) -> None:
        self.fail(Disconnected("the connection to the upstream broke off"))

    async def secure(self, start: Callable[[asyncio.Transport], asyncio.Future[asyncio.Transport | None]]) -> None:
        """Changes to TLS, inside of a tunnel."""
        assert self._transport
        self.rest()
        self.is_fresh = True
        self._transport = await start(self._transport)

    def _ended(self, *, whole: bool = True) -> None:
        if self.incoming and whole and self.incoming.end():
            self.incoming.keeps_alive = False
        self.close()

    def _check(self) -> None:
        if self._error:
            raise self._error.again()

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    async def _wait(self, seconds: float | None) -> None:
        self._waiter = self._loop.create_future()
        timer = None if seconds is None else self._loop.call_later(seconds, self._expire)
        try:
            await self._waiter
        finally:
            self._waiter = None
            if timer:
                timer.cancel()

    def _expire(self) -> None:
        self.fail(UpstreamTimeout("the upstream did not answer in time"))

    async def _send(self, pieces: AsyncIterator[bytes], length: int | None, seconds: float) -> None:
        try:
            await self._send_all(pieces, length, seconds)
        except CallError as error:
            self.fail(error)
        except Exception:  # noqa: BLE001 -- whatever the source of the body raises, the request is not whole
            self.fail(UpstreamFailed("the body of the request broke off"))
        self._wake()

    async def _send_all(self, pieces: AsyncIterator[bytes], length: int | None, seconds: float) -> None:
        assert self._transport
        left = length
        async for piece in pieces:
            if not piece:
                continue
            if left is not None:
                left -= len(piece)
                if left < 0:
                    break
            self._transport.write(piece if length is not None else b"%x\r\n%b\r\n" % (len(piece), piece))
            await self._drain(seconds)
        if left:
            raise UpstreamFailed("the body of the request is not as long as it says")
        if length is None:
            self._transport.write(b"0\r\n\r\n")
            await self._drain(seconds)

    async def _drain(self, seconds: float) -> None:
        if self._drained:
            try:
                async with asyncio.timeout(seconds):
                    await self._drained
            except TimeoutError:
                raise UpstreamTimeout("the upstream did not answer in time") from None
        self._check()
