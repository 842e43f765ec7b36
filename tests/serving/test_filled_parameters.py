"""Consumed parameters whose value is a template over what callers give."""

import json
from typing import Any

import pytest
from pydantic import SecretStr

from fairlead.load import loads
from serving.world import Reply, Sent, Upstream, world

pytestmark = pytest.mark.anyio

API = """\
naftiko: 1.0.0-alpha2
binds: [{namespace: env, keys: {REGION: REGION, TOKEN: TOKEN}}]
capability:
  consumes:
  - type: http
    namespace: ships
    baseUri: https://ships.example
    authentication: {type: bearer, token: '{{TOKEN}}'}
    inputParameters: [{name: X-Version, in: header, value: 'v-{{version}}'}]
    resources:
    - name: ship
      path: /ships/{{id}}
      inputParameters: [{name: trace, in: cookie, value: 't{{version}}'}]
      operations:
      - name: search
        method: GET
        inputParameters:
        - {name: filter, in: query, value: 'name eq {{name}}'}
        - {name: where, in: query, value: '{{env.REGION}}-{{port}}'}
        - {name: limit, in: query, value: '{{most}}', type: integer}
        - {name: order, in: query, value: '{{order}} asc'}
        - {name: unit, in: query, value: m}
        - {name: both, in: query, value: '{{unit}}{{most}}'}
      - name: rename
        method: POST
        inputParameters:
        - {name: label, in: query, value: 'ship {{name}}'}
        body: '{"name": "{{name}}", "label": "{{label}}"}'
      - name: tag
        method: POST
        inputParameters: [{name: tags, in: body, value: [fixed, '{{tag}}', '{{env.REGION}}']}]
      - name: read
        method: GET
        inputParameters: [{name: id, in: path, value: 'imo-{{number}}'}]
  exposes:
  - type: mcp
    namespace: fleet
    tools:
    - {name: search, description: d, call: ships.search}
    - {name: rename, description: d, call: ships.rename, with: {name: 'MS {{fleet.name}}', version: '3'}}
    - {name: tag, description: d, call: ships.tag}
    - {name: read, description: d, call: ships.read}
  - type: rest
    namespace: web
    resources:
    - {path: '/ships/{{id}}', operations: [{method: GET, call: ships.search}]}
"""
ENVIRON = {"REGION": SecretStr("north"), "TOKEN": SecretStr("secret")}


async def sent(tool: str, **arguments: Any) -> Sent:
    upstream = Upstream()
    async with world(API, upstream=upstream, environ=ENVIRON) as one:
        answer = await one.call(tool, {"id": "1", **arguments} if tool != "read" else arguments)
        assert not answer["isError"], answer
    return upstream.only


async def test_a_template_is_filled_from_inputs_of_the_names_of_its_holes() -> None:
    got = await sent("search", name="a&b", version="2", port="7", most=5, order="name")
    assert set(got.url.partition("?")[2].split("&")) == {
        "unit=m",
        "filter=name%20eq%20a%26b",
        "where=north-7",
        "limit=5",
        "order=name%20asc",
        "both=m5",
    }
    assert (got.header("x-version"), got.header("cookie")) == ("v-2", "trace=t2")


async def test_what_lacks_an_input_is_left_out() -> None:
    got = await sent("search", most=5)
    assert got.url == "https://ships.example/ships/1?limit=5&unit=m&both=m5"
    assert (got.header("x-version"), got.header("cookie")) == (None, None)


async def test_templates_take_what_with_gives_and_bodies_what_templates_make() -> None:
    got = await sent("rename", name='"q"')
    assert got.url == "https://ships.example/ships/1?label=ship%20MS%20%22q%22"
    assert json.loads(got.body) == {"name": 'MS "q"', "label": 'ship MS "q"'}
    assert got.header("x-version") == "v-3"


async def test_a_list_is_filled_item_by_item_and_may_hold_variables() -> None:
    assert json.loads((await sent("tag", tag="x")).body) == ["fixed", "x", "north"]
    assert json.loads((await sent("tag")).body) == ["fixed", "north"]


async def test_a_template_in_the_path_needs_its_input() -> None:
    assert (await sent("read", number="9/8")).url == "https://ships.example/ships/imo-9%2F8"
    (read,) = [one.exposed for one in loads(API).tools if one.name == "read"]
    assert [one.name for one in read.inputs if one.required] == ["number"]


async def test_rest_callers_give_them_in_the_query() -> None:
    upstream = Upstream()
    async with world(API, upstream=upstream, environ=ENVIRON) as one:
        assert (await one.rest.get("/ships/1?version=2&most=3")).status_code == 200
    assert upstream.only.url == "https://ships.example/ships/1?limit=3&unit=m&both=m3"
    assert upstream.only.header("x-version") == "v-2"


async def test_variables_stay_out_of_reach() -> None:
    upstream = Upstream()
    async with world(API, upstream=upstream, environ=ENVIRON) as one:
        for name in ("TOKEN", "REGION", "env.REGION"):
            assert (await one.call("search", {"id": "1", name: "mine"}))["isError"]
    assert upstream.got == []


async def test_a_variable_in_a_template_that_is_not_set_is_told() -> None:
    upstream = Upstream()
    async with world(API, upstream=upstream, environ={"TOKEN": SecretStr("secret")}) as one:
        answer = await one.call("search", {"id": "1"})
    assert "REGION is not set" in answer["structuredContent"]["detail"]


@pytest.mark.parametrize("name", ["Authorization", "Cookie", "Host"])
def test_no_caller_fills_a_header_that_only_the_document_may_set(name: str) -> None:
    text = API.replace("name: unit, in: query, value: m", f"name: {name}, in: header, value: 'Bearer {{{{user}}}}'")
    (search,) = [one.exposed for one in loads(text).tools if one.name == "search"]
    assert search.target is None
    assert f"the value of '{name}' refers to 'user', which is no variable" in str(search.problems[0])


STEPS = """\
naftiko: 1.0.0-alpha2
capability:
  consumes:
  - namespace: fleet
    baseUri: https://fleet.example
    resources:
    - {path: '/ships/{{imo}}', operations: [{name: ship, method: GET}]}
    - path: /crews/{{get-ship.crew.id}}
      operations:
      - name: crew
        method: POST
        inputParameters: [{name: of, in: query, value: 'ship {{get-ship.name}}'}]
        body: '{"flag": "{{get-ship.flag}}"}'
  exposes:
  - type: mcp
    namespace: m
    tools:
    - name: crew
      description: d
      inputParameters: [{name: imo, type: string, description: d}]
      steps:
      - {type: call, name: get-ship, call: fleet.ship}
      - {type: call, name: get-crew, call: fleet.crew}
"""


async def test_templates_of_a_step_take_results_of_the_steps_before_it() -> None:
    ship = json.dumps({"name": "Fram", "flag": "NO", "crew": {"id": 9}}).encode()
    upstream = Upstream(Reply(body=ship))
    async with world(STEPS, upstream=upstream) as one:
        answer = await one.call("crew", {"imo": "1"})
        posing = await one.call("crew", {"imo": "1", "get-ship.crew.id": "8"})

    assert not answer["isError"]
    assert posing["isError"]
    assert [sent.url for sent in upstream.got] == [
        "https://fleet.example/ships/1",
        "https://fleet.example/crews/9?of=ship%20Fram",
    ]
    assert json.loads(upstream.got[1].body) == {"flag": "NO"}


GUARDED = """\
naftiko: 1.0.0-alpha2
binds: [{namespace: env, keys: {TOKEN: TOKEN}}]
capability:
  consumes:
  - namespace: ships
    baseUri: https://ships.example
    authentication: {type: apikey, key: key, value: '{{env.TOKEN}}', placement: query}
    resources:
    - path: /ships
      operations:
      - name: list
        method: GET
        inputParameters:
        - {name: X-For, in: header, value: 'for {{user}}'}
        - {name: filter, in: query, value: '{{filters}}'}
  exposes:
  - {type: mcp, namespace: m, tools: [{name: list, description: d, call: ships.list}]}
"""


@pytest.mark.parametrize(
    "arguments", [{"user": "a\r\nX-Evil: 1"}, {"filters": {"key": "mine"}}, {"key": "mine"}, {"env.TOKEN": "mine"}]
)
async def test_nothing_that_fills_a_template_reaches_a_credential_or_another_header(arguments: dict[str, Any]) -> None:
    upstream = Upstream()
    async with world(GUARDED, upstream=upstream, environ=ENVIRON) as one:
        assert (await one.call("list", arguments))["isError"]
        assert not (await one.call("list", {"filters": {"port": "Oslo"}}))["isError"]
    assert upstream.only.url == "https://ships.example/ships?port=Oslo&key=secret"
