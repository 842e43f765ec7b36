"""From texts to the request upstream in one step, learned from whatever makes such requests.

That is asked once, with marks in place of the texts; after that the texts of each request are put where the marks were.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from secrets import token_hex
from typing import Any, Final, NamedTuple

from fairlead.arguments import Input
from fairlead.headers import Headers
from fairlead.response import Ready

_MAX_KNOWN: Final = 16
"""How many kinds of requests are kept."""
_PLAIN: Final = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9_.~-]{1,256}").fullmatch
"""A text that needs no encoding, and is nothing but a text."""

_Kind = tuple[Headers, tuple[str, ...]]
"""The headers that are forwarded, and the names of the texts."""


def takes_any_text(one: Input) -> bool:
    """Whether no text is wrong for an input."""
    return one.type in (None, "string") and not (one.pattern or one.enum)


Make = Callable[[Mapping[str, Any]], Ready | None]
"""Makes the request for some values; None where that is more than one request. Raises `CallError`."""


class Learner:
    """The requests of one operation; each is learned when it is made twice in a row."""

    def __init__(self) -> None:
        self._learned: dict[_Kind, _Learned | None] = {}
        self._seen: _Kind | None = None
        """What was asked for last: nothing is learned of what is never the same."""
        self._needs_waiting = False
        """Whether it was seen that the operation is more than one request."""

    def request(self, values: Mapping[str, Any], headers: Headers | None, make: Make) -> tuple[Ready | None, bytes]:
        """The request for those values, learned for forwarded `headers`, and its head; None where it has to wait.

        Without headers nothing is learned. Raises what `make` raises.
        """
        if self._needs_waiting:
            return None, b""
        if headers is not None and _are_plain(values):
            kind = headers, tuple(values)
            learned = self._learned[kind] if kind in self._learned else self._learn(kind, make)
            if learned:
                return learned.ready, learned.head % tuple([values[name].encode() for name in learned.names])
        ready = make(values)
        self._needs_waiting = ready is None
        return ready, ready.head if ready else b""

    def _learn(self, kind: _Kind, make: Make) -> _Learned | None:
        if kind != self._seen:
            self._seen = kind
            return None
        if len(self._learned) >= _MAX_KNOWN:
            self._learned.clear()
        self._learned[kind] = learned = _learned(kind[1], make)
        return learned


class _Learned(NamedTuple):
    """What is sent, with `%b` in the head for each text."""

    ready: Ready
    head: bytes
    names: tuple[str, ...]

    def __repr__(self) -> str:
        return "_Learned()"  # the head may hold a secret


def _are_plain(values: Mapping[str, Any]) -> bool:
    try:
        return all(map(_PLAIN, values.values()))
    except TypeError:  # not a text at all
        return False


def _learned(names: tuple[str, ...], make: Make) -> _Learned | None:
    """What is made; None where a mark is not found in the first line of its head, or may be somewhere else too."""
    marks = {token_hex(16).encode(): name for name in names}
    ready = make({name: mark.decode() for mark, name in marks.items()})
    if ready is None or ready.has_body:
        return None
    any_mark = re.compile(b"|".join(marks) or rb"(?!)")
    line, end, fields = ready.head.partition(b"\r\n")
    found = tuple(marks[mark] for mark in any_mark.findall(line))
    if {*found} != {*names} or any_mark.search(fields):
        return None
    head = any_mark.sub(b"%b", line.replace(b"%", b"%%")) + end + fields.replace(b"%", b"%%")
    return _Learned(ready, head, found)
