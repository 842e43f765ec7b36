"""The chunked transfer coding (RFC 9112, 7.1), decoded strictly; extensions and trailers are checked and dropped."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from fairlead.wire.grammar import FIELD, TEXT, Malformed

MAX_LINE: Final = 256
MAX_TRAILER: Final = 2048
MAX_TRAILERS: Final = 16 * 1024
_SIZE = re.compile(rf"([0-9A-Fa-f]{{1,15}})(?:;{TEXT}*+)?\r\n".encode("latin-1"))
_TRAILER = re.compile(rf"{FIELD}\r\n".encode("latin-1"))
_BARE = re.compile(rb"(?<!\r)\n|\r(?=[^\n])")


class Chunked:
    """Gives the data of the chunks to `add`; is `done` after the trailers."""

    def __init__(self, add: Callable[[bytes], None]) -> None:
        self.done = False
        self._add = add
        self._left = 0
        self._step: Callable[[Chunked, bytes], bytes | None] = Chunked._size
        self._trailers = 0

    def feed(self, data: bytes) -> bytes | None:
        """Takes one piece off the data and gives the rest back; None where the piece is not whole yet."""
        return self._step(self, data)

    def _size(self, data: bytes) -> bytes | None:
        line = _line(data, MAX_LINE)
        if line is None:
            return None
        match = _SIZE.fullmatch(line)
        if not match:
            raise Malformed("a chunk without a size")
        self._left = int(match[1], 16)
        self._step = Chunked._data if self._left else Chunked._trailer
        return data[len(line) :]

    def _data(self, data: bytes) -> bytes:
        piece = data if len(data) <= self._left else data[: self._left]
        self._add(piece)
        self._left -= len(piece)
        if not self._left:
            self._step = Chunked._end
        return data[len(piece) :]

    def _end(self, data: bytes) -> bytes | None:
        if not b"\r\n".startswith(data[:2]):
            raise Malformed("a chunk longer than its size")
        if len(data) < 2:
            return None
        self._step = Chunked._size
        return data[2:]

    def _trailer(self, data: bytes) -> bytes | None:
        line = _line(data, MAX_TRAILER)
        if line is None:
            return None
        self._trailers += len(line)
        self.done = line == b"\r\n"
        if self._trailers > MAX_TRAILERS or not (self.done or _TRAILER.fullmatch(line)):
            raise Malformed("trailers that are none")
        return data[len(line) :]


def _line(data: bytes, limit: int) -> bytes | None:
    end = data.find(b"\r\n", 0, limit) + 2
    if end >= 2:
        return data[:end]
    if len(data) >= limit or _BARE.search(data):
        raise Malformed("a line that is too long, or ends in one character")
    return None
