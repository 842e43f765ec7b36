"""How much work a request is, counted in calls of Python functions: the same on every machine, unlike its time.

What this guards against is work that creeps onto the path of every request. `CEILINGS` and `RELAYED` are the tables to
change; how long requests take is measured by `benchmarks/run`.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Self

import pytest
from wire.upstream import Peer, stage

import fairlead
from serving.connections import serving
from serving.world import JSON, Exchange, Pairs, Reply, Upstream, World, world

pytestmark = pytest.mark.anyio

OURS = Path(fairlead.__file__).parent
CEILINGS = {
    # Calls of Python functions by one warm request, a little above what it takes on Python 3.11; newer ones take fewer.
    # Lower them whenever the work becomes less.
    "REST, passed through": 387,  # 378
    "REST, mapped": 402,  # 393, for 50 items
    "REST, with a body": 413,  # 404
    "MCP 2026-07-28, tools/call": 390,  # 381
    "MCP 2025-11-25, tools/call": 389,  # 380
}
RELAYED = {
    # The same, but functions of our own alone, for requests over a connection to upstreams that are answered at once.
    "REST, passed through": 85,  # 81
    "REST, mapped": 98,  # 94
    "REST, with a body": 155,  # 151
    "MCP 2026-07-28, tools/call": 105,  # 101
    "MCP 2025-11-25, tools/call": 104,  # 100
}
DOCUMENT = """
naftiko: 1.0.0-alpha2
info: {label: Harbour}
capability:
  consumes:
  - type: http
    namespace: harbour
    baseUri: https://harbour.example
    resources:
    - name: ship
      path: /ships/{id}
      operations:
      - {name: get, method: GET, inputParameters: [{name: id, in: path, type: string, required: true}]}
    - name: ships
      path: /ships
      operations:
      - {name: add, method: POST, inputParameters: [{name: body, in: body, type: object, required: true}]}
  exposes:
  - type: rest
    namespace: rest
    resources:
    - {name: ship, path: '/ships/{id}', operations: [{method: GET, name: get, call: harbour.get}]}
    - name: names
      path: /names/{id}
      operations:
      - {method: GET, name: name, call: harbour.get, outputParameters: [{type: array, mapping: '$.data[*].id'}]}
    - {name: ships, path: /ships, operations: [{method: POST, name: add, call: harbour.add}]}
  - type: mcp
    namespace: mcp
    tools: [{name: get-ship, call: harbour.get}]
"""
SHIPS = json.dumps({"data": [{"id": f"ship-{number}"} for number in range(50)]}).encode()


def _tool_call(revision: str, **meta: Any) -> tuple[bytes, Pairs]:
    params = {"name": "get-ship", "arguments": {"id": "s-1"}, "_meta": meta}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
    accept = ("accept", "application/json, text/event-stream")
    named = (("mcp-method", "tools/call"), ("mcp-name", "get-ship")) if meta else ()
    return body.encode(), (JSON, accept, ("mcp-protocol-version", revision), *named)


def _exchange(name: str, one: World) -> Exchange:
    """The request behind a line of the table."""
    about = "io.modelcontextprotocol/"
    client = {"name": "test", "version": "1"}
    match name:
        case "REST, passed through":
            return Exchange(one.apps[8080], b"/ships/s-1")
        case "REST, mapped":
            return Exchange(one.apps[8080], b"/names/s-1")
        case "REST, with a body":
            return Exchange(one.apps[8080], b"/ships", "POST", (JSON,), b'{"name": "Ada"}')
        case "MCP 2026-07-28, tools/call":
            version, abilities, who = (about + key for key in ("protocolVersion", "clientCapabilities", "clientInfo"))
            body, headers = _tool_call("2026-07-28", **{version: "2026-07-28", abilities: {}, who: client})
        case _:
            body, headers = _tool_call("2025-11-25")
    return Exchange(one.apps[9090], b"/mcp", "POST", headers, body)


@dataclass
class Calls:
    """Counts calls of Python functions, every resumption of a coroutine included, while it is entered."""

    counts: Callable[[CodeType], bool] = lambda code: True
    by_function: Counter[CodeType] = field(default_factory=Counter)

    def __enter__(self) -> Self:
        sys.setprofile(self._count)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _count(self, frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and self.counts(frame.f_code):
            self.by_function[frame.f_code] += 1

    def report(self) -> str:
        """The modules and the functions that are called most."""
        modules: Counter[str] = Counter()
        functions: Counter[str] = Counter()
        for code, count in self.by_function.items():
            modules[_module(code)] += count
            functions[f"{_module(code)} {code.co_qualname}"] += count
        return "\n".join(f"{count:6} {name}" for one in (modules, functions) for name, count in one.most_common(25))


def is_ours(code: CodeType) -> bool:
    return code.co_filename.startswith(str(OURS))


def _module(code: CodeType) -> str:
    path = Path(code.co_filename)
    return f"{path.parent.name}/{path.name}"


@pytest.mark.parametrize("name", CEILINGS)
async def test_a_warm_request_is_no_more_work_than_its_ceiling(name: str) -> None:
    async with world(DOCUMENT, upstream=Upstream(Reply(body=SHIPS))) as one:
        for _ in range(3):
            warm = await _exchange(name, one).run()
        exchange = _exchange(name, one)
        with Calls() as calls:
            await exchange.run()

    assert (exchange.status, exchange.text) == (200, warm.text), exchange.text
    assert b"ship-49" in exchange.text
    _ensure_below(CEILINGS[name], name, calls)


@pytest.mark.parametrize("name", RELAYED)
async def test_a_request_that_nobody_waits_for_is_no_more_work_than_its_ceiling(name: str) -> None:
    async with AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(stage(_answers))
        document = DOCUMENT.replace("https://harbour.example", f"http://127.0.0.1:{upstream.route.port}")
        exchange = _exchange(name, await stack.enter_async_context(world(document)))
        served = await stack.enter_async_context(serving(exchange.app))
        for _ in range(5):
            with Calls(is_ours) as calls:
                await served.ask(_written(exchange))
                head = await served.head()
                length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
                body = await served.reader.readexactly(length)

    assert b" 200 OK\r\n" in head
    assert b"ship-49" in body
    _ensure_below(RELAYED[name], name, calls)


async def _answers(peer: Peer) -> None:
    while sent := await peer.request():
        await peer.reader.readexactly(int(sent.partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0))
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(SHIPS), SHIPS))


def _written(exchange: Exchange) -> bytes:
    fields = (("host", "localhost"), *exchange.headers, ("content-length", str(len(exchange.body))))
    lines = [f"{exchange.method} {exchange.target.decode()} HTTP/1.1", *(f"{name}: {value}" for name, value in fields)]
    return "\r\n".join([*lines[: None if exchange.body else -1], "", ""]).encode() + exchange.body


def _ensure_below(ceiling: int, name: str, calls: Calls) -> None:
    total = calls.by_function.total()
    print(f"{name}: {total} calls\n{calls.report()}")  # noqa: T201
    assert total <= ceiling, (
        f"{name}: {total} calls of Python functions, and the ceiling is {ceiling}. The output above tells which "
        "modules and functions they are; the same test on the commit before, with `pytest -rP`, tells which are new. "
        "If the work is wanted, raise the ceiling."
    )
