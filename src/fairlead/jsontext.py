"""JSON as RFC 8259 has it: no NaN, no infinity, and errors in words of our own."""

from __future__ import annotations

import json
import math
import re
from codecs import utf_8_decode
from collections.abc import Iterable, Iterator
from typing import Any, Final, NoReturn

import msgspec

_MAX_DIGITS = 4300
"""As many as Python turns into a number, and back, by default."""
_BLOCK: Final = 64 * 1024
_OVERLAP: Final = 256


def loads(text: str) -> Any:
    """The value in a text; raises `ValueError` that says what is wrong with it."""
    try:
        return _fast(text)
    except ValueError:
        return _slow(text)


def _fast(text: str) -> Any:
    """The value in a text, four times as fast; raises `ValueError` also for half characters, which are JSON."""
    try:
        return msgspec.json.decode(text)
    except RecursionError:
        raise ValueError("is nested too deeply") from None


def _slow(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_value, parse_float=_finite, parse_int=_whole)
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON: {error.msg.lower()} at line {error.lineno}, column {error.colno}") from None


def _no_value(name: str) -> NoReturn:
    raise ValueError(f"is not JSON: {name} is no JSON value")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("holds a number that is too large")
    return number


def _whole(text: str) -> int:
    if len(text.lstrip("-")) > _MAX_DIGITS:
        raise ValueError(f"holds a number of more than {_MAX_DIGITS} digits")
    return int(text)


def dumps(value: Any) -> bytes:
    """The value as compact UTF-8; raises `ValueError` where it holds what JSON in UTF-8 cannot."""
    try:
        data = msgspec.json.encode(value)
    except (ValueError, TypeError, OverflowError, RecursionError):
        return _dumps_slow(value)
    if b"null" not in data:
        return data
    # What is no number at all is written as null too, and is no longer what it was when it is read again.
    return data if _reads_as(data, value) else _dumps_slow(value)


def written(read: Any) -> bytes:
    """What msgspec read, in structs or in the bytes that it came in; raises `ValueError` where that is no UTF-8."""
    data = bytes(read) if isinstance(read, msgspec.Raw) else msgspec.json.encode(read)
    if not data.isascii():
        _ensure_utf8(data)  # bytes were not looked at before
    return data


def _reads_as(data: bytes, value: Any) -> bool:
    try:
        return bool(msgspec.json.decode(data) == value)
    except (ValueError, RecursionError):
        return False


def _dumps_slow(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def is_plain(data: bytes) -> bool:
    """Whether bytes are JSON in UTF-8 that may stand in other JSON as it is: with a value that can be read and written.

    Its syntax is looked at alone, many times as fast as reading it, where it can hold neither half a character nor a
    number that is too large.
    """
    try:
        if not data.isascii():
            _ensure_utf8(data)
        msgspec.json.decode(data, type=Any if _is_doubtful(data) else msgspec.Raw)
    except (ValueError, RecursionError):
        return False
    return True


_SHAPE = bytes.maketrans(b"123456789E", b"000000000e")
_HALF = re.compile(rb"\\u[dD]")


def _is_doubtful(data: bytes) -> bool:
    """Whether it may hold half a character in an escape, or a number too large: for its digits, or its exponent's.

    The signs of exponents are left out, which makes two spellings of a large number one.
    """
    return any(map(_has_large, _blocks(data))) or (b"\\" in data and bool(_HALF.search(data)))


def _has_large(data: bytes) -> bool:
    shape = data.translate(_SHAPE, b"+")
    return b"0e000" in shape or b"0" * 200 in shape


def _blocks(data: bytes) -> Iterator[bytes]:
    """The data in parts that stay in the processor's cache, each with the beginning of the next."""
    return (data[start : start + _BLOCK + _OVERLAP] for start in range(0, len(data), _BLOCK))


def _ensure_utf8(data: bytes) -> None:
    """Raises `ValueError` for what is no UTF-8; no text is made of more than a part of it."""
    view, start = memoryview(data), 0
    while start < len(data):
        end = start + _BLOCK
        start += utf_8_decode(view[start:end], "strict", end >= len(data))[1]


def is_shallow(value: Any, depth: int) -> bool:
    """Whether no more than so many arrays and objects stand within each other."""
    level = [value]
    for _ in range(depth + 1):
        level = [child for one in level if isinstance(one, (dict, list)) for child in _children(one)]
        if not level:
            return True
    return False


def _children(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value
