"""A streamed body on its way to an upstream, beside the reading of the response and no faster than it is taken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Protocol

from fairlead.errors import CallError, UpstreamFailed


class Sink(Protocol):
    """The connection, as an upload sees it."""

    async def push(self, data: bytes) -> None:
        """Sends; returns when there is room for more."""

    def uploaded(self, error: CallError | None) -> None:
        """Told that the upload is over, and what went wrong in it."""


class Upload:
    """Takes the body from its source, which is closed in the end whatever happens."""

    def __init__(self, source: AsyncIterator[bytes], length: int | None) -> None:
        self.is_untouched = True
        """Whether nothing of the body was asked for, so that it can still go another way."""
        self.done = False
        """Whether all of it was sent."""
        self._source = source
        self._length = length
        self._task: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        return self._task is not None and not self._task.done()

    def start(self, sink: Sink) -> None:
        self._task = asyncio.create_task(self._run(sink))

    def stop(self) -> None:
        if self._task:
            self._task.cancel()

    async def close(self) -> None:
        """Stops, and returns when the source is closed."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self.is_untouched:
            await self._close_source()

    async def _run(self, sink: Sink) -> None:
        error: CallError | None = None
        try:
            await asyncio.sleep(0)  # in which a connection that has gone stale shows it
            self.is_untouched = False
            await self._send(sink.push)
            self.done = True
        except CallError as failed:
            error = failed
        except Exception:  # noqa: BLE001 -- whatever the source of the body raises, the request is not whole
            error = UpstreamFailed("the body of the request broke off")
        finally:
            if not self.is_untouched:
                await self._close_source()
        self._task = None
        sink.uploaded(error)

    async def _send(self, push: Callable[[bytes], Awaitable[None]]) -> None:
        if self._length is None:
            async for piece in self._source:
                if piece:
                    await push(b"%x\r\n%b\r\n" % (len(piece), piece))
            await push(b"0\r\n\r\n")
        else:
            await self._send_declared(self._length, push)

    async def _send_declared(self, left: int, push: Callable[[bytes], Awaitable[None]]) -> None:
        async for piece in self._source:
            left -= len(piece)
            if left < 0:
                break
            await push(piece)
        if left:
            raise UpstreamFailed("the body of the request is not as long as it says")

    async def _close_source(self) -> None:
        if close := getattr(self._source, "aclose", None):
            with suppress(Exception):
                await close()
