"""The tools of the MCP adapters: on which endpoint each is listed, under which name, and with all of its schema."""

from __future__ import annotations

import json
from typing import Any

import pytest

from serving.world import FINE_TUNING, THREE_FILES, Upstream, world

pytestmark = pytest.mark.anyio

BATCH_TOOLS = ["list-batch-jobs", "create-batch-job", "get-batch-job", "cancel-batch-job"]
GROQ_TOOLS = [
    "creates-and-executes-batch-uploaded",
    "list-your-organization-s-batches",
    "retrieves-batch",
    "cancels-batch",
]


@pytest.mark.parametrize(
    ("path", "count", "first"),
    [
        ("/mcp", 20, GROQ_TOOLS + BATCH_TOOLS),
        ("/mcp/", 20, GROQ_TOOLS + BATCH_TOOLS),
        ("/groq-batch-mcp/mcp", 4, GROQ_TOOLS),
        ("/together-ai-batches-mcp/mcp", 4, BATCH_TOOLS),
        ("/together-ai-fine-tuning-mcp/mcp", 12, ["create-job", "list-all-jobs", "estimate-price", "get-model-limits"]),
    ],
)
async def test_an_adapter_has_its_own_tools_and_the_common_endpoint_has_all(
    path: str, count: int, first: list[str]
) -> None:
    async with world(*THREE_FILES, upstream=Upstream()) as one:
        tools = (await one.rpc("tools/list", {}, at=path))["result"]["tools"]

    names = [tool["name"] for tool in tools]
    assert (len(set(names)), names[: len(first)]) == (count, first)


async def test_a_tool_is_listed_with_all_that_its_file_says() -> None:
    async with world(FINE_TUNING, upstream=Upstream()) as one:
        tools = (await one.rpc("tools/list", {}))["result"]["tools"]

    by_name = {tool["name"]: tool for tool in tools}
    assert by_name["get-metrics"] == {
        "name": "get-metrics",
        "description": "Get metrics",
        "inputSchema": {
            "type": "object",
            "properties": {
                "id": {"type": "string"},
                "body": {"type": "object", "description": "Request body (JSON)."},
            },
            "required": ["id"],
            "additionalProperties": False,
        },
        "annotations": {"readOnlyHint": True, "destructiveHint": False, "idempotentHint": True},
    }
    assert by_name["download-model"]["inputSchema"] == {
        "type": "object",
        "properties": {
            "ft_id": {"type": "string"},
            "checkpoint_step": {"type": "integer"},
            "checkpoint": {"type": "string"},
        },
        "required": ["ft_id"],
        "additionalProperties": False,
    }
    assert by_name["delete-fine-tune-job"]["annotations"] == {
        "readOnlyHint": False,
        "destructiveHint": True,
        "idempotentHint": True,
    }
    assert by_name["list-all-jobs"]["inputSchema"] == {
        "type": "object",
        "properties": {},
        "additionalProperties": False,
    }


MANY = """
naftiko: 1.0.0-alpha2
capability:
  consumes:
  - {namespace: api, baseUri: 'https://api.test', resources: [
      {name: one, path: /one, operations: [{name: get, method: GET}]}]}
  exposes:
  - {type: mcp, namespace: many, tools: [NAMED]}
"""


async def test_a_long_list_of_tools_comes_in_pages() -> None:
    names = [f"tool-{number}" for number in range(1001)]
    source = MANY.replace("NAMED", ", ".join(f"{{name: {name}, call: api.get}}" for name in names))
    listed: list[str] = []
    cursor: str | None = None
    async with world(source, upstream=Upstream()) as one:
        for _ in range(3):
            page = (await one.rpc("tools/list", {"cursor": cursor} if cursor else {}))["result"]
            listed += [tool["name"] for tool in page["tools"]]
            cursor = page.get("nextCursor")
        unknown = await one.rpc("tools/list", {"cursor": "7"})

    assert (listed, cursor) == (names, None)
    assert unknown["error"] == {"code": -32602, "message": "unknown cursor '7'"}


TWINS = """
naftiko: 1.0.0-alpha2
capability:
  consumes:
  - {namespace: api, baseUri: 'https://api.test', resources: [
      {name: one, path: /one, operations: [{name: first, method: GET}]},
      {name: two, path: /two, operations: [{name: second, method: GET}]}]}
  exposes:
  - {type: mcp, namespace: left, tools: [{name: get, label: The first, call: api.first}]}
  - {type: mcp, namespace: right, tools: [{name: get, call: api.second, hints: {openWorld: false}}]}
"""


async def test_tools_of_one_name_get_the_name_of_their_adapter_where_they_meet() -> None:
    async with world(TWINS, upstream=(upstream := Upstream())) as one:
        everywhere: list[Any] = (await one.rpc("tools/list", {}))["result"]["tools"]
        left = (await one.rpc("tools/list", {}, at="/left/mcp"))["result"]["tools"]
        await one.call("right_get")

    assert [tool["name"] for tool in everywhere] == ["left_get", "right_get"]
    assert [(tool["name"], tool["title"]) for tool in left] == [("get", "The first")]
    assert everywhere[1]["annotations"] == {"openWorldHint": False}
    assert everywhere[0]["annotations"] == {"title": "The first"}
    assert upstream.only.url == "https://api.test/two"
    assert json.dumps(everywhere).count("null") == 0
