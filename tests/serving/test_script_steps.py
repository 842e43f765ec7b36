"""Steps that run scripts, in a sandbox and only where they are permitted."""

import json
from pathlib import Path
from typing import Any

import pytest

from fairlead.document import Document, Loading
from fairlead.load import load
from serving.world import Reply, Upstream, world

pytestmark = pytest.mark.anyio

FLEET = """\
naftiko: 1.0.0-alpha2
capability:
  consumes:
  - namespace: registry
    baseUri: https://registry.example
    resources: [{path: /ships, operations: [{name: list-ships}]}]
  exposes:
  - type: mcp
    namespace: m
    tools:
    - name: largest
      inputParameters: [{name: flag, type: string, description: Two letters}]
      steps:
      - {type: call, name: ships, call: registry.list-ships}
      - {type: script, name: pick, STEP, with: {wanted: 'flag {{flag}}', unit: t}}
"""
PYTHON = """\
ships = [ship for ship in context["ships"] if ship["flag"] == context["flag"]]
result = {"largest": largest(ships)["name"], "asked": context["wanted"], "unit": context["unit"]}
"""
SUMS = """\
def largest(ships):
    return max(ships, key=lambda ship: ship["tonnage"])
"""
JAVASCRIPT = """\
const ships = context.ships.filter(ship => ship.flag === context.flag);
result = {largest: largest(ships).name, asked: context.wanted, unit: context.unit};
"""
SUMS_JS = "function largest(ships) { return ships.reduce((a, b) => a.tonnage > b.tonnage ? a : b); }"
SHIPS = [
    {"name": "Fram", "flag": "NO", "tonnage": 402},
    {"name": "Gjoa", "flag": "NO", "tonnage": 47},
    {"name": "Vasa", "flag": "SE", "tonnage": 1210},
]
SCRIPTS = Loading(scripts=True)


def loaded(folder: Path, step: str, loading: Loading = SCRIPTS, fleet: str = FLEET) -> Document:
    (folder / "scripts").mkdir()
    (folder / "secret.py").write_text("result = 1")
    for name, text in {"pick.py": PYTHON, "sums.py": SUMS, "pick.js": JAVASCRIPT, "sums.js": SUMS_JS}.items():
        (folder / "scripts" / name).write_text(text)
    (folder / "scripts" / "fails.py").write_text("result = context['nothing']")
    (folder / "scripts" / "all.py").write_text("result = context")
    (folder / "scripts" / "none.py").write_text("ships = context['ships']")
    (folder / "scripts" / "broken.py").write_text("result = (")
    (folder / "fleet.yaml").write_text(fleet.replace("STEP", step))
    return load(folder / "fleet.yaml", loading)


async def called(document: Document) -> Any:
    assert document.problems == ()
    async with world(document, upstream=Upstream(Reply(body=json.dumps(SHIPS).encode()))) as one:
        return await one.call("largest", {"flag": "NO"})


@pytest.mark.parametrize(
    "step",
    [
        "language: python, location: 'file:///./scripts', file: pick.py, dependencies: [sums.py]",
        "language: javascript, location: 'file://scripts', file: pick.js, dependencies: [sums.js]",
    ],
)
async def test_a_script_sees_arguments_and_results_and_its_result_is_that_of_the_step(
    tmp_path: Path, step: str
) -> None:
    answer = await called(loaded(tmp_path, step))

    assert answer["structuredContent"] == {"largest": "Fram", "asked": "flag NO", "unit": "t"}


async def test_a_script_sees_nothing_else_whatever_its_values_are_parts_of(tmp_path: Path) -> None:
    given = "first: '$.ships[0].name', flag: 'of {{ships[0].flag}} for {{flag}}'"
    fleet = FLEET.replace("wanted: 'flag {{flag}}', unit: t", given)
    answer = await called(loaded(tmp_path, "language: python, location: 'file://scripts', file: all.py", fleet=fleet))

    assert answer["structuredContent"] == {"ships": SHIPS, "first": "Fram", "flag": "of NO for NO"}


async def test_a_script_that_fails_ends_all_with_the_name_of_its_step(tmp_path: Path) -> None:
    answer = await called(loaded(tmp_path, "language: python, location: 'file://scripts', file: fails.py"))

    problem = answer["structuredContent"]
    assert answer["isError"]
    assert problem["detail"].startswith("step 'pick': the script ")
    assert "nothing" in problem["detail"]


async def test_a_script_without_a_result_is_null(tmp_path: Path) -> None:
    answer = await called(loaded(tmp_path, "language: python, location: 'file://scripts', file: none.py"))

    assert answer["content"][0]["text"] == "null"


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("location: 'file://scripts', file: pick.py", "step 'pick' has no 'language'"),
        ("language: python, file: pick.py", "step 'pick' has no 'location'"),
        ("language: python, location: 'file://scripts'", "step 'pick' has no 'file'"),
        (
            "language: python, location: 'file://scripts', file: ../secret.py",
            "step 'pick' has a file '../secret.py' outside of its location",
        ),
        (
            "language: python, location: 'file://scripts', file: no.py",
            "step 'pick' has no file 'no.py' in its location",
        ),
        (
            "language: python, location: 'http://scripts', file: no.py",
            "step 'pick' has the location 'http://scripts', which is no file:// folder",
        ),
        (
            "language: groovy, location: 'file://scripts', file: pick.py",
            "step 'pick' is in 'groovy', which is not allowed; allowed: javascript, python",
        ),
    ],
)
def test_a_script_that_cannot_be_run_is_refused_with_the_reason(tmp_path: Path, step: str, message: str) -> None:
    assert [problem.message for problem in loaded(tmp_path, step).problems] == [message]


def test_a_script_that_cannot_be_parsed_is_refused_with_its_line(tmp_path: Path) -> None:
    (problem,) = loaded(tmp_path, "language: python, location: 'file://scripts', file: broken.py").problems

    assert problem.message.startswith("step 'pick' 'broken.py', line 1")


@pytest.mark.parametrize("loading", [Loading(), Loading(scripts=False)])
def test_scripts_run_only_where_they_are_permitted(tmp_path: Path, loading: Loading) -> None:
    step = "language: python, location: 'file://scripts', file: pick.py, dependencies: [sums.py]"

    (problem,) = loaded(tmp_path, step, loading).problems

    assert problem.message == (
        "step 'pick' is a script, which neither a control adapter with `scripting` nor --scripts permits"
    )
