"""What an operation takes, as one schema that is published and enforced."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from fairlead.arguments import Encoded, Input, Inputs
from fairlead.errors import ArgumentError

INPUTS = Inputs(
    (
        Input("id", "path", "string", "Name of the ship", required=True),
        Input("depth", "query", "integer"),
        Input("fields", "query", "array"),
        Input("body", "body", "object"),
        Input("any", "member"),
    )
)


def test_the_schema_is_closed_and_has_every_input() -> None:
    assert INPUTS.schema == {
        "type": "object",
        "properties": {
            "id": {"type": "string", "description": "Name of the ship"},
            "depth": {"type": "integer"},
            "fields": {"type": "array", "items": {}},
            "body": {"type": "object"},
            "any": {},
        },
        "required": ["id"],
        "additionalProperties": False,
    }


def test_an_operation_without_inputs_takes_nothing() -> None:
    assert Inputs().schema == {"type": "object", "properties": {}, "additionalProperties": False}
    Inputs().check({})


@pytest.mark.parametrize(
    "arguments",
    [
        {"id": "a"},
        {"id": "", "depth": 3, "fields": [1, "b"], "body": {}, "any": None},
        {"id": "a", "depth": 3.0},
        {"id": "a", "body": Encoded(b'{"x":1}')},
    ],
)
def test_arguments_as_declared_are_accepted(arguments: dict[str, Any]) -> None:
    INPUTS.check(arguments)


@pytest.mark.parametrize(
    ("arguments", "faults"),
    [
        ({}, {"id": "is required"}),
        ({"id": None}, {"id": "must be of type string, not null"}),
        ({"id": 5}, {"id": "must be of type string, not 5"}),
        ({"id": "a", "depth": "3"}, {"depth": 'must be of type integer, not "3"'}),
        ({"id": "a", "depth": True}, {"depth": "must be of type integer, not true"}),
        ({"id": "a", "dept": 3}, {"dept": "is not declared (did you mean 'depth'?)"}),
        ({"id": "a", "x": 3}, {"x": "is not declared (known: any, body, depth, fields, id)"}),
        ({"id": "a", "body": Encoded(b"[]")}, {"body": "must be of type object, not []"}),
        (
            {"depth": "x", "colour": 1},
            {
                "colour": "is not declared (known: any, body, depth, fields, id)",
                "depth": 'must be of type integer, not "x"',
                "id": "is required",
            },
        ),
    ],
)
def test_every_fault_is_named_at_once(arguments: dict[str, Any], faults: dict[str, str]) -> None:
    with pytest.raises(ArgumentError) as caught:
        INPUTS.check(arguments)

    assert caught.value.detail == "; ".join(f"argument {name!r} {fault}" for name, fault in faults.items())
    assert caught.value.extra == {
        "errors": [{"argument": name, "detail": fault} for name, fault in faults.items()],
        "declared": ["id", "depth", "fields", "body", "any"],
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*INPUTS.names, "other"]), JSON))
def test_arguments_are_accepted_exactly_when_the_published_schema_accepts_them(arguments: dict[str, Any]) -> None:
    is_valid = Draft202012Validator(INPUTS.schema).is_valid(arguments)

    assert is_accepted(arguments) == is_valid


def is_accepted(arguments: dict[str, Any]) -> bool:
    try:
        INPUTS.check(arguments)
    except ArgumentError:
        return False
    return True


def test_null_for_an_optional_input_is_none_given_except_in_a_body() -> None:
    inputs = Inputs(
        (
            Input("id", "query", "string", required=True),
            Input("depth", "query", "integer"),
            Input("note", "member", "string"),
        )
    )

    assert inputs.by_name({"id": None, "depth": None, "note": None}) == {"id": None, "note": None}
