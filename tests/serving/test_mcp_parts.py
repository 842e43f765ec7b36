"""A client may ask an MCP endpoint for a part of its tools; long lists are told with what they cost."""

import pytest
from mcp.shared.exceptions import MCPError

from fairlead.checks import crowded
from fairlead.listeners import arrange
from fairlead.load import loads
from fairlead.settings import Settings
from serving.world import THREE_FILES, Reply, Upstream, World, world

pytestmark = pytest.mark.anyio
REVISIONS = ("2024-11-05", "2025-11-25", "2026-07-28")


async def listed(one: World, query: str, mode: str = "2026-07-28") -> list[str]:
    async with one.client(mode, at=f"/mcp?{query}") as client:
        return [tool.name for tool in (await client.list_tools()).tools]


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_a_pattern_lists_the_tools_that_it_names(mode: str) -> None:
    async with world(*THREE_FILES) as one:
        everything = await listed(one, "", mode)

        assert len(everything) == 20
        assert await listed(one, "include=*batch*", mode) == [name for name in everything if "batch" in name]
        assert await listed(one, "include=*batch*", mode) == [name for name in everything if "batch" in name]
        assert await listed(one, "exclude=*batch*", mode) == [name for name in everything if "batch" not in name]
        assert await listed(one, "include=get-*,create-job&exclude=*-job", mode) == [
            name for name in everything if name.startswith("get-") and not name.endswith("-job")
        ]


async def test_a_pattern_may_name_the_adapter_that_tools_come_from() -> None:
    async with world(*THREE_FILES) as one:
        part = await listed(one, "include=together-ai-batches-mcp")

    assert part == ["list-batch-jobs", "create-batch-job", "get-batch-job", "cancel-batch-job"]


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_only_the_tools_of_the_part_can_be_called(mode: str) -> None:
    async with (
        world(*THREE_FILES, upstream=(upstream := Upstream(Reply(body=b"{}")))) as one,
        one.client(mode, at="/mcp?include=get-batch-job") as client,
    ):
        await client.call_tool("get-batch-job", {"id": "b"})
        with pytest.raises(MCPError, match="unknown tool 'cancel-batch-job'"):
            await client.call_tool("cancel-batch-job", {"id": "b"})

    assert str(upstream.only.url) == "https://api.together.ai/v1/batches/b"


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        (
            "include=get-bach-job",
            "argument 'get-bach-job' matches no tool and no namespace; did you mean 'get-batch-job'?",
        ),
        ("inlcude=get-*", "argument 'inlcude' is not declared (known: exclude, include)"),
    ],
)
@pytest.mark.parametrize("revision", REVISIONS)
async def test_a_query_that_can_mean_no_tool_is_refused(query: str, detail: str, revision: str) -> None:
    async with world(*THREE_FILES) as one:
        answer = await one.rpc("tools/list", {}, revision, at=f"/mcp?{query}")

    assert (answer["status"], answer["detail"]) == (400, detail)


async def test_more_parts_than_are_kept_are_answered_all_the_same() -> None:
    async with world(*THREE_FILES) as one:
        for number in range(70):
            wanted = ",".join(["get-batch-job"] * (number + 1))
            assert await listed(one, f"include={wanted}") == ["get-batch-job"]


def many(tools: int, adapters: int = 1) -> list[str]:
    listed = ", ".join(f"{{name: tool-{number}, call: harbour.list}}" for number in range(tools))
    document = """\
naftiko: 1.0.0-alpha2
capability:
  consumes:
  - namespace: harbour
    baseUri: https://harbour.example
    resources: [{name: ships, path: /ships, operations: [{name: list, description: All ships}]}]
  exposes:
"""
    document += "".join(f"  - {{type: mcp, namespace: m{number}, tools: [{listed}]}}\n" for number in range(adapters))
    listeners, _ = arrange([loads(document)], Settings())
    return list(crowded(listeners))


def test_a_list_longer_than_clients_take_is_told_with_about_what_it_costs() -> None:
    assert many(40) == []
    (over_forty,) = many(41)
    (over_all,) = many(200)
    assert over_forty.startswith("port 9090: /mcp lists 41 tools, about 1,")
    assert over_forty.endswith(" tokens; some clients take 40: /mcp?include=PATTERN lists a part")
    assert "some clients take 40 or 128" in over_all
    assert [note.partition(" lists")[0] for note in many(30, adapters=2)] == ["port 9090: /mcp"]
