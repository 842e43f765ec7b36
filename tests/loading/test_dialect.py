"""The later dialect of the format is the earlier one in other words: the same plan, and places that are its own."""

import json
from pathlib import Path

import pytest

from fairlead.dialect import rewritten
from fairlead.explain import lines
from fairlead.load import loads
from fairlead.nodes import MappingNode
from fairlead.source import parse

TEXT = (Path(__file__).parents[1] / "documents" / "ikanos-names.yaml").read_text("utf-8").partition("\n-----")[0]


def tree(text: str) -> MappingNode:
    return rewritten(parse(text.encode(), "f.yaml"))[0]


def without_lines(explained: list[str]) -> list[str]:
    return [line.partition(" (line ")[0] for line in explained]


def test_a_capability_in_both_dialects_has_one_plan() -> None:
    earlier = json.dumps(tree(TEXT)).replace('"ikanos": "1.0.0-beta5"', '"naftiko": "1.0.0-alpha2"')

    found, expected = loads(TEXT, "f.yaml"), loads(earlier, "f.yaml")

    assert not any(f'"{key}":' in earlier for key in ("flows", "target", "ship", "get-ship"))
    assert found.problems == expected.problems == ()
    assert without_lines([*lines([found])]) == without_lines([*lines([expected])])
    assert [one.inputs for one in found.exposed] == [one.inputs for one in expected.exposed]
    assert (
        [one.title for one in found.exposed] == [one.title for one in expected.exposed] == ["", "Ship", "", "", "Crew"]
    )


def test_what_is_in_the_earlier_dialect_stays_as_it_is() -> None:
    root = parse((Path(__file__).parents[1] / "documents" / "steps.yaml").read_bytes().partition(b"\n-----")[0], "f")

    assert rewritten(root) == (root, [])


def test_a_section_is_called_by_its_key_and_keeps_its_places() -> None:
    root = tree("ikanos: 1.0.0-beta5\nconsumes:\n- resources:\n    ships: {path: /ships}\n    berths:\n")

    resources = root["consumes"][0]["resources"]

    assert resources == [{"name": "ships", "path": "/ships"}, {"name": "berths"}]
    assert [(place.line, place.column) for place in resources.places] == [(4, 12), (5, 5)]
    assert resources[0].key_places["path"].column == 13
    assert resources[0].value_places["name"].column == 5


def test_parts_of_a_document_may_be_called_by_their_namespaces() -> None:
    root = tree(
        "ikanos: 1.0.0-beta5\nbinds: {env: {keys: [A_KEY]}}\nconsumes: {harbour: {baseUri: https://h.example}}\n"
    )

    assert root["binds"] == [{"namespace": "env", "keys": ["A_KEY"]}]
    assert root["consumes"][0]["namespace"] == "harbour"


@pytest.mark.parametrize(
    "free", ["with: {tools: {a: {display: x}}}", "x-tools: {a: {target: x}}", "headers: {from: x}"]
)
def test_what_is_no_section_is_never_rewritten(free: str) -> None:
    text = f"ikanos: 1.0.0-beta5\ncapability: {{exposes: [{{tools: [{{{free}}}]}}]}}"

    assert tree(text) == parse(text.encode(), "f.yaml")


@pytest.mark.parametrize("entries", ["display: Ship, label: ", "label: , display: Ship", "display: , label: Ship"])
def test_an_empty_key_takes_nothing_from_its_other_name(entries: str) -> None:
    text = f"ikanos: 1.0.0-beta5\ncapability: {{exposes: [{{type: mcp, tools: [{{name: a, {entries}}}]}}]}}"

    assert tree(text)["capability"]["exposes"][0]["tools"][0]["label"] == "Ship"


def test_a_mapping_whose_members_are_no_sections_stays_one_and_is_told() -> None:
    text = "ikanos: 1.0.0-beta5\ncapability: {exposes: [{type: mcp, tools: {name: a, call: b.c}}]}"

    assert [problem.message for problem in loads(text).problems] == ["'tools' must be a list, not a mapping"]


def test_the_first_name_of_binds_means_the_same_variables() -> None:
    refs = "[{name: keys, type: environment, resolution: file, uri: 'file:///./a.json', keys: {TOKEN: token}}]"
    binds = "[{namespace: keys, location: 'file:///./a.json', keys: {TOKEN: token}}]"

    found = loads(f"naftiko: '0.5'\nexternalRefs: {refs}\ncapability: {{}}")
    expected = loads(f"naftiko: '0.5'\nbinds: {binds}\ncapability: {{}}")

    assert [bind.variable("TOKEN") for bind in found.binds] == [bind.variable("TOKEN") for bind in expected.binds]
    assert found.problems == expected.problems == ()
