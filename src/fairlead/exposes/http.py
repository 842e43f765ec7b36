"""Results and errors as HTTP responses over ASGI."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from contextlib import aclosing
from typing import Final, NamedTuple

from starlette.types import Receive, Scope, Send

from fairlead.errors import CallError
from fairlead.headers import Headers
from fairlead.response import Bytes, Result

log = logging.getLogger("fairlead")
_BODYLESS = frozenset({204, 304})
_EVENTS: Final = "text/event-stream"
_UNBUFFERED: Final = ("x-accel-buffering", "no")
"""Tells proxies before the gateway not to hold events back."""

HANG_UP: Final = "fairlead.hang_up"
"""The extension of ASGI by which our server lets itself be told what to call as soon as the caller hangs up."""


class Written(NamedTuple):
    """A response that is to be sent as it is."""

    status: int
    headers: Headers
    body: bytes


class UnlessGone:
    """Cancels the work inside as soon as the caller hangs up; errors of the work come out as they are."""

    __slots__ = ("_is_gone", "_stop", "_task")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._is_gone = False
        watch = scope["extensions"].get(HANG_UP) if "extensions" in scope else None
        self._stop: Callable[[], object] = watch(self._hang_up) if watch else self._watched(receive)

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: object, traceback: object) -> bool:
        self._stop()
        return kind is asyncio.CancelledError and self._is_gone and not self._task.uncancel()

    def _hang_up(self) -> None:
        self._is_gone = True
        self._task.cancel()

    def _watched(self, receive: Receive) -> Callable[[], object]:
        """Watches as any server of ASGI allows; gives what ends that."""
        return asyncio.get_running_loop().create_task(self._watch(receive)).cancel

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._hang_up()


async def send_json(body: bytes, send: Send, *, head: bool = False) -> None:
    """Sends JSON that is already written; with `head` its headers only."""
    await _send_written(as_json(body), send, head=head)


def as_json(body: bytes) -> Written:
    """The response with JSON that is already written."""
    return Written(200, (("content-type", "application/json"), ("content-length", str(len(body)))), body)


async def send_result(result: Result, send: Send, *, head: bool = False) -> None:
    """Relays a result; with `head` its headers only.

    A body that breaks off cannot be taken back: the response is left incomplete, so that the server cuts the
    connection and the caller sees that the body is not whole.
    """
    try:
        headers = _encoded(unbuffered(result.headers))
        await send({"type": "http.response.start", "status": result.status, "headers": headers})
        if isinstance(result.body, Bytes):
            is_sent = not head and result.status not in _BODYLESS
            await send({"type": "http.response.body", "body": result.body.data if is_sent else b""})
            return
        if not head and result.status not in _BODYLESS:
            async with aclosing(result.body.relay()) as chunks:
                async for chunk in chunks:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
    except CallError as error:
        log.warning("a response was cut: %s", error)
        return
    finally:
        await result.body.close()
    await send({"type": "http.response.body"})


async def send_error(error: CallError, send: Send, *, head: bool = False) -> None:
    """Sends an error as `application/problem+json` (RFC 9457)."""
    await _send_written(problem(error), send, head=head)


async def _send_written(written: Written, send: Send, *, head: bool) -> None:
    await send({"type": "http.response.start", "status": written.status, "headers": _encoded(written.headers)})
    await send({"type": "http.response.body", "body": b"" if head else written.body})


def problem(error: CallError) -> Written:
    """The response that tells of an error."""
    body = json.dumps(error.problem(), separators=(",", ":"), default=str).encode()
    own = (("content-type", "application/problem+json"), ("content-length", str(len(body))))
    return Written(error.status, (*own, *error.headers), body)


def unbuffered(headers: Headers) -> Headers:
    """The headers of an answer; those of events say that none may be held back."""
    for name, value in headers:
        if name == "content-type":
            if value[: len(_EVENTS)].lower() == _EVENTS:
                return (*(pair for pair in headers if pair[0] != _UNBUFFERED[0]), _UNBUFFERED)
            break
    return headers


async def send_empty(status: int, headers: Headers, send: Send) -> None:
    """Sends a response without a body."""
    await send({"type": "http.response.start", "status": status, "headers": _encoded(headers)})
    await send({"type": "http.response.body"})


def _encoded(headers: Headers) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
