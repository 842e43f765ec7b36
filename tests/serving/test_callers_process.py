"""Authentication of callers as a process serves it, asked by a client that is not ours: curl."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from serving.process import Served, serving

CURL = shutil.which("curl") or ""
needs_curl = pytest.mark.skipif(not CURL, reason="curl is not installed")
FILE = """
naftiko: 1.0.0-alpha2
info: {label: Ships}
capability:
  consumes:
  - {namespace: api, baseUri: 'https://ships.test', resources: [
      {name: ships, path: /ships, operations: [{name: list, method: GET}, {name: add, method: POST,
       inputParameters: [{name: body, in: body, type: object}]}]}]}
  exposes:
  - {type: rest, namespace: open, resources: [{path: /open, operations: [{method: GET, call: api.list}]}]}
  - {type: rest, namespace: basic, authentication: {type: basic, username: ada, password: '{{PASSWORD}}'},
     resources: [{path: /basic, operations: [{method: GET, call: api.list}]}]}
  - {type: rest, namespace: digest, authentication: {type: digest, username: ada, password: '{{PASSWORD}}'},
     resources: [{path: /digest, operations: [{method: GET, call: api.list}, {method: POST, call: api.add}]}]}
  - {type: rest, namespace: key, authentication: {type: apikey, key: key, value: '{{API_KEY}}', in: query},
     resources: [{path: /key, operations: [{method: GET, call: api.list}]}]}
  - {type: mcp, namespace: tools, authentication: {type: bearer, token: '{{PASSWORD}}'}, tools: [
      {name: list, call: api.list}]}
"""
PASSWORD = "sandbox-password"


def curl(*arguments: str) -> list[str]:
    """The status of every answer on the way to the last."""
    shown = ["-s", "-o", "/dev/null", "-D", "-", *arguments]
    ended = subprocess.run([CURL, "--noproxy", "*", *shown], capture_output=True, text=True, timeout=20, check=True)
    return [line.split()[1] for line in ended.stdout.splitlines() if line.startswith("HTTP/")]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("ships")
    (folder / "ships.yaml").write_text(FILE)
    with serving("--sandbox", folder / "ships.yaml", cwd=folder) as one:
        yield one


@needs_curl
@pytest.mark.parametrize(
    ("arguments", "statuses"),
    [
        (["--basic", "-u", f"ada:{PASSWORD}", "/basic"], ["200"]),
        (["--basic", "-u", "ada:wrong", "/basic"], ["401"]),
        (["--basic", "-u", "ada:", "/basic"], ["401"]),
        (["--anyauth", "-u", f"ada:{PASSWORD}", "/basic"], ["401", "200"]),
        (["--digest", "-u", f"ada:{PASSWORD}", "/digest"], ["401", "200"]),
        (["--anyauth", "-u", f"ada:{PASSWORD}", "/digest"], ["401", "200"]),
        (
            ["--digest", "-u", f"ada:{PASSWORD}", "-d", '{"a": 1}', "-H", "content-type: application/json", "/digest"],
            [
                "401",
                "200",
            ],
        ),
        (["--digest", "-u", "ada:wrong", "/digest"], ["401", "401"]),
        (["--digest", "-u", f"eve:{PASSWORD}", "/digest"], ["401", "401"]),
        (["-I", "/digest"], ["401"]),
        (["/open"], ["200"]),
        (["/key?key=sandbox-api_key"], ["200"]),
        (["/key?key=sandbox-api_key&key=x"], ["401"]),
    ],
)
def test_curl_gets_in_with_the_right_credential_alone(
    served: Served, arguments: list[str], statuses: list[str]
) -> None:
    *options, path = arguments

    assert curl(*options, served.rest + path) == statuses


def test_the_banner_says_who_has_to_authenticate(served: Served) -> None:
    said = [line.replace(served.rest, "REST").replace(served.mcp, "MCP") for line in served.said]

    assert "callers authenticate with made-up secrets: API_KEY=sandbox-api_key, PASSWORD=sandbox-password" in said
    assert "  REST  REST, 5 routes, callers of some authenticate; browse REST/docs" in said
    assert "  MCP/tools/mcp  MCP, 1 tool, callers authenticate" in said


def test_the_log_of_all_requests_has_no_credential_in_it(tmp_path: Path) -> None:
    (tmp_path / "ships.yaml").write_text(FILE)
    environ = {"PASSWORD": "canary", "API_KEY": "canary"}
    arguments = ("--access-log", "--log-level", "debug", "--base-uri", "api=http://127.0.0.1:9")
    with serving(*arguments, tmp_path / "ships.yaml", cwd=tmp_path, environ=environ) as one:
        answers = [
            httpx.get(f"{one.rest}/key?key=canary"),
            httpx.get(f"{one.rest}/key?key=canaries"),
            httpx.get(f"{one.rest}/digest", auth=httpx.DigestAuth("ada", "canary")),
            httpx.get(f"{one.rest}/basic", headers={"authorization": "Bearer canary"}),
            httpx.post(f"{one.mcp}/mcp", headers={"authorization": "Bearer canary"}, content=b"{}"),
        ]
        ended = one.stop()

    assert [answered.status_code for answered in answers[:4]] == [502, 401, 502, 401]
    assert "GET /key" in ended.stdout + ended.stderr
    assert "canar" not in "".join([*one.said, ended.stdout, ended.stderr])
