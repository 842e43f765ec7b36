"""JSON as it is read and judged: fast, and as the strict reading of the standard library would."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.jsontext import dumps, is_plain, is_shallow, loads, written

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=10,
)
pieces = st.lists(
    st.sampled_from(
        [*'0123456789eE+-.,:{}[]"\\ \n\tundD', "\\ud83d", "\\ude00", "\\u00e9", "é", "null", "true", "e99"]
    ),
    max_size=8,
).map("".join)


@given(values, st.sampled_from([None, 1]), st.booleans())
def test_a_value_survives_writing_and_reading(value: Any, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)

    assert repr(loads(text)) == repr(value)
    assert is_plain(text.encode())


@given(pieces | st.tuples(pieces, pieces).map(lambda two: f'{{"a": {two[0]}, "b": "{two[1]}"}}'))
def test_what_is_plain_can_be_read_and_written_and_nothing_else_is(text: str) -> None:
    try:
        dumps(json.loads(text, parse_float=_finite, parse_constant=_refused))
        is_json = True
    except ValueError:
        is_json = False

    assert is_plain(text.encode()) == is_json


def _finite(text: str) -> float:
    return float(text) if abs(float(text)) != float("inf") else _refused(text)


def _refused(text: str) -> float:
    raise ValueError(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("9" * 4300, True),
        ("9" * 4301, False),
        ("9" * 308 + ".0", True),
        ("9" * 310 + ".0", False),
        ("9" * 290 + "e99", False),
        ("9" * 199 + "e99", True),
        ("1e0000000000000001", True),
        ("1E309", False),
        ("1e+309", False),
        ("1e-999", True),
        ("NaN", False),
        ('"\\uD83D\\uDE00"', True),
        ('"\\uD83D"', False),
        ('{"a": "\\ud83d", "a": 1}', False),
        ("[" * 200_000 + "]" * 200_000, False),
        ("", False),
    ],
)
def test_numbers_that_are_too_large_and_half_characters_are_not_plain(text: str, expected: bool) -> None:
    assert is_plain(text.encode()) == expected


TEXTS = ['"a"', '"é"', '"€😀"', '"\\ud83d"', "1e99", "1e999", "1e+00000000001", "9" * 40, "9" * 320 + ".0"]
PARTS = [*map(str.encode, TEXTS), b'"\xe2\x82"', b'"\xf0\x9f\x98']


@given(st.integers(1, 2), st.sampled_from([*range(-8, 3), -100, -199, -310]), st.sampled_from(PARTS))
def test_a_large_document_is_judged_as_a_small_one_wherever_something_stands_in_it(
    blocks: int, offset: int, part: bytes
) -> None:
    blanks = b" " * (blocks * 65536 + offset)

    for document in (b"[" + part + b"]", b"[" + part + b", 0]" + b" " * 70_000, b"[" + part + b"\xff]"):
        assert is_plain(blanks + document) == is_plain(document.strip())


def test_how_deep_a_value_is() -> None:
    assert is_shallow(1, 0)
    assert is_shallow([], 1)
    assert is_shallow([{"a": 1}, 2], 2)
    assert not is_shallow([{"a": [1]}], 2)


def test_null_is_written_and_what_is_no_number_is_not() -> None:
    assert dumps({"a": [None, 1.5], "b": "null"}) == b'{"a":[null,1.5],"b":"null"}'
    assert written(msgspec.Raw(b"[null, {}]")) == b"[null, {}]"
    for value in (float("nan"), [None, float("inf")], {"a": None, "b": {"c": float("-inf")}}):
        with pytest.raises(ValueError):
            dumps(value)
