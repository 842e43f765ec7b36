"""Answers that nobody waits for: relayed between two connections, and the same as those that somebody waits for."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import ASGIApp, Receive, Scope, Send
from wire.upstream import LOOPS, Peer, stage

from fairlead.settings import Settings
from fairlead.wire.limits import Limits
from serving.connections import Served, serving
from serving.world import world

pytestmark = pytest.mark.anyio

DOCUMENT = """
naftiko: 1.0.0-alpha2
info: {label: Harbour}
capability:
  consumes:
  - type: http
    namespace: harbour
    baseUri: http://127.0.0.1:%d/api
    authentication: {type: bearer, token: secret}
    inputParameters: [{name: X-Version, in: header, value: '7'}]
    resources:
    - name: notes
      path: /notes
      operations: [{name: note, method: POST, inputParameters: [{name: body, in: body}]}]
    - name: ship
      path: /ships/{id}
      operations:
      - name: get
        method: GET
        inputParameters:
        - {name: id, in: path, type: string, required: true}
        - {name: view, in: query, type: string}
    - name: mooring
      path: /moorings/{id}
      operations:
      - name: moor
        method: POST
        inputParameters: [{name: id, in: path, type: string, required: true}]
        body: {type: json, data: {ship: '{{id}}', fixed: true}}
    - name: berth
      path: /docks/{dock}/berths/{number}
      operations:
      - name: get-berth
        method: GET
        inputParameters:
        - {name: dock, in: path, type: string, required: true}
        - {name: number, in: path, type: integer, required: true}
  exposes:
  - type: rest
    namespace: rest
    resources:
    - {name: notes, path: /notes, operations: [{method: POST, name: note, call: harbour.note}]}
    - {name: ship, path: '/ships/{id}', operations: [{method: GET, name: get, call: harbour.get}]}
    - name: name
      path: /names/{id}
      operations:
      - method: GET
        name: name
        call: harbour.get
        outputParameters:
        - type: object
          properties: {called: {type: string, mapping: $.name}, asked: {type: string, value: 'for {{id}}'}}
    - name: kind
      path: /kinds/{id}
      operations:
      - method: GET
        name: kind
        call: harbour.get
        with: {id: rest.id, view: rest.view}
        inputParameters:
        - {name: id, in: path, type: string, enum: [tug, barge]}
        - {name: view, in: query, type: string, default: full}
    - {name: moor, path: '/moor/{id}', operations: [{method: POST, name: moor, call: harbour.moor}]}
    - name: berth
      path: /berths/{number}/of/{dock}
      operations: [{method: GET, name: get-berth, call: harbour.get-berth}]
  - type: mcp
    namespace: tools
    tools:
    - name: get-ship
      description: One ship
      inputParameters: [{name: id, type: string}, {name: view, type: string, required: false}]
      call: harbour.get
    - name: name-ship
      description: Its name
      inputParameters: [{name: id, type: string}]
      call: harbour.get
      outputParameters:
      - type: object
        properties: {called: {type: string, mapping: $.name}, asked: {type: string, value: 'for {{id}}'}}
    - name: get-berth
      description: One berth
      inputParameters: [{name: dock, type: string}, {name: number, type: integer}]
      call: harbour.get-berth
    - name: get-kind
      description: One kind
      inputParameters: [{name: id, type: string, enum: [tug, barge]}]
      call: harbour.get
    - name: moor
      description: Makes a ship fast
      inputParameters: [{name: id, type: string}]
      call: harbour.moor
    - {name: note, description: A note, inputParameters: [{name: body, in: body, type: object}], call: harbour.note}
"""
BEARER = "{type: bearer, token: secret}"
LIMITS = Limits(connect=5, read=5, total=5, idle=30)
OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
SHIP = b"/ships/s-1"


def request(target: bytes = SHIP, *fields: bytes, method: bytes = b"GET") -> bytes:
    return b"\r\n".join([method + b" " + target + b" HTTP/1.1", b"host: localhost", *fields, b"", b""])


ABOUT = "io.modelcontextprotocol/"
CLIENT = {"name": "tests", "version": "1"}


def tool_call(tool: str, version: str = "2026-07-28", *fields: bytes, **arguments: Any) -> bytes:
    named = (f"mcp-name: {tool}".encode(),) if version == "2026-07-28" else ()
    return rpc("tools/call", version, *fields, *named, name=tool, arguments=arguments)


def rpc(method: str, version: str, *fields: bytes, **params: Any) -> bytes:
    said = [f"mcp-protocol-version: {version}".encode(), *fields]
    if version == "2026-07-28":
        said.append(f"mcp-method: {method}".encode())
        meta = {ABOUT + "protocolVersion": version, ABOUT + "clientCapabilities": {}, ABOUT + "clientInfo": CLIENT}
        params["_meta"] = meta
    body = json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}).encode()
    said += [b"accept: application/json, text/event-stream", b"content-type: application/json"]
    return request(b"/mcp", *said, b"content-length: %d" % len(body), method=b"POST") + body


NOTE = request(b"/notes", b"content-type: application/json", b"content-length: 2", method=b"POST") + b"{}"
WARM = {8080: request(b"/ships/warm"), 9090: tool_call("get-ship", id="warm")}
SHIP_OF = {8080: request(), 9090: tool_call("get-ship", id="s-1")}
Play = Callable[[Peer], Awaitable[None]]


def waited_for(app: ASGIApp) -> ASGIApp:
    """The same application, without what would do without a task."""

    async def waiting(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)

    return waiting


@dataclass
class Gateway:
    """An open connection to the gateway, and how many connections that made to its upstream."""

    caller: Served
    connections: Callable[[], int]
    port: int = 8080

    async def ask(self, sent: bytes | None = None) -> None:
        await self.caller.ask(sent or SHIP_OF[self.port])

    async def answer(self, *, has_no_body: bool = False) -> tuple[bytes, bytes]:
        """The next answer, its head and its body."""
        head = await self.caller.head()
        if b"chunked" not in head:
            length = next((int(line[15:]) for line in head.split(b"\r\n") if line[:15] == b"content-length:"), 0)
            return head, await self.caller.reader.readexactly(0 if has_no_body or b" 304 " in head else length)
        body = b""
        while size := int(await self.caller.reader.readuntil(b"\r\n"), 16):
            body += await self.caller.reader.readexactly(size)
            await self.caller.reader.readexactly(2)
        await self.caller.reader.readexactly(2)
        return head, body

    @property
    def waiting(self) -> int:
        """How many tasks answer at the moment."""
        return sum(len(one.tasks) for one in self.caller.made)


@asynccontextmanager
async def gateway(
    play: Play, limits: Limits = LIMITS, *, waits: bool = False, authentication: str = BEARER, port: int = 8080
) -> AsyncIterator[Gateway]:
    """The gateway before an upstream, one connection to which is idle already."""

    async def warm(peer: Peer) -> None:
        if peer.number == 1:
            await peer.request()
            await peer.send(OK)
        await play(peer)

    async with AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(stage(warm, limits))
        document = (DOCUMENT % upstream.route.port).replace(BEARER, authentication)
        one = await stack.enter_async_context(world(document, settings=Settings(limits=limits)))
        app = waited_for(one.apps[port]) if waits else one.apps[port]
        there = Gateway(await stack.enter_async_context(serving(app)), lambda: upstream.connections, port)
        await there.ask(WARM[port])
        await there.answer()
        yield there


def saying(*answers: bytes, close: bool = False) -> Play:
    """Gives one answer after the other, in the pieces that `|` separates."""

    async def play(peer: Peer) -> None:
        for answer in answers if peer.number == 1 else answers[-1:]:
            await peer.request()
            for piece in answer.split(b"|"):
                await peer.send(piece)
                await asyncio.sleep(0.01 if b"|" in answer else 0)
        if not close:
            await peer.reader.read()

    return play


def head(status: bytes, *fields: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 " + status, *fields, b"", b""])


EVENTS = b"content-type: text/event-stream"
LARGE = b"x" * 3_000_000
ANSWERS = {
    "of a length": OK,
    "in pieces": b"HTTP/1.1 200 OK\r\ncontent-|length: 4\r\n\r|\n{|}\n|\n",
    "large": head(b"200 OK", b"content-length: 3000000") + LARGE,
    "chunked": head(b"200 OK", b"transfer-encoding: chunked") + b"3\r\nabc\r\n|2;x=y\r\nde\r\n0\r\n|\r\n",
    "empty": head(b"200 OK", b"content-length: 0"),
    "not there": head(b"404 Not Found", b"content-length: 2") + b"{}",
    "broken": head(b"500 Internal Server Error", b"content-length: 2", b"retry-after: 3") + b"{}",
    "moved": head(b"302 Found", b"location: https://elsewhere.example/", b"content-length: 0"),
    "without a body": head(b"204 No Content"),
    "as before": head(b"304 Not Modified", b'etag: "a"', b"content-length: 2"),
    "encoded": head(b"200 OK", b"content-encoding: gzip", b"content-length: 3") + b"\x1f\x8b\x08",
    "events": head(
        b"200 OK", b"content-type: text/event-stream", b"transfer-encoding: chunked", b"X-Accel-Buffering: yes"
    )
    + b"9\r\ndata: a\n\n\r\n|9\r\ndata: b\n\n\r\n|0\r\n\r\n",
    "with cookies": head(b"200 OK", b"set-cookie: a=b", b"x-own: a", b"X-Own: b", b"date: never", b"content-length: 0"),
    "of this connection": head(b"200 OK", b"connection: x-own, keep-alive", b"x-own: a", b"content-length: 0"),
    "in another charset": head(b"200 OK", b"x-name: caf\xe9", b"content-length: 0"),
    "with interim ones": head(b"103 Early Hints", b"link: </a>") + OK,
    "of no status": head(b"700 What", b"content-length: 2") + b"{}",
    "malformed": head(b"200 OK", b"content-length: 2", b"content-length: 3") + b"{}",
    "with a long header": head(b"200 OK", b"x-long: " + b"a" * 2000, b"content-length: 2") + b"{}",
}


NAMED = b'{"name": "Ada", "more": [1, 2]}'
MAPPED = {
    "here": head(b"200 OK", b"content-length: 31", b"x-own: a", b'etag: "a"') + NAMED,
    "created": head(b"201 Created", b"content-length: 31") + NAMED,
    "in pieces": head(b"200 OK", b"content-length: 31") + NAMED[:7] + b"|" + NAMED[7:],
    "chunked": head(b"200 OK", b"transfer-encoding: chunked") + b"1f\r\n" + NAMED + b"\r\n|0\r\n\r\n",
    "compressed": head(b"200 OK", b"content-encoding: gzip", b"transfer-encoding: chunked")
    + b"%x\r\n%b\r\n0\r\n\r\n" % (len(gzip.compress(NAMED, mtime=0)), gzip.compress(NAMED, mtime=0)),
    "compressed twice": head(b"200 OK", b"content-encoding: gzip", b"Content-Encoding: gzip", b"content-length: 65")
    + gzip.compress(gzip.compress(NAMED, mtime=0), mtime=0),
    "in no known encoding": head(b"200 OK", b"content-encoding: br", b"content-length: 2") + b"{}",
    "empty": head(b"200 OK", b"content-length: 0"),
    "without a body": head(b"204 No Content"),
    "not there": head(b"404 Not Found", b"content-type: text/plain", b"content-length: 4") + b"none",
    "no JSON": head(b"200 OK", b"content-length: 4") + b"none",
    "no text": head(b"200 OK", b"content-length: 13") + b'{"name": "\xff"}',
    "without it": head(b"200 OK", b"content-length: 2") + b"[]",
    "too large": head(b"200 OK", b"content-length: 300") + b" " * 300,
    "too large in pieces": head(b"200 OK", b"content-length: 300") + b" " * 150 + b"|" + b" " * 150,
}


async def answered(
    answer: bytes, sent: bytes, limits: Limits = LIMITS, *, waits: bool, port: int = 8080
) -> tuple[list[bytes], bytes, int]:
    """The head's lines, the body, and how many tasks are left."""
    async with gateway(saying(answer, OK), limits, waits=waits, port=port) as one:
        await one.ask(sent)
        head, body = await one.answer()
        tasks = one.waiting
        await one.ask()
        assert b"{}" in (await one.answer())[1]
        return sorted(head.split(b"\r\n")), body, tasks


@pytest.mark.parametrize("anyio_backend", LOOPS)
@pytest.mark.parametrize("name", ANSWERS)
async def test_an_answer_is_the_same_whether_somebody_waits_for_it_or_not(name: str) -> None:
    head, body, _ = await answered(ANSWERS[name], request(), waits=True)

    assert await answered(ANSWERS[name], request(), waits=False) == (head, body, 0)


@pytest.mark.parametrize("name", ANSWERS)
async def test_an_answer_to_a_post_is_the_same_whether_somebody_waits_for_it_or_not(name: str) -> None:
    head, body, _ = await answered(ANSWERS[name], NOTE, waits=True)

    assert await answered(ANSWERS[name], NOTE, waits=False) == (head, body, 0)


@pytest.mark.parametrize("version", ["2026-07-28", "2025-06-18"])
@pytest.mark.parametrize("tool", ["get-ship", "name-ship"])
@pytest.mark.parametrize("name", [*ANSWERS, *(f"mapped, {name}" for name in MAPPED)])
async def test_an_agent_is_told_the_same_whether_somebody_waits_for_it_or_not(
    name: str, tool: str, version: str
) -> None:
    answer = ANSWERS[name] if name in ANSWERS else MAPPED[name.removeprefix("mapped, ")]
    limits = replace(LIMITS, body=200)
    sent = tool_call(tool, version, id="s-1")
    head, body, _ = await answered(answer, sent, limits, waits=True, port=9090)

    assert await answered(answer, sent, limits, waits=False, port=9090) == (head, body, 0)
    if (tool, name) in {("name-ship", "mapped, here"), ("name-ship", "mapped, compressed")}:
        assert json.loads(body)["result"]["structuredContent"] == {"called": "Ada", "asked": "for s-1"}


@pytest.mark.parametrize("name", MAPPED)
async def test_a_mapped_answer_is_the_same_whether_somebody_waits_for_it_or_not(name: str) -> None:
    limits, sent = replace(LIMITS, body=200), request(b"/names/s-1")
    head, body, _ = await answered(MAPPED[name], sent, limits, waits=True)

    assert await answered(MAPPED[name], sent, limits, waits=False) == (head, body, 0)
    if name in ("here", "created", "in pieces", "chunked", "compressed"):
        assert json.loads(body) == {"called": "Ada", "asked": "for s-1"}


@pytest.mark.parametrize(
    ("port", "sent"),
    [(8080, request()), (8080, NOTE), (9090, tool_call("get-ship", id="a")), (9090, tool_call("note", body={}))],
)
async def test_nobody_waits_where_an_upstream_connection_is_idle(port: int, sent: bytes) -> None:
    there: list[Gateway] = []
    seen: list[list[object]] = []

    async def play(peer: Peer) -> None:
        await peer.request()
        seen.extend([one.waiting, one.caller.made[0].relay is not None] for one in there)
        await peer.send(OK)

    async with gateway(play, port=port) as one:
        there.append(one)
        await one.ask(sent)
        assert b"{}" in (await one.answer())[1]

    assert seen == [[0, True]]


async def test_answers_that_end_with_their_connection_are_whole_or_seen_to_be_cut() -> None:
    ends = head(b"200 OK") + b"abc"
    async with gateway(saying(ends, close=True)) as one:
        await one.ask()
        assert (await one.answer())[1] == b"abc"
    for cut in (
        head(b"200 OK", b"content-length: 9") + b"abc",
        head(b"200 OK", b"transfer-encoding: chunked") + b"9\r\nab",
    ):
        async with gateway(saying(cut, close=True)) as one:
            await one.ask()
            assert b"200 OK" in await one.caller.head()
            assert not (await one.caller.rest()).endswith(b"0\r\n\r\n")


async def test_what_breaks_off_before_its_head_is_asked_for_again_where_nothing_has_come(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def play(peer: Peer) -> None:
        await peer.request()
        if peer.number > 1:
            await peer.send(OK)

    for port in (8080, 9090):
        async with gateway(play, port=port) as one:
            await one.ask()
            assert b"{}" in (await one.answer())[1]
            assert one.connections() == 2
    for port, sent in ((8080, NOTE), (9090, tool_call("note", body={}))):
        async with gateway(play, port=port) as one:
            await one.ask(sent)
            assert b"broke off" in (await one.answer())[1]
            assert one.connections() == 1

    async def half(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200")

    with caplog.at_level(logging.WARNING, "fairlead"):
        async with gateway(half) as one:
            await one.ask()
            assert b"502 Bad Gateway" in (await one.answer())[0]
            assert one.connections() == 1
    assert "GET /ships/{id}: 502" in caplog.text


async def test_a_call_whose_upstream_breaks_off_is_logged_by_its_tool(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "fairlead"):
        async with gateway(saying(b"HTTP/1.1 200"), replace(LIMITS, read=0.2), port=9090) as one:
            await one.ask()
            result = json.loads((await one.answer())[1])["result"]

    assert (result["isError"], result["structuredContent"]["status"]) == (True, 504)
    assert "tool get-ship: 504" in caplog.text


@pytest.mark.parametrize("limits", [replace(LIMITS, read=0.2), replace(LIMITS, total=0.2)])
async def test_an_upstream_that_says_nothing_of_use_is_a_problem_in_time(limits: Limits) -> None:
    async with gateway(saying(b"HTTP/1.1 100 Continue\r\n\r\n"), limits) as one:
        await one.ask()
        head, body = await one.answer()

    assert b"504 Gateway Timeout" in head
    assert b"did not answer in time" in body


LARGE_NOTE = b'{"text": "%b"}' % (b"x" * 100_000)
HELD_UP = {
    "a ship": (8080, request()),
    "a tool": (9090, SHIP_OF[9090]),
    "a large body": (8080, NOTE.replace(b"length: 2", b"length: %d" % len(LARGE_NOTE))[:-2] + LARGE_NOTE),
    "a tool with one": (9090, tool_call("note", body={"text": "x" * 100_000})),
}


@pytest.mark.parametrize("name", HELD_UP)
async def test_an_upstream_is_let_go_when_its_caller_hangs_up(name: str) -> None:
    begun, gone = asyncio.Event(), asyncio.Event()

    async def play(peer: Peer) -> None:
        await peer.request()
        begun.set()
        await peer.reader.read()
        gone.set()

    port, sent = HELD_UP[name]
    async with gateway(play, port=port) as one:
        one.caller.made[0].data_received(sent)  # in one piece, however large it is
        await begun.wait()
        assert one.caller.made[0].relay
        one.caller.writer.close()
        await asyncio.wait_for(gone.wait(), 5)


@pytest.mark.parametrize("anyio_backend", LOOPS)
async def test_a_caller_who_takes_nothing_holds_up_the_upstream() -> None:
    pieces = 0

    async def play(peer: Peer) -> None:
        nonlocal pieces
        await peer.request()
        await peer.send(head(b"200 OK", b"content-length: 200000000"))
        for _ in range(2000):
            await peer.send(b"x" * 100_000)
            pieces += 1

    async with gateway(play) as one:
        await one.ask()
        await one.caller.head()
        seen = -1
        while seen != pieces:
            seen = pieces
            await asyncio.sleep(0.3)
        assert pieces < 500
        rest = 200_000_000
        while rest:
            rest -= len(await one.caller.reader.read(1_000_000))


@pytest.mark.parametrize("anyio_backend", LOOPS)
async def test_what_broke_off_while_a_caller_took_nothing_is_cut_when_he_takes_the_rest() -> None:
    taken, here = 0, [0]

    async def play(peer: Peer) -> None:
        await peer.request()
        await peer.send(head(b"200 OK", b"content-length: 200000000"))
        while there and not there[0].caller.made[0].flow.write_paused:
            await peer.send(b"x" * 50_000)
            here[0] += 50_000
            await asyncio.sleep(0.01)
        await peer.send(b"y" * 20_000)
        here[0] += 20_000
        await asyncio.sleep(0.05)
        peer.writer.transport.close()

    there: list[Gateway] = []
    async with gateway(play) as one:
        there.append(one)
        await one.ask()
        await one.caller.head()
        relay = one.caller.made[0].relay
        assert relay
        while not (taken and taken == here[0]):
            taken = here[0]
            await asyncio.sleep(0.3)
        assert len(await one.caller.rest()) == taken


async def test_requests_that_come_at_once_are_answered_in_their_order() -> None:
    async def play(peer: Peer) -> None:
        while True:
            line = (await peer.request()).partition(b" HTTP")[0]
            await peer.send(head(b"200 OK", b"content-length: %d" % len(line)) + line)

    async with gateway(play) as one:
        await one.ask(request(b"/ships/a") + request(b"/ships/b") + request(b"/ships/c?view=x"))
        bodies = [(await one.answer())[1] for _ in range(3)]

    assert bodies == [b"GET /api/ships/a", b"GET /api/ships/b", b"GET /api/ships/c?view=x"]


async def test_callers_are_told_when_the_gateway_stops() -> None:
    begun = asyncio.Event()

    async def play(peer: Peer) -> None:
        await peer.request()
        begun.set()
        await peer.reader.read()

    for port, told in ((8080, b"503 Service Unavailable"), (9090, b"the gateway is stopping")):
        begun.clear()
        async with gateway(play, port=port) as one:
            await one.ask()
            await begun.wait()
            one.caller.made[0].give_up()
            assert told in b"".join(await one.answer())


async def echo(peer: Peer) -> None:
    """Answers with the heads that it gets, but for its own name in them."""
    while True:
        sent = re.sub(rb"127\.0\.0\.1:\d+", b"upstream", await peer.request())
        if length := re.search(rb"content-length: (\d+)", sent):
            sent += await peer.reader.readexactly(int(length[1]))
        await peer.send(head(b"200 OK", b"content-length: %d" % len(sent)) + sent)


REQUESTS = [
    request(),
    request(b"/ships/a.b~c_d-1"),
    request(b"/ships/a%20b"),
    request(b"/ships/%2e%2e"),
    request(b"/ships/.."),
    request(b"/ships/."),
    request(b"/ships/" + b"a" * 300),
    request(b"/ships/a%ff"),
    request(b"/ships/"),
    request(b"//ships/a"),
    request(b"/ships/a?view=full"),
    request(b"/ships/a?view=a&view=b"),
    request(b"/ships/a?other=b"),
    request(b"/kinds/tug"),
    request(b"/kinds/tug?view=short"),
    request(b"/kinds/ship"),
    request(b"/names/a"),
    request(b"/berths/7/of/a"),
    request(b"/berths/07/of/a"),
    request(b"/berths/x/of/a"),
    request(SHIP, b"accept: text/plain", b"traceparent: 00-1", b"authorization: Bearer callers", b"x-own: a"),
    request(SHIP, b"accept-encoding: gzip", b"If-None-Match: 50%"),
    request(SHIP, b"content-length: 4") + b"\r\n\r\n",
    request(SHIP, b"content-length: 0"),
    request(SHIP, b"content-length: 2") + b"{}",
    request(SHIP, b"content-length: 2", method=b"DELETE") + b"{}",
    request(b"/notes", b"content-type: application/json", b"content-length: 2", method=b"POST") + b"{}",
    request(b"/notes", b"content-type: text/plain", b"content-length: 4", method=b"POST") + b"\r\n\r\n",
    request(b"/notes", b"content-length: 3", method=b"POST") + b"{1}",
    request(b"/notes?a=b", b"content-type: application/json", b"content-length: 0", method=b"POST"),
    request(b"/moor/a", method=b"POST"),
    request(b"/moor/a", b"content-length: 0", method=b"POST"),
    request(SHIP, b"transfer-encoding: chunked") + b"0\r\n\r\n",
    request(SHIP, b"origin: https://evil.example"),
    request(SHIP, method=b"HEAD"),
    request(SHIP, method=b"POST"),
    request(b"/nothing"),
    request(b"/openapi.json", method=b"OPTIONS"),
    request(SHIP, b"host: elsewhere.example"),
]


@pytest.mark.parametrize("sent", REQUESTS, ids=lambda sent: sent[:60].decode("latin-1"))
async def test_a_request_is_the_same_upstream_whether_somebody_waits_or_not(sent: bytes) -> None:
    answers = []
    for waits in (True, False):
        async with gateway(echo, waits=waits) as one:
            for _ in range(3):  # what is said again is not read again
                await one.ask(sent)
                answers.append(await one.answer(has_no_body=sent.startswith(b"HEAD")))
            await one.ask()
            assert b"GET /api/ships/s-1 HTTP/1.1" in (await one.answer())[1]

    assert answers == [answers[0]] * 6


CALLS = [
    tool_call("get-ship", id="a"),
    tool_call("get-ship", "2025-11-25", id="a"),
    tool_call("get-ship", id="a", view="full"),
    tool_call("get-ship", view="full", id="a"),
    tool_call("get-ship", id="a", view=None),
    tool_call("get-ship", id="a b/c?"),
    tool_call("get-ship", id=".."),
    tool_call("get-ship", id=""),
    tool_call("get-ship", id="\ud800"),
    tool_call("get-ship", id=7),
    tool_call("get-ship", id=["a"]),
    tool_call("get-ship"),
    tool_call("get-ship", id="a", other="b"),
    tool_call("get-kind", id="tug"),
    tool_call("get-kind", id="ship"),
    tool_call("get-berth", dock="a", number=7),
    tool_call("get-berth", dock="a", number="7"),
    tool_call("note", body={"text": "a"}),
    tool_call("note", body="text"),
    tool_call("moor", id="a"),
    tool_call("no-tool", id="a"),
    rpc("tools/list", "2026-07-28"),
    rpc("tools/list", "2025-06-18"),
    rpc("tools/list", "2026-07-28", cursor="9"),
    rpc("tools/list", "2026-07-28").replace(b"/mcp ", b"/mcp?include=get-* "),
    rpc("server/discover", "2026-07-28"),
    rpc("ping", "2025-11-25"),
    rpc("prompts/list", "2025-11-25"),
    tool_call("get-ship", "2026-07-28", b"origin: https://evil.example", id="a"),
    tool_call("get-ship", "2026-07-28", b"mcp-name: other", id="a"),
    tool_call("get-ship", "1999-01-01", id="a"),
    tool_call("get-ship", id="a").replace(b"/mcp ", b"/mcp?include=get-* "),
    tool_call("get-ship", id="a").replace(b"/mcp ", b"/mcp?include=nothing "),
    tool_call("get-ship", id="a").replace(b'"jsonrpc"', b'"jsonRPC"'),
]


@pytest.mark.parametrize("sent", CALLS, ids=lambda sent: sent[-160:].decode("latin-1"))
async def test_a_call_is_the_same_upstream_whether_somebody_waits_or_not(sent: bytes) -> None:
    answers = []
    for waits in (True, False):
        async with gateway(echo, waits=waits, port=9090) as one:
            for _ in range(3):  # what is asked for again is not made again
                await one.ask(sent)
                head, body = await one.answer()
                answers.append((sorted(head.split(b"\r\n")), body))
            await one.ask(tool_call("get-ship", id="b"))
            assert b"GET /api/ships/b HTTP/1.1" in (await one.answer())[1]

    assert answers == [answers[0]] * 6


AWS = "{type: aws-sig-v4, accessKeyId: a, secretKey: b, region: c, service: d}"
OAUTH1 = "{type: oauth1, consumerKey: a, consumerSecret: b}"


@pytest.mark.parametrize("authentication", [AWS, OAUTH1])
@pytest.mark.parametrize("port", [8080, 9090])
async def test_every_request_has_a_signature_of_its_own(authentication: str, port: int) -> None:
    async with gateway(echo, authentication=authentication, port=port) as one:
        signatures = set()
        for name in ("a", "b", "c", "d"):
            await one.ask(tool_call("get-ship", id=name) if port == 9090 else request(f"/ships/{name}".encode()))
            found = re.search(rb"ignature=[^\r]*", (await one.answer())[1])
            assert found
            signatures.add(found[0])

    assert len(signatures) == 4


TEXTS = st.text("ab.-_~%/\\ \n?#&+\u00e9", min_size=1, max_size=4) | st.text(min_size=1, max_size=8)


@settings(max_examples=20, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=8))
def test_any_text_of_a_path_is_the_same_upstream_whether_somebody_waits_or_not(texts: list[str]) -> None:
    targets = ["/ships/" + "".join(f"%{byte:02x}" for byte in text.encode(errors="replace")) for text in texts]

    async def answers(*, waits: bool) -> list[tuple[bytes, bytes]]:
        async with gateway(echo, waits=waits) as one:
            found = []
            for target in targets:
                await one.ask(request(target.encode()))
                found.append(await one.answer())
            return found

    assert asyncio.run(answers(waits=True)) == asyncio.run(answers(waits=False))


VALUES = TEXTS | st.none() | st.integers() | st.lists(TEXTS, max_size=2)
ARGUMENTS = st.dictionaries(st.sampled_from(["id", "view", "ID", "other"]), VALUES, max_size=3)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["get-ship", "name-ship", "moor"]), ARGUMENTS), min_size=1, max_size=6))
def test_any_arguments_are_the_same_upstream_whether_somebody_waits_or_not(
    calls: list[tuple[str, dict[str, Any]]],
) -> None:
    async def answers(*, waits: bool) -> list[tuple[bytes, bytes]]:
        async with gateway(echo, waits=waits, port=9090) as one:
            found = []
            for tool, arguments in calls:
                for _ in range(3):
                    await one.ask(tool_call(tool, **arguments))
                    found.append(await one.answer())
            return found

    assert asyncio.run(answers(waits=True)) == asyncio.run(answers(waits=False))
