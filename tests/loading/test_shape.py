"""Output parameters become a function from the upstream's value to the mapped one."""

from collections.abc import Callable
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.jsonpath import compile_path
from fairlead.model import OutputParameter
from fairlead.shape import shape

FLEET = {"total": 2, "data": [{"name": "Ada", "flags": [1]}, {"name": "Bea"}], "next page": None}


def shaped(text: str) -> Callable[[Any], Any] | None:
    return shape(tuple(OutputParameter.model_validate(output) for output in yaml.safe_load(text)))


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "[{type: object, mapping: $.}]",
        "[{type: object, mapping: $}]",
        "[{type: object, mapping: ' $. '}]",
        "[{type: object}]",
        "[{name: result, type: object, mapping: $.}]",
        "[{type: array, items: {type: object, mapping: $.}}]",
    ],
)
def test_what_maps_nothing_is_no_function(text: str) -> None:
    assert shaped(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[{mapping: $.total}]", 2),
        ("[{mapping: total}]", 2),
        ("[{mapping: '$.data[0].name'}]", "Ada"),
        ("[{mapping: '$.data[*].name'}]", ["Ada", "Bea"]),
        ("[{mapping: $..name}]", ["Ada", "Bea"]),
        ("[{mapping: '$.data[?(@.name == \"Bea\")].name'}]", ["Bea"]),
        ("[{mapping: $.data}]", FLEET["data"]),
        ("[{mapping: '$[\"next page\"]'}]", None),
        ("[{mapping: $.none.at.all}]", None),
        ("[{mapping: '$.data[9]'}]", None),
        ("[{mapping: '$.none[*]'}]", []),
        ("[{value: north}]", "north"),
        ("[{value: 5}]", 5),
        ("[{value: $.total}]", 2),
        (
            "[{properties: {n: {mapping: $.total}, all: {mapping: $.}, c: {value: [1]}}}]",
            {"n": 2, "all": FLEET, "c": [1]},
        ),
        ("[{mapping: '$.data[0]', properties: {n: {mapping: $.name}, x: {mapping: $.x}}}]", {"n": "Ada", "x": None}),
        ("[{mapping: $.data, items: {properties: {n: {mapping: $.name}}}}]", [{"n": "Ada"}, {"n": "Bea"}]),
        ("[{mapping: $.total, items: {mapping: $.name}}]", None),
        ("[{name: a, mapping: $.total}, {name: b, value: 1}]", {"a": 2, "b": 1}),
    ],
)
def test_a_value_is_mapped_as_the_outputs_say(text: str, expected: Any) -> None:
    function = shaped(text)

    assert function is not None
    assert function(FLEET) == expected


def test_a_mapping_that_finds_falsy_values_keeps_them() -> None:
    function = shaped("[{properties: {a: {mapping: $.a}, b: {mapping: $.b}, c: {mapping: $.c}}}]")

    assert function is not None
    assert function({"a": 0, "b": False, "c": ""}) == {"a": 0, "b": False, "c": ""}


def test_two_outputs_without_names_are_refused_rather_than_one_of_them_dropped() -> None:
    with pytest.raises(ValueError):
        shaped("[{mapping: $.total}, {mapping: $.data}]")


WORDS = st.sampled_from("$ . .. a b [ ] * ? ( ) @ > < = == =~ 'x' \"[\" 0 -1 : + - / , | & ! ~ ` \\".split())
CALLS = st.sampled_from("`len` `this` `parent` `keys` `path` `str()` `sorted` `sub(/a/,b)` `sub(x)` `split(a)`".split())
PATHS = st.lists(WORDS | CALLS, max_size=8).map("".join) | st.text(max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None, max_examples=300)
@given(PATHS, JSON)
def test_any_text_is_a_path_that_answers_for_any_value_or_a_value_error(path: str, value: Any) -> None:
    try:
        get = compile_path(path)
    except ValueError:
        return
    if get:
        get(value)


@pytest.mark.parametrize("path", ["$.a.`sub(/a/, b)`", '$[?(@.a =~ "^c")]', "$.a.`split(a, 9, 1)`"])
@pytest.mark.parametrize("value", [None, 5, "a", [{"a": None}], [{"a": "x"}], {"a": 1}, {"a": {"b": "a"}}], ids=repr)
def test_a_path_that_does_not_fit_the_answer_finds_nothing_rather_than_failing(path: str, value: Any) -> None:
    get = compile_path(path)

    assert get is not None
    assert get(value) in (None, [])
