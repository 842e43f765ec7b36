"""What callers get of an answer that is mapped, over REST and MCP."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from fairlead.load import loads
from serving.world import JSON, Reply, Upstream, world

pytestmark = pytest.mark.anyio


def document(outputs: str, consumed: str = "[]") -> str:
    call = f"call: harbour.read, outputParameters: {outputs}"
    return f"""\
naftiko: 1.0.0-alpha2
capability:
  consumes:
  - namespace: harbour
    baseUri: https://harbour.example
    resources:
    - path: /ship
      operations: [{{name: read, inputParameters: [{{name: port, in: query}}], outputParameters: {consumed}}}]
  exposes:
  - {{type: rest, namespace: r, resources: [{{path: /ship, operations: [{{method: GET, {call}}}]}}]}}
  - {{type: mcp, namespace: m, tools: [{{name: read, {call}}}]}}
"""


SHIP: dict[str, Any] = {"result": {"imo_number": 9074729, "crew": [{"name": "Ada"}], "speed": "12.5"}}


async def answers(text: str, answer: Any) -> tuple[Any, Any]:
    """The body over REST and the text over MCP, for a call with the port Oslo."""
    upstream = Upstream(Reply(body=json.dumps(answer).encode()))
    async with world(text, upstream=upstream) as one:
        rest = (await one.rest.get("/ship", params={"port": "Oslo"})).json()
        tool = await one.call("read", {"port": "Oslo"})
    return rest, json.loads(tool["content"][0]["text"])


async def test_outputs_by_name_take_what_the_consumed_operation_calls_so() -> None:
    outputs = (
        "{imo: {type: string}, crew: {items: [{name: name}, {name: rank}]}, asked: {value: 'in {{port}}'}, none: {}}"
    )
    consumed = "{imo: {value: $.result.imo_number}, crew: {value: $.result.crew}}"

    rest, tool = await answers(document(outputs, consumed), SHIP)

    expected = {"imo": "9074729", "crew": [{"name": "Ada", "rank": None}], "asked": "in Oslo", "none": None}
    assert (rest, tool) == (expected, expected)


async def test_a_single_output_is_the_answer_itself() -> None:
    assert await answers(document("{type: number, mapping: $.result.speed}"), SHIP) == (12.5, 12.5)


MOCKS = """\
naftiko: 1.0.0-alpha2
capability:
  exposes:
  - type: rest
    namespace: r
    resources:
    - path: /ships/{imo}
      operations:
      - method: POST
        inputParameters: [{name: port, in: body, type: string}, {name: count, in: query, type: integer}]
        outputParameters:
          imo: {type: integer, value: '{{imo}}'}
          at: {type: string, value: 'in {{port}}'}
          count: {type: string, value: '{{count}}'}
          flag: {type: object, properties: {code: {type: string, const: NO}, none: {type: string}}}
          ports: {type: array, items: {type: string, value: Oslo}}
          price: {type: string, value: $5.00}
  - type: mcp
    namespace: m
    tools:
    - name: hello
      inputParameters: [{name: first name, type: string, description: Whom}]
      outputParameters: [{name: message, type: string, value: 'Hello, {{first name}} of {{ship}}!'}]
"""


async def test_a_mock_answers_without_a_call_over_rest() -> None:
    async with world(MOCKS) as one:
        answer = await one.rest.post("/ships/9074729", json={"port": "Oslo"}, params={"count": 3})

    assert answer.json() == {
        "imo": 9074729,
        "at": "in Oslo",
        "count": "3",
        "flag": {"code": "NO"},
        "ports": ["Oslo"],
        "price": "$5.00",
    }


async def test_a_mock_answers_without_a_call_over_mcp() -> None:
    async with world(MOCKS) as one:
        listed = await one.rpc("tools/list", {})
        answer = await one.call("hello", {"first name": "Ada", "ship": "Bea"})
        fault = await one.call("hello", {"ship": "Bea"})

    (tool,) = listed["result"]["tools"]
    assert sorted(tool["inputSchema"]["required"]) == ["first_name", "ship"]
    assert answer["structuredContent"] == {"message": "Hello, Ada of Bea!"}
    assert fault["structuredContent"]["detail"] == "argument 'first_name' is required"


PLACEHOLDERS = """\
naftiko: 1.0.0-alpha2
capability:
  exposes:
  - type: rest
    namespace: r
    resources:
    - path: /ships
      operations:
      - method: GET
        with: {port: Oslo, flag: '{{country}}'}
        outputParameters: [{value: 'in {{port}}, {{flag}}'}, {name: none}]
      - {method: POST, call: registry.add, outputParameters: [{name: id, type: integer, value: 7}]}
  - type: mcp
    namespace: m
    tools:
    - name: hello
      inputParameters: [{name: ship, type: string, value: Fram}]
      outputParameters: [{name: message, value: 'Hello, {{ship}}!'}]
"""


async def test_templates_of_a_mock_take_what_with_and_declared_values_give() -> None:
    async with world(PLACEHOLDERS) as one:
        answer = await one.rest.get("/ships", params={"country": "NO"})
        tool = await one.call("hello")

    assert answer.json() == {"value": "in Oslo, NO"}
    assert tool["structuredContent"] == {"message": "Hello, Fram!"}


async def test_constants_are_answered_in_place_of_a_call_of_what_is_not_there_yet() -> None:
    async with world(PLACEHOLDERS) as one:
        assert (await one.rest.post("/ships")).json() == {"id": 7}
        assert (await one.rest.post("/ships", json={"name": "Fram"})).json() == {"id": 7}
    told = [(problem.severity, problem.message) for problem in loads(PLACEHOLDERS).problems]
    assert told == [("warning", "call to unknown namespace 'registry'")]


async def test_half_a_character_in_an_argument_is_the_fault_of_the_caller() -> None:
    async with world(MOCKS) as one:
        answer = await one.rest.post("/ships/1", content=b'{"port": "\\ud800"}', headers={"content-type": JSON[1]})

    assert answer.status_code == 400


async def test_the_description_of_a_mock_has_its_inputs_and_its_own_answer_only() -> None:
    async with world(MOCKS) as one:
        described = (await one.rest.get("/openapi.json")).json()["paths"]["/ships/{imo}"]["post"]

    assert [(one["name"], one["in"]) for one in described["parameters"]] == [("imo", "path"), ("count", "query")]
    assert sorted(described["responses"]) == ["200", "400"]


TYPED = """{
  imo: {type: string, description: Its number, mapping: $.imo},
  speed: {type: number},
  crew: {items: {properties: {name: {type: string}, age: {type: integer}}}},
  ports: {items: {type: string}},
  home: {type: object, properties: {port: {type: string, mapping: $.home.port}}},
  fleet: {type: string, const: north},
  asked: {type: string, value: '{{port}}'}
}"""
ANSWERS: list[Any] = [
    {},
    [],
    None,
    5,
    {"imo": 5, "speed": "fast", "crew": {}, "ports": [1, None, {"a": 1}], "home": "Oslo"},
    {
        "imo": {"a": [1]},
        "speed": "1.5",
        "crew": [None, {"name": True, "age": 5.0}, 5],
        "ports": "x",
        "home": {"port": 1},
    },
    {"imo": None, "speed": 10**30, "crew": [[]], "ports": [], "home": {"port": None}},
]


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_what_a_tool_answers_is_what_its_output_schema_says(mode: str) -> None:
    for body in [*(json.dumps(answer).encode() for answer in ANSWERS), b""]:
        upstream = Upstream(Reply(status=200 if body else 204, body=body))
        async with world(document(TYPED), upstream=upstream) as one, one.client(mode=mode) as client:
            (tool,) = (await client.list_tools()).tools
            assert tool.output_schema is not None
            result = await client.call_tool("read", {"port": "Oslo"})  # the client validates too

            Draft202012Validator(tool.output_schema).validate(result.structured_content)


async def test_an_error_of_the_upstream_needs_no_structure() -> None:
    upstream = Upstream(Reply(status=500, body=b"oh no"))
    async with world(document(TYPED), upstream=upstream) as one, one.client() as client:
        await client.list_tools()
        result = await client.call_tool("read", {})

    assert (result.is_error, result.structured_content) == (True, None)


async def test_the_description_says_what_a_mapped_answer_is() -> None:
    async with world(document(TYPED)) as one:
        described = (await one.rest.get("/openapi.json")).json()

    schema = described["paths"]["/ship"]["get"]["responses"]["2XX"]["content"]["application/json"]["schema"]
    assert schema["properties"]["imo"] == {"type": ["string", "null"], "description": "Its number"}
    assert schema["properties"]["fleet"] == {"const": "north"}
    assert schema["required"] == ["imo", "speed", "crew", "ports", "home", "fleet", "asked"]


@pytest.mark.parametrize(
    "outputs",
    [
        "{type: object, mapping: $.}",
        "{type: object, mapping: $.result}",
        "{type: string, mapping: $.id}",
        "{imo: {type: string}, rest: {type: object}}",
        "{imo: {}, rest: {type: string}}",
        "{imo: {type: string}, crew: {type: array, items: {type: object}}}",
    ],
)
async def test_a_tool_promises_nothing_of_what_the_upstream_decides(outputs: str) -> None:
    async with world(document(outputs)) as one:
        (tool,) = (await one.rpc("tools/list", {}))["result"]["tools"]

    assert "outputSchema" not in tool


async def test_a_mock_promises_what_it_answers() -> None:
    async with world(MOCKS) as one, one.client() as client:
        (tool,) = (await client.list_tools()).tools
        result = await client.call_tool("hello", {"first_name": "Ada", "ship": "Bea"})

    assert tool.output_schema is not None
    assert tool.output_schema["properties"] == {"message": {"type": ["string", "null"]}}
    assert result.structured_content == {"message": "Hello, Ada of Bea!"}


FORMATTED = """\
naftiko: 1.0.0-alpha2
capability:
  consumes:
  - namespace: harbour
    baseUri: https://harbour.example
    resources: [{path: /log, operations: [{name: log, outputRawFormat: Xml}]}]
  exposes:
  - type: rest
    namespace: r
    resources:
    - path: /whole
      operations: [{method: GET, call: harbour.log, outputParameters: [{type: object, mapping: $.}]}]
    - path: /raw
      operations: [{method: GET, call: harbour.log}]
    - path: /ships
      operations: [{method: GET, call: harbour.log, outputParameters: [{mapping: $.ship, items: {type: string}}]}]
"""
XML = ("content-type", "application/xml; charset=iso-8859-1")


@pytest.mark.parametrize(
    ("body", "expected"),
    [("<log><ship>Åse</ship><ship>5</ship></log>", ["Åse", "5"]), ("<log><ship>Ada</ship></log>", ["Ada"])],
)
async def test_another_format_than_json_is_read_where_it_is_mapped(body: str, expected: list[str]) -> None:
    upstream = Upstream(Reply(body=body.encode("latin-1"), headers=(XML,)))
    async with world(FORMATTED, upstream=upstream) as one:
        mapped = await one.rest.get("/ships")
        whole = await one.rest.get("/whole")
        raw = await one.rest.get("/raw")

    assert (mapped.json(), mapped.headers["content-type"]) == (expected, "application/json")
    assert whole.json() == {"ship": expected if len(expected) > 1 else expected[0]}
    assert (raw.content, raw.headers["content-type"]) == (body.encode("latin-1"), XML[1])


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"{}", "the upstream's answer is not the XML that its output mapping needs"),
        (b"<a>" * 100_000, "the upstream's answer is nested deeper than 100 levels"),
    ],
)
async def test_an_answer_that_cannot_be_read_is_told_without_quoting_it(body: bytes, detail: str) -> None:
    async with world(FORMATTED, upstream=Upstream(Reply(body=body))) as one:
        answer = await one.rest.get("/ships")

    assert (answer.status_code, answer.json()["detail"]) == (502, detail)
