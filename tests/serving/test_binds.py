"""Variables stand wherever a document has a text, and no argument of a caller ever takes their place."""

import json
from typing import Any

import pytest
from pydantic import SecretStr

from serving.world import Reply, Upstream, world

pytestmark = pytest.mark.anyio

DOCUMENT = """\
naftiko: 1.0.0-alpha2
binds:
- {namespace: keys, keys: {TOKEN: HARBOUR_TOKEN, VERSION: HARBOUR_VERSION}}
capability:
  consumes:
  - namespace: harbour
    baseUri: https://harbour.example/{{keys.VERSION}}
    headers: {x-all: 'all {{VERSION}}'}
    authentication: {type: bearer, token: '{{REFERENCE}}'}
    inputParameters: [{name: version, in: query, value: '{{keys.VERSION}}'}]
    resources:
    - path: /ships/{{keys.VERSION}}/{{imo}}
      operations:
      - name: add
        method: POST
        inputParameters: [{name: x-own, in: header, value: '{{TOKEN}}'}]
        body: {type: json, data: {name: '{{name}}', version: '{{keys.VERSION}}', note: 'of {{VERSION}}'}}
      - name: note
        method: PUT
        inputParameters: [{name: note, in: query}]
        body: {type: text, data: 'version {{VERSION}} of {{name}}'}
  exposes:
  - type: rest
    namespace: r
    resources: [{path: '/ships/{imo}', operations: [{method: POST, call: harbour.add}]}]
  - type: mcp
    namespace: m
    tools:
    - {name: add, call: harbour.add}
    - {name: note, call: harbour.note, with: {note: '{{keys.VERSION}}'}}
    - name: steps
      inputParameters: [{name: imo, type: string}, {name: name, type: string}]
      steps: [{type: call, name: noted, call: harbour.note, with: {note: '{{VERSION}}'}}]
"""
ENVIRON = {"HARBOUR_TOKEN": SecretStr("t-1"), "HARBOUR_VERSION": SecretStr("v2")}
OVERRIDES = ("TOKEN", "VERSION", "keys.TOKEN", "keys.VERSION", "HARBOUR_TOKEN", "HARBOUR_VERSION", "note", "version")


def everything_replied() -> Upstream:
    return Upstream(Reply(body=b"{}"))


@pytest.mark.parametrize("reference", ["TOKEN", "keys.TOKEN", "HARBOUR_TOKEN", "env.HARBOUR_TOKEN"])
async def test_a_variable_is_meant_by_its_name_with_and_without_its_namespace(reference: str) -> None:
    text = DOCUMENT.replace("REFERENCE", reference)

    async with world(text, upstream=(upstream := everything_replied()), environ=ENVIRON) as one:
        await one.call("add", {"imo": "9", "name": "Ada"})

    sent = upstream.only
    assert sent.url == "https://harbour.example/v2/ships/v2/9?version=v2"
    headers = dict(sent.headers)
    assert (headers["authorization"], headers["x-all"], headers["x-own"]) == ("Bearer t-1", "all v2", "t-1")
    assert json.loads(sent.body) == {"name": "Ada", "version": "v2", "note": "of v2"}


@pytest.mark.parametrize("tool", ["note", "steps"])
async def test_what_with_and_steps_give_may_be_a_variable(tool: str) -> None:
    text = DOCUMENT.replace("REFERENCE", "TOKEN")

    async with world(text, upstream=(upstream := everything_replied()), environ=ENVIRON) as one:
        await one.call(tool, {"imo": "9", "name": "Ada"})

    assert upstream.only.url == "https://harbour.example/v2/ships/v2/9?version=v2&note=v2"
    assert upstream.only.body == b"version v2 of Ada"


@pytest.mark.parametrize("name", OVERRIDES)
@pytest.mark.parametrize("tool", ["add", "note", "steps"])
async def test_no_argument_of_a_tool_takes_the_place_of_a_variable(tool: str, name: str) -> None:
    arguments: dict[str, Any] = {"imo": "9", "name": "Ada", name: "of the caller"}
    text = DOCUMENT.replace("REFERENCE", "TOKEN")

    async with world(text, upstream=(upstream := everything_replied()), environ=ENVIRON) as one:
        answer = await one.call(tool, arguments)

    assert answer["isError"]
    assert upstream.got == []


@pytest.mark.parametrize("name", OVERRIDES)
@pytest.mark.parametrize("place", ["query", "body"])
async def test_no_argument_of_a_route_takes_the_place_of_a_variable(place: str, name: str) -> None:
    query = {name: "of the caller"} if place == "query" else {}
    body = {"name": "Ada", **({name: "of the caller"} if place == "body" else {})}
    text = DOCUMENT.replace("REFERENCE", "TOKEN")

    async with world(text, upstream=(upstream := everything_replied()), environ=ENVIRON) as one:
        answer = await one.rest.post("/ships/9", json=body, params=query)

    assert answer.status_code == 400
    assert upstream.got == []


async def test_no_header_of_a_caller_takes_the_place_of_a_variable() -> None:
    text = DOCUMENT.replace("REFERENCE", "TOKEN")
    own = {"x-own": "of the caller", "x-all": "of the caller", "authorization": "Bearer of-the-caller"}

    async with world(text, upstream=(upstream := everything_replied()), environ=ENVIRON) as one:
        await one.rest.post("/ships/9", json={"name": "Ada"}, headers=own)

    assert not any("of the caller" in value or "of-the-caller" in value for _, value in upstream.only.headers)


async def test_a_mock_never_answers_with_a_variable() -> None:
    text = """\
naftiko: 1.0.0-alpha2
binds: [{namespace: keys, keys: {TOKEN: HARBOUR_TOKEN}}]
capability:
  exposes:
  - type: mcp
    namespace: m
    tools: [{name: leak, outputParameters: [{name: token, type: string, value: '{{keys.TOKEN}}'}]}]
"""
    async with world(text, upstream=everything_replied(), environ=ENVIRON) as one:
        answer = await one.rpc("tools/call", {"name": "leak", "arguments": {}})

    assert "t-1" not in json.dumps(answer)
