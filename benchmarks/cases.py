"""All cases: what is asked of whom. The first Fairlead of a case is what its rows are compared with."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from benchmarks.answers import LARGE, LARGE_IDS, LARGE_LISTED, SLOW, SMALL
from benchmarks.folder import last_path, last_tool
from benchmarks.lab import Lab
from benchmarks.load import Request, Requests, Sample, WrongAnswer, same
from benchmarks.peers import Peer
from benchmarks.startup import StartUp
from benchmarks.streams import Downloads, Streams, Uploads

NEWEST = "2026-07-28"
HANDSHAKE = "2025-11-25"
PAGE = 500
"""How many tools Fairlead lists in one answer."""
FEW = 4
"""As many tools as a small file exposes."""


class Work(Protocol):
    """Puts a load on a peer and says what came of it; raises `WrongAnswer`."""

    def sample(self, lab: Lab, peer: Peer) -> Sample: ...


@dataclass(frozen=True)
class Case:
    """One table: a load, and who has to carry it."""

    name: str
    title: str
    work: Work
    peers: tuple[Peer, ...]
    times: int = 1
    """How many times as many samples, where peers are nearer to each other than samples are."""


STATIC, LIVE, NGINX, FAIRLEAD = Peer("static"), Peer("live"), Peer("nginx"), Peer("fairlead")
NAIVE, TUNED = Peer("naive"), Peer("naive-tuned")
AS_IS = Peer("fairlead", note="not mapped")
BY_REST = "the same by REST"


def units(kind: str, operations: int, what: str) -> Peer:
    return Peer(kind, operations, f"{operations:,} {what}")


def get(path: str, expected: Any) -> Callable[[Peer], Request]:
    return lambda peer: Request(path, same(expected))


def get_mapped(peer: Peer) -> Request:
    """What is passed on as it is, by the peer of that name, and from all others its member `data`."""
    path, expected = ("/v1/small", SMALL) if peer == AS_IS else ("/v1/mapped/small", SMALL["data"])
    return Request(path, same(expected))


def get_last(peer: Peer) -> Request:
    """The last operation of a generated folder."""
    return Request(last_path(peer.operations), same(SMALL))


def call_tool(revision: str) -> Callable[[Peer], Request]:
    """A call of the last tool of a generated folder; its answer holds the upstream's as structured content."""

    def request(peer: Peer) -> Request:
        if peer.note == BY_REST:
            return get_last(peer)
        tool = last_tool(peer.operations)
        name = tool.replace("-", "_") if peer.kind == "fastmcp" else tool
        return _rpc(revision, "tools/call", {"name": name, "arguments": {"id": "b-1"}}, _called, name)

    return request


def list_tools(peer: Peer) -> Request:
    """The first page of all tools; every tool is worth one."""
    return _rpc(NEWEST, "tools/list", {}, _listed(peer.operations))


def _rpc(revision: str, method: str, params: Any, check: Callable[[bytes], int], name: str = "") -> Request:
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": revision,
    }
    if revision == NEWEST:
        about = "io.modelcontextprotocol/"
        client = {"name": "benchmarks", "version": "1"}
        meta = {about + "protocolVersion": revision, about + "clientCapabilities": {}, about + "clientInfo": client}
        params = {**params, "_meta": meta}
        headers |= {"Mcp-Method": method} | ({"Mcp-Name": name} if name else {})
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    return Request("/mcp", check, "POST", headers, body, mcp=True)


def _called(body: bytes) -> int:
    result = json.loads(body).get("result", {})
    if result.get("isError") or result.get("structuredContent") != SMALL or json.loads(_text(result)) != SMALL:
        raise WrongAnswer(f"the result of the tool is not what was expected: {body[:500]!r}")
    return 1


def _text(result: Any) -> str:
    (content,) = result["content"]
    return str(content["text"])


def _listed(count: int) -> Callable[[bytes], int]:
    def check(body: bytes) -> int:
        tools = json.loads(body).get("result", {}).get("tools", [])
        if len(tools) not in {count, PAGE} or not all("inputSchema" in tool for tool in tools):
            raise WrongAnswer(f"{len(tools)} tools are listed: {body[:500]!r}")
        return len(tools)

    return check


def connections(count: int, *peers: Peer) -> Case:
    name = f"connections-{count}"
    return Case(
        name,
        f"REST, 1 KB, {count:,} {'connection' if count == 1 else 'connections'}",
        Requests(get("/v1/small", SMALL), count, factor=1 + count // 250),
        peers,
    )


def mcp(tools: int, revision: str, factor: int, clients: int) -> Case:
    """Calls of one of so many tools, and of one of few where there are many."""
    name = f"mcp-{tools}-{revision}"
    title = f"MCP tools/call, {tools:,} tools, revision {revision}, {clients} connections"
    by_count = (units("units", count, "tools") for count in dict.fromkeys((tools, FEW)))
    peers = (*by_count, Peer("units", tools, BY_REST), units("fastmcp", tools, "tools"))
    return Case(name, title, Requests(call_tool(revision), clients, "call", factor), peers)


def mcp_list(tools: int) -> Case:
    pages = f", by Fairlead in pages of {PAGE}" if tools > PAGE else ""
    title = f"MCP tools/list, {tools:,} tools{pages}, revision {NEWEST}, 4 connections"
    peers = (units("units", tools, "tools"), units("fastmcp", tools, "tools"))
    return Case(f"mcp-list-{tools}", title, Requests(list_tools, 4, "tool", 2), peers)


def start_up(operations: int) -> Case:
    title = f"Start-up, {operations:,} {'operation' if operations == 1 else 'operations, four in a file'}"
    kinds = ("units", "fastmcp", "naive")
    return Case(f"start-{operations}", title, StartUp(), tuple(Peer(kind, operations) for kind in kinds))


CASES = (
    connections(1, STATIC, NGINX, FAIRLEAD, NAIVE, TUNED),
    connections(32, STATIC, NGINX, FAIRLEAD, NAIVE, TUNED),
    connections(128, STATIC, NGINX, FAIRLEAD, TUNED),
    connections(1000, STATIC, NGINX, FAIRLEAD),
    Case(
        "rest-1mb",
        "REST, 1 MB, 4 connections",
        Requests(get("/v1/large", LARGE), 4),
        (STATIC, NGINX, FAIRLEAD, NAIVE, TUNED),
    ),
    Case(
        "mapped-1kb",
        "REST, 1 KB mapped by `$.data`, 32 connections",
        Requests(get_mapped, 32),
        (FAIRLEAD, AS_IS, NAIVE, TUNED),
        times=3,
    ),
    Case(
        "mapped-1mb",
        "REST, 1 MB mapped by `$.data[*].id`, 4 connections",
        Requests(get("/v1/mapped/large", LARGE_IDS), 4),
        (FAIRLEAD, NAIVE, TUNED),
    ),
    Case(
        "listed-1mb",
        "REST, 1 MB mapped to a list of objects with three members, 4 connections",
        Requests(get("/v1/listed/large", LARGE_LISTED), 4),
        (FAIRLEAD, NAIVE, TUNED),
    ),
    Case(
        "waiting-400",
        "REST, 400 connections, an upstream that takes 50 ms",
        Requests(get("/v1/slow", SLOW), 400, factor=2),
        (LIVE, NGINX, FAIRLEAD),
    ),
    Case(
        "routes",
        "REST, 1 KB, the last of many routes, 32 connections",
        Requests(get_last, 32),
        tuple(units(kind, count, "routes") for kind in ("units", "naive-tuned") for count in (4, 1600)),
    ),
    Case("events", "Server-sent events, 50 streams of 100 events/s", Streams(), (LIVE, NGINX, FAIRLEAD, TUNED)),
    Case("upload-10mb", "Upload of 10 MB of JSON, 4 at once", Uploads(10_000_000, 4), (LIVE, NGINX, FAIRLEAD, TUNED)),
    Case("upload-100mb", "Upload of 100 MB of JSON", Uploads(100_000_000, 1), (LIVE, NGINX, FAIRLEAD, TUNED)),
    Case(
        "downloads", "50 downloads of 100 MB at once (10 with --quick)", Downloads(), (STATIC, NGINX, FAIRLEAD, TUNED)
    ),
    mcp(FEW, NEWEST, 1, 16),
    mcp(FEW, HANDSHAKE, 1, 16),
    mcp(1000, NEWEST, 2, 4),
    mcp(1000, HANDSHAKE, 1, 16),
    mcp_list(FEW),
    mcp_list(1000),
    start_up(1),
    start_up(100),
    start_up(1600),
)
