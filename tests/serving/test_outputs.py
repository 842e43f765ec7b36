"""What callers get of an answer that is mapped, over REST and MCP."""

import json
from typing import Any

import pytest

from serving.world import Reply, Upstream, world

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
