"""Forwards: all requests below a path go on to an API, and none can leave its place there."""

from collections.abc import AsyncIterator

import httpx
import pytest

from fairlead.exposes.request import Reading
from fairlead.listeners import arrange
from fairlead.load import loads
from fairlead.settings import Settings
from serving.world import Exchange, Pairs, Reply, Sent, Upstream, World, world

pytestmark = pytest.mark.anyio

SHIPS = """\
naftiko: 1.0.0-alpha2
info: {label: Ships}
binds: [{namespace: env, keys: {KEY: GROQ_API_KEY}}]
capability:
  consumes:
  - namespace: registry
    baseUri: https://registry.example/v2
    inputParameters:
    - {name: X-Version, in: header, value: '3'}
    - {name: tenant, in: query, value: north}
    - {name: page, in: query}
    authentication: {type: apikey, key: X-Key, value: '{{env.KEY}}'}
    resources:
    - {path: /ships, operations: [{name: list-ships}]}
  exposes:
  - type: rest
    namespace: ships
    resources:
    - path: PATH
      forward: {targetNamespace: registry, trustedHeaders: [X-Trace, X-Key, X-Version, TRUSTED]}
      OPERATIONS
"""


def ships(path: str = "/registry/{path}", operations: str = "", trusted: str = "X-More") -> str:
    return SHIPS.replace("PATH", path).replace("OPERATIONS", operations).replace("TRUSTED", trusted)


async def exchange(one: World, target: str, method: str = "GET", headers: Pairs = ()) -> Exchange:
    return await Exchange(one.apps[8080], target.encode(), method, headers).run()


@pytest.mark.parametrize("path", ["/registry/{path}", "/registry/{path+}", "/registry/{{path}}", "registry/{anything}"])
async def test_the_rest_of_the_path_and_the_query_go_on_as_they_came(path: str) -> None:
    async with world(ships(path), upstream=(upstream := Upstream())) as one:
        answer = await exchange(one, "/registry/ships/a%2Fb/crew;v=1//x?page=2&q=a%20b&q=%C3%A9&flag")

    url = "https://registry.example/v2/ships/a%2Fb/crew;v=1//x?page=2&q=a%20b&q=%C3%A9&flag&tenant=north"
    assert (answer.status, upstream.only.url) == (200, url)
    assert upstream.only.header("x-version") == "3"
    assert upstream.only.header("x-key") == "groq-secret"


@pytest.mark.parametrize(
    ("target", "url"),
    [
        ("/registry/", "https://registry.example/v2?tenant=north"),
        ("/registry/?page=1", "https://registry.example/v2?page=1&tenant=north"),
        ("/registry/ships/", "https://registry.example/v2/ships/?tenant=north"),
        ("/registry/%C3%A5l<x>", "https://registry.example/v2/%C3%A5l%3Cx%3E?tenant=north"),
        ("/registry/..x/.hidden/...", "https://registry.example/v2/..x/.hidden/...?tenant=north"),
    ],
)
async def test_the_url_is_below_the_base_uri(target: str, url: str) -> None:
    async with world(ships(), upstream=(upstream := Upstream())) as one:
        assert (await exchange(one, target)).status == 200

    assert upstream.only.url == url


async def test_a_path_without_a_placeholder_is_the_base_uri_itself() -> None:
    async with world(ships("/registry"), upstream=(upstream := Upstream())) as one:
        assert (await exchange(one, "/registry?page=2")).status == 200
        assert (await exchange(one, "/registry/ships")).status == 404

    assert upstream.only.url == "https://registry.example/v2?page=2&tenant=north"


@pytest.mark.parametrize(
    "rest",
    [
        "..",
        "../admin",
        "ships/../../admin",
        "ships/.",
        "%2e%2e/admin",
        "%2E./admin",
        "ships/..%2F..%2Fadmin",
        "ships%5c..%5cadmin",
        "..;x=1/admin",
        "%252e%252e/admin",
        "%25252e%25252e/admin",
        "%2525252525252e/admin",
        "ships%00",
        "ships%0d%0aHost:%20x",
    ],
)
async def test_no_path_leads_out_of_the_base_uri(rest: str) -> None:
    async with world(ships(), upstream=(upstream := Upstream())) as one:
        answer = await exchange(one, f"/registry/{rest}")

    assert (answer.status, upstream.got) == (400, [])


@pytest.mark.parametrize("query", ["tenant=south", "Tenant=south", "ten%61nt=x", "a=1;tenant=south"])
async def test_no_caller_sets_what_the_document_sets(query: str) -> None:
    async with world(ships(), upstream=(upstream := Upstream())) as one:
        answer = await exchange(one, f"/registry/ships?{query}")

    assert (answer.status, upstream.got) == (400, [])
    assert "is reserved" in answer.problem["detail"]


async def test_of_the_headers_those_pass_that_always_do_and_those_that_are_trusted() -> None:
    sent: Pairs = (
        ("accept", "text/csv"),
        ("authorization", "Bearer mine"),
        ("cookie", "session=mine"),
        ("x-trace", "1"),
        ("x-trace", "2"),
        ("x-more", "held back"),
        ("x-other", "other"),
        ("x-key", "mine"),
        ("x-version", "4"),
        ("content-type", "text/plain"),
        ("connection", "keep-alive, X-More"),
        ("te", "trailers"),
    )
    async with world(ships(), upstream=(upstream := Upstream())) as one:
        await exchange(one, "/registry/ships", headers=sent)

    names = {name for name, _ in upstream.only.headers}
    assert not names & {"authorization", "cookie", "x-more", "x-other", "content-type", "te"}
    assert upstream.only.header("accept") == "text/csv"
    assert upstream.only.header("x-trace") == "1, 2"
    assert (upstream.only.header("x-key"), upstream.only.header("x-version")) == ("groq-secret", "3")


async def test_credentials_of_callers_pass_where_they_are_trusted() -> None:
    trusted = ships(trusted="Authorization, Cookie, Accept")
    sent: Pairs = (("authorization", "Bearer mine"), ("cookie", "session=mine"), ("accept", "text/csv"))
    async with world(trusted, upstream=(upstream := Upstream())) as one:
        await exchange(one, "/registry/ships", headers=sent)

    assert {name: upstream.only.header(name) for name, _ in sent} == dict(sent)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "PROPFIND"])
async def test_any_method_goes_on(method: str) -> None:
    async with world(ships(), upstream=(upstream := Upstream(Reply(status=207)))) as one:
        answer = await exchange(one, "/registry/ships", method)

    assert (answer.status, upstream.only.method) == (207, method)
    assert answer.text == (b"" if method == "HEAD" else b"{}")


@pytest.mark.parametrize("method", ["TRACE", "CONNECT"])
async def test_but_none_that_would_show_the_credential(method: str) -> None:
    async with world(ships(), upstream=(upstream := Upstream())) as one:
        assert (await exchange(one, "/registry/ships", method)).status == 405

    assert upstream.got == []


async def test_answers_come_back_as_they_are() -> None:
    reply = Reply(302, b"moved", (("location", "https://elsewhere.example"), ("set-cookie", "a=b"), ("x-id", "7")))
    async with world(ships(), upstream=Upstream(reply)) as one:
        answer = await one.rest.get("/registry/ships")

    assert (answer.status_code, answer.content, answer.headers["x-id"]) == (302, b"moved", "7")
    assert "set-cookie" not in answer.headers


async def test_bodies_go_on_while_they_come_in() -> None:
    order: list[str] = []

    async def given() -> AsyncIterator[bytes]:
        for number in range(3):
            order.append(f"given {number}")
            yield b"%d" % number

    class Noting(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            assert isinstance(request.stream, httpx.AsyncByteStream)
            async for piece in request.stream:
                order.append(f"sent {piece.decode()}")  # noqa: PERF401 -- in the order of what happens
            order.append(f"{request.headers['content-type']} {request.headers['content-encoding']}")
            return httpx.Response(200, stream=httpx.ByteStream(b"{}"))

    headers = {"content-type": "application/json", "content-encoding": "zstd"}
    async with world(ships(), upstream=Noting(), settings=Settings(reading=Reading(body=1))) as one:
        answer = await one.rest.post("/registry/ships", content=given(), headers=headers)

    assert answer.status_code == 200
    pairs = ["given 0", "sent 0", "given 1", "sent 1", "given 2", "sent 2", "application/json zstd"]
    assert order == pairs


async def test_a_body_keeps_its_length() -> None:
    async with world(ships(), upstream=(upstream := Upstream())) as one:
        await one.rest.post("/registry/ships", content=b"{", headers={"content-type": "application/json"})

    assert (upstream.only.body, upstream.only.header("content-length")) == (b"{", "1")


async def test_operations_at_the_same_path_come_first() -> None:
    operations = "operations: [{method: GET, name: list, call: registry.list-ships}]"
    capability = ships("/registry", operations)
    async with world(capability, upstream=(upstream := Upstream())) as one:
        for method in ("GET", "HEAD", "POST"):
            await exchange(one, "/registry", method)
        described = (await one.rest.get("/openapi.json")).json()["paths"]["/registry"]

    base = "https://registry.example/v2"
    expected = [("GET", f"{base}/ships"), ("GET", f"{base}/ships"), ("POST", base)]
    assert [(sent.method, sent.url.partition("?")[0]) for sent in upstream.got] == expected
    assert described["get"]["operationId"] == "ships_list"
    assert described["post"]["summary"] == "Goes on to `registry`"


async def test_an_api_without_operations_can_be_forwarded_to() -> None:
    bare = """\
naftiko: 1.0.0-alpha2
capability:
  consumes: [{namespace: registry, baseUri: 'https://registry.example/'}]
  exposes:
  - {type: rest, namespace: r, resources: [{path: '/{path}', forward: {targetNamespace: registry}}]}
"""
    async with world(bare, upstream=(upstream := Upstream())) as one:
        await exchange(one, "/ships/1")
        assert (await one.rest.get("/health/live")).status_code == 200

    assert upstream.only == Sent("GET", "https://registry.example/ships/1", upstream.only.headers)


async def test_what_is_refused_says_why() -> None:
    async with world(ships().replace("targetNamespace: registry", "targetNamespace: registri")) as one:
        answer = await exchange(one, "/registry/ships")

    assert answer.status == 501
    assert "forward to unknown namespace 'registri'" in answer.problem["detail"]


async def test_the_forward_is_described() -> None:
    async with world(ships()) as one:
        described = (await one.rest.get("/openapi.json")).json()

    operation = described["paths"]["/registry/{path}"]["patch"]
    assert operation["operationId"] == "ships_forward_patch"
    assert [parameter["name"] for parameter in operation["parameters"]] == ["path"]
    assert set(operation["responses"]) == {"default", "400", "502", "503", "504"}


async def test_callers_of_an_adapter_with_authentication_have_to_show_theirs() -> None:
    demand = "    namespace: ships\n    authentication: {type: bearer, token: t}\n"
    guarded = ships().replace("    namespace: ships\n", demand)
    async with world(guarded, upstream=(upstream := Upstream())) as one:
        refused = await exchange(one, "/registry/ships")
        let_in = await exchange(one, "/registry/ships", headers=(("authorization", "Bearer t"),))

    assert (refused.status, let_in.status, len(upstream.got)) == (401, 200, 1)
    assert upstream.only.header("authorization") is None


def test_two_different_forwards_of_one_path_clash_and_two_alike_are_one() -> None:
    other = ships("/registry/{rest}").replace("registry.example", "other.example")
    documents = [loads(text, name) for text, name in ((ships(), "a.yaml"), (ships(), "b.yaml"), (other, "c.yaml"))]

    _, alike = arrange(documents[:2], Settings())
    (listener,), clashes = arrange(documents, Settings())

    assert [problem.message for problem in alike] == ["forward /registry/{path+} is the same as at a.yaml:20:16"]
    assert [problem.message for problem in clashes if problem.severity == "error"] == [
        "forward /registry/{rest+} clashes with another forward on port 8080"
    ]
    assert listener.forwards[0].target is None
