"""Variables come from the environment and a `.env` file, and what they hold is never printed."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import anyio
import pytest
from pydantic import BaseModel, SecretStr

from fairlead.binds import Bind, Bindings, environ
from fairlead.checks import missing
from fairlead.document import Document
from fairlead.errors import Place, Problem, StartError, Unconfigured
from fairlead.exposes.pages import pages
from fairlead.in_process import in_process
from fairlead.load import loads
from fairlead.operation import Operation
from fairlead.upstream import connect
from fairlead.wiring import Wiring

BINDINGS = Bindings((Bind(namespace="env", keys={"KEY": "HARBOUR_KEY"}),), "Harbour")
HERE = Place("folder/harbour.yaml", 7, 12)


def test_the_environment_wins_over_the_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secrets").write_text(
        "FAIRLEAD_TEST_A=file\nFAIRLEAD_TEST_B='${FAIRLEAD_TEST_A} # b'\nFAIRLEAD_TEST_C\n"
    )
    monkeypatch.setenv("FAIRLEAD_TEST_A", "process")

    found = environ(tmp_path / "secrets")

    assert {name: value.get_secret_value() for name, value in found.items() if name.startswith("FAIRLEAD_TEST")} == {
        "FAIRLEAD_TEST_A": "process",
        "FAIRLEAD_TEST_B": "${FAIRLEAD_TEST_A} # b",
    }


def test_a_file_called_env_in_the_current_folder_is_read_without_being_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("FAIRLEAD_TEST_D=here\n")
    monkeypatch.chdir(tmp_path)

    assert environ()["FAIRLEAD_TEST_D"].get_secret_value() == "here"


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(StartError):
        environ(tmp_path / "none")


def test_a_file_that_is_no_text_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(b"\xff\xfe=\n")

    with pytest.raises(StartError) as caught:
        environ(tmp_path / "bad")

    assert str(caught.value) == f"'{tmp_path / 'bad'}' cannot be read as UTF-8 text"


@pytest.mark.parametrize(
    ("text", "revealed"),
    [
        ("{{env.KEY}}", "s3cret"),
        ("{{KEY}}", "s3cret"),
        ("Bearer {{ env.KEY }}!", "Bearer s3cret!"),
        ("{{env.OTHER}}", "else"),
        ("{env.KEY}", "{env.KEY}"),
        ("plain", "plain"),
    ],
)
def test_a_text_is_revealed_with_its_variables(text: str, revealed: str) -> None:
    variables = {"HARBOUR_KEY": SecretStr("s3cret"), "OTHER": SecretStr("else")}

    assert BINDINGS.value(text, HERE).reveal(variables) == revealed


def test_of_several_binds_that_list_a_variable_the_last_counts() -> None:
    bindings = Bindings((Bind(namespace="a", keys={"KEY": "FIRST"}), Bind(namespace="b", keys={"KEY": "SECOND"})))

    assert [bindings.variable(one) for one in ("KEY", "a.KEY", "b.KEY")] == ["SECOND", "FIRST", "SECOND"]


@pytest.mark.parametrize("variables", [{}, {"HARBOUR_KEY": SecretStr("")}])
def test_a_missing_or_empty_variable_is_named_with_file_line_and_capability(variables: dict[str, SecretStr]) -> None:
    value = BINDINGS.value("{{env.KEY}}", HERE)

    with pytest.raises(Unconfigured) as caught:
        value.reveal(variables)

    assert caught.value.detail == "HARBOUR_KEY is not set; 'Harbour' needs it (harbour.yaml:7)"
    assert caught.value.extra == {"variable": "HARBOUR_KEY"}
    assert value.missing(variables) == ("HARBOUR_KEY",)


def test_a_value_revealed_into_another_is_not_filled_again() -> None:
    variables = {"HARBOUR_KEY": SecretStr("{{env.OTHER}}"), "OTHER": SecretStr("else")}

    assert BINDINGS.value("{{env.KEY}}", HERE).reveal(variables) == "{{env.OTHER}}"


def test_a_variable_that_no_bind_lists_is_a_warning() -> None:
    assert list(BINDINGS.value("{{env.KEY}} {{env.OTHER}}", HERE).undeclared()) == [
        Problem(HERE, "'env.OTHER' is not listed in `binds`", "the environment variable OTHER is used", "warning")
    ]


CANARY = "canary-4711"
EVERYWHERE = """\
    naftiko: 1.0.0-alpha2
    binds:
    - {namespace: env, keys: {KEY: KEY}}
    capability:
      consumes:
      - namespace: a
        baseUri: https://harbour.example
        authentication: AUTHENTICATION
        resources:
        - name: ships
          path: /ships/{id}
          operations:
          - name: read
            inputParameters:
            - {name: X-Key, in: header, value: '{{env.KEY}}'}
            - {name: depth, in: query}
      exposes:
      - type: rest
        namespace: r
        resources:
        - path: /ships/{id}
          operations: [{name: read, call: a.read, with: {depth: '{{env.KEY}}'}}]
      - type: mcp
        namespace: m
        tools: [{name: read, call: a.read, with: {depth: 'x{{env.KEY}}y'}}]
"""
SCHEMES = [
    "{type: bearer, token: '{{env.KEY}}'}",
    "{type: bearer, token: 'canary-4711'}",
    "{type: apikey, key: X-Key, value: '{{env.KEY}}', placement: header}",
    "{type: apikey, key: key, value: '{{env.KEY}}', placement: query}",
    "{type: apikey, key: key, value: 'canary-4711', placement: query}",
    "{type: basic, username: '{{env.KEY}}', password: '{{env.KEY}}'}",
    "{type: basic, username: 'canary-4711', password: 'canary-4711'}",
]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_model_and_no_operation_ever_prints_a_secret(scheme: str) -> None:
    document = loads(dedent(EVERYWHERE).replace("AUTHENTICATION", scheme))

    printed = {text for thing in [document, *operations(document)] for text in prints(thing, set())}

    assert len(printed) > 20
    assert [text for text in printed if CANARY in text] == []


def operations(document: Document) -> list[Operation]:
    """The functions behind the document, with the secret in the environment."""

    async def never() -> dict[str, bool]:
        return {}

    async def build() -> list[Operation]:
        async with connect(transport=in_process(pages(never))) as upstream:
            wiring = Wiring(upstream, {"KEY": SecretStr(CANARY)})
            return [exposed.operation(wiring) for exposed in document.exposed]

    return anyio.run(build)


def prints(thing: Any, seen: set[int]) -> Iterator[str]:
    """What `repr` and `str` give for a model or data class and for all in it."""
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if names := fields(thing):
        yield from (repr(thing), str(thing), f"{thing}")
        for name in names:
            yield from prints(getattr(thing, name), seen)
    if isinstance(thing, list | tuple):
        for item in thing:
            yield from prints(item, seen)


def fields(thing: Any) -> list[str]:
    if isinstance(thing, BaseModel):
        return list(type(thing).model_fields)
    return [one.name for one in dataclasses.fields(thing)] if dataclasses.is_dataclass(thing) else []


def test_the_password_in_a_base_uri_is_in_no_problem_and_in_no_explanation() -> None:
    from fairlead.explain import as_json, lines

    text = dedent(EVERYWHERE).replace("AUTHENTICATION", SCHEMES[0])
    document = loads(text.replace("https://harbour", f"https://ada:{CANARY}@harbour"))

    assert CANARY not in "".join(map(str, document.problems))
    assert CANARY not in "".join(lines([document]))
    assert CANARY not in str(as_json([document]))


def test_every_variable_that_is_not_set_is_reported_once_at_the_first_place_that_needs_it() -> None:
    document = loads(
        dedent("""\
            naftiko: 1.0.0-alpha2
            binds:
            - {namespace: env, keys: {KEY: KEY, HOST: HOST, VERSION: VERSION}}
            capability:
              consumes:
              - namespace: a
                baseUri: https://{{env.HOST}}
                authentication: {type: basic, username: '{{env.KEY}}', password: '{{env.KEY}}'}
                resources:
                - name: ships
                  path: /ships
                  operations: [{name: list, inputParameters: [{name: v, value: '{{env.VERSION}}'}]}]
            """),
        "f.yaml",
    )

    found = [f"{problem.place.line} {problem.message}" for problem in missing([document], {})]

    assert found == ["7 HOST is not set", "8 KEY is not set", "12 VERSION is not set"]
