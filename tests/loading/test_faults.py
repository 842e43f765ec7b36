"""An error of form refuses the smallest part it stands in; everything else stays as it is."""

import re
from pathlib import Path

import pytest

from fairlead.document import Document
from fairlead.errors import LoadError
from fairlead.explain import lines
from fairlead.load import loads
from fairlead.nodes import MappingNode
from fairlead.source import parse

CAPABILITIES = Path(__file__).parents[2] / "capabilities"
SHIPS = """\
naftiko: 1.0.0-alpha2
capability:
  consumes:
  - namespace: harbour
    baseUri: https://harbour.example
    resources:
    - name: ships
      path: /ships
      operations:
      - {name: list, method: GET}
      - {name: create, method: POST}
  - namespace: weather
    baseUri: https://weather.example
    resources: [{name: now, path: /now, operations: [{name: read, method: GET}]}]
  exposes:
  - type: rest
    namespace: r
    resources:
    - {path: /ships, operations: [{method: GET, call: harbour.list}, {method: POST, call: harbour.create}]}
    - {path: /now, operations: [{method: GET, call: weather.read}]}
  - type: mcp
    namespace: m
    tools: [{name: list, call: harbour.list}, {name: create, call: harbour.create}, {name: now, call: weather.read}]
"""


def served(document: Document) -> set[str]:
    routes = {str(route) for route in document.routes if route.exposed.target}
    return routes | {tool.name for tool in document.tools if tool.exposed.target}


EVERYTHING = {"GET /ships", "POST /ships", "GET /now", "list", "create", "now"}


@pytest.mark.parametrize(
    ("good", "bad", "refused"),
    [
        ("{name: list, method: GET}", "{name: list, methd: GET}", {"GET /ships", "list"}),
        ("{name: list, method: GET}", "{name: list, method: FETCH}", {"GET /ships", "list"}),
        ("{name: list, method: GET}", "{name: [list], method: GET}", EVERYTHING - {"GET /now", "now"}),
        ("path: /ships\n", "path: [/ships]\n", {"GET /ships", "POST /ships", "list", "create"}),
        ("path: /ships\n", "path: /ships\n      pathh: /boats\n", {"GET /ships", "POST /ships", "list", "create"}),
        ("weather.example\n", "weather.example\n    autentication: {}\n", {"GET /now", "now"}),
        ("      operations:\n", "      operation:\n", EVERYTHING - {"GET /now", "now"}),
        ("{name: list, method: GET}", "{nam: list, method: GET}", EVERYTHING - {"GET /now", "now"}),
        ("{name: list, method: GET}", "list", EVERYTHING - {"GET /now", "now"}),
        ("namespace: harbour", "name: harbour", EVERYTHING - {"GET /now", "now"}),
        ("{method: GET, call: harbour.list}", "{method: GET, call: harbour.list, wiht: {}}", {"GET /ships"}),
        ("{path: /now, ", "{path: /now, inputParameter: [], ", {"GET /now"}),
        ("weather.example\n", "weather.example\n    authentication: {type: kerberos}\n", {"GET /now", "now"}),
        ("weather.example\n", "weather.example\n    authentication: bearer\n", {"GET /now", "now"}),
        ("weather.example\n", "weather.example\n    authentication: {token: x}\n", {"GET /now", "now"}),
        ("namespace: m\n", "namespace: m\n    auth: {}\n", {"list", "create", "now"}),
        ("{name: list, call: harbour.list}", "{name: list, call: harbour.list, hint: {}}", {"list"}),
        ("info", "info", set()),
        ("capability:", "info: {tags: 5, label: Ships, pinned: [true], whatever: {}}\ncapability:", set()),
        ("capability:", "stakeholders: [me]\ncapability:", set()),
    ],
)
def test_an_error_refuses_the_smallest_part_it_stands_in(good: str, bad: str, refused: set[str]) -> None:
    document = loads(SHIPS.replace(good, bad, 1))

    assert served(document) == EVERYTHING - refused
    assert any(problem.severity == "error" for problem in document.problems) == bool(refused)


@pytest.mark.parametrize("binds", ["[{namespace: env, keys: 5}]", "{namespace: env}", "[{keys: {A: B}}]", "[env]"])
def test_binds_that_are_not_what_they_should_be_refuse_all_that_is_consumed(binds: str) -> None:
    document = loads(f"binds: {binds}\n{SHIPS}")

    assert served(document) == set()
    assert all(exposed.problems == document.bindings.faults for exposed in document.exposed)


def test_an_item_that_is_no_operation_at_all_is_told_and_takes_no_other_with_it() -> None:
    document = loads(SHIPS.replace("tools: [", "tools: [list-ships, "))

    assert served(document) == EVERYTHING
    assert [str(problem) for problem in document.problems if problem.severity == "error"] == [
        "<text>:23:13: item 1 must be a mapping, not 'list-ships'"
    ]


def blocks(document: Document) -> set[str]:
    """What is explained of each operation and tool that is served, but for the evidence."""
    text = "\n".join(line for line in lines([document]) if not line.startswith("    by "))
    return {block.rstrip() for block in re.split(r"\n  (?=\S)", text) if "-> " in block}


def test_whatever_key_is_misspelt_what_is_still_served_is_served_as_before() -> None:
    text = (CAPABILITIES / "together-ai-batches.yaml").read_text("utf-8")
    before = blocks(loads(text, "x.yaml"))
    assert len(before) == 8
    places = [place for node in mappings(parse(text.encode(), "")) for place in node.key_places.values()]
    for place in places:
        at = sum(len(line) + 1 for line in text.split("\n")[: place.line - 1]) + place.column - 1
        try:
            document = loads(f"{text[:at]}z{text[at + 1 :]}", "x.yaml")
        except LoadError:
            continue
        assert blocks(document) <= before, place

    assert len(places) > 100


def mappings(node: object) -> list[MappingNode]:
    if isinstance(node, MappingNode):
        return [node, *(inner for value in node.values() for inner in mappings(value))]
    return [inner for item in node for inner in mappings(item)] if isinstance(node, list) else []
