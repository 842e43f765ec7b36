"""A request's body that goes upstream while it comes in, however long it is."""

from __future__ import annotations

import asyncio

from starlette.types import Message, Receive, Scope


class ClientGone(Exception):
    """The caller hung up before the request was complete."""


class Upload:
    """The pieces of a body, in order and once; raises `ClientGone` where the caller hangs up before its end.

    Reading waits for whoever sends the pieces on, so no more than one of them is held.
    """

    def __init__(self, scope: Scope, receive: Receive) -> None:
        declared = dict(scope["headers"]).get(b"content-length", b"")
        self.length = int(declared) if declared.isdigit() else None
        """How long it says that it is, in bytes; None where nobody knows."""
        self._receive = receive
        self._ended = asyncio.Event()

    def __aiter__(self) -> Upload:
        return self

    async def __anext__(self) -> bytes:
        while not self._ended.is_set():
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self._ended.set()
                raise ClientGone
            if not message.get("more_body", False):
                self._ended.set()
            if body := message.get("body", b""):
                return bytes(body)
        raise StopAsyncIteration

    async def after(self) -> Message:
        """What the caller does once all of the body is read."""
        await self._ended.wait()
        return await self._receive()
