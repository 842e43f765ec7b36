"""Mappings that are done while JSON is read: the same answers as from reading all of it and mapping that."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.direct import directly
from fairlead.formats import JSON
from fairlead.jsontext import dumps
from fairlead.mapped import Shape
from fairlead.parameters import OutputParameter
from fairlead.shape import Context, shape

ITEMS: dict[str, Any] = {
    "id": {"type": "string", "mapping": "$.id"},
    "n": {"type": "integer", "mapping": "$.n"},
}
RENAMED: dict[str, Any] = {
    "größe": {"type": "number", "mapping": "$.n"},
    "deep": {"type": "boolean", "mapping": "$.in.deep"},
    "as it is": {"mapping": "$.in.more"},
    "weird": {"mapping": "$['weird key']"},
}


def each(path: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "mapping": path, "items": {"type": "object", "properties": properties}}


MAPPINGS: list[dict[str, Any]] = [
    {"mapping": "$.data"},
    {"mapping": "$.data.id"},
    {"mapping": "$.data[0].id"},
    {"mapping": "$.data[-1]"},
    {"mapping": "$[1]"},
    {"mapping": "$[*].id"},
    {"mapping": "$.data[*].id"},
    {"mapping": "$.data[*].in.deep"},
    {"mapping": "$.data[*][0]"},
    {"mapping": "$.größe[*]"},
    each("$.", ITEMS),
    each("$.data", ITEMS),
    each("$.data[0]", ITEMS),
    each("$[0].data", ITEMS),
    each("$.data[*]", RENAMED),
    each("$.data", RENAMED),
    each("$.data", {"only": {"mapping": "$.in.deep"}}),
    each("$.data", {"a": {"mapping": "$.id"}, "b": {"mapping": "$.id"}}),
    each("$.data", {"first": {"mapping": "$.in.more[0]"}, "all": {"mapping": "$.in.more[*]"}}),
    {"type": "string", "mapping": "$.data"},
    {"type": "integer", "mapping": "$.data[0].n"},
    {"type": "object", "properties": ITEMS},
    {"type": "object", "properties": {"only": {"mapping": "$.data.id"}}},
    {"type": "object", "properties": RENAMED, "mapping": "$.data"},
    {"type": "object", "properties": ITEMS, "mapping": "$.data"},
    {"type": "object", "properties": {"ids": {"mapping": "$.data[*].id"}, "n": {"mapping": "$.data[*].in.deep"}}},
    {
        "type": "object",
        "properties": {"id": {"type": "string", "mapping": "$.data[-1].id"}, "skipped": {"mapping": "$.skipped"}},
    },
]
MORE: list[dict[str, Any]] = [
    {"mapping": "$.data.length"},
    {"mapping": "$..id"},
    {"mapping": "$.data[?@.id == 1]"},
    {"type": "string", "mapping": "$.data[*]"},
    {"type": "object", "properties": {"list": {"mapping": "$.data"}, "first": {"mapping": "$.data[0]"}}},
    {"type": "object", "properties": ITEMS, "mapping": "$.data[0]"},
    each("$.data", {'"': {"mapping": "$.id"}}),
    each("$.data", {"half": {"mapping": "$['\ud800'].id"}}),
    {"mapping": "$['\ud800']"},
    each("$.data", {"a": {"mapping": "$.in"}, "b": {"mapping": "$.in.deep"}}),
    each("$.data", {"a": {"mapping": "$.id"}, "b": {"type": "string", "mapping": "$.id"}}),
    each("$.data", {"a": {"value": "here"}}),
    each("$.data", {"id": {"type": "string", "mapping": "$.id", "maxLength": 2}}),
]

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=2**62, max_value=2**80),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
)
ANY = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3), max_leaves=5)
FITTING = st.fixed_dictionaries(
    {},
    optional={
        "id": st.text(max_size=5) | st.none(),
        "n": st.integers() | st.none(),
        "in": st.fixed_dictionaries({}, optional={"deep": st.booleans(), "more": ANY}),
        "weird key": ANY,
        "skipped": ANY,
    },
)
OTHERS = st.fixed_dictionaries({}, optional={"id": ANY, "n": SCALARS, "in": ANY, "weird key": ANY})
LISTS = st.lists(FITTING, max_size=4) | st.lists(FITTING | OTHERS | ANY, max_size=4)
DOCUMENTS = st.one_of(
    st.fixed_dictionaries({}, optional={"data": LISTS | FITTING | ANY, "größe": LISTS, "skipped": ANY}),
    st.lists(st.fixed_dictionaries({}, optional={"data": LISTS}), max_size=2),
    st.fixed_dictionaries({"data": st.lists(LISTS, max_size=2)}),
    LISTS,
    ANY,
)


def shape_of(mapping: dict[str, Any]) -> Shape:
    compiled = shape((OutputParameter.model_validate(mapping),), Context(lambda name: name))
    assert compiled
    return compiled


def answer(mapping: dict[str, Any], data: bytes) -> bytes:
    compiled = shape_of(mapping)
    direct = directly(compiled, JSON)
    return (direct(data) if direct else None) or dumps(compiled(JSON(data, ""), {}))


def is_direct(mapping: dict[str, Any]) -> bool:
    return directly(shape_of(mapping), JSON) is not None


@pytest.mark.parametrize("mapping", [*MAPPINGS, *MORE], ids=repr)
@given(value=DOCUMENTS, is_escaped=st.booleans())
def test_what_is_mapped_is_the_same_as_if_all_was_read(
    mapping: dict[str, Any], value: Any, *, is_escaped: bool
) -> None:
    data = json.dumps(value, ensure_ascii=is_escaped).encode()

    assert in_order(answer(mapping, data)) == in_order(dumps(shape_of(mapping)(JSON(data, ""), {})))


def in_order(data: bytes) -> Any:
    """The value with its objects as pairs, whose order is to stay as well."""
    return json.loads(data, object_pairs_hook=list)


def test_paths_and_lists_of_objects_are_mapped_directly() -> None:
    assert all(map(is_direct, MAPPINGS))
    assert not any(map(is_direct, MORE))


def test_what_nothing_is_made_of_stays_as_it_is_spelt() -> None:
    data = b'{"data": [1.0, 1e400, -0, 12345678901234567890123, null], "more": 1}'

    assert answer({"mapping": "$.data"}, data) == b"[1.0, 1e400, -0, 12345678901234567890123, null]"


def test_members_of_items_stay_as_they_are_spelt_unless_a_type_is_declared() -> None:
    mapping = each("$.data", {"a": {"mapping": "$.a"}, "b": {"type": "number", "mapping": "$.b"}})
    data = b'{"data": [{"b": 1.50, "a": [1.50, {}]}, {"a": 1, "a": 2}]}'

    assert answer(mapping, data) == b'[{"a":[1.50, {}],"b":1.5},{"a":2,"b":null}]'


def test_an_item_of_another_form_leaves_the_others_as_they_would_be() -> None:
    mapping = each("$.data", {"id": {"type": "string", "mapping": "$.id"}, "deep": {"mapping": "$.in.deep"}})
    data = b'{"data": [{"id": "a", "in": {"deep": 1}}, {"id": 5, "in": null}, 7]}'

    assert answer(mapping, data) == b'[{"id":"a","deep":1},{"id":"5","deep":null},{"id":null,"deep":null}]'


@pytest.mark.parametrize("mapping", MAPPINGS, ids=repr)
@pytest.mark.parametrize("data", [b'{"skipped": nil, "data": []}', b'{"data": [', b'{"data": []}}', b""])
def test_what_is_skipped_must_be_json_all_the_same(mapping: dict[str, Any], data: bytes) -> None:
    with pytest.raises(ValueError):
        answer(mapping, data)


@pytest.mark.parametrize("mapping", ["$.data", "$.data[*].id", "$.data[0]"])
def test_texts_must_be_utf_8_where_somebody_sees_them(mapping: str) -> None:
    assert answer({"mapping": mapping}, b'{"skipped": "\xff", "data": [{"id": 1}]}') != b"null"
    with pytest.raises(ValueError):
        answer({"mapping": mapping}, b'{"data": [{"id": "\xff"}]}')
