"""Several adapters on one port, each with an authentication of its own: nobody learns of what he may not call."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from openapi_spec_validator import validate
from pydantic import SecretStr

from fairlead.checks import missing
from fairlead.listeners import arrange
from fairlead.load import loads
from fairlead.settings import Settings
from serving.world import Exchange, Upstream, World, world

pytestmark = pytest.mark.anyio

FILE = """
naftiko: 1.0.0-alpha2
info: {label: NAME}
binds: [{namespace: env, keys: {RED: RED, BLUE: BLUE}}]
capability:
  consumes:
  - {namespace: api, baseUri: 'https://NAME.test', resources: [
      {name: all, path: /NAME, operations: [{name: list-NAME, method: GET}]}]}
  exposes:
  - {type: rest, namespace: NAME-rest, AUTHresources: [{path: /NAME, operations: [{method: GET, call: api.list-NAME}]}]}
  - {type: mcp, namespace: NAME, AUTHtools: [{name: list-NAME, call: api.list-NAME}]}
"""
ENVIRON = {"RED": SecretStr("red-secret"), "BLUE": SecretStr("blue-secret")}
RED = "{type: bearer, token: '{{env.RED}}'}"
BLUE = "{type: apikey, key: X-Blue, value: '{{BLUE}}'}"
AS_RED = (("authorization", "Bearer red-secret"),)
AS_BLUE = (("x-blue", "blue-secret"),)
WRONG = (("authorization", "Bearer blue-secret"), ("x-blue", "red-secret"))


def file(name: str, authentication: str = "") -> str:
    return FILE.replace("NAME", name).replace("AUTH", f"authentication: {authentication}, " if authentication else "")


SOME_OPEN = (file("red", RED), file("blue", BLUE), file("open"))
NONE_OPEN = (file("red", RED), file("blue", BLUE))
ALIKE = (file("red", RED), file("rose", RED.replace("env.", "")))


async def status(one: World, path: bytes, headers: Any = (), method: str = "GET") -> int:
    return (await Exchange(one.apps[8080], path, method, headers).run()).status


async def tools(one: World, headers: Any = (), path: str = "/mcp", revision: str = "2025-11-25") -> Any:
    """The names of the tools that a caller is shown, or the status where he is shown none."""
    accept = {"accept": "application/json, text/event-stream", "mcp-protocol-version": revision}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    answered = await one.mcp.post(path, json=call, headers=accept | dict(headers))
    if answered.status_code != 200:
        return answered.status_code
    return [tool["name"] for tool in answered.json()["result"]["tools"]]


async def routes(one: World, headers: Any = ()) -> Any:
    answered = await one.rest.get("/openapi.json", headers=dict(headers))
    return sorted(answered.json()["paths"]) if answered.status_code == 200 else answered.status_code


async def test_each_route_is_behind_the_check_of_its_own_adapter() -> None:
    async with world(*SOME_OPEN, upstream=Upstream(), environ=ENVIRON) as one:
        paths = (b"/red", b"/blue", b"/open", b"/nothing", b"/health/live")
        table = [[await status(one, path, who) for path in paths] for who in ((), AS_RED, AS_BLUE, WRONG)]

    assert table == [
        [401, 401, 200, 401, 200],
        [200, 401, 200, 404, 200],
        [401, 200, 200, 404, 200],
        [401, 401, 200, 401, 200],
    ]


async def test_other_methods_are_told_to_those_who_may_call_the_path() -> None:
    async with world(*SOME_OPEN, upstream=Upstream(), environ=ENVIRON) as one:
        asked = [(path, who) for path in (b"/red", b"/open") for who in ((), AS_RED, AS_BLUE)]
        table = [[await status(one, path, who, method) for method in ("OPTIONS", "PUT")] for path, who in asked]

    assert table == [[401, 401], [204, 405], [401, 401], *[[204, 405]] * 3]


async def test_whoever_gets_nothing_is_told_all_ways_to_authenticate() -> None:
    async with world(*NONE_OPEN, upstream=Upstream(), environ=ENVIRON) as one:
        nowhere = await one.rest.get("/nothing")
        agent = await one.mcp.post("/mcp")

    ways = ['Bearer realm="fairlead"', 'ApiKey realm="fairlead", in="header", name="X-Blue"']
    assert nowhere.headers.get_list("www-authenticate") == ways
    assert agent.headers.get_list("www-authenticate") == ways


@pytest.mark.parametrize("revision", ["2025-11-25", "2025-03-26"])
async def test_the_list_of_all_tools_is_of_those_that_the_caller_may_call(revision: str) -> None:
    async with world(*SOME_OPEN, upstream=Upstream(), environ=ENVIRON) as one:
        shown = [await tools(one, who, revision=revision) for who in ((), AS_RED, AS_BLUE, WRONG)]
        both = await tools(one, (*AS_RED, *AS_BLUE))

    assert shown == [["list-open"], ["list-red", "list-open"], ["list-blue", "list-open"], 401]
    assert both == ["list-red", "list-open"]


async def test_tools_that_are_not_listed_cannot_be_called_either() -> None:
    upstream = Upstream()
    async with world(*SOME_OPEN, upstream=upstream, environ=ENVIRON) as one:
        for name in ("list-blue", "list-red"):
            assert "error" in await one.rpc("tools/call", {"name": name, "arguments": {}})
        assert upstream.got == []
        assert (await one.call("list-open"))["isError"] is False


async def test_the_endpoint_of_an_adapter_is_behind_its_check() -> None:
    async with world(*SOME_OPEN, upstream=Upstream(), environ=ENVIRON) as one:
        paths = ("/red/mcp", "/blue/mcp", "/open/mcp")
        table = [[await tools(one, who, path) for path in paths] for who in ((), AS_RED)]

    assert table == [[401, 401, ["list-open"]], [["list-red"], 401, ["list-open"]]]


async def test_the_description_is_of_the_routes_that_the_caller_may_call() -> None:
    async with world(*SOME_OPEN, upstream=Upstream(), environ=ENVIRON) as one:
        shown = [await routes(one, who) for who in ((), AS_RED, AS_BLUE, WRONG)]
        pages = [(await one.rest.get("/docs", headers=dict(who))).status_code for who in ((), WRONG)]
        script = await one.rest.get("/static-offline-docs/swagger-ui.css")

    assert shown == [["/open"], ["/open", "/red"], ["/blue", "/open"], 401]
    assert pages == [200, 401]
    assert script.status_code == 200


async def test_adapters_that_demand_the_same_are_shown_together() -> None:
    async with world(*ALIKE, upstream=Upstream(), environ=ENVIRON) as one:
        assert [await tools(one), await tools(one, AS_RED)] == [401, ["list-red", "list-rose"]]
        assert [await routes(one), await routes(one, AS_RED)] == [401, ["/red", "/rose"]]


async def test_an_adapter_without_its_secret_is_shut_and_the_others_are_not() -> None:
    async with world(*SOME_OPEN, upstream=Upstream(), environ={"RED": SecretStr("red-secret")}) as one:
        paths = (b"/red", b"/blue", b"/open", b"/nothing")
        table = [[await status(one, path, who) for path in paths] for who in ((), AS_RED, AS_BLUE)]
        shown = [await tools(one), await tools(one, AS_RED)]

    assert table == [[401, 503, 200, 401], [200, 503, 200, 404], [401, 503, 200, 401]]
    assert shown == [["list-open"], ["list-red", "list-open"]]


@pytest.mark.parametrize(
    "bad", ["{type: kerberos}", "{type: bearer}", "{type: basic, username: a}", "bearer", "{}", "{type: hmac}", "[]"]
)
async def test_an_authentication_that_cannot_be_meant_shuts_its_adapter(bad: str) -> None:
    async with world(file("red", bad), file("open"), upstream=Upstream(), environ=ENVIRON) as one:
        assert [await status(one, path) for path in (b"/red", b"/open")] == [501, 200]
        assert [await tools(one), await tools(one, path="/red/mcp")] == [["list-open"], 501]


def test_two_routes_that_let_in_different_callers_are_not_served_as_one() -> None:
    documents = [loads(file("red", auth), f"{number}.yaml") for number, auth in enumerate((RED, ""))]
    listeners, problems = arrange(documents, Settings())

    assert [route.exposed.target for route in listeners[0].routes] == [None]
    assert any("clashes" in problem.message for problem in problems)


async def test_with_several_digests_each_caller_gets_in_by_whichever_challenge() -> None:
    two = (file(name, f"{{type: digest, username: {name}, password: p}}") for name in ("first", "second"))
    async with world(*two, upstream=Upstream(), environ={}) as one:
        for name in ("first", "second"):
            auth = httpx.DigestAuth(name, "p")
            answers = [await one.rest.get(path, auth=auth) for path in ("/first", "/second", "/nothing", "/docs")]
            expected = {"first": [200, 401, 404, 200], "second": [401, 200, 404, 200]}[name]
            assert [answered.status_code for answered in answers] == expected


def test_a_secret_that_is_not_set_is_told_before_anybody_calls() -> None:
    document = loads(file("red", RED), "red.yaml")

    (problem,) = missing([document], {})
    assert str(problem).startswith("red.yaml:10:77: warning: RED is not set; set it in the environment")


async def test_the_description_says_how_to_authenticate() -> None:
    more = (
        file("basic", "{type: basic, username: a, password: b}"),
        file("digest", "{type: digest, username: a, password: b}"),
        file("second", "{type: bearer, token: other}"),
        file("pair", "{type: apikey, headers: {X-Blue: blue-secret, X-Red: r}}"),
        file("oauth", "{type: oauth2, authorizationServerUri: 'https://auth.test', resource: 'https://r.test'}"),
        file(
            "client",
            "{type: oauth2, authorizationServerUri: 'https://auth.test', audience: r, scopes: [read],"
            " tokenEndpoint: 'https://auth.test/token'}",
        ),
    )
    from fairlead.exposes.openapi import description

    documents = [loads(text, f"{number}.yaml") for number, text in enumerate((*SOME_OPEN, *more))]
    said = description(arrange(documents, Settings())[0][0].routes)

    validate(said)
    assert said["components"]["securitySchemes"] == {
        "bearerAuth": {"type": "http", "scheme": "bearer"},
        "apiKeyAuth": {"type": "apiKey", "in": "header", "name": "X-Blue"},
        "basicAuth": {"type": "http", "scheme": "basic"},
        "digestAuth": {"type": "http", "scheme": "digest"},
        "bearerAuth2": {"type": "http", "scheme": "bearer"},
        "apiKeyAuth2": {"type": "apiKey", "in": "header", "name": "X-Blue"},
        "apiKeyAuth3": {"type": "apiKey", "in": "header", "name": "X-Red"},
        "bearerAuth3": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "oauth2Auth": {
            "type": "oauth2",
            "flows": {"clientCredentials": {"tokenUrl": "https://auth.test/token", "scopes": {"read": ""}}},
        },
    }
    security = {path: operations["get"].get("security") for path, operations in said["paths"].items()}
    assert security == {
        "/red": [{"bearerAuth": []}],
        "/blue": [{"apiKeyAuth": []}],
        "/open": None,
        "/basic": [{"basicAuth": []}],
        "/digest": [{"digestAuth": []}],
        "/second": [{"bearerAuth2": []}],
        "/pair": [{"apiKeyAuth2": [], "apiKeyAuth3": []}],
        "/oauth": [{"bearerAuth3": []}],
        "/client": [{"oauth2Auth": ["read"]}],
    }
    answers = {path: [*operations["get"]["responses"]][:2] for path, operations in said["paths"].items()}
    assert (answers["/open"], answers["/red"], answers["/client"]) == (["2XX", "400"], ["401", "2XX"], ["401", "403"])
    assert "blue-secret" not in str(said)
