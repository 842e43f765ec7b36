"""A response as its bytes come in: framed by one strict reading of RFC 9112, or refused.

What two programs could frame differently is malformed here: bare line feeds, folded headers, spaces before a colon,
several lengths, a length beside a coding, codings other than chunked.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from msgspec import Struct

from fairlead.wire.chunked import Chunked
from fairlead.wire.grammar import FIELD, TEXT, Malformed

MAX_HEAD: Final = 64 * 1024
MAX_INTERIM: Final = 16
_START: Final = "HTTP/1."
OFTEN: Final = 128
_STATUS = re.compile(rf"HTTP/1\.([01]) ([1-9][0-9]{{2}})(?: {TEXT}*+)?")
_FIELD = re.compile(FIELD)
_BARE = re.compile(rb"(?<!\r)\n|\r(?=[^\n])")
_LENGTH = re.compile(r"[0-9]{1,18}")
_LAST = frozenset({"close", "upgrade"})

Pairs = tuple[tuple[str, str], ...]


class Head(Struct, frozen=True):
    """Status and headers, names in lower case."""

    minor: str
    status: int
    headers: Pairs
    said: dict[str, str]
    """What each header says; one that repeats says a list (RFC 9110, 5.3)."""


def head_of(minor: str, status: int, headers: Pairs) -> Head:
    said = dict(headers)
    return Head(minor, status, headers, said if len(said) == len(headers) else _joined(headers))


def _joined(headers: Pairs) -> dict[str, str]:
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(name, []).append(value)
    return {name: ", ".join(listed) for name, listed in values.items()}


class Incoming:
    """One response. `feed` it bytes; it fills `head` and then `chunks`, and is `done` when the body has ended."""

    head: Head | None = None
    buffered = 0
    done = False
    began = False
    keeps_alive = False
    """Whether, once done, the connection can carry another exchange."""
    _rest = b""
    _left = 0
    _chunked: Chunked | None = None
    _interim = 0
    _known = 0

    def __init__(self, method: str) -> None:
        self.chunks: list[bytes] = []
        self._method = method
        self._step: Callable[[Incoming, bytes], bytes | None] = Incoming._read_head  # bound, it would be a cycle

    def feed(self, data: bytes) -> None:
        """Takes the next bytes; raises `Malformed`."""
        self.began = True
        data = self._rest + data if self._rest else data
        self._rest = b""
        while data and not self.done:
            rest = self._step(self, data)
            if rest is None:
                self._rest = data
                return
            data = rest
        if data:
            self.keeps_alive = False  # whatever it is, no request asked for it

    def end(self) -> bool:
        """Told that no more bytes come: whether that was the end of the body."""
        if self._step is Incoming._read_until_closed:
            self.done = True
        return self.done

    def take(self) -> bytes:
        """The bytes of the body that are here."""
        data = self.chunks[0] if len(self.chunks) == 1 else b"".join(self.chunks)
        self.chunks.clear()
        self.buffered = 0
        return data

    def _add(self, data: bytes) -> None:
        self.chunks.append(data)
        self.buffered += len(data)

    def _read_head(self, data: bytes) -> bytes | None:
        known = self._known
        end = data.find(b"\r\n\r\n", known) + 4
        if end > MAX_HEAD or (end < 4 and len(data) > MAX_HEAD):
            raise Malformed("a head that is too long")
        if end < 4:
            self._known = max(0, len(data) - 3)  # looked at once, in however small pieces it comes
            if not _START.startswith(data[:7].decode("latin-1")) or _BARE.search(data, known and known + 1):
                raise Malformed("a head that is none")
            return None
        self._known = 0
        head = _parsed(data[:end].decode("latin-1"))
        if head.status >= 200:
            self._frame(head)
            self.head = head
        else:
            self._skip(head)
        return data[end:]

    def _skip(self, head: Head) -> None:
        self._interim += 1
        if head.status == 101 or self._interim > MAX_INTERIM:
            raise Malformed("interim responses that nobody asked for")

    def _frame(self, head: Head) -> None:
        """Decides how long the body is (RFC 9112, 6.3)."""
        length, is_chunked = _length(head.said), _is_chunked(head.said, head.minor)
        self.keeps_alive = head.minor == "1" and not _ends(head.said.get("connection", ""))
        if self._method == "HEAD" or head.status in (204, 304) or self._tunnels(head):
            self.keeps_alive &= head.status != 204 or not (is_chunked or length)
            self.done = True
        elif is_chunked:
            self._chunked = Chunked(self._add)
            self._step = Incoming._read_chunked
        elif length is None:
            self.keeps_alive = False
            self._step = Incoming._read_until_closed
        else:
            self._left = length
            self.done = not length
            self._step = Incoming._read_length

    def _tunnels(self, head: Head) -> bool:
        return self._method == "CONNECT" and head.status < 300

    def _read_length(self, data: bytes) -> bytes:
        body, rest = (data, b"") if len(data) <= self._left else (data[: self._left], data[self._left :])
        self._add(body)
        self._left -= len(body)
        self.done = not self._left
        return rest

    def _read_until_closed(self, data: bytes) -> bytes:
        self._add(data)
        return b""

    def _read_chunked(self, data: bytes) -> bytes | None:
        assert self._chunked
        rest = self._chunked.feed(data)
        if self._chunked.done:
            self.done = True
            self._chunked = None  # which knows us
        return rest


def _parsed(text: str) -> Head:
    lines = text.split("\r\n")
    minor, status = _status(lines[0])
    headers = tuple([_often(line) if len(line) <= OFTEN else _field(line) for line in lines[1:-2]])
    return head_of(minor, status, headers)


@lru_cache(maxsize=64)
def _status(line: str) -> tuple[str, int]:
    match = _STATUS.fullmatch(line)
    if not match:
        raise Malformed("a head that is none")
    return match[1], int(match[2])


def _field(line: str) -> tuple[str, str]:
    match = _FIELD.fullmatch(line)
    if not match:
        raise Malformed("a header that is none")
    name, _, value = line.partition(":")
    return name.lower(), value.strip(" \t")


_often = lru_cache(maxsize=512)(_field)
"""Upstreams say nearly the same in every answer; what is longer is rarely said twice."""


def _length(said: dict[str, str]) -> int | None:
    text = said.get("content-length")
    if text is None:
        return None
    if not _LENGTH.fullmatch(text):
        raise Malformed("a length that is none")
    return int(text)


def _is_chunked(said: dict[str, str], minor: str) -> bool:
    coding = said.get("transfer-encoding")
    if coding is None:
        return False
    if coding.lower() != "chunked" or "content-length" in said or minor == "0":
        raise Malformed("a transfer coding that is not chunked alone")
    return True


@lru_cache(maxsize=64)
def _ends(connection: str) -> bool:
    """Whether the header says that the connection is of no more use to us."""
    return not _LAST.isdisjoint([word.strip() for word in connection.lower().split(",")])
