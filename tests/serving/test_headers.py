"""Which headers cross the gateway: towards the upstream a few, towards the caller all but some."""

from __future__ import annotations

import pytest

from fairlead import __version__
from serving.world import BATCHES, JSON, Exchange, Reply, Sent, Upstream, world

pytestmark = pytest.mark.anyio

PASSES_UP = (
    ("accept", "application/json, text/plain;q=0.5"),
    ("accept-encoding", "gzip, br"),
    ("accept-language", "de"),
    ("idempotency-key", "k-1"),
    ("if-match", '"1"'),
    ("if-modified-since", "Thu, 01 Jan 2026 00:00:00 GMT"),
    ("if-none-match", 'W/"1"'),
    ("if-range", '"1"'),
    ("if-unmodified-since", "Thu, 01 Jan 2026 00:00:00 GMT"),
    ("prefer", "respond-async"),
    ("range", "bytes=0-9"),
    ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ("tracestate", "a=1"),
)
STAYS_HERE = (
    *(("authorization", "Bearer x"), ("proxy-authorization", "Basic x"), ("cookie", "a=1"), ("cookie2", "a=1")),
    *(("x-api-key", "x"), ("api-key", "x"), ("x-auth-token", "x"), ("x-amz-security-token", "x")),
    *(("user-agent", "me"), ("referer", "x"), ("origin", "http://localhost"), ("from", "me@test")),
    *(("forwarded", "for=1"), ("x-forwarded-for", "1.2.3.4"), ("x-forwarded-host", "evil"), ("x-real-ip", "1.2.3.4")),
    *(("via", "1.1 x"), ("x-request-id", "x"), ("x-stainless-lang", "python"), ("baggage", "user=1"), ("dnt", "1")),
    *(("connection", "keep-alive"), ("keep-alive", "timeout=5"), ("te", "trailers"), ("trailer", "x")),
    *(("upgrade", "h2c"), ("expect", "100-continue"), ("x-http-method-override", "DELETE"), ("content-language", "de")),
    *(("x-original-url", "/admin"), ("sec-fetch-site", "none"), ("cache-control", "no-store"), ("pragma", "x")),
)
PASSES_DOWN = (
    *(("retry-after", "7"), ("x-ratelimit-limit-requests", "60"), ("x-ratelimit-remaining-tokens", "1")),
    *(("x-request-id", "r-1"), ("location", "https://api.together.ai/v1/batches/b-1"), ("link", '</2>; rel="next"')),
    *(("etag", 'W/"1"'), ("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT"), ("cache-control", "private")),
    *(("content-disposition", 'attachment; filename="m.bin"'), ("content-language", "de"), ("vary", "accept")),
    *(("content-range", "bytes 0-1/2"), ("accept-ranges", "bytes"), ("expires", "0"), ("age", "1"), ("via", "1.1 x")),
    *(("www-authenticate", "Bearer"), ("warning", '199 - "x"'), ("cf-ray", "x"), ("traceparent", "00-1-2-01")),
)
STAYS_THERE = (
    *(("set-cookie", "session=1; Path=/"), ("set-cookie", "other=2"), ("set-cookie2", "a=1")),
    *(("server", "nginx"), ("date", "Thu, 01 Jan 2026 00:00:00 GMT"), ("alt-svc", 'h3=":443"')),
    *(("strict-transport-security", "max-age=1"), ("public-key-pins", "x"), ("clear-site-data", '"*"')),
    *(("access-control-allow-origin", "*"), ("access-control-allow-credentials", "true")),
    *(("access-control-expose-headers", "x"), ("nel", "{}"), ("report-to", "{}")),
    *(("connection", "close, X-Internal"), ("keep-alive", "timeout=5"), ("x-internal", "secret"), ("upgrade", "h2c")),
    *(("connection", "X-Second"), ("x-second", "secret")),
    *(("proxy-authenticate", "Basic"), ("trailer", "x-sum"), ("te", "trailers"), ("proxy-connection", "close")),
)


def of_its_own(sent: Sent) -> list[tuple[str, str]]:
    """What is there besides what the gateway sends of its own accord."""
    own = {"host", "authorization", "user-agent", "accept", "accept-encoding", "connection", "content-length"}
    return [pair for pair in sent.headers if pair[0] not in own]


@pytest.mark.parametrize("header", PASSES_UP, ids=lambda header: header[0])
async def test_a_listed_header_of_the_caller_goes_upstream(header: tuple[str, str]) -> None:
    async with world(BATCHES, upstream=(upstream := Upstream())) as one:
        await Exchange(one.apps[8080], b"/v1/batches", headers=(header,)).run()

    assert header in upstream.only.headers


async def test_all_listed_headers_go_upstream_together_in_order_and_repeated() -> None:
    headers = (*PASSES_UP, ("accept", "*/*"))
    async with world(BATCHES, upstream=(upstream := Upstream())) as one:
        await Exchange(one.apps[8080], b"/v1/batches", headers=headers).run()

    passed = {name for name, _ in headers}
    assert [pair for pair in upstream.only.headers if pair[0] in passed] == list(headers)


async def test_no_other_header_of_the_caller_goes_upstream() -> None:
    async with world(BATCHES, upstream=(upstream := Upstream())) as one:
        answered = await Exchange(one.apps[8080], b"/v1/batches", headers=STAYS_HERE).run()

    sent = upstream.only
    assert (answered.status, of_its_own(sent)) == (200, [])
    assert [value for name, value in sent.headers if name == "authorization"] == ["Bearer together-secret"]
    assert sent.header("user-agent") == f"fairlead/{__version__}"


@pytest.mark.parametrize("header", PASSES_DOWN, ids=lambda header: header[0])
async def test_a_header_of_the_upstream_reaches_the_caller(header: tuple[str, str]) -> None:
    async with world(BATCHES, upstream=Upstream(Reply(200, b"{}", (JSON, header)))) as one:
        answered = await Exchange(one.apps[8080], b"/v1/batches").run()

    assert answered.sent[0]["headers"] == [(name.encode(), value.encode()) for name, value in (JSON, header)]


async def test_what_concerns_only_the_connection_or_the_origin_of_the_upstream_does_not() -> None:
    async with world(BATCHES, upstream=Upstream(Reply(200, b"{}", (JSON, *STAYS_THERE)))) as one:
        answered = await Exchange(one.apps[8080], b"/v1/batches").run()

    assert answered.sent[0]["headers"] == [(b"content-type", b"application/json")]


async def test_a_length_beside_a_transfer_encoding_is_not_relayed() -> None:
    framing = (("content-length", "7"), ("transfer-encoding", "chunked"))
    async with world(BATCHES, upstream=Upstream(Reply(200, b"{}", (JSON, *framing)))) as one:
        answered = await Exchange(one.apps[8080], b"/v1/batches").run()

    assert (answered.sent[0]["headers"], answered.text) == ([(b"content-type", b"application/json")], b"{}")


async def test_a_repeated_header_of_the_upstream_stays_repeated() -> None:
    headers = (JSON, ("link", "</2>"), ("vary", "accept"), ("link", "</3>"))
    async with world(BATCHES, upstream=Upstream(Reply(200, b"{}", headers))) as one:
        answered = await Exchange(one.apps[8080], b"/v1/batches").run()

    assert answered.sent[0]["headers"] == [(name.encode(), value.encode()) for name, value in headers]


async def test_a_cookie_of_one_answer_is_never_sent_with_a_later_request() -> None:
    upstream = Upstream(Reply(200, b"{}", (JSON, ("set-cookie", "session=of-the-upstream; Path=/"))))
    async with world(BATCHES, upstream=upstream) as one:
        for _ in range(2):
            await one.rest.get("/v1/batches")
            await one.call("list-batch-jobs")

    assert [sent.header("cookie") for sent in upstream.got] == [None] * 4


@pytest.mark.parametrize("value", ["caf\xe9", "\xff", "caf\xc3\xa9"])
async def test_bytes_beyond_ascii_in_a_header_pass_in_both_directions(value: str) -> None:
    upstream = Upstream(Reply(200, b"{}", (JSON, ("x-name", value))))
    async with world(BATCHES, upstream=upstream) as one:
        answered = await Exchange(one.apps[8080], b"/v1/batches", headers=(("prefer", value),)).run()

    assert (answered.status, upstream.only.header("prefer")) == (200, value)
    assert (b"x-name", value.encode("latin-1")) in answered.sent[0]["headers"]


async def test_a_header_in_utf_8_beyond_latin_1_reaches_the_caller_as_the_bytes_it_is() -> None:
    value = "→".encode().decode("latin-1")
    async with world(BATCHES, upstream=Upstream(Reply(200, b"{}", (JSON, ("x-name", value))))) as one:
        answered = await Exchange(one.apps[8080], b"/v1/batches").run()

    assert (answered.status, (b"x-name", "→".encode()) in answered.sent[0]["headers"]) == (200, True)


OWN = """
naftiko: 1.0.0-alpha2
capability:
  consumes:
  - {namespace: api, baseUri: 'https://api.test', resources: [{name: jobs, path: /jobs, operations: [
      {name: list, method: GET, inputParameters: [
        {name: User-Agent, in: header, value: jobs-app}, {name: Accept, in: header, value: text/csv}]}]}]}
  exposes:
  - {type: rest, namespace: jobs, resources: [{path: /jobs, operations: [{method: GET, call: api.list}]}]}
"""


async def test_a_header_that_the_document_gives_wins_over_all_others() -> None:
    async with world(OWN, upstream=(upstream := Upstream())) as one:
        await one.rest.get("/jobs", headers={"accept": "text/html", "user-agent": "mine"})

    sent = upstream.only
    assert (sent.header("user-agent"), sent.header("accept")) == ("jobs-app", "text/csv")


FORBIDDEN = """
naftiko: 1.0.0-alpha2
capability:
  consumes:
  - {namespace: api, baseUri: 'https://api.test', resources: [{name: jobs, path: /jobs, operations: [
      {name: list, method: GET, inputParameters: [
        {name: Authorization, in: header}, {name: Cookie, in: header}, {name: Host, in: header},
        {name: Transfer-Encoding, in: header}, {name: X-Org, in: header}]}]}]}
  exposes:
  - {type: mcp, namespace: jobs, tools: [{name: list, call: api.list}]}
"""


async def test_a_document_cannot_open_the_way_for_forbidden_headers() -> None:
    async with world(FORBIDDEN, upstream=(upstream := Upstream())) as one:
        (tool,) = (await one.rpc("tools/list", {}))["result"]["tools"]
        refused = await one.call("list", {"Authorization": "Bearer mine"})
        await one.call("list", {"X-Org": "mine"})

    assert list(tool["inputSchema"]["properties"]) == ["X-Org"]
    assert refused["isError"]
    assert of_its_own(upstream.only) == [("x-org", "mine")]


@pytest.mark.parametrize("value", ["a\r\nAuthorization: x", "a\nb", "a\x00", "\u2028", "日本"])
async def test_a_header_argument_that_no_header_can_hold_is_refused(value: str) -> None:
    async with world(FORBIDDEN, upstream=(upstream := Upstream())) as one:
        result = await one.call("list", {"X-Org": value})

    detail = "argument 'X-Org' holds characters that a header cannot"
    assert (result["isError"], result["structuredContent"]["detail"], upstream.got) == (True, detail, [])


async def test_a_header_argument_may_hold_latin_1() -> None:
    async with world(FORBIDDEN, upstream=(upstream := Upstream())) as one:
        await one.call("list", {"X-Org": "café"})

    assert upstream.only.header("x-org") == "café"
