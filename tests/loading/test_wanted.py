"""Reading no more of an answer than its mapping looks at: the same values as from reading all of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fairlead.formats import JSON
from fairlead.jsonpath import compile_path
from fairlead.parameters import OutputParameter
from fairlead.shape import Context, looked_at, shape
from fairlead.wanted import ALL, NOTHING, Wanted, found_by, narrowed

VALUES: list[Any] = [
    {"data": [{"id": 1, "name": "Ada", "x": [1]}, {"id": None}, {"x": 1}], "n": {"a": {"b": 2.5}}, "total": 3},
    {"data": [{"id": 1}, None, 7, "text", [1], {"id": {"deep": True}}], "n": None},
    {"data": {"first": {"id": 1}, "second": {"id": 2}}, "n": [1]},
    {"data": None},
    {"data": "text", "n": 1},
    [{"data": 1}],
    {"größe": {"名前": "Ada", "x": 1}, "data": {"名前": 2}},
    "text",
    None,
]
MAPPINGS: list[dict[str, Any]] = [
    {"type": "array", "mapping": "$.data[*].id"},
    {"type": "array", "mapping": "$.data"},
    {"mapping": "$.data[0].id"},
    {"mapping": "$.data[-1]"},
    {"mapping": "$.n.a.b"},
    {"mapping": "$.data.length"},
    {"mapping": "$.data.length()"},
    {"mapping": "$..id"},
    {"type": "array", "mapping": "$.data", "items": {"type": "object", "properties": {"is": {"mapping": "$.id"}}}},
    {"type": "object", "properties": {"a": {"mapping": "$.n.a"}, "b": {"mapping": "$.n.a.b"}, "c": {"value": "here"}}},
    {"type": "object", "properties": {"c": {"value": "here"}}},
    {"mapping": "$.größe.名前"},
    {"mapping": "$.data.名前"},
    {"type": "object", "properties": {"größe": {"mapping": "$.größe"}, "name": {"mapping": "$.data['名前']"}}},
    {"type": "object", "properties": {"all": {"mapping": "$."}, "total": {"mapping": "$.total"}}},
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
@pytest.mark.parametrize("mapping", MAPPINGS, ids=repr)
def test_what_is_mapped_is_the_same_as_if_all_was_read(mapping: dict[str, Any], value: Any) -> None:
    mapped = shape((OutputParameter.model_validate(mapping),), Context(lambda name: name))
    assert mapped
    for is_escaped in (True, False):
        data = json.dumps(value, ensure_ascii=is_escaped).encode()
        read = narrowed(JSON, looked_at(mapped))(data, "")

        assert mapped(read, {}) == mapped(JSON(data, ""), {})


def test_members_that_no_path_names_are_not_built() -> None:
    wanted = found_by(compile_path("$.data[*].id"))
    data = b'{"skipped": [1, 2], "data": [{"id": 1, "name": "Ada"}, {"name": "Bob"}]}'

    assert narrowed(JSON, wanted)(data, "") == {"data": [{"id": 1}, {}]}


def test_paths_together_want_what_each_of_them_wants() -> None:
    paths = ("$.a.b", "$.a.c", "$.d[*].e")
    first, second, third = (found_by(compile_path(path)) for path in paths)

    assert first | second | third == Wanted(
        {"a": Wanted({"b": ALL, "c": ALL}), "d": Wanted(items=Wanted({"e": ALL}))},
    )
    assert first | ALL == ALL
    assert first | NOTHING == first


@pytest.mark.parametrize(
    "data", [b'{"skipped": nil, "data": 1}', b'{"skipped": "\\x", "data": 1}', b'{"data": 1', b'{"data": 1}}', b""]
)
def test_what_is_skipped_must_be_json_all_the_same(data: bytes) -> None:
    with pytest.raises(ValueError):
        narrowed(JSON, found_by(compile_path("$.data")))(data, "")
