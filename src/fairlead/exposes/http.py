"""Results and errors as HTTP responses over ASGI."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing

from starlette.types import Receive, Send

from fairlead.errors import CallError
from fairlead.headers import Headers
from fairlead.operation import Result

log = logging.getLogger("fairlead")
_BODYLESS = frozenset({204, 304})


async def unless_gone(receive: Receive, work: Callable[[], Awaitable[None]]) -> None:
    """Does the work and cancels it as soon as the caller hangs up; errors of the work come out as they are.

    This is asked of every request, and a task group of anyio would cost more than all else we do for one.
    """
    task = asyncio.current_task()
    assert task is not None
    gone = False

    async def watch() -> None:
        nonlocal gone
        while (await receive())["type"] != "http.disconnect":
            pass
        gone = True
        task.cancel()

    watching = asyncio.create_task(watch())
    try:
        await work()
    except asyncio.CancelledError:
        if not gone or task.uncancel():
            raise
    finally:
        watching.cancel()


async def send_json(body: bytes, send: Send) -> None:
    """Sends JSON that is already written."""
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def send_result(result: Result, send: Send, *, head: bool = False) -> None:
    """Relays a result; with `head` its headers only.

    A body that breaks off cannot be taken back: the response is left incomplete, so that the server cuts the
    connection and the caller sees that the body is not whole.
    """
    try:
        await send({"type": "http.response.start", "status": result.status, "headers": _encoded(result.headers)})
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
    body = json.dumps(error.problem(), separators=(",", ":"), default=str).encode()
    own = (("content-type", "application/problem+json"), ("content-length", str(len(body))))
    headers = _encoded((*own, *error.headers))
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else body})


async def send_empty(status: int, headers: Headers, send: Send) -> None:
    """Sends a response without a body."""
    await send({"type": "http.response.start", "status": status, "headers": _encoded(headers)})
    await send({"type": "http.response.body"})


def _encoded(headers: Headers) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
