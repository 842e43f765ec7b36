"""The log of the process, to read and to follow, and its level: `/logs` and `/logs/stream`.

management: {logs: {level-control: true, stream: true, max-subscribers: 5}}
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

from starlette.types import Receive, Scope, Send

from fairlead.errors import ArgumentError, MethodNotAllowed, TooMany
from fairlead.exposes.changes import changes
from fairlead.exposes.http import UnlessGone, send_json
from fairlead.jsontext import dumps
from fairlead.log_lines import LEVELS, LogLines

_EVENTS: Final = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
_STILL_THERE: Final = b":\n\n"


@dataclass(frozen=True, slots=True)
class LogPage:
    """The level of the log and its newest lines; `PUT` changes the level unless `fixed` says why not."""

    lines: LogLines
    fixed: str = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = await changes(scope, receive, "the level of the log", self.fixed)
        if given is not None:
            logging.getLogger().setLevel(_level(given).upper())
        level = logging.getLevelName(logging.getLogger().level).lower()
        body = dumps({"level": level, "lines": self.lines.newest})
        await send_json(body, send, head=scope["method"] == "HEAD")


def _level(given: Mapping[str, Any]) -> str:
    for key in given.keys() - {"level"}:
        raise ArgumentError.about(key, "is unknown; only 'level' can be changed")
    level = given.get("level")
    if level not in LEVELS:
        raise ArgumentError.about("level", f"must be one of {', '.join(LEVELS)}")
    return str(level)


@dataclass(frozen=True, slots=True)
class LogStream:
    """The newest lines and then those that come, one event each (Server-Sent Events), for so many at a time."""

    lines: LogLines
    most: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            raise MethodNotAllowed("this is only read", headers=(("allow", "GET, HEAD"),))
        if scope["method"] == "GET" and self.lines.followers >= self.most:
            raise TooMany(f"{self.most} follow the log already, as many as `max-subscribers` allows")
        await send({"type": "http.response.start", "status": 200, "headers": _EVENTS})
        if scope["method"] == "GET":
            with UnlessGone(scope, receive):
                await self._follow(send)
        await send({"type": "http.response.body", "body": b""})

    async def _follow(self, send: Send) -> None:
        async with aclosing(self.lines.followed()) as followed:
            async for lines in followed:
                events = b"".join(b"data: %b\n\n" % dumps(line) for line in lines)
                await send({"type": "http.response.body", "body": events or _STILL_THERE, "more_body": True})
