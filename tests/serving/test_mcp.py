"""How every protocol revision is spoken to, on one endpoint, and what is refused there."""

from __future__ import annotations

import pytest
from mcp import MCPError

from fairlead import __version__
from fairlead.exposes.request import Reading
from fairlead.settings import Settings
from serving.world import BATCHES, THREE_FILES, Reply, Upstream, world

pytestmark = pytest.mark.anyio

HANDSHAKE = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
NEWEST = "2026-07-28"
BATCH_TOOLS = ["list-batch-jobs", "create-batch-job", "get-batch-job", "cancel-batch-job"]


@pytest.mark.parametrize("revision", HANDSHAKE)
async def test_every_revision_with_a_handshake_is_spoken_on_the_same_endpoint(revision: str) -> None:
    upstream = Upstream(Reply(body=b'{"data": []}'))
    async with world(BATCHES, upstream=upstream) as one:
        who = {"protocolVersion": revision, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
        hello = (await one.rpc("initialize", who, revision))["result"]
        tools = (await one.rpc("tools/list", {}, revision))["result"]
        called = (await one.rpc("tools/call", {"name": "list-batch-jobs"}, revision))["result"]

    assert hello["protocolVersion"] == revision
    assert hello["serverInfo"] == {"name": "together-ai-batches-mcp", "version": __version__}
    assert "tools" in hello["capabilities"]
    assert [tool["name"] for tool in tools["tools"]] == BATCH_TOOLS
    assert called == {
        "content": [{"type": "text", "text": '{"data": []}'}],
        "structuredContent": {"data": []},
        "isError": False,
    }


GREETER = """\
naftiko: 1.0.0-alpha2
info: {version: 1.10}
capability:
  exposes:
  - {type: mcp, namespace: m, description: Greets, tools: [{name: greet, outputParameters: [{name: text, value: Hi}]}]}
  - {type: rest, namespace: r, port: PORT, resources: [{path: /, operations: [{outputParameters: [{value: route}]}]}]}
"""


@pytest.mark.parametrize(("port", "status"), [(8080, 200), (9090, 405)])
async def test_a_port_without_routes_is_the_endpoint_itself(port: int, status: int) -> None:
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    async with world(GREETER.replace("PORT", str(port))) as one:
        answer = await one.mcp.post("/", json=call, headers={"accept": "application/json, text/event-stream"})

    assert answer.status_code == status
    assert status == 405 or answer.json()["result"]["tools"][0]["name"] == "greet"


async def test_an_endpoint_of_one_adapter_is_described_as_that() -> None:
    who = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    async with world(GREETER.replace("PORT", "8080")) as one:
        hello = (await one.rpc("initialize", who))["result"]

    assert (hello["serverInfo"], hello["instructions"]) == ({"name": "m", "version": "1.10"}, "Greets")


async def test_the_newest_revision_needs_no_handshake() -> None:
    upstream = Upstream(Reply(body=b'{"data": []}'))
    async with world(*THREE_FILES, upstream=upstream) as one, one.client(NEWEST) as client:
        tools = await client.list_tools()
        result = await client.call_tool("get-batch-job", {"id": "b-1"})

    assert len(tools.tools) == 20
    assert (result.is_error, result.structured_content) == (False, {"data": []})
    assert upstream.only.url == "https://api.together.ai/v1/batches/b-1"


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_official_client_finds_the_revision_by_itself(mode: str) -> None:
    async with world(BATCHES, upstream=Upstream()) as one, one.client(mode, "/together-ai-batches-mcp/mcp") as client:
        names = [tool.name for tool in (await client.list_tools()).tools]
        version, instructions = client.protocol_version, client.instructions

    assert names == BATCH_TOOLS
    assert version == {"auto": NEWEST, "legacy": "2025-11-25"}[mode]
    assert (instructions or "").startswith("MCP adapter for Together APIs — Batches.")


async def test_an_unknown_tool_is_an_error_of_the_protocol_with_a_hint() -> None:
    async with world(BATCHES, upstream=(upstream := Upstream())) as one:
        answer = await one.rpc("tools/call", {"name": "list-batch-job", "arguments": {}})
        async with one.client(NEWEST) as client:
            with pytest.raises(MCPError, match="did you mean") as raised:
                await client.call_tool("list-batch-job", {})

    message = "unknown tool 'list-batch-job'; did you mean 'list-batch-jobs'?"
    assert answer["error"] == {"code": -32602, "message": message}
    assert (raised.value.error.code, upstream.got) == (-32602, [])


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "OPTIONS"])
async def test_only_post_is_answered(method: str) -> None:
    async with world(BATCHES, upstream=Upstream()) as one:
        response = await one.mcp.request(method, "/mcp", headers={"accept": "text/event-stream"})

    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert response.json()["detail"] == "MCP is spoken by POST here"


async def test_a_body_over_the_limit_is_refused_before_it_is_read() -> None:
    settings = Settings(reading=Reading(body=1000))
    async with world(BATCHES, upstream=(upstream := Upstream()), settings=settings) as one:
        small = await one.call("create-batch-job", {"body": {"a": "x" * 500}})
        big = await one.mcp.post("/mcp", content=b'{"a": "' + b"x" * 1000 + b'"}')

    assert (small["isError"], len(upstream.got), big.status_code) == (False, 1, 413)


@pytest.mark.parametrize(("body", "code"), [(b"{", -32700), (b'{"jsonrpc": "2.0", "id": 1}', -32600)])
async def test_what_is_no_json_rpc_is_refused(body: bytes, code: int) -> None:
    headers = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    async with world(BATCHES, upstream=Upstream()) as one:
        response = await one.mcp.post("/mcp", content=body, headers=headers)

    assert response.status_code == 400
    assert response.json()["error"]["code"] in {code, -32602}
