"""The newest lines of the log, kept in memory to be read, and told to those who follow it.

Only where a control adapter has `logs` is anything kept.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, Final

MAX_LINES: Final = 1000
MAX_LENGTH: Final = 8192
"""How many characters of a line are kept."""
LEVELS: Final = ("debug", "info", "warning", "error")
_SECONDS: Final = 15.0
"""How often those who follow hear something, so that connections are not taken for dead."""

Line = dict[str, Any]


class LogLines(logging.Handler):
    """Keeps the lines of this process from when it is `kept()`."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: deque[Line] = deque(maxlen=MAX_LINES)
        self._followers: list[_Follower] = []

    @contextmanager
    def kept(self) -> Iterator[None]:
        """What is logged meanwhile is kept; at the end nobody follows any more."""
        logging.getLogger().addHandler(self)
        try:
            yield
        finally:
            logging.getLogger().removeHandler(self)
            self.end()

    @property
    def newest(self) -> list[Line]:
        """What is kept, the newest last."""
        with self._locked():
            return list(self._lines)

    @property
    def followers(self) -> int:
        return len(self._followers)

    async def followed(self) -> AsyncGenerator[list[Line]]:
        """What is kept, and then what comes; nothing, where nothing came for long. It lasts until `end()`."""
        with self._locked():
            follower = _Follower(self._lines)
            self._followers.append(follower)
        try:
            while (lines := await follower.next()) is not None:
                yield lines
        finally:
            with self._locked():
                self._followers.remove(follower)

    def end(self) -> None:
        """Nobody follows any more."""
        for follower in list(self._followers):
            follower.end()

    def emit(self, record: logging.LogRecord) -> None:
        """Called by whatever thread logs, with the lock held."""
        line = _line(record)
        self._lines.append(line)
        for follower in self._followers:
            follower.tell(line)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.acquire()
        try:
            yield
        finally:
            self.release()


class _Follower:
    """Lines on their way to one reader; of those that he is too slow for, the newest."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self._loop = asyncio.get_running_loop()
        self._lines = deque(lines, MAX_LINES)
        self._is_due = asyncio.Event()
        self._is_due.set()
        self._is_over = False

    def tell(self, line: Line) -> None:
        """From any thread."""
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._take, line)

    def end(self) -> None:
        self._is_over = True
        self._is_due.set()

    def _take(self, line: Line) -> None:
        self._lines.append(line)
        self._is_due.set()

    async def next(self) -> list[Line] | None:
        """The lines that came, after a while even if none did; None where it is over."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._is_due.wait(), _SECONDS)
        if self._is_over:
            return None
        self._is_due.clear()
        lines = list(self._lines)
        self._lines.clear()
        return lines


_TEXT: Final = logging.Formatter()
"""The message, and below it the traceback."""


def _line(record: logging.LogRecord) -> Line:
    return {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": _TEXT.format(record)[:MAX_LENGTH],
    }
