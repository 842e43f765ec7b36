"""What every language of scripts shares: sources, limits, what a run answers, how it is ended, and how it fails."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from fairlead.jsontext import is_plain, loads

MAX_RESULT: Final = 10 * 1024 * 1024
"""Bytes of a result, as JSON."""
_LONGEST_MESSAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class Source:
    """The text of a script, and the name that messages give it."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may take: seconds on the clock, bytes of memory for everything it makes, and statements.

    Statements are bounded where the language counts them and there is a bound.
    """

    seconds: float = 60.0
    memory: int = 64 * 1024 * 1024
    statements: int | None = None


FOR_CHECKS: Final = Limits(seconds=10.0, memory=256 * 1024 * 1024)
"""What reading a source may take."""


class ScriptFailed(Exception):
    """A script raised an error, or could not be run to its end."""


class TimeExceeded(ScriptFailed):
    """A script was ended for its limit of time."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(f"exceeded the time limit of {limits.seconds:g} seconds")


class MemoryExceeded(ScriptFailed):
    """A script wanted more memory than it may have."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(f"exceeded the memory limit of {limits.memory} bytes")


class StatementsExceeded(ScriptFailed):
    """A script did more than it may."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(f"exceeded the limit of {limits.statements} statements")


class UnusableResult(ScriptFailed):
    """The result of a script is no JSON value."""

    def __init__(self, fault: str) -> None:
        super().__init__(f"its result {fault}")


class Stop:
    """Ends a run from another thread: what runs is told how by `by`, what has not begun does not begin."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._act: Callable[[], object] | None = None
        self.is_set = False

    def __call__(self) -> None:
        with self._lock:
            self.is_set = True
            if self._act:
                self._act()

    @contextmanager
    def by(self, act: Callable[[], object]) -> Iterator[None]:
        """What is done inside can be ended by that act, which is never called after it."""
        with self._lock:
            self._act = act
            if self.is_set:
                act()
        try:
            yield
        finally:
            with self._lock:
                self._act = None


@dataclass(frozen=True, slots=True)
class Job:
    """One run of sources, one after the other in the same scope, with a context in JSON."""

    sources: Sequence[Source]
    context: str
    limits: Limits
    stop: Stop

    @contextmanager
    def timed(self) -> Iterator[None]:
        """What is done inside is ended when the time of the job is over."""
        clock = threading.Timer(self.limits.seconds, self.stop)
        clock.daemon = True
        clock.start()
        try:
            yield
        finally:
            clock.cancel()
            clock.join()


@dataclass(frozen=True, slots=True)
class Language:
    """How a language is checked and run; both block, and neither trusts the script.

    Args:
        check: Raises `ValueError` for a source that cannot be parsed, or for a package that is not installed.
        run: The `result` of a job in JSON, None where there is none; raises `ScriptFailed`.
        counts: Whether it bounds statements.
    """

    check: Callable[[Source], None]
    run: Callable[[Job], bytes | None]
    counts: bool


def value_of(text: bytes) -> Any:
    """The value of a result; raises `UnusableResult` for what could not be passed on as JSON."""
    if len(text) > MAX_RESULT:
        raise UnusableResult(f"is larger than {MAX_RESULT} bytes")
    if not is_plain(text):
        raise UnusableResult("holds half a character, or more than JSON can")
    return loads(text.decode())


def at(source: Source, line: str | None, message: str) -> str:
    """A message about a line of a source, not longer than a reader wants it."""
    message = message[:_LONGEST_MESSAGE]
    return f"{source.name!r}, line {line}: {message}" if line else f"{source.name!r}: {message}"
