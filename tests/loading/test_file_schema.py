"""The JSON Schema of capability files says yes to what loads, and no where an editor can know better."""

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from fairlead.dialect import rewritten
from fairlead.file_schema import file_schema
from fairlead.source import parse

ROOT = Path(__file__).parents[2]
SCHEMA = Draft202012Validator(file_schema())
FILES = sorted(
    [
        *(ROOT / "capabilities").glob("*.yaml"),
        *(ROOT / "tests/documents").glob("*.yaml"),
        *(ROOT / "docs/tutorial").rglob("*.yaml"),
    ]
)
START = "naftiko: 1.0.0-alpha2\ncapability: "


def tree(path: Path) -> Any:
    text = path.read_text("utf-8").partition("\n----------\n")[0]
    return parse(text.encode(), path.name)


def test_it_is_a_json_schema() -> None:
    Draft202012Validator.check_schema(file_schema())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_whatever_loads_is_valid_in_both_dialects(path: Path) -> None:
    root = tree(path)

    assert not list(SCHEMA.iter_errors(root))
    assert not list(SCHEMA.iter_errors(rewritten(root)[0]))


@pytest.mark.parametrize(
    "capability",
    [
        "{consumes: [{namespace: n, baseUri: 'https://n.example', resources: [{path: /, operaions: []}]}]}",
        "{consumes: [{namespace: n, resources: [{name: without-path}]}]}",
        "{consumes: [{namespace: n, resources: [{path: /, operations: [{name: a, method: FETCH}]}]}]}",
        "{consumes: [{namespace: n, resources: {a: {path: /, operations: {b: {metod: GET}}}}}]}",
        "{consumes: [{namespace: n, tunnel: {type: ziti}}]}",
        "{exposes: [{type: mcp, namespace: n, tools: {name: a, call: b.c}}]}",
        "{exposes: [{type: nonsense, namespace: n}]}",
        "{exposes: [{type: mcp, namespace: n, port: 70000}]}",
        "{exposes: [{type: rest, namespace: n, resources: [{path: /, operations: [{mappings: [{value: $.a}]}]}]}]}",
        "5",
    ],
)
def test_what_an_editor_can_tell_is_told(capability: str) -> None:
    assert list(SCHEMA.iter_errors(parse(f"{START}{capability}".encode(), "f.yaml")))


def test_keys_that_are_free_and_keys_without_a_value_are_valid() -> None:
    text = f"{START}{{consumes: [{{namespace: n, x-own: 1, tags: [a], baseUri: , resources: [{{path: /, label: }}]}}]}}"

    assert not list(SCHEMA.iter_errors(parse(text.encode(), "f.yaml")))


def test_the_compatibility_page_names_every_key_of_every_section() -> None:
    page = (ROOT / "docs/compatibility.md").read_text("utf-8")
    upstream = (ROOT / "docs/capability-files.md").read_text("utf-8").partition("authenticates upstream")[2]
    sections = [file_schema(), *file_schema()["$defs"].values()]

    keys = {key for section in sections for key in section["properties"]}

    assert sorted(key for key in keys if f"`{key}`" not in page and f"`{key}`" not in upstream) == []
