"""Advice: what works and could be better, each finding with a code that the documentation has."""

import re
from pathlib import Path

import pytest

from fairlead import lint as module
from fairlead.lint import lint
from fairlead.load import loads
from fairlead.starter import starter

ROOT = Path(__file__).parents[2]
POOR = """\
ikanos: 1.0.0-beta5
info: {display: Fleet eval(x)}
binds: [{namespace: harbour, keys: [HARBOUR_TOKEN]}]
capability:
  consumes:
  - namespace: harbour
    baseUri: https://api.example.com/
    authentication:
      type: oauth2
      authorizationServerUri: http://auth.harbour.test
      clientId: a
      clientSecret: '{{HARBOUR_TOKEN}}'
    resources:
      ships: {path: '/ships?all=true', operations: {list: {}}}
      ship: {path: '/ships/{id}', operations: {sink: {method: DELETE}}}
  aggregates:
  - namespace: fleet
    flows:
    - {name: list, description: Ships, semantics: {safe: true, idempotent: true}, call: harbour.list}
    - {name: sink, description: Sink, semantics: {safe: false}, call: harbour.sink}
    - {name: drop, description: Sink, call: harbour.sink}
    - {name: drop, description: Sink, call: harbour.sink}
  exposes:
  - type: rest
    namespace: r
    resources:
      ships:
        path: /ships/
        operations:
          list: {method: POST, ref: fleet.list}
      ship:
        path: /ships/{id}
        operations:
          look: {method: GET, ref: fleet.sink}
  - type: mcp
    namespace: m
    transport: stdio
    authentication: {type: oauth2, authorizationServerUri: https://auth.harbour.test, resource: http://m.test}
    tools:
      list: {hints: {readOnly: false, idempotent: false}, ref: fleet.list}
      sink: {description: '<script>', hints: {readOnly: true, destructive: true}, call: harbour.sink}
      bare: {call: harbour.list}
"""


def test_each_rule_tells_the_place_and_its_code() -> None:
    found = [(problem.place.line, problem.code) for problem in lint(loads(POOR))]

    assert found == [
        (2, "description"),
        (2, "script-in-text"),
        (6, "description"),
        (6, "unique-namespace"),
        (7, "example-host"),
        (7, "trailing-slash"),
        (10, "oauth2-https"),
        (14, "query-in-path"),
        (22, "unique-function"),
        (28, "trailing-slash"),
        (30, "method-semantics"),
        (30, "method-semantics"),
        (34, "method-semantics"),
        (35, "description"),
        (38, "stdio-authentication"),
        (38, "oauth2-scopes"),
        (38, "oauth2-https"),
        (40, "hints-semantics"),
        (40, "hints-semantics"),
        (41, "hints"),
        (41, "hints-method"),
        (41, "script-in-text"),
        (42, "description"),
    ]
    assert {problem.severity for problem in lint(loads(POOR))} == {"warning"}


def test_the_documentation_has_a_line_for_each_code_and_no_other() -> None:
    told = {problem.code for problem in lint(loads(POOR))}
    page = (ROOT / "docs/lint.md").read_text("utf-8")
    source = Path(module.__file__).read_text("utf-8")

    assert told == set(re.findall(r"_finding\(\s*\"([a-z0-9-]+)\"", source))
    assert told == set(re.findall(r"^\| `([a-z0-9-]+)` \|", page, re.MULTILINE))


def test_a_good_file_has_no_findings() -> None:
    assert lint(loads(starter("Ships", "https://ships.test"))) == ()


@pytest.mark.parametrize("base_uri", ["http://[", "{{BASE}}", "''"])
def test_odd_base_uris_are_no_matter(base_uri: str) -> None:
    lint(loads(POOR.replace("https://api.example.com/", f"'{base_uri}'")))


@pytest.mark.parametrize(
    ("host", "is_example"),
    [
        ("example.com", True),
        ("api.example.org:8080", True),
        ("API.Example.NET.", True),
        ("notexample.com", False),
        ("example.com.ships.test", False),
        ("ships.test/example.com", False),
    ],
)
def test_a_host_of_examples_is_one_of_their_domains_or_below(host: str, is_example: bool) -> None:
    codes = {problem.code for problem in lint(loads(POOR.replace("api.example.com", host)))}

    assert ("example-host" in codes) == is_example
