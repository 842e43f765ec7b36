"""The server's side of a connection: uvicorn's, with the head of a response and the start of its body in one write."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_HEAD = b"HTTP/1.1 "
_MAX_JOINED = 64 * 1024
"""The longest body that is copied behind its head; a longer one is worth a write of its own."""


class Protocol(HttpToolsProtocol):
    """HTTP/1.1, parsed by httptools."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(cast("asyncio.Transport", _HeadWithBody(transport, self.loop)))


class _HeadWithBody:
    """A transport that holds a head back until its body comes, at most until the loop's next turn."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Sends the data, behind the head that waits for it."""
        if self._head:
            head, self._head = self._head, b""
            if len(data) <= _MAX_JOINED:
                self._transport.write(head + data)
                return
            self._transport.write(head)
        elif data.startswith(_HEAD):
            self._head = data
            self._loop.call_soon(self._flush)
            return
        self._transport.write(data)

    def close(self) -> None:
        """Closes the connection once all is sent."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._head and not self._transport.is_closing():
            self._transport.write(self._head)
        self._head = b""
