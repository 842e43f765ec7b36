"""Content encodings of answers that are read whole: inflated piece by piece, never beyond a limit."""

from __future__ import annotations

import zlib
from typing import Any, Final

from fairlead.errors import TooLarge, UpstreamFailed

ACCEPTED: Final = "gzip, deflate"
_GZIP = zlib.MAX_WBITS | 16
_LARGE = 64 * 1024
_KNOWN = frozenset({"", "identity", "gzip", "x-gzip", "deflate"})


class AnswerTooLarge(UpstreamFailed):
    """An answer over the limit: 502, for the caller can do nothing about it."""

    code = TooLarge.code


class Decoder:
    """Collects a body; raises `AnswerTooLarge` as soon as more than `limit` bytes come out of it."""

    def __init__(self, encoding: str, limit: int) -> None:
        self._encoding = encoding.strip().lower()
        if self._encoding not in _KNOWN:
            name = repr(self._encoding)
            raise UpstreamFailed(f"the upstream's answer has the content encoding {name}, which was not asked for")
        self._inflater: Any = None
        self._limit = limit
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> None:
        """Takes the next bytes of the body."""
        while chunk:
            chunk = self._plain(chunk) if self._encoding in ("", "identity") else self._inflate(chunk)
            if self._size > self._limit:
                raise AnswerTooLarge(f"the upstream's answer is larger than {self._limit} bytes")

    def _plain(self, chunk: bytes) -> bytes:
        self._add(chunk)
        return b""

    def _add(self, piece: bytes) -> None:
        """Keeps a piece; small ones become one, so that they are never many."""
        self._size += len(piece)
        while self._pieces and len(self._pieces[-1]) <= len(piece) < _LARGE:
            piece = self._pieces.pop() + piece
        self._pieces.append(piece)

    def _inflate(self, chunk: bytes) -> bytes:
        """Inflates a piece; gives back what follows the end of a compressed member, for the next one."""
        if self._inflater is None or self._inflater.eof:
            self._inflater = zlib.decompressobj(self._window(chunk))
        try:
            self._add(self._inflater.decompress(chunk, self._limit + 1 - self._size))
        except zlib.error:
            raise _not_as_declared() from None
        rest: bytes = self._inflater.unused_data
        return rest

    def _window(self, chunk: bytes) -> int:
        """Some servers send a bare deflate stream, without the zlib frame that the name stands for."""
        if self._encoding != "deflate":
            return _GZIP
        return zlib.MAX_WBITS if chunk[0] & 0x0F == zlib.DEFLATED else -zlib.MAX_WBITS

    def whole(self) -> bytes:
        """The body, once it has ended."""
        if self._inflater and not self._inflater.eof:
            raise _not_as_declared()
        return b"".join(self._pieces)


def _not_as_declared() -> UpstreamFailed:
    return UpstreamFailed("the upstream's answer is not in the content encoding it declares")
