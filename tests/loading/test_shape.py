"""Output parameters become a function from the upstream's value to the mapped one."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from fairlead.jsonpath import compile_path
from fairlead.outputs import located
from fairlead.parameters import OutputParameter, Outputs
from fairlead.shape import Context, shape

NAMED = [{"name": "Ada", "rank": None}, {"name": "Bea", "rank": None}]
FLEET = {"total": 2, "data": [{"name": "Ada", "flags": [1]}, {"name": "Bea"}], "next page": None}


OUTPUTS = TypeAdapter[tuple[OutputParameter, ...]](Outputs)


def shaped(text: str, consumed: str = "[]", given: Mapping[str, Any] | None = None) -> Callable[[Any], Any] | None:
    outputs = located(OUTPUTS.validate_python(yaml.safe_load(text)), OUTPUTS.validate_python(yaml.safe_load(consumed)))
    function = shape(outputs, Context(str))
    return (lambda value: function(value, given or {})) if function else None


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
        ("[{mapping: '$.data[1]', values: {}}]", {"name": "Bea"}),
        ("[{values: {mapping: '$[1].name'}}]", {"total": None, "data": "Bea", "next page": None}),
        ("[{mapping: $.data, values: {type: string}}]", None),
        ("[{mapping: $.data, items: {name: {type: string}, rank: {type: string}}}]", NAMED),
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
        ("[{name: total, type: integer}]", 2),
        ("[{name: total, type: integer}, {name: next page}]", {"total": 2, "next page": None}),
        ("{type: integer, mapping: $.total}", 2),
        ("{total: {type: integer}, first: {mapping: '$.data[0].name'}}", {"total": 2, "first": "Ada"}),
        ("{properties: {total: {type: integer}}}", {"total": 2}),
        ("[{properties: [{name: n, mapping: $.total}, {name: data}]}]", {"n": 2, "data": FLEET["data"]}),
        ("[{mapping: $.data, items: [{name: name, type: string}]}]", [{"name": "Ada"}, {"name": "Bea"}]),
        ("[{mapping: '$.data[*].name', items: [{type: string}]}]", ["Ada", "Bea"]),
        ("[{name: data, items: {properties: {name: {type: string}}}}]", [{"name": "Ada"}, {"name": "Bea"}]),
        ("[{properties: {g: {properties: {n: {mapping: $.total}}}}}]", {"g": {"n": 2}}),
        ("[{mapping: '$.data[0]', properties: {name: {type: string}}}]", {"name": "Ada"}),
    ],
)
def test_a_value_is_mapped_as_the_outputs_say(text: str, expected: Any) -> None:
    function = shaped(text)

    assert function is not None
    assert function(FLEET) == expected


@pytest.mark.parametrize(
    ("consumed", "text", "expected"),
    [
        ("[{name: n, value: $.total}]", "[{name: n, type: integer}]", 2),
        ("[{name: n, value: $.total}]", "[{mapping: $.n}]", 2),
        ("[{name: n, value: $.total}]", "[{properties: {n: {type: integer}}}]", {"n": 2}),
        ("[{name: ships, value: $.data}]", "[{mapping: '$.ships[*].name'}]", ["Ada", "Bea"]),
        ("[{name: ships, value: $.data}]", "[{mapping: $.total}]", 2),
        ("[{name: result, value: $.}]", "[{mapping: $.result}]", None),
        ("[{name: result, value: $.}]", "[{name: result, properties: {n: {mapping: $.total}}}]", {"n": 2}),
        ("[{name: fleet, value: north}]", "[{name: fleet, type: string}]", "north"),
        ("[{name: name, value: $.total}]", "[{mapping: '$.data[0]', properties: {name: {}}}]", {"name": "Ada"}),
    ],
)
def test_outputs_build_on_those_of_the_consumed_operation(consumed: str, text: str, expected: Any) -> None:
    function = shaped(text, consumed)

    assert function is not None
    assert function(FLEET) == expected


@pytest.mark.parametrize("consumed", ["[{name: result, value: $.}]", "[{name: result, value: $.data}]"])
def test_the_identity_is_the_whole_answer_whatever_the_consumed_operation_names(consumed: str) -> None:
    assert shaped("[{type: object, mapping: $.}]", consumed) is None


def test_an_output_that_names_the_whole_answer_changes_nothing() -> None:
    assert shaped("[{name: result, type: object}]", "[{name: result, type: object, value: $.}]") is None


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("string", 5, "5"),
        ("string", True, "true"),
        ("string", {"a": [1]}, '{"a":[1]}'),
        ("integer", "42", 42),
        ("integer", 5.0, 5),
        ("integer", 5.5, None),
        ("integer", True, None),
        ("number", " 1.5 ", 1.5),
        ("number", "fast", None),
        ("boolean", "true", True),
        ("boolean", 1, None),
        ("boolean", [], None),
        ("object", [1], [1]),
        ("array", {"a": 1}, {"a": 1}),
        *((kind, None, None) for kind in ("string", "integer", "number", "boolean", "object", "array")),
    ],
)
def test_a_scalar_becomes_what_is_declared_and_is_null_where_it_cannot(kind: str, value: Any, expected: Any) -> None:
    function = shaped(f"[{{type: {kind}, mapping: $.x}}]")

    assert function is not None
    found = function({"x": value})
    assert (found, type(found) is bool) == (expected, type(expected) is bool)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[{value: 'Hello, {{name}}!'}]", "Hello, Ada!"),
        ("[{value: '{{age}}'}]", 7),
        ("[{type: string, value: '{{age}}'}]", "7"),
        ("[{value: '{{none}}'}]", None),
        ("[{value: {who: '{{name}}', ages: ['{{age}}', 8]}}]", {"who": "Ada", "ages": [7, 8]}),
        ("[{name: who, value: '{{name}}'}, {name: total}]", {"who": "Ada", "total": 2}),
        ("[{mapping: '$.data[0]', properties: {by: {value: '{{name}}'}}}]", {"by": "Ada"}),
    ],
)
def test_a_template_holds_the_arguments_of_the_call(text: str, expected: Any) -> None:
    function = shaped(text, given={"name": "Ada", "age": 7})

    assert function is not None
    assert function(FLEET) == expected


def test_a_mapping_that_finds_falsy_values_keeps_them() -> None:
    function = shaped("[{properties: {a: {mapping: $.a}, b: {mapping: $.b}, c: {mapping: $.c}}}]")

    assert function is not None
    assert function({"a": 0, "b": False, "c": ""}) == {"a": 0, "b": False, "c": ""}


def test_outputs_with_and_without_names_are_refused_rather_than_one_of_them_dropped() -> None:
    with pytest.raises(ValueError):
        shaped("[{name: total, mapping: $.total}, {mapping: $.data}]")


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


def test_of_several_outputs_without_names_the_first_that_is_not_null_is_the_answer() -> None:
    both = shaped("[{type: string, mapping: $.missing}, {type: number, mapping: $.total}, {type: array}]")
    assert both is not None
    assert (both(FLEET), both({}), both({"total": None})) == (2, {}, {"total": None})


def test_a_text_is_cut_to_the_length_that_is_declared() -> None:
    cut = shaped("[{type: string, mapping: '$.data[0].name', maxLength: 2}]")
    assert cut is not None
    assert (cut(FLEET), cut({"data": [{"name": "A"}]}), cut({})) == ("Ad", "A", None)


@pytest.mark.parametrize("around", ["$.data", "$.data[*]"])
def test_single_values_in_a_list_may_be_spelt_from_the_answer_on(around: str) -> None:
    names = f"{{type: array, mapping: '{around}', items: {{type: string, mapping: '$.data[*].name'}}}}"
    members = "{name: {type: string, mapping: '$.data[*].name'}, flags: {type: array, mapping: '$.data[*].name'}}"
    objects = f"{{type: array, mapping: '{around}', items: {{type: object, properties: {members}}}}}"
    one, two = shaped(f"[{names}]"), shaped(f"[{objects}]")
    assert one
    assert two
    assert one(FLEET) == ["Ada", "Bea"]
    assert two(FLEET) == [{"name": "Ada", "flags": []}, {"name": "Bea", "flags": []}]
