"""The short way of plain MCP requests: whatever is asked, it and the SDK answer the same."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fairlead.errors import CallError, Unconfigured, UpstreamFailed
from fairlead.exposes.hotpath import Call, recognised
from fairlead.exposes.toolbox import ToolEndpoint
from fairlead.exposes.tools import McpEndpoint
from fairlead.listeners import arrange
from fairlead.operation import NOTHING, Forwarded, Operation
from fairlead.response import Arguments, Bytes, Result
from fairlead.settings import Settings
from serving.world import BATCHES, Exchange, Pairs, document

HANDSHAKE = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
NEWEST = "2026-07-28"
REVISIONS = (None, *HANDSHAKE, NEWEST)
VERSION, CAPABILITIES, INFO = (
    f"io.modelcontextprotocol/{key}" for key in ("protocolVersion", "clientCapabilities", "clientInfo")
)
OK = Result(200, (("content-type", "application/json"),), Bytes(b'{"data": [], "next": null}'))


@dataclass
class Scripted:
    """What an operation does here: notes the arguments and gives or raises what it was told to."""

    outcome: Result | Exception = OK
    got: list[Arguments] = field(default_factory=list)

    async def __call__(self, arguments: Arguments, forwarded: Forwarded = NOTHING) -> Result:
        self.got.append(arguments)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


@dataclass(frozen=True)
class Twins:
    """Two endpoints with the same tools, of which one sends every request to the SDK."""

    portal: BlockingPortal
    run: Scripted
    hot: McpEndpoint
    plain: McpEndpoint

    def same(self, headers: Pairs, body: bytes, outcome: Result | Exception = OK) -> Any:
        """The answer to a request, which both must give, after the same calls."""
        one, other = (self._answer(endpoint, headers, body, outcome) for endpoint in (self.hot, self.plain))
        assert one == other
        return one[2]

    def _answer(self, endpoint: McpEndpoint, headers: Pairs, body: bytes, outcome: Result | Exception) -> Any:
        self.run.outcome = outcome
        self.run.got.clear()
        got = self.portal.call(Exchange(endpoint, b"/mcp", "POST", headers, body).run)
        sent = dict(got.sent[0]["headers"])
        assert len(sent) == len(got.sent[0]["headers"])
        assert sent.pop(b"content-length") == str(len(got.text)).encode()
        return got.status, sent, strictly(got.text), repr(self.run.got)


def strictly(body: bytes) -> str:
    """A body with all that is in it, but for the order of members; 1 is not 1.0."""
    return repr(sorted_deeply(json.loads(body)) if body.startswith(b"{") else body)


def sorted_deeply(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: sorted_deeply(value[key]) for key in sorted(value)}
    return [sorted_deeply(one) for one in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def twins() -> Iterator[Twins]:
    with start_blocking_portal("asyncio") as portal, portal.wrap_async_context_manager(_twins(portal)) as both:
        yield both


@asynccontextmanager
async def _twins(portal: BlockingPortal) -> AsyncIterator[Twins]:
    run = Scripted()
    tools = tuple(_tools(run))
    hot, plain = (McpEndpoint("fairlead", "Be kind", tools, 1_000_000, hot=hot) for hot in (True, False))
    async with hot.running(), plain.running():
        yield Twins(portal, run, hot, plain)


def _tools(run: Scripted) -> Iterator[ToolEndpoint]:
    listeners, _ = arrange([document(BATCHES)], Settings())
    for listener in listeners:
        for one in tuple(listener.tool_sets())[-1].tools if listener.tools else ():
            exposed = one.tool.exposed
            yield ToolEndpoint(one.name, one.tool, Operation(one.name, "", exposed.inputs, run))


Json = Any


def request(method: str, params: Json, version: str | None = NEWEST) -> dict[str, Json]:
    """A plain request as clients of the revision send it."""
    if version == NEWEST:
        params = {**params, "_meta": {VERSION: NEWEST, CAPABILITIES: {}, INFO: {"name": "test", "version": "1"}}}
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


def headers(body: dict[str, Json], version: str | None = NEWEST) -> Pairs:
    """What goes with it."""
    usual: Pairs = (("content-type", "application/json"), ("accept", "application/json, text/event-stream"))
    if version:
        usual = (*usual, ("mcp-protocol-version", version))
    if version == NEWEST:
        usual = (*usual, ("mcp-method", body["method"]))
        if "name" in body["params"]:
            usual = (*usual, ("mcp-name", body["params"]["name"]))
    return usual


GET = {"name": "get-batch-job", "arguments": {"id": "b-1"}}
PLAIN = [("tools/call", GET), ("tools/call", {"name": "list-batch-jobs"}), ("tools/list", {}), ("ping", {})]


@pytest.mark.parametrize("version", REVISIONS)
@pytest.mark.parametrize(("method", "params"), [*PLAIN, ("server/discover", {})])
def test_plain_requests_are_recognised_and_answered_as_the_sdk_does(
    twins: Twins, method: str, params: Json, version: str | None
) -> None:
    body = request(method, params, version)
    pairs = [(name.encode(), value.encode()) for name, value in headers(body, version)]
    plain = recognised(pairs, json.dumps(body).encode())

    assert (plain is None) == (method == ("ping" if version == NEWEST else "server/discover"))
    assert plain is None or isinstance(plain.request, Call) == (method == "tools/call")
    for number in range(3):
        twins.same(headers(body, version), json.dumps({**body, "id": number}).encode())


def test_tools_are_listed_in_pages_both_ways(twins: Twins) -> None:
    for version in REVISIONS:
        for cursor in ("0", "", "500", "one", None, 0, "0"):
            body = request("tools/list", {"cursor": cursor}, version)
            twins.same(headers(body, version), json.dumps(body).encode())


# Values, half of them such that some parser or some type may stumble.

odd: st.SearchStrategy[Any] = st.sampled_from(
    [
        None,
        True,
        False,
        0,
        -1,
        1.0,
        5.5,
        2**31,
        2**63,
        2**64,
        -(2**63) - 1,
        10**30,
        10**4000,
        10**4200,
        1e16,
        1e300,
        float("nan"),
        float("inf"),
        "",
        "0",
        "\ud800",
        "\udfff\ud800",
        "\u2028",
        "é😀",
        "\x00",
        [],
        {},
        [[]],
        {"": ""},
    ]
)
values = st.recursive(
    odd | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(["list-batch-jobs", "create-batch-job", "get-batch-job", "cancel-batch-job", "other", "é", ""])
arguments = st.fixed_dictionaries({}, optional={"id": values | st.just("b-1"), "body": values, "other": values})
calls: st.SearchStrategy[Any] = st.fixed_dictionaries({"name": names}, optional={"arguments": arguments | values})
ids = st.sampled_from([0, 1, -7, 2**53, 2**63 - 1, "a", "", "1", "é"]) | values
metas = st.fixed_dictionaries(
    {VERSION: st.sampled_from([NEWEST, NEWEST, "2025-11-25", 7]), CAPABILITIES: st.just({}) | values},
    optional={
        INFO: st.sampled_from([{"name": "n", "version": "v"}, {"name": "n"}, None, {"name": 1, "version": []}]),
        "progressToken": st.sampled_from([1, "token", 1.5, None, {}]),
        "com.example/own": values,
        "io.modelcontextprotocol/logLevel": st.sampled_from(["debug", "loud"]),
    },
)


def dumped(value: Json) -> bytes:
    return json.dumps(value).encode()


def indented(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode(errors="replace")


@st.composite
def requests(draw: st.DrawFn) -> tuple[Pairs, bytes]:
    """Requests that are plain, or nearly so: up to two members or headers differ from what they should be."""
    version = draw(st.sampled_from(REVISIONS))
    method, params = draw(st.tuples(st.just("tools/call"), calls) | st.sampled_from([*PLAIN, ("server/discover", {})]))
    body = request(method, params, version)
    pairs = headers(body, version)
    body["id"] = draw(ids)
    if draw(st.booleans()):
        body["params"] = {**body["params"], "_meta": draw(metas)}
    for _ in range(draw(st.integers(0, 2))):
        pairs, body = draw(_bent(pairs, body))
    return pairs, dumped(body)


def _bent(pairs: Pairs, body: dict[str, Json]) -> st.SearchStrategy[tuple[Pairs, dict[str, Json]]]:
    members = ["jsonrpc", "id", "method", "params", "other", "result"]
    inner = ["name", "arguments", "_meta", "cursor", "task", "requestState", "inputResponses"]
    methods = ["tools/call", "tools/list", "ping", "initialize", "notifications/cancelled", "resources/read", ""]
    changed = st.builds(lambda key, value: {**body, key: value}, st.sampled_from(members), values)
    renamed = st.builds(lambda method: {**body, "method": method}, st.sampled_from(methods))
    dropped = st.builds(lambda key: {k: v for k, v in body.items() if k != key}, st.sampled_from(members))
    given = body.get("params")
    params: dict[str, Json] = given if isinstance(given, dict) else {}
    within = st.builds(lambda k, v: {**body, "params": {**params, k: v}}, st.sampled_from(inner), values)
    headed = st.builds(
        lambda at, pair: (*pairs[:at], pair, *pairs[at + 1 :]), st.integers(0, len(pairs)), st.sampled_from(HEADERS)
    )
    added = st.builds(lambda pair: (*pairs, pair), st.sampled_from(HEADERS))
    bodies = st.tuples(st.just(pairs), changed | renamed | dropped | within)
    return bodies | st.tuples(headed | added, st.just(body))


HEADERS: Pairs = (
    ("content-type", "application/json; charset=utf-8"),
    ("content-type", "text/plain"),
    ("content-type", "application/jsonx"),
    ("content-type", "APPLICATION/JSON"),
    ("accept", "*/*"),
    ("accept", "text/event-stream"),
    ("accept", "application/json;q=0"),
    ("accept", ""),
    ("mcp-protocol-version", "2025-06-18"),
    ("mcp-protocol-version", NEWEST),
    ("mcp-protocol-version", "2027-01-01"),
    ("mcp-protocol-version", ""),
    ("mcp-method", "tools/call"),
    ("mcp-method", "tools/list"),
    ("mcp-name", "get-batch-job"),
    ("mcp-name", "=?base64?Z2V0LWJhdGNoLWpvYg==?="),
    ("mcp-name", "list-batch-jobs "),
    ("mcp-param-id", "b-1"),
    ("mcp-session-id", "abc"),
    ("mcp-unheard-of", "1"),
    ("last-event-id", "1"),
    ("x-other", "1"),
    ("content-encoding", "gzip"),
)

many = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@many
@given(requests())
def test_requests_of_all_kinds_are_answered_as_the_sdk_does(twins: Twins, asked: tuple[Pairs, bytes]) -> None:
    twins.same(*asked)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"id": 1', b'"id": 1, "id": 2'),
        (b'"method": "tools/call"', b'"method": "tools/list", "method": "tools/call"'),
        (b'"method": "tools/call"', b'"method": "tools/call", "method": "tools/list"'),
        (b'"name": ', b'"name": "list-batch-jobs", "name": '),
        (b'"id": "b-1"', b'"id": "b-1", "id": "b-2"'),
        (b'"id": "b-1"', b'"id": "\\ud83d\\ude00"'),
        (b'"id": "b-1"', b'"id": "\\ud83d"'),
        (b'"id": "b-1"', b'"id": "\xff"'),
        (b'"id": "b-1"', b'"id": "\t"'),
        (b'"id": "b-1"', b'"id": 1e999'),
        (b'"id": "b-1"', b'"id": -0'),
        (b'"id": "b-1"', b'"id": -' + b"1" * 4300),
        (b'"id": "b-1"', b'"id": ' + b"[" * 150 + b"]" * 150),
        (b'"id": "b-1"', b'"id": ' + b"[" * 400 + b"]" * 400),
        (b'"id": "b-1"', b'"id": ' + b"[" * 5000),
        (b'{"id": "b-1"}', b'{"id": "b-1",}'),
        (b'{"jsonrpc"', b'\xef\xbb\xbf{"jsonrpc"'),
        (b'{"jsonrpc"', b' \n{"jsonrpc"'),
        (b'{"jsonrpc"', b'[{"jsonrpc"'),
        (b'"2.0"', b'"2.0" // a comment\n'),
        (b'"2.0"', b'"\\u0032.0"'),
        (b'"jsonrpc"', b'"\\u006asonrpc"'),
        (b'"2.0"', b"2.0"),
    ],
)
def test_texts_that_parsers_may_read_in_different_ways_are_answered_as_the_sdk_does(
    twins: Twins, before: bytes, after: bytes
) -> None:
    for version in REVISIONS:
        body = request("tools/call", GET, version)

        assert before in dumped(body)
        twins.same(headers(body, version), dumped(body).replace(before, after, 1))


@many
@given(st.data())
def test_bytes_that_are_broken_are_answered_as_the_sdk_does(twins: Twins, data: st.DataObject) -> None:
    version = data.draw(st.sampled_from(REVISIONS))
    body = request("tools/call", GET, version)
    text = dumped(body)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(start + 3, len(text))))

    twins.same(headers(body, version), text[:start] + data.draw(st.binary(max_size=3)) + text[end:])


media = st.sampled_from(
    [
        "application/json",
        "",
        "text/plain; charset=latin-1",
        "text/plain; charset=utf-7",
        "application/json; charset=x",
        "image/png",
        "audio/wav",
        "video/mp4",
        "application/zip",
        "application/json; charset=utf-16",
        "é",
    ]
)
texts = st.sampled_from(
    [
        b"",
        b"null",
        b"[1, 2]",
        b'"word"',
        b"7",
        b"true",
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b'{"a": 1, "a": 2}',
        b"{",
        b'{"a": "\\ud800"}',
        b'{"a": -0, "b": 1.0, "c": 1e16, "d": 0.1}',
        b"\x89PNG\xff",
        "é😀\u2028".encode(),
        b" {} ",
        b'{"a": ' + b"9" * 4300 + b"}",
        b'{"a": -' + b"9" * 4300 + b"}",
        b'{"a": ' + b"9" * 4301 + b"}",
        b"+AGE-+2AA-",
        b'{"a": ' + b"[" * 150 + b"]" * 150 + b"}",
        b"[" * 100_000,
        b'\xef\xbb\xbf{"a": 1}',
        b"\xff\xfe{\x00}\x00",
    ]
)
results = st.builds(
    lambda status, kind, body: Result(status, (("content-type", kind),) if kind else (), Bytes(body)),
    st.sampled_from([200, 200, 201, 204, 299, 301, 400, 404, 429, 500, 503, 599]),
    media,
    texts
    | st.binary(max_size=20)
    | values.map(dumped)
    | values.map(lambda value: json.dumps(value, indent=1).encode()),
)
failures = st.sampled_from(
    [
        CallError("é \u2028 'x'", {"errors": [{"argument": "a", "value": 10**30}], "none": None}),
        UpstreamFailed("no connection"),
        Unconfigured("TOKEN is not set"),
        ValueError("secret detail"),
    ]
)


@many
@given(results | failures, st.sampled_from(REVISIONS))
@example(Result(200, (("content-type", "text/plain; charset=utf-7"),), Bytes(b"+2AA-")), NEWEST)
def test_results_of_all_kinds_are_told_as_the_sdk_does(
    twins: Twins, outcome: Result | Exception, version: str | None
) -> None:
    body = request("tools/call", GET, version)

    told = twins.same(headers(body, version), dumped(body), outcome)

    assert "secret detail" not in told


def test_an_answer_that_is_nested_too_deeply_for_the_sdk_keeps_its_structure_the_short_way(twins: Twins) -> None:
    for depth in (300, 900, *range(940, 1000)):
        body = request("tools/call", GET)
        outcome = Result(OK.status, OK.headers, Bytes(b'{"a":' + b"[" * depth + b"]" * depth + b"}"))
        twins.run.outcome = outcome
        long, short = (
            twins.portal.call(Exchange(one, b"/mcp", "POST", headers(body), dumped(body)).run)
            for one in (twins.plain, twins.hot)
        )
        assert (long.status, short.status) == (200, 200)
        assert json.loads(long.text)["result"]["isError"] is False
        assert (b"structuredContent" in short.text) >= (b"structuredContent" in long.text)


@pytest.mark.parametrize("version", REVISIONS)
def test_arguments_that_hold_half_a_character_are_refused_in_whole_ones(twins: Twins, version: str | None) -> None:
    body = request("tools/call", {"name": "get-batch-job", "arguments": {"id": "a", "\ud800": 1}}, version)

    told = twins.same(headers(body, version), dumped(body))

    assert ("'argument': '?'" in told) == (version == NEWEST)
