"""Parts of a document that stand in other files."""

from pathlib import Path

import pytest

from fairlead.document import Document
from fairlead.load import load

REGISTRY = """\
ikanos: 1.0.0-beta1
binds: [{namespace: keys, keys: {TOKEN: REGISTRY_TOKEN}}]
consumes:
- namespace: registry
  baseUri: https://registry.example
  authentication: {type: bearer, token: '{{TOKEN}}'}
  resources: [{path: '/ships/{{imo}}', operations: [{name: get-ship}, {name: bad, colour: red}]}]
"""
FLEET = """\
ikanos: 1.0.0-beta1
aggregates:
- {namespace: fleet, display: Fleet, flows: [{name: ship, description: A ship, call: ships.get-ship}]}
- {import: loop, from: main.yaml}
"""
TOOLS = """\
ikanos: 1.0.0-beta1
exposes: [{type: mcp, namespace: tools, tools: [{name: ship, ref: fleet.ship}]}]
"""
MAIN = """\
ikanos: 1.0.0-beta1
info: {display: Harbour}
binds: [{import: keys, from: shared/keys.yaml, as: secrets}]
capability:
  consumes: [{import: registry, from: shared/registry.yaml, as: ships}]
  aggregates: [{import: fleet, from: shared/fleet.yaml}]
  exposes:
  - {import: tools, from: shared/tools.yaml, as: harbour-tools}
  - {type: mcp, namespace: own, tools: [{name: again, ref: fleet.ship}]}
"""
INSIDE = "an import needs a file inside the folder of the document"
KEYS = "ikanos: 1.0.0-beta1\nbinds: [{namespace: keys, keys: {OTHER: OTHER_KEY}}]\n"


def loaded(folder: Path, main: str = MAIN) -> Document:
    files = {"registry": REGISTRY, "fleet": FLEET, "tools": TOOLS, "keys": KEYS}
    (folder / "shared").mkdir()
    for name, text in files.items():
        (folder / "shared" / f"{name}.yaml").write_text(text)
    (folder / "main.yaml").write_text(main)
    return load(folder / "main.yaml")


def test_apis_functions_adapters_and_binds_come_from_other_files(tmp_path: Path) -> None:
    document = loaded(tmp_path)

    assert [(tool.namespace, tool.name) for tool in document.tools] == [("harbour-tools", "ship"), ("own", "again")]
    assert [tool.exposed.problems for tool in document.tools] == [(), ()]
    assert [bind.namespace for bind in document.bindings.binds] == ["secrets"]
    secrets = [value.variables for value in document.values() if value.variables]
    assert secrets == [{"TOKEN": "REGISTRY_TOKEN"}]


def test_a_mistake_in_another_file_refuses_no_more_than_where_it_stands(tmp_path: Path) -> None:
    problems = loaded(tmp_path).problems

    assert [(Path(problem.place.file).name, problem.message) for problem in problems] == [
        ("registry.yaml", "unknown key 'colour'")
    ]


@pytest.mark.parametrize(
    ("section", "entry", "message"),
    [
        (
            "aggregates",
            "{import: fleet, from: ../fleet.yaml}",
            "an import needs a file inside the folder of the document",
        ),
        ("aggregates", "{import: fleet, from: shared/none.yaml}", "there is no file 'shared/none.yaml' to import from"),
        (
            "aggregates",
            "{import: loop, from: shared/fleet.yaml}",
            "'shared/fleet.yaml' has no functions of 'loop'; it only imports it itself",
        ),
        (
            "aggregates",
            "{import: flet, from: shared/fleet.yaml}",
            "'shared/fleet.yaml' has no functions of 'flet'; did you mean 'fleet'?",
        ),
        (
            "exposes",
            "{import: tool, from: shared/tools.yaml}",
            "'shared/tools.yaml' exposes no 'tool'; did you mean 'tools'?",
        ),
        ("binds", "{import: key, from: shared/keys.yaml}", "'shared/keys.yaml' binds no 'key'; did you mean 'keys'?"),
        ("binds", "{import: keys}", INSIDE),
    ],
)
def test_an_import_that_cannot_be_had_says_why(tmp_path: Path, section: str, entry: str, message: str) -> None:
    problems = loaded(tmp_path, f"ikanos: 1.0.0-beta1\ncapability:\n  {section}: [{entry}]\n").problems

    assert [str(problem).partition(": ")[2] for problem in problems] == [message]


def test_an_import_that_cannot_be_had_leaves_all_else_as_it_is(tmp_path: Path) -> None:
    document = loaded(tmp_path, MAIN.replace("from: shared/tools.yaml", "from: shared/none.yaml"))

    assert [tool.name for tool in document.tools if tool.exposed.target] == ["again"]


def test_a_call_into_an_api_that_is_not_there_names_the_import_that_failed(tmp_path: Path) -> None:
    document = loaded(tmp_path, MAIN.replace("from: shared/registry.yaml", "from: shared/none.yaml"))

    assert {problem.message for tool in document.tools for problem in tool.exposed.problems} == {
        "call to 'ships', which is not imported: there is no file 'shared/none.yaml' to import from"
    }
