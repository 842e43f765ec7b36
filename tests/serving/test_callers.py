"""How callers authenticate with a secret that they share with the gateway: basic, bearer and API keys."""

from __future__ import annotations

from base64 import b64encode

import httpx
import pytest
from pydantic import SecretStr

from serving.world import Exchange, Pairs, Reply, Sent, Upstream, world

pytestmark = pytest.mark.anyio

SHIPS = """
naftiko: 1.0.0-alpha2
info: {label: Ships}
binds: [{namespace: own, keys: {USER: USER, SECRET: SECRET}}]
capability:
  consumes:
  - namespace: api
    baseUri: https://api.test
    resources: [{name: ships, path: '/ships/{id}', operations: [
      {name: get, method: GET, inputParameters: [{name: X-Key, in: header}, {name: key, in: query}]},
      {name: put, method: PUT, inputParameters: [{name: body, in: body, type: object}]}]}]
  exposes:
  - {type: rest, namespace: rest, authentication: AUTH, resources: [{path: '/ships/{id}', operations: [
      {method: GET, call: api.get}, {method: PUT, call: api.put}]}]}
  - {type: mcp, namespace: mcp, authentication: AUTH, tools: [{name: get, call: api.get}]}
"""
ENVIRON = {"USER": SecretStr("Ännchen"), "SECRET": SecretStr("pass:wörd \n")}
CANARY = "pass:wörd"
BEARER = "{type: bearer, token: '{{own.SECRET}}'}"
BASIC = "{type: basic, username: '{{USER}}', password: '{{own.SECRET}}'}"
IN_HEADER = "{type: apikey, key: X-Key, value: '{{SECRET}}'}"
IN_QUERY = "{type: apikey, key: key, value: '{{SECRET}}', placement: query}"
IN_COOKIE = "{type: apikey, key: key, value: abc, in: cookie}"
SEVERAL = "{type: apikey, headers: {X-Key: abc, X-App: '{{SECRET}}'}}"


def ships(authentication: str) -> str:
    return SHIPS.replace("AUTH", authentication)


def basic(user: str, password: str) -> Pairs:
    return (("authorization", f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"),)


def latin(text: str) -> str:
    """UTF-8 bytes as the characters in which headers are given to a client here."""
    return text.encode().decode("latin-1")


RIGHT: list[tuple[str, bytes, Pairs]] = [
    (BEARER, b"", (("authorization", latin(f"Bearer {CANARY}")),)),
    (BEARER, b"", (("authorization", latin(f"bEARER   {CANARY}")),)),
    (BASIC, b"", basic("Ännchen", CANARY)),
    (BASIC.replace("{{USER}}", "x"), b"", basic("x", CANARY)),
    (IN_HEADER, b"", (("x-key", latin(CANARY)),)),
    (IN_QUERY, b"?key=pass%3aw%C3%B6rd", ()),
    (IN_COOKIE, b"", (("cookie", "a=1; key=abc; b=2"),)),
    (IN_COOKIE, b"", (("cookie", 'a=1;key="abc"'), ("cookie", "b=2"))),
    (SEVERAL, b"", (("x-key", "abc"), ("x-app", latin(CANARY)))),
]
WRONG: list[tuple[str, bytes, Pairs]] = [
    (BEARER, b"", ()),
    (BEARER, b"", (("authorization", ""),)),
    (BEARER, b"", (("authorization", "Bearer"),)),
    (BEARER, b"", (("authorization", "Bearer "),)),
    (BEARER, b"", (("authorization", latin(CANARY)),)),
    (BEARER, b"", (("authorization", "Bearer {{own.SECRET}}"),)),
    (BEARER, b"", (("authorization", latin(f"Bearer {CANARY} x")),)),
    (BEARER, b"", (("authorization", "Bearer " + "x" * 60_000),)),
    (BEARER, b"", (("authorization", latin(f"Bearer {CANARY}")),) * 2),
    (BEARER, b"", (("authorization", "Bearer x"), ("authorization", latin(f"Bearer {CANARY}")))),
    (BEARER, b"", basic("Bearer", CANARY)),
    (BASIC, b"", basic("Ännchen", "")),
    (BASIC, b"", basic("", CANARY)),
    (BASIC, b"", basic("Ännchen", CANARY + " ")),
    (BASIC, b"", (("authorization", "Basic ///not base64///"),)),
    (BASIC, b"", (("authorization", "Basic " + b64encode("Ännchen:pass:wörd".encode("latin-1")).decode()),)),
    (IN_HEADER, b"", (("x-key", ""),)),
    (IN_HEADER, b"", (("x-key", "{{SECRET}}"),)),
    (IN_HEADER, b"?X-Key=pass:w%C3%B6rd", ()),
    (IN_HEADER, b"", (("x-key", latin(CANARY)), ("x-key", latin(CANARY)))),
    (IN_QUERY, b"?key=", ()),
    (IN_QUERY, b"?key=x&key=pass:w%C3%B6rd", ()),
    (IN_QUERY, b"?KEY=pass:w%C3%B6rd", ()),
    (IN_QUERY, b"?key=%ff%fe", ()),
    (IN_COOKIE, b"", (("cookie", "key"),)),
    (IN_COOKIE, b"", (("cookie", "key=abc; key=abc"),)),
    (SEVERAL, b"", (("x-key", "abc"),)),
    (SEVERAL, b"", (("x-key", "abc"), ("x-app", "abc"))),
]
PATHS = [("GET", b"/ships/1"), ("PUT", b"/ships/1"), ("HEAD", b"/ships/1"), ("OPTIONS", b"/ships/1")]
PATHS += [("DELETE", b"/ships/1"), ("GET", b"/nothing"), ("GET", b"/docs"), ("GET", b"/openapi.json"), ("GET", b"/%ff")]
AGENTS = [("POST", b"/mcp"), ("POST", b"/mcp/mcp"), ("GET", b"/mcp"), ("POST", b"/mcp/mcp/"), ("POST", b"/mcp/nothing")]
AGENTS += [("GET", b"/docs"), ("POST", b"/m%63p"), ("DELETE", b"/mcp/mcp")]


@pytest.mark.parametrize(("authentication", "query", "headers"), RIGHT)
async def test_who_shows_the_credential_is_let_in_and_it_goes_no_further(
    authentication: str, query: bytes, headers: Pairs
) -> None:
    upstream = Upstream()
    async with world(ships(authentication), upstream=upstream, environ=ENVIRON) as one:
        got = await Exchange(one.apps[8080], b"/ships/1" + query, headers=headers).run()
        agent = await Exchange(one.apps[9090], b"/mcp/mcp" + query, "POST", headers, b"nonsense").run()

    assert (got.status, got.text) == (200, b"{}")
    assert agent.status not in (401, 403)
    assert upstream.only.url == "https://api.test/ships/1"
    names = {name for name, _ in upstream.only.headers}
    assert names.isdisjoint({"authorization", "cookie", "x-key", "x-app", "key"})


@pytest.mark.parametrize(("authentication", "query", "headers"), WRONG)
async def test_who_does_not_show_it_learns_nothing(authentication: str, query: bytes, headers: Pairs) -> None:
    upstream = Upstream()
    async with world(ships(authentication), upstream=upstream, environ=ENVIRON) as one:
        asked = [
            await Exchange(one.apps[port], path + query, method, headers).run()
            for port, paths in ((8080, PATHS), (9090, AGENTS))
            for method, path in paths
        ]

    assert [exchange.status for exchange in asked] == [401] * len(PATHS + AGENTS)
    assert {exchange.text for exchange in asked if exchange.method != "HEAD"} == {asked[0].text}
    assert asked[0].problem["type"] == "urn:fairlead:problem:unauthorized"
    assert all(b"www-authenticate" in dict(exchange.sent[0]["headers"]) for exchange in asked)
    assert upstream.got == []


@pytest.mark.parametrize(
    ("authentication", "headers", "challenge"),
    [
        (BEARER, (), 'Bearer realm="fairlead"'),
        (BEARER, (("authorization", "Bearer x"),), 'Bearer realm="fairlead", error="invalid_token"'),
        (BASIC, (), 'Basic realm="fairlead", charset="UTF-8"'),
        (BASIC, basic("x", "y"), 'Basic realm="fairlead", charset="UTF-8"'),
        (IN_HEADER, (), 'ApiKey realm="fairlead", in="header", name="X-Key"'),
        (IN_QUERY, (), 'ApiKey realm="fairlead", in="query", name="key"'),
        (IN_COOKIE, (), 'ApiKey realm="fairlead", in="cookie", name="key"'),
    ],
)
async def test_the_challenge_says_how(authentication: str, headers: Pairs, challenge: str) -> None:
    async with world(ships(authentication), upstream=Upstream(), environ=ENVIRON) as one:
        answered = await one.rest.get("/ships/1", headers=dict(headers))

    assert answered.headers.get_list("www-authenticate") == [challenge]
    assert answered.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("authentication", [BEARER, BASIC, IN_HEADER, IN_QUERY, SEVERAL])
@pytest.mark.parametrize("secret", ["", " \n", None])
async def test_without_the_secret_nobody_is_let_in_and_everybody_is_told(
    authentication: str, secret: str | None
) -> None:
    environ = {"USER": SecretStr("u"), **({} if secret is None else {"SECRET": SecretStr(secret)})}
    upstream = Upstream()
    tries: list[tuple[bytes, Pairs]] = [(b"", ()), (b"?key=", (("x-key", ""), ("x-app", ""), ("cookie", "key=")))]
    tries += [(b"?key={{SECRET}}", (("x-key", "{{SECRET}}"), ("authorization", "Bearer {{own.SECRET}}")))]
    tries += [(b"", (*basic("u", ""), ("x-key", "abc")))]
    async with world(ships(authentication), upstream=upstream, environ=environ) as one:
        asked = [await Exchange(one.apps[8080], b"/ships/1" + query, headers=given).run() for query, given in tries]
        agent = await Exchange(one.apps[9090], b"/mcp", "POST").run()
        health = await one.rest.get("/health/live")

    assert {exchange.status for exchange in [*asked, agent]} == {503}
    assert all("SECRET" in exchange.problem["detail"] for exchange in [*asked, agent])
    assert health.status_code == 200
    assert upstream.got == []


async def test_health_is_always_answered() -> None:
    async with world(ships(BEARER), upstream=Upstream(), environ=ENVIRON) as one:
        assert [(await one.rest.get(f"/health/{kind}")).status_code for kind in ("live", "ready")] == [200, 200]
        assert (await one.mcp.get("/health/live")).status_code == 200


async def test_the_clients_own_basic_authentication_works() -> None:
    async with world(ships(BASIC), upstream=Upstream(), environ=ENVIRON) as one:
        right = await one.rest.get("/ships/1", auth=httpx.BasicAuth("Ännchen", CANARY))
        wrong = await one.rest.get("/ships/1", auth=httpx.BasicAuth("Ännchen", "x"))

    assert (right.status_code, wrong.status_code) == (200, 401)


async def test_a_tool_is_called_with_the_credential_alone() -> None:
    upstream = Upstream(Reply(body=b'{"a": 1}'))
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "get", "arguments": {"id": "1"}}}
    accept = {"accept": "application/json, text/event-stream"}
    async with world(ships(BEARER), upstream=upstream, environ=ENVIRON) as one:
        for more in ({}, {"x-odd": "1", "mcp-session-id": "x"}, {"mcp-protocol-version": "2025-11-25"}):
            denied = await one.mcp.post("/mcp", json=call, headers={**accept, **more})
            assert denied.status_code == 401
        token = {"authorization": latin(f"Bearer {CANARY}").encode("latin-1")}
        headers = [*((k.encode(), v.encode()) for k, v in accept.items()), *((k.encode(), v) for k, v in token.items())]
        allowed = await one.mcp.post("/mcp/mcp", json=call, headers=headers)

    assert allowed.json()["result"]["structuredContent"] == {"a": 1}
    assert upstream.only.header("authorization") is None


async def test_our_credential_is_sent_and_never_that_of_the_caller() -> None:
    both = ships(BEARER).replace(
        "https://api.test\n", "https://api.test\n    authentication: {type: bearer, token: ours}\n"
    )
    upstream = Upstream(lambda sent: Reply(401) if sent.header("authorization") != "Bearer ours" else Reply())
    async with world(both, upstream=upstream, environ=ENVIRON) as one:
        headers = [(b"authorization", f"Bearer {CANARY}".encode())]
        answered = await one.rest.get("/ships/1", headers=headers)

    assert answered.status_code == 200
    assert CANARY not in str(upstream.got)


async def test_with_forwarded_queries_the_key_is_not_among_them() -> None:
    from fairlead.exposes.request import Reading
    from fairlead.settings import Settings

    upstream = Upstream()
    settings = Settings(reading=Reading(forward_query=True))
    text = ships(IN_QUERY).replace("{name: key, in: query}", "{name: other, in: query}")
    async with world(text, upstream=upstream, environ=ENVIRON, settings=settings) as one:
        answered = await one.rest.get("/ships/1", params={"key": CANARY, "more": "1"})

    assert answered.status_code == 200
    assert upstream.only == Sent("GET", "https://api.test/ships/1?more=1", upstream.only.headers)
