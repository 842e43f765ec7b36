"""Inputs whose declaration says where their value is: in the body, or made of other inputs."""

import pytest

from fairlead.load import loads
from serving.world import Upstream, document, world

pytestmark = pytest.mark.anyio

DOCUMENT = """\
naftiko: 1.0.0-alpha2
capability:
  consumes:
  - namespace: harbour
    baseUri: https://harbour.example
    resources:
    - path: '/ports/{port}'
      operations:
      - name: find
        method: POST
        inputParameters: [{name: first, in: query}, {name: all, in: query, type: array}, {name: label, in: header}]
  exposes:
  - type: rest
    namespace: r
    resources:
    - path: /find
      inputParameters: [{name: label, in: header, value: 'for {{who}}'}, {name: who, in: query, required: true}]
      operations:
      - method: POST
        call: harbour.find
        inputParameters:
        - {name: port, in: body, type: string, value: $.port.name}
        - {name: first, in: body, type: string, value: '$.ships[0].name'}
        - {name: all, in: body, type: array, value: '$.ships[*].name'}
"""
BODY = {"port": {"name": "Oslo"}, "ships": [{"name": "Fram"}, {"name": "Gjoa"}]}


async def test_paths_take_values_from_the_body_and_templates_from_other_inputs() -> None:
    assert document(DOCUMENT).problems == ()
    upstream = Upstream()
    async with world(DOCUMENT, upstream=upstream) as one:
        await one.rest.post("/find", params={"who": "Ada"}, json=BODY)
        schema = (await one.rest.get("/openapi.json")).json()["paths"]["/find"]["post"]["requestBody"]

    assert upstream.only.url == "https://harbour.example/ports/Oslo?first=Fram&all=Fram&all=Gjoa"
    assert upstream.only.header("label") == "for Ada"
    assert set(schema["content"]["application/json"]["schema"]["properties"]) == {"port", "ships"}


async def test_what_no_path_looks_at_in_a_body_is_nobody_s() -> None:
    upstream = Upstream()
    listed = DOCUMENT.replace("$.port.name", "'$[0].port'")
    async with world(DOCUMENT, upstream=upstream) as one, world(listed, upstream=upstream) as other:
        await one.rest.post("/find", params={"who": "Ada"}, json={**BODY, "colour": "red"})
        await other.rest.post("/find", params={"who": "Ada"}, json=[{"port": "Bergen"}])

    assert [sent.url.partition("?")[0] for sent in upstream.got] == [
        "https://harbour.example/ports/Oslo",
        "https://harbour.example/ports/Bergen",
    ]


DEFAULTS = """\
naftiko: 1.0.0-alpha2
capability:
  consumes:
  - namespace: harbour
    baseUri: https://harbour.example
    resources:
    - path: /ships
      operations:
      - name: list
        inputParameters: [{name: flag, in: query}, {name: size, in: query, type: integer, default: 20}]
  exposes:
  - type: mcp
    namespace: m
    tools:
    - name: list
      call: harbour.list
      inputParameters: [{name: flag, type: string, enum: [NO, SE], default: NO}, {name: size, required: false}]
    - {name: all, call: harbour.list, inputParameters: [{name: flag, required: false}]}
"""


async def test_an_input_has_its_default_where_nothing_is_given() -> None:
    upstream = Upstream()
    async with world(DEFAULTS, upstream=upstream) as one:
        await one.call("list")
        await one.call("list", {"flag": "SE", "size": 5})
        await one.call("all")
        (listed, _) = (await one.rpc("tools/list", {}))["result"]["tools"]

    assert [sent.url.partition("?")[2] for sent in upstream.got] == ["flag=NO&size=20", "flag=SE&size=5", "size=20"]
    assert listed["inputSchema"]["properties"] == {
        "flag": {"type": "string", "enum": ["NO", "SE"], "default": "NO"},
        "size": {"type": "integer", "default": 20},
    }


async def test_an_input_is_one_of_its_enum() -> None:
    upstream = Upstream()
    async with world(DEFAULTS, upstream=upstream) as one:
        answer = await one.call("list", {"flag": "DK"})

    assert (answer["isError"], upstream.got) == (True, [])
    assert answer["structuredContent"]["detail"] == 'argument \'flag\' must be one of "NO", "SE", not "DK"'


@pytest.mark.parametrize(
    ("body", "named"),
    [({"ships": []}, "port"), ({**BODY, "port": {"name": 5}}, "port")],
)
async def test_what_is_missing_or_of_another_type_is_named(body: object, named: str) -> None:
    upstream = Upstream()
    async with world(DOCUMENT, upstream=upstream) as one:
        answer = await one.rest.post("/find", params={"who": "Ada"}, json=body)

    assert (answer.status_code, upstream.got) == (400, [])
    assert named in answer.json()["detail"]


def test_only_the_body_of_a_rest_request_is_looked_into() -> None:
    tool = "{name: t, call: harbour.find, inputParameters: [{name: port, type: string, value: $.port}]}"
    text = f"{DOCUMENT.partition('  exposes:')[0]}  exposes: [{{type: mcp, namespace: m, tools: [{tool}]}}]\n"

    assert [problem.message for problem in loads(text).problems] == [
        "only the body of a REST request can be looked into by a JSONPath"
    ]
