"""OAuth 2 client credentials: an authorization server in ASGI, and what it and the API get to see."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote_plus

import anyio
import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Host, Mount, Route

from fairlead.auth.tokens import Token, Tokens
from fairlead.errors import UpstreamFailed
from serving.world import Reply, Sent, Upstream, document, world

pytestmark = pytest.mark.anyio

API = """
naftiko: 1.0.0-alpha2
info: {label: Jobs}
capability:
  consumes:
  - namespace: api
    baseUri: https://api.test
    authentication: {type: oauth2, clientId: '{{ID}}', clientSecret: '{{SECRET}}', MORE}
    resources: [{name: jobs, path: /jobs, operations: [
      {name: list, method: GET}, {name: add, method: POST, inputParameters: [{name: body, in: body, type: object}]}]}]
  exposes:
  - {type: rest, namespace: rest, resources: [{path: /jobs, operations: [
      {method: GET, call: api.list}, {method: POST, call: api.add}]}]}
  - {type: mcp, namespace: mcp, tools: [{name: list, call: api.list}]}
"""
ENVIRON = {"ID": SecretStr("client id:1"), "SECRET": SecretStr("canary/+ %")}
ENDPOINT = "tokenUri: 'https://auth.test/token'"


def api(more: str = ENDPOINT) -> str:
    return API.replace("MORE", more)


@dataclass
class Authority:
    """Gives tokens that work until they are revoked, to the one client it knows; and the API behind it."""

    tokens: list[str] = field(default_factory=list)
    grants: list[dict[str, list[str]]] = field(default_factory=list)
    revoked: set[str] = field(default_factory=set)
    paths: list[str] = field(default_factory=list)
    expires_in: int = 3600
    calls: int = 0

    def app(self) -> Starlette:
        authority = Starlette(routes=[Route("/token", self.token, methods=["POST"]), Route("/{rest:path}", self.meta)])
        resource = Starlette(routes=[Route("/jobs", self.jobs, methods=["GET", "POST"])])
        return Starlette(routes=[Host("auth.test", authority), Mount("/", resource)])

    async def token(self, request: Request) -> Response:
        form = parse_qs((await request.body()).decode(), strict_parsing=True)
        if basic := request.headers.get("authorization", ""):
            pair = b64decode(basic.removeprefix("Basic ")).decode().split(":")
            client = [unquote_plus(part) for part in pair]
        else:
            client = [*form.pop("client_id"), *form.pop("client_secret")]
        if client != ["client id:1", "canary/+ %"]:
            return JSONResponse({"error": "invalid_client", "error_description": "canary"}, 401)
        self.grants.append({"how": ["basic" if basic else "post"], **form})
        self.tokens.append(f"token-{len(self.tokens) + 1}")
        await anyio.lowlevel.checkpoint()
        answer = {"access_token": self.tokens[-1], "token_type": "bearer", "expires_in": self.expires_in}
        return JSONResponse(answer, headers={"cache-control": "no-store"})

    async def meta(self, request: Request) -> Response:
        self.paths.append(request.url.path)
        if not request.url.path.endswith("openid-configuration"):
            return Response("nothing", 404)
        return JSONResponse({"issuer": "https://auth.test/realm", "token_endpoint": "https://auth.test/token"})

    async def jobs(self, request: Request) -> Response:
        self.calls += 1
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.tokens or token in self.revoked:
            return JSONResponse({"error": "invalid_token"}, 401)
        return JSONResponse({"token": token})


def transport(authority: Authority) -> httpx.AsyncBaseTransport:
    return httpx.ASGITransport(authority.app())


@pytest.mark.parametrize(
    ("more", "grant"),
    [
        (ENDPOINT, {"how": ["basic"]}),
        ("tokenUrl: 'https://auth.test/token', scope: a b", {"how": ["basic"], "scope": ["a b"]}),
        (
            "tokenEndpoint: 'https://{{ns.HOST}}/token', scopes: [a, b], clientAuthentication: client_secret_post",
            {"how": ["post"], "scope": ["a b"]},
        ),
        (
            f"{ENDPOINT}, audience: 'https://api.test', resource: 'urn:r'",
            {"how": ["basic"], "audience": ["https://api.test"], "resource": ["urn:r"]},
        ),
        ("authorizationServerUri: 'https://auth.test/realm'", {"how": ["basic"]}),
    ],
)
async def test_a_token_is_asked_for_as_the_file_says(more: str, grant: dict[str, list[str]]) -> None:
    authority = Authority()
    environ = {**ENVIRON, "HOST": SecretStr("auth.test")}
    async with world(api(more), upstream=transport(authority), environ=environ) as one:
        answered = await one.rest.get("/jobs")

    assert (answered.status_code, answered.text) == (200, '{"token":"token-1"}')
    assert authority.grants == [{"grant_type": ["client_credentials"], **grant}]


async def test_the_metadata_is_looked_for_where_specifications_and_servers_put_it() -> None:
    authority = Authority()
    issuer = "authorizationServerUri: 'https://auth.test/realm'"
    async with world(api(issuer), upstream=transport(authority), environ=ENVIRON) as one:
        await one.rest.get("/jobs")

    assert authority.paths == [
        "/.well-known/oauth-authorization-server/realm",
        "/realm/.well-known/oauth-authorization-server",
        "/realm/.well-known/openid-configuration",
    ]


async def test_calls_of_all_operations_at_once_share_one_token() -> None:
    authority = Authority()
    async with world(api(), upstream=transport(authority), environ=ENVIRON) as one:
        answers: list[int] = []

        async def get() -> None:
            answers.append((await one.rest.get("/jobs")).status_code)

        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(get)
        await one.rest.post("/jobs", json={})
        await one.call("list")

    assert (answers, authority.tokens, authority.calls) == ([200] * 10, ["token-1"], 12)


async def test_a_token_that_is_refused_is_replaced_once_where_the_request_may_be_repeated() -> None:
    authority = Authority()
    async with world(api(), upstream=transport(authority), environ=ENVIRON) as one:
        await one.rest.get("/jobs")
        authority.revoked = {"token-1"}
        again = await one.rest.get("/jobs")
        authority.revoked |= {"token-2", "token-3"}
        refused = await one.rest.get("/jobs")

    assert (again.json(), refused.status_code) == ({"token": "token-2"}, 401)
    assert (authority.tokens, authority.calls) == (["token-1", "token-2", "token-3"], 5)


async def test_a_request_that_may_not_be_repeated_is_not_and_the_next_has_a_new_token() -> None:
    authority = Authority()
    async with world(api(), upstream=transport(authority), environ=ENVIRON) as one:
        await one.rest.get("/jobs")
        authority.revoked = {"token-1"}
        answers = [await one.rest.post("/jobs", json={}) for _ in range(2)]

    assert [answered.status_code for answered in answers] == [401, 200]
    assert authority.calls == 3


@pytest.mark.parametrize(("lifetime", "kept"), [(3600.0, 3539.0), (60.0, 29.0)])
async def test_a_token_is_used_until_shortly_before_it_expires(lifetime: float, kept: float) -> None:
    moment, fetched = 1000.0, 0

    async def grant() -> Token:
        nonlocal fetched
        fetched += 1
        return Token(f"token-{fetched}", lifetime)

    tokens = Tokens(grant, lambda: moment)
    first = await tokens.current()
    moment += kept
    second = await tokens.current()
    moment += 1
    third = await tokens.current()

    assert (first, second, third) == ("token-1", "token-1", "token-2")


async def test_a_token_that_could_not_be_had_is_asked_for_again() -> None:
    answers: Iterator[UpstreamFailed | Token] = iter([UpstreamFailed("x"), Token("token")])

    async def grant() -> Token:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    tokens = Tokens(grant)
    with pytest.raises(UpstreamFailed):
        await tokens.current()

    assert await tokens.current() == "token"


REPLIES = {
    "no access token could be had: the token endpoint answered 401 invalid_client": Reply(
        401, b'{"error": "invalid_client", "error_description": "canary"}'
    ),
    "no access token could be had: the token endpoint answered 400": Reply(400, b'{"error": "canary"}'),
    "no access token could be had: the token endpoint answered 500": Reply(500, b"canary"),
    "no access token could be had: the token endpoint's answer has none": Reply(200, b'{"access_token": ["canary"]}'),
    "no access token could be had: the token endpoint gives tokens that are no bearer tokens": Reply(
        200, b'{"access_token": "canary", "token_type": "mac"}'
    ),
}


@pytest.mark.parametrize("detail", REPLIES)
async def test_why_no_token_could_be_had_is_told_without_secrets(detail: str) -> None:
    async with world(api(), upstream=(upstream := Upstream(REPLIES[detail])), environ=ENVIRON) as one:
        answered = await one.rest.get("/jobs")
        result = await one.call("list")

    assert (answered.status_code, answered.json()["detail"]) == (502, detail)
    assert result["structuredContent"] == answered.json()
    assert {sent.url for sent in upstream.got} == {"https://auth.test/token"}
    assert "canary" not in answered.text + json.dumps(result)


@pytest.mark.parametrize(
    ("error", "status", "detail"),
    [
        (httpx.ConnectError("canary"), 502, "cannot connect to the upstream"),
        (httpx.ReadTimeout("canary"), 504, "the upstream did not answer in time"),
        (httpx.PoolTimeout("canary"), 503, "all connections to upstreams are in use"),
    ],
)
async def test_a_token_endpoint_out_of_reach_is_told_as_such(error: Exception, status: int, detail: str) -> None:
    def answer(sent: Sent) -> Reply:
        raise error

    async with world(api(), upstream=Upstream(answer), environ=ENVIRON) as one:
        answered = await one.rest.get("/jobs")

    assert answered.status_code == status
    assert answered.json()["detail"] == f"no access token could be had: {detail}"


async def test_an_authority_without_metadata_is_told() -> None:
    source = api("authorizationServerUri: 'https://auth.test'")
    async with world(source, upstream=Upstream(Reply(200, b"[]")), environ=ENVIRON) as one:
        answered = await one.rest.get("/jobs")

    detail = "no access token could be had: the authorization server names no token endpoint"
    assert (answered.status_code, answered.json()["detail"]) == (502, detail)


def test_a_file_that_says_too_little_is_refused() -> None:
    problems = document(api("scopes: [a]")).problems

    message = "oauth2 needs `clientId`, `clientSecret`, and a `tokenUri` or `authorizationServerUri`"
    assert message in [problem.message for problem in problems]


async def test_a_missing_secret_is_told_before_anything_is_sent() -> None:
    async with world(api(), upstream=(upstream := Upstream()), environ={"ID": SecretStr("x")}) as one:
        answered = await one.rest.get("/jobs")

    assert (answered.status_code, answered.json()["variable"], upstream.got) == (503, "SECRET", [])
