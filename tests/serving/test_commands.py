"""The commands that end by themselves: what they print, and their exit codes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead import __version__
from fairlead.cli import main
from fairlead.errors import StartError
from fairlead.in_process import in_process
from fairlead.load import load, loads
from fairlead.sandbox import Sandbox, base_uris, environ_of
from fairlead.settings import Settings
from fairlead.starter import starter
from serving.process import clean_environ
from serving.world import BATCHES, CAPABILITIES, THREE_FILES, world

UNSET: dict[str, str | None] = dict.fromkeys(set(os.environ) - set(clean_environ()))


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the commands run, so that no `.env` of a developer is read."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def fairlead(*arguments: str | Path, **variables: str) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], env={**UNSET, **variables})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["serv"], "No such command 'serv'. Did you mean 'serve'?"),
        (["serve", "--sandboxx"], "No such option '--sandboxx'. Did you mean '--sandbox'?"),
        (["serve", "--rest-port", "0"], "Invalid value for '--rest-port'"),
        (["check", "--jsn"], "No such option '--jsn'. Did you mean '--json'?"),
    ],
)
def test_a_mistyped_command_line_is_answered_with_what_was_meant(arguments: list[str], said: str) -> None:
    ended = fairlead(*arguments)

    assert (ended.exit_code, ended.stdout) == (2, "")
    assert said in " ".join(ended.stderr.split())


def test_help_names_every_command_and_the_first_one_to_type() -> None:
    ended = fairlead("--help")

    assert ended.exit_code == 0
    assert [
        name
        for name in ("serve", "check", "explain", "sandbox", "health", "schema", "new")
        if f"  {name} " in ended.stdout
    ]
    assert "Start with: fairlead serve --sandbox capabilities" in ended.stdout
    assert fairlead("--version").stdout.endswith(f" {__version__}\n")


def test_check_of_good_files_warns_of_missing_secrets_and_succeeds() -> None:
    ended = fairlead("check", CAPABILITIES)

    assert (ended.exit_code, ended.stdout) == (0, "3 capabilities, 40 operations and tools: 0 errors, 3 warnings\n")
    assert [line.partition(";")[0] for line in ended.stderr.splitlines()] == [
        f"{THREE_FILES[0]}:83:14: warning: GROQ_API_KEY is not set",
        f"{THREE_FILES[1]}:81:14: warning: TOGETHER_AI_API_KEY is not set",
        f"{THREE_FILES[2]}:216:14: warning: TOGETHER_AI_API_KEY is not set",
    ]


def test_check_counts_missing_secrets_only_when_it_is_strict() -> None:
    assert fairlead("check", "--strict", BATCHES).exit_code == 1
    assert fairlead("check", "--strict", BATCHES, TOGETHER_AI_API_KEY="set").exit_code == 0


def test_secrets_come_from_an_env_file_too(empty_folder: Path) -> None:
    (empty_folder / ".env").write_text("TOGETHER_AI_API_KEY=a\n")
    (empty_folder / "other.env").write_text("GROQ_API_KEY=b\n")

    assert fairlead("check", "--strict", BATCHES).exit_code == 0
    assert fairlead("check", "--strict", "--env-file", "other.env", BATCHES).exit_code == 1
    assert fairlead("check", "--strict", "--env-file", "other.env", THREE_FILES[0]).exit_code == 0
    assert fairlead("check", "--env-file", "gone.env", BATCHES).stderr == "Error: there is no file 'gone.env'\n"


def test_check_as_json_is_for_scripts() -> None:
    (problem,) = json.loads(fairlead("check", "--json", BATCHES).stdout)

    assert problem == {
        "file": str(BATCHES),
        "line": 81,
        "column": 14,
        "severity": "warning",
        "message": "TOGETHER_AI_API_KEY is not set",
        "hint": "set it in the environment or in .env; until then the operations that need it answer 503",
        "code": "",
    }


def test_check_with_lint_tells_what_could_be_better_with_its_code_and_still_succeeds(empty_folder: Path) -> None:
    path = empty_folder / "ships.yaml"
    path.write_text(starter("Ships", "https://ships.example.com"))

    ended, quiet = fairlead("check", "--lint", "--json", path), fairlead("check", "--json", path)
    said, strict = fairlead("check", "--lint", path), fairlead("check", "--lint", "--strict", path)

    (problem,) = json.loads(ended.stdout)
    assert (problem["code"], problem["severity"], problem["line"]) == ("example-host", "warning", 11)
    assert said.stderr == f"{path}:11:14: warning: 'ships.example.com' is a host of examples [example-host]\n"
    assert json.loads(quiet.stdout) == []
    assert (ended.exit_code, said.exit_code, strict.exit_code) == (0, 0, 1)


def test_check_fails_where_an_operation_is_refused(empty_folder: Path) -> None:
    broken = empty_folder / "broken.yaml"
    broken.write_text(
        BATCHES.read_text().replace("call: together-ai-batches.get\n", "call: together-ai-batches.gone\n")
    )
    ended = fairlead("check", broken)

    assert ended.exit_code == 1
    assert ended.stdout == "1 capability, 4 operations and tools: 4 errors, 1 warning\n"
    refusals = [
        line for line in ended.stderr.splitlines() if "unknown operation 'gone' of 'together-ai-batches'" in line
    ]
    assert [line.split(":")[1] for line in refusals] == ["96", "116", "148", "170"]


@pytest.mark.parametrize("command", ["check", "explain"])
def test_a_folder_that_is_not_there_is_named(command: str) -> None:
    ended = fairlead(command, "capabilitys")

    assert (ended.exit_code, ended.stderr) == (1, "capabilitys:1:1: does not exist\n")


def test_explain_as_json_tells_every_request() -> None:
    (explained,) = json.loads(fairlead("explain", "--json", BATCHES).stdout)

    assert explained["capability"] == "Together APIs — Batches"
    assert [(one.get("path") or one["tool"], one["request"]) for one in explained["operations"]] == [
        ("/v1/batches", "GET https://api.together.ai/v1/batches"),
        ("/v1/batches", "POST https://api.together.ai/v1/batches"),
        ("/v1/batches/{id}", "GET https://api.together.ai/v1/batches/{id}"),
        ("/v1/batches/{id}/cancel", "POST https://api.together.ai/v1/batches/{id}/cancel"),
        ("list-batch-jobs", "GET https://api.together.ai/v1/batches"),
        ("create-batch-job", "POST https://api.together.ai/v1/batches"),
        ("get-batch-job", "GET https://api.together.ai/v1/batches/{id}"),
        ("cancel-batch-job", "POST https://api.together.ai/v1/batches/{id}/cancel"),
    ]


def test_check_report_prints_a_row_a_file_and_the_reasons_of_all_refusals(empty_folder: Path) -> None:
    good = (CAPABILITIES / "groq-batch.yaml").read_text("utf-8")
    (empty_folder / "bad.yaml").write_text("naftiko: [")
    (empty_folder / "good.yaml").write_text(good)
    (empty_folder / "odd.yaml").write_text(good.replace("call: groq-batch.cancelbatch", "call: groq-batch.cancel", 1))

    ended = fairlead("check", "--report", empty_folder)
    as_json = json.loads(fairlead("check", "--report", "--json", empty_folder).stdout)

    table, _, reasons = ended.stdout.partition("\n\nrefused\n")
    rows = [line.removeprefix(f"{empty_folder}/").split() for line in table.splitlines()]
    assert rows == [
        ["file", "operations", "tools", "told", "by", "refused"],
        ["good.yaml", "4", "4", "name", "8", "0"],
        ["odd.yaml", "4", "4", "name", "7", "1"],
        ["bad.yaml", "-", "-", "not", "loaded", "-"],
        ["3", "files", "8", "8", "name", "15", "1"],
    ]
    assert "call to unknown operation 'cancel' of 'groq-batch'" in reasons
    assert f"{empty_folder}/bad.yaml:2:1: is not valid YAML" in reasons
    assert as_json["totals"] == {"files": 3, "operations": 8, "tools": 8, "evidence": {"name": 15}, "refused": 1}
    assert [Path(one["file"]).name for one in as_json["files"]] == ["good.yaml", "odd.yaml"]
    assert [Path(one["file"]).name for one in as_json["not_loaded"]] == ["bad.yaml"]
    assert as_json["files"][0]["operations"][0]["evidence"] == ["name"]
    assert ended.exit_code == 1


def test_schema_prints_a_json_schema() -> None:
    ended = fairlead("schema")

    assert ended.exit_code == 0
    assert json.loads(ended.stdout)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_new_writes_a_capability_without_any_problem_that_serves_in_the_sandbox(empty_folder: Path) -> None:
    ended = fairlead("new", 'Fleet: "Ships" & {{more}}', "--base-uri", "https://fleet.example.net/v1/")

    path = empty_folder / "capabilities" / "fleet-ships-more.yaml"
    assert ended.exit_code == 0
    assert ended.stdout == (
        "capabilities/fleet-ships-more.yaml is written; "
        "try it: fairlead serve --sandbox capabilities/fleet-ships-more.yaml\n"
    )
    assert load(path).problems == ()
    assert load(path).label == 'Fleet: "Ships" & {{more}}'
    assert fairlead("check", "--strict").exit_code == 0


@pytest.mark.parametrize(
    ("name", "written", "shown"),
    [
        ("null", "null", "null"),
        ("true", "true", "true"),
        ("1", "1", "1"),
        ("🚢", "capability", "capability"),
        ("Größe", "grösse", "'capabilities/grösse.yaml'"),
        ("a\n- $b NAME", "a-b-name", "a-b-name"),
    ],
)
def test_new_takes_odd_names(empty_folder: Path, name: str, written: str, shown: str) -> None:
    uri = "https://fleet.example.net/NAME/$label/LABEL"

    ended = fairlead("new", name, "--base-uri", uri)

    path = Path("capabilities", f"{written}.yaml")
    command = shown if "/" in shown else f"capabilities/{shown}.yaml"
    assert ended.stdout == f"{path} is written; try it: fairlead serve --sandbox {command}\n"
    (section,) = load(path).sections
    assert (load(path).problems, load(path).label, section.namespace, section.base_uri) == ((), name, written, uri)
    assert fairlead("check", "--strict").exit_code == 0


NAMES = st.text() | st.sampled_from(
    ["null", "~", "yes", "0x1f", "1e5", "1_000", ".inf", "2026-05-19", "=", "<<", "NAME"]
)
PATHS = st.text() | st.sampled_from(["/NAME", "/$name", "/LABEL", '/"', "/'", "/%zz", "/a:b", "/a,b", "/[a]", "/&a/*b"])


@settings(deadline=None)
@given(name=NAMES, host=st.sampled_from(["a.test", "a.test:8080", "[::1]", "é.test"]) | st.text(), path=PATHS)
def test_what_new_does_not_refuse_always_loads_without_any_problem(name: str, host: str, path: str) -> None:
    base_uri = f"https://{host}{path}"
    try:
        text = starter(name, base_uri)
    except StartError:
        return

    document = loads(text)
    (section,) = document.sections
    assert (document.problems, document.label, section.base_uri) == ((), name, base_uri.rstrip("/"))


@pytest.mark.anyio
async def test_what_new_writes_runs_against_the_sandbox() -> None:
    document = loads(starter("Ships", "https://fleet.example.net"), "ships.yaml")
    sandbox = Sandbox((document,), environ_of((document,)))
    settings = Settings(base_uris=base_uris((document,)))

    async with world(document, upstream=in_process(sandbox), settings=settings) as one:
        listed = await one.rest.get("/items")
        got = await one.call("get-item", {"id": "7"})

    assert listed.status_code == 200
    assert not got["isError"]


def test_new_never_overwrites_a_file(empty_folder: Path) -> None:
    path = empty_folder / "ships.yaml"
    path.write_text("mine")

    ended = fairlead("new", "Ships", "--base-uri", "https://fleet.example.net", "--folder", empty_folder)

    assert ended.exit_code == 1
    assert f"'{path}' is there already" in ended.stderr
    assert path.read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "base_uri", "said"),
    [
        ("...", "https://fleet.example.net", "'...' is no name: it needs letters, digits or symbols such as emoji"),
        ("", "https://fleet.example.net", "'' is no name: it needs letters, digits or symbols such as emoji"),
        ("a\udc80", "https://fleet.example.net", "'a\\udc80' is no name: "),
        ("ships", "fleet.example.net", "'fleet.example.net' is no plain http(s) URL"),
        ("ships", "https://{{HOST}}", "'https://{{HOST}}' is no plain http(s) URL"),
        ("ships", "https://fleet\udc80", "'https://fleet\\udc80' is no plain http(s) URL"),
    ],
)
def test_new_refuses_what_cannot_be_a_capability(empty_folder: Path, name: str, base_uri: str, said: str) -> None:
    ended = fairlead("new", name, "--base-uri", base_uri)

    assert (ended.exit_code, said in ended.stderr) == (1, True)
    assert not list(empty_folder.iterdir())
