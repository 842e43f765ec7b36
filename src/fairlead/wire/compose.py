"""The head of a request as bytes: checked as a whole, so that no part of it can become another."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from functools import lru_cache

from fairlead.errors import ArgumentError
from fairlead.wire.grammar import FIELD, TOKEN
from fairlead.wire.parse import Pairs

Content = bytes | AsyncIterator[bytes] | None
_START = re.compile(rf"{TOKEN} [!-~]++")
_FIELDS = re.compile(rf"(?:{FIELD}\r\n)*+")
_OURS = frozenset({"content-length", "transfer-encoding", "connection"})
_UNSENDABLE = "the arguments make no request that could be sent"
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


def head(method: str, target: str, host: str, headers: Pairs, content: Content) -> bytes:
    """The request's head; raises `ArgumentError` where a part of it holds what cannot stand there."""
    start = f"{method} {target}"
    if not _START.fullmatch(start):
        raise ArgumentError(_UNSENDABLE)
    return f"{start} HTTP/1.1\r\n{_fields(host, headers)}{_framing(method, headers, content)}\r\n".encode("latin-1")


@lru_cache(maxsize=64)
def _fields(host: str, headers: Pairs) -> str:
    """The lines of the headers, checked once: most requests say what one of the last ones said."""
    lines = [f"{name}: {value}\r\n" for name, value in headers if name not in _OURS]
    if "host" not in dict(headers):
        lines.insert(0, f"host: {host}\r\n")
    text = "".join(lines)
    if text.count("\n") != len(lines) or not _FIELDS.fullmatch(text):
        raise ArgumentError(_UNSENDABLE)
    return text


def declared_length(headers: Pairs) -> int | None:
    """How long a streamed body says that it is."""
    lengths = [value for name, value in headers if name == "content-length"]
    if not lengths:
        return None
    if len(lengths) > 1 or not re.fullmatch("[0-9]{1,18}", lengths[0]):
        raise ArgumentError("the length of the body is none")
    return int(lengths[0])


def _framing(method: str, headers: Pairs, content: Content) -> str:
    if content is None or isinstance(content, bytes):
        return f"content-length: {len(content or b'')}\r\n" if content or method in _WITH_BODY else ""
    length = declared_length(headers)
    return "transfer-encoding: chunked\r\n" if length is None else f"content-length: {length}\r\n"
