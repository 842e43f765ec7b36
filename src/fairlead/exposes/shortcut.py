"""From the path of a request to the request upstream in one step, learned from the operation itself.

The operation is asked once what it sends, with marks in place of the texts of the path; after that the texts of each
request are put where the marks were. Whatever is no plain text takes the long way, where it is encoded or refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from secrets import token_hex
from typing import Final

from starlette.types import Scope

from fairlead.exposes.request import Reader, passed
from fairlead.headers import Headers
from fairlead.operation import Arguments, Operation, Ready, Underway

_MAX_KNOWN: Final = 16
"""For how many sets of forwarded headers it is kept what is sent with them."""
_PLAIN: Final = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9_.~-]{1,256}").fullmatch


@dataclass(frozen=True, slots=True)
class _Learned:
    """What is sent, with `%b` in the head for each text of the path."""

    ready: Ready
    head: bytes = field(repr=False)
    names: tuple[str, ...]

    def begin(self, path: Mapping[str, str], given: Callable[[], Arguments]) -> Underway | None:
        return self.ready.begin(self.head % tuple([path[name].encode() for name in self.names]), given)


class Shortcut:
    """The operation of a route, for requests that give nothing but the texts of their paths."""

    def __init__(self, operation: Operation, reader: Reader) -> None:
        self._operation = operation
        self._reader = reader
        self._learned: dict[Headers, _Learned | None] = {}
        self._seen: Headers | None = None
        """What was forwarded last: nothing is learned for headers that are never the same."""
        self._needs_waiting = False
        """Whether it was seen that the operation is more than one request."""

    def begin(self, path: Mapping[str, str], scope: Scope) -> Underway | None:
        """The response to a request without query and body; None where somebody has to wait for it.

        Raises `CallError` for what cannot be sent.
        """
        if self._needs_waiting:
            return None
        if self._reader.is_of_path and not scope["query_string"] and all(map(_PLAIN, path.values())):
            headers = passed(scope)
            if headers not in self._learned and headers == self._seen:
                self._learn(headers, path, scope)
            if learned := self._learned.get(headers):
                return learned.begin(path, partial(self._given, path, scope))
            self._seen = headers
        ready = self._ready(path, scope)
        return ready.begin(ready.head, partial(self._given, path, scope)) if ready else None

    def _ready(self, path: Mapping[str, str], scope: Scope) -> Ready | None:
        ready = self._operation.ready(*self._reader.arguments(path, scope, b""))
        self._needs_waiting = ready is None
        return ready

    def _given(self, path: Mapping[str, str], scope: Scope) -> Arguments:
        arguments, _ = self._reader.arguments(path, scope, b"")
        return self._operation.inputs.by_name(arguments)

    def _learn(self, headers: Headers, path: Mapping[str, str], scope: Scope) -> None:
        if len(self._learned) >= _MAX_KNOWN:
            self._learned.clear()
        marks = {token_hex(16).encode(): name for name in path}
        ready = self._ready({name: mark.decode() for mark, name in marks.items()}, scope)
        self._learned[headers] = _learned(ready, marks) if ready else None


def _learned(ready: Ready, marks: Mapping[bytes, str]) -> _Learned | None:
    """What is sent; None where a mark is not found again in its first line, or in another one too."""
    any_mark = re.compile(b"|".join(marks) or rb"(?!)")
    line, end, fields = ready.head.partition(b"\r\n")
    names = tuple(marks[mark] for mark in any_mark.findall(line))
    if {*names} != {*marks.values()} or any_mark.search(fields):
        return None
    head = any_mark.sub(b"%b", line.replace(b"%", b"%%")) + end + fields.replace(b"%", b"%%")
    return _Learned(ready, head, names)
