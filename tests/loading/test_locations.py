"""Binds may name a file; its keys are secrets like those of the environment."""

from pathlib import Path

import pytest

from fairlead.checks import checked, configured
from fairlead.errors import Problem
from fairlead.load import load, loads
from fairlead.locations import with_files

DOCUMENT = """\
naftiko: 1.0.0-alpha2
binds:
- namespace: registry
  location: LOCATION
  keys: {TOKEN: registry-token, VERSION: registry-version}
capability:
  consumes:
  - namespace: harbour
    baseUri: https://harbour.example/{{VERSION}}
    authentication: {type: bearer, token: '{{registry.TOKEN}}'}
    resources: [{name: ships, path: /ships, operations: [{name: list}]}]
  exposes:
  - {type: mcp, namespace: m, tools: [{name: list, call: harbour.list}]}
"""
ALL_SET = {"TOKEN": "t-1: #2", "VERSION": "1.10"}


def written(folder: Path, location: str) -> Path:
    path = folder / "harbour.yaml"
    path.write_text(DOCUMENT.replace("LOCATION", location))
    return path


def revealed(path: Path) -> dict[str, str]:
    document = load(path)
    variables, problems = configured([document], None)
    assert problems == ()
    base_uri, token = document.values()
    return {"TOKEN": token.reveal(variables), "VERSION": base_uri.reveal(variables).rpartition("/")[2]}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("secrets.yaml", "registry-token: 't-1: #2'\nregistry-version: 1.10\nmore: {a: [1]}\n"),
        ("secrets.json", '{"registry-token": "t-1: #2", "registry-version": "1.10"}'),
        ("secrets.env", "registry-token='t-1: #2'\nregistry-version=1.10\n"),
        (".env.local", "registry-token='t-1: #2'\nregistry-version=1.10\n"),
        ("secrets.properties", "# keys\nregistry-token = t-1: #2\nregistry-version: 1.10\n"),
        ("secrets.properties", "  ! keys: none\nregistry-token t-1\\: \\u00232\r\n\n\tregistry-version\t1.10"),
        ("secrets.properties", "registry\\u002dtoken:t-\\\n    1: \\#2\rregistry-\\\r\n  version  =  1.10"),
    ],
)
@pytest.mark.parametrize("form", ["file:///./{}", "file://./{}", "file://{}", "file://{folder}/{}"])
def test_a_file_of_any_kind_gives_its_keys_wherever_it_is(tmp_path: Path, name: str, text: str, form: str) -> None:
    (tmp_path / name).write_text(text)

    assert revealed(written(tmp_path, form.format(name, folder=tmp_path))) == ALL_SET


def test_a_file_that_is_not_beside_the_document_is_looked_for_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (inner := tmp_path / "inner").mkdir()
    (tmp_path / "secrets.env").write_text("registry-token='t-1: #2'\nregistry-version=1.10\n")
    monkeypatch.chdir(tmp_path)

    assert revealed(written(inner, "file:///./secrets.env")) == ALL_SET


def with_properties(folder: Path, text: str) -> tuple[tuple[Problem, ...], list[str]]:
    """What is wrong with such a file, and the value of its KEY."""
    path = folder / "a.properties"
    path.write_bytes(text.encode())
    binds = loads(f"naftiko: '0.5'\nbinds: [{{namespace: a, location: 'file://{path}', keys: {{KEY: KEY}}}}]").binds
    found, problems = with_files({}, binds)
    return problems, [value.get_secret_value() for value in found.values()]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r"KEY=a\=b\:c\ d\\", "a=b:c d\\"),
        (r"KEY = tab\tline\nreturn\rfeed\fnothing\q", "tab\tline\nreturn\rfeed\fnothingq"),
        (r"KEY : \u00e9\u00C9\ud83d\udea2", "éÉ🚢"),
        ("KEY = é ", "é "),
        ("KEY := b", "= b"),
        ("KEY", ""),
        ("KEY=a\\\n  # no comment", "a# no comment"),
        ("# KEY=a\\\nKEY=b", "b"),
        ("KEY=a\\\\\nOTHER=b", "a\\"),
        ("KEY=a\nKEY=b", "b"),
        ("KEY=a\\", "a"),
    ],
)
def test_properties_are_read_as_java_reads_them(tmp_path: Path, text: str, value: str) -> None:
    assert with_properties(tmp_path, text) == ((), [value])


@pytest.mark.parametrize("text", [r"KEY=\u00g1", r"KEY=secret \u12", r"KEY=\ud800"])
def test_properties_with_escapes_for_no_character_are_told_without_their_values(tmp_path: Path, text: str) -> None:
    ((problem,), found) = with_properties(tmp_path, text)

    assert found == []
    assert problem.message.endswith(" is no file of Java properties: an escape in it stands for no character")


@pytest.mark.parametrize(
    ("location", "text", "fault"),
    [
        ("file:///./secrets.yaml", None, "cannot be read: No such file or directory"),
        ("file:///./secrets.yaml", b"[1, 2]", "is no YAML or JSON mapping of keys to values"),
        ("file:///./secrets.yaml", b"a: [", "is no YAML or JSON mapping of keys to values"),
        ("file:///./secrets.yaml", b"\xff", "is not UTF-8 text"),
        ("file:///./secrets.yaml", b"a: " + b"x" * 1024 * 1024, "is larger than 1048576 bytes"),
        ("file://", None, "names no file"),
        ("vault://secret/registry", None, "cannot be read: VAULT_ADDR is not set"),
        ("k8s:///no/such/folder", None, "cannot be read: there is no folder '/no/such/folder'"),
        (
            "safe://secret",
            None,
            "is of no known kind; known: env://, file://, github://, github-secrets://, k8s://, kubernetes://, vault://",
        ),
        (
            "secrets.yaml",
            None,
            "is of no known kind; known: env://, file://, github://, github-secrets://, k8s://, kubernetes://, vault://",
        ),
    ],
)
def test_what_cannot_be_read_is_told_and_its_secrets_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, location: str, text: bytes | None, fault: str
) -> None:
    if text is not None:
        (tmp_path / "secrets.yaml").write_bytes(text)
    path = written(tmp_path, location)
    monkeypatch.delenv("VAULT_ADDR", raising=False)

    _, problems, _ = checked([path], None)

    then = "set it there or in the environment; until then the operations that need it answer 503"
    where = f"{tmp_path}/secrets.yaml" if location.startswith("file:///") else location
    assert [str(problem).removeprefix(f"{path}:") for problem in problems] == [
        f"4:13: warning: location {location!r} {fault}; the environment is asked instead",
        f"9:14: warning: {where}#registry-version is not set; {then}",
        f"10:43: warning: {where}#registry-token is not set; {then}",
    ]


@pytest.mark.parametrize("text", ["registry-version: '1.10'", None])
def test_a_key_that_the_file_lacks_comes_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    monkeypatch.setenv("TOKEN", "t-1: #2")
    monkeypatch.setenv("VERSION", "1.10" if text is None else "of the environment")
    if text:
        (tmp_path / "secrets.yaml").write_text(text)

    document = load(written(tmp_path, "file:///./secrets.yaml"))
    variables, problems = configured([document], None)

    assert [value.reveal(variables).rpartition("/")[2] for value in document.values()] == ["1.10", "t-1: #2"]
    assert len(problems) == (text is None)


@pytest.mark.parametrize("location", ["file://./mount", "file://{}/mount", "k8s://mount", "kubernetes://{}/mount"])
def test_the_files_of_a_mounted_secret_are_its_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, location: str
) -> None:
    monkeypatch.setenv("FAIRLEAD_KUBERNETES_SECRETS", str(tmp_path))
    version = tmp_path / "mount" / "..2026_05_19"
    version.mkdir(parents=True)
    (version / "registry-token").write_text("t-1: #2")
    (version / "registry-version").write_text("1.10\n")
    (version / "binary").write_bytes(b"\xff")
    for path in list(version.iterdir()):
        (tmp_path / "mount" / path.name).symlink_to(path)

    assert revealed(written(tmp_path, location.format(tmp_path))) == ALL_SET


def test_a_key_never_leads_out_of_a_mounted_secret(tmp_path: Path) -> None:
    (tmp_path / "mount").mkdir()
    (tmp_path / "registry-token").write_text("of another")
    path = tmp_path / "harbour.yaml"
    text = DOCUMENT.replace("LOCATION", "file://./mount").replace("registry-token", "../registry-token")
    path.write_text(text)

    variables, _ = configured([load(path)], None)

    assert not any(value.get_secret_value() == "of another" for value in variables.values())


@pytest.mark.parametrize("location", ["github://owner/repository", "github-secrets://x", "env://x"])
def test_secrets_of_a_workflow_are_its_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, location: str
) -> None:
    monkeypatch.setenv("registry-token", "t-1: #2")
    monkeypatch.setenv("VERSION", "1.10")

    assert revealed(written(tmp_path, location)) == ALL_SET
