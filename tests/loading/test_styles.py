"""Values as text and back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.model import Type
from fairlead.styles import from_text, from_texts, shown, to_pairs, to_simple, to_text


@pytest.mark.parametrize(
    ("value", "text"),
    [("a", "a"), (5, "5"), (1.5, "1.5"), (True, "true"), (None, "null"), ([1, {"a": "é"}], '[1,{"a":"é"}]')],
)
def test_a_scalar_is_its_text_and_anything_nested_is_compact_json(value: Any, text: str) -> None:
    assert to_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [("a b", "a b"), ([1, "b", True], "1,b,true"), ({"x": 1, "y": [2]}, "x,1,y,[2]"), ([], ""), ({}, "")],
)
def test_a_path_or_header_has_one_text_with_commas(value: Any, text: str) -> None:
    assert to_simple(value) == text


@pytest.mark.parametrize(
    ("value", "pairs"),
    [
        (5, [("n", "5")]),
        ([1, 2], [("n", "1"), ("n", "2")]),
        ({"x": 1, "y": True}, [("x", "1"), ("y", "true")]),
        ([], []),
        ("", [("n", "")]),
    ],
)
def test_a_query_has_one_pair_for_each_item_or_member(value: Any, pairs: list[tuple[str, str]]) -> None:
    assert list(to_pairs("n", value)) == pairs


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("integer", "-12", -12),
        ("integer", "0", 0),
        ("number", "1.5e3", 1500.0),
        ("number", "7", 7),
        ("boolean", "true", True),
        ("boolean", "false", False),
        ("string", "5", "5"),
        (None, "5", "5"),
        ("array", "1,b", ["1", "b"]),
        ("array", "", []),
        ("object", "x,1,y,2", {"x": "1", "y": "2"}),
        ("object", "", {}),
    ],
)
def test_a_text_becomes_a_value_of_its_type(kind: Type | None, text: str, value: Any) -> None:
    found = from_text(kind, text)

    assert found == value
    assert isinstance(found, type(value))


@pytest.mark.parametrize("text", ["1.10", "1e5", "-0", "0.0", "12345678901234567890"])
def test_a_number_goes_on_as_it_was_spelt(text: str) -> None:
    assert to_text(from_text("number", text)) == text


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("integer", "1.0", 'must be of type integer, not "1.0"'),
        ("integer", "007", 'must be of type integer, not "007"'),
        ("integer", "\u0661", 'must be of type integer, not "\\u0661"'),
        ("integer", " 1", 'must be of type integer, not " 1"'),
        ("integer", "", 'must be of type integer, not ""'),
        ("number", "NaN", 'must be of type number, not "NaN"'),
        ("number", "1.", 'must be of type number, not "1."'),
        ("boolean", "True", 'must be of type boolean, not "True"'),
        ("boolean", "1", 'must be of type boolean, not "1"'),
        ("object", "x", 'must be written as name,value,name,value, not "x"'),
    ],
)
def test_a_text_that_is_not_of_its_type_is_refused(kind: Type, text: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        from_text(kind, text)

    assert str(caught.value) == message


def test_a_number_too_large_for_a_float_is_refused() -> None:
    """Infinity is no JSON value, so it must not arise here."""
    with pytest.raises(ValueError):
        from_text("number", "1e999")


def test_a_repeated_query_parameter_is_a_list_or_is_refused() -> None:
    assert from_texts("array", ["1", "2"]) == ["1", "2"]
    assert from_texts("array", ["1,2"]) == ["1,2"]
    assert from_texts("integer", ["1"]) == 1
    with pytest.raises(ValueError) as caught:
        from_texts("integer", ["1", "2"])
    assert str(caught.value) == "is given 2 times"


def test_a_long_value_is_shortened_in_messages() -> None:
    assert shown("x" * 100) == f'"{"x" * 56}...'


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_survive_the_way_to_text_and_back(value: float) -> None:
    assert from_text("number", to_text(value)) == value


@given(st.lists(st.text(alphabet="ab ,é/"), min_size=1))
def test_a_list_of_texts_survives_the_way_through_a_query(values: list[str]) -> None:
    assert from_texts("array", [str(text) for _, text in to_pairs("n", values)]) == values


@given(st.sampled_from(["integer", "number", "boolean", "array", "object", "string", None]), st.text())
def test_any_text_is_a_value_or_a_value_error(kind: Type | None, text: str) -> None:
    error = fault(kind, text)

    assert error is None or str(error).startswith(("must be ", "holds a number "))


def fault(kind: Type | None, text: str) -> ValueError | None:
    try:
        from_text(kind, text)
    except ValueError as error:
        return error
    return None
