"""A secret is in the request upstream and nowhere else: no answer, log, problem, plan or traceback holds it."""

from __future__ import annotations

import base64
import json
import logging
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from pydantic import SecretStr

from fairlead.errors import CallError
from fairlead.explain import as_json, lines
from fairlead.listeners import arrange
from fairlead.runtime import build
from fairlead.settings import Settings
from fairlead.upstream import connect
from fairlead.wiring import Wiring
from serving.process import serving
from serving.world import JSON, Reply, Sent, Upstream, document, world

pytestmark = pytest.mark.anyio

CANARY = "canary/+= of-the-gateway"
USER = "user-canary"
API = """
naftiko: 1.0.0-alpha2
info: {{label: Jobs}}
binds: [{{namespace: env, keys: {{KEY: API_KEY, USER: API_USER, PEM: API_PEM}}}}]
capability:
  consumes:
  - namespace: api
    baseUri: https://api.test
    authentication: {authentication}
    resources: [{{name: jobs, path: /jobs, operations: [{{name: list, method: GET, inputParameters: [
      {{name: X-Team, in: header, value: '{{{{env.KEY}}}}'}}]}}]}}]
  exposes:
  - {{type: rest, namespace: jobs-rest, resources: [{{path: /jobs, operations: [{{method: GET, call: api.list}}]}}]}}
  - {{type: mcp, namespace: jobs-mcp, tools: [{{name: list, call: api.list}}]}}
"""
SCHEMES = {
    "bearer": "{type: bearer, token: '{{env.KEY}}'}",
    "apikey-header": "{type: apikey, key: X-Key, value: '{{env.KEY}}'}",
    "apikey-query": "{type: apikey, key: key, value: '{{env.KEY}}', placement: query}",
    "basic": "{type: basic, username: '{{env.USER}}', password: '{{env.KEY}}'}",
    "bearer-value": "{type: Bearer, value: '{{env.KEY}}', placement: header}",
    "header": "{type: header, header: X-Key, value: '{{env.KEY}}'}",
    "header-token": "{type: apiKey, header: X-Key, token: '{{env.KEY}}'}",
    "header-key": "{type: api_key, header: X-Key, key: '{{env.KEY}}'}",
    "query": "{type: query, parameters: {key: '{{env.KEY}}', format: json}}",
}
EXCHANGES = {
    "digest": "{type: digest, username: '{{env.USER}}', password: '{{env.KEY}}'}",
    "oauth2": "{type: oauth2, clientId: '{{env.USER}}', clientSecret: '{{env.KEY}}', tokenUri: 'https://auth.test/t'}",
    "sigv4": "{type: aws-sig-v4, accessKeyId: '{{env.USER}}', secretKey: '{{env.KEY}}', region: r, service: s}",
    "oauth1": "{type: oauth1, consumerKey: c, signingKey: '{{env.PEM}}', keyPassword: '{{env.KEY}}'}",
}
"""Schemes whose secret is sent to no API, or in no form that could be foreseen."""
ALL = {**SCHEMES, **EXCHANGES}
SENT: dict[str, Callable[[Sent], str | None]] = {
    "bearer": lambda sent: sent.header("authorization"),
    "apikey-header": lambda sent: sent.header("x-key"),
    "apikey-query": lambda sent: sent.url,
    "basic": lambda sent: sent.header("authorization"),
    "bearer-value": lambda sent: sent.header("authorization"),
    "header": lambda sent: sent.header("x-key"),
    "header-token": lambda sent: sent.header("x-key"),
    "header-key": lambda sent: sent.header("x-key"),
    "query": lambda sent: sent.url,
}
BASIC = base64.b64encode(f"{USER}:{CANARY}".encode()).decode()
EXPECTED = {
    "bearer": f"Bearer {CANARY}",
    "apikey-header": CANARY,
    "apikey-query": "https://api.test/jobs?key=canary%2F%2B%3D%20of-the-gateway",
    "basic": f"Basic {BASIC}",
    "bearer-value": f"Bearer {CANARY}",
    **dict.fromkeys(("header", "header-token", "header-key"), CANARY),
    "query": "https://api.test/jobs?key=canary%2F%2B%3D%20of-the-gateway&format=json",
}
PEM = (
    rsa.generate_private_key(65537, 2048)
    .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(CANARY.encode()))
    .decode()
)
ENVIRON = {"API_KEY": SecretStr(CANARY), "API_USER": SecretStr(USER), "API_PEM": SecretStr(PEM)}
SPELLINGS = (CANARY, "canary%2F", "canary%252F", "of-the-gateway", BASIC, BASIC[:12], PEM[100:130], "PRIVATE KEY")


def api(scheme: str) -> str:
    return API.format(authentication=ALL[scheme])


def raising(error: Exception) -> Callable[[Sent], Reply]:
    def answer(sent: Sent) -> Reply:
        raise error

    return answer


ANSWERS: dict[str, Reply | Callable[[Sent], Reply]] = {
    "success": Reply(200, b'{"ok": true}', (JSON, ("set-cookie", "a=1"))),
    "error": Reply(401, b'{"error": "bad key"}'),
    "no-connection": raising(httpx.ConnectError("x")),
    "timeout": raising(httpx.ReadTimeout("x")),
    "busy": raising(httpx.PoolTimeout("x")),
    "protocol": raising(httpx.RemoteProtocolError("x")),
    "unforeseen": raising(RuntimeError("x")),
}


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_a_credential_is_where_its_scheme_puts_it(scheme: str) -> None:
    async with world(api(scheme), upstream=(upstream := Upstream()), environ=ENVIRON) as one:
        await one.rest.get("/jobs")

    assert (SENT[scheme](upstream.only), upstream.only.header("x-team")) == (EXPECTED[scheme], CANARY)


@pytest.mark.parametrize("kind", ANSWERS)
@pytest.mark.parametrize("scheme", ALL)
async def test_no_answer_and_no_log_holds_a_secret(scheme: str, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with world(api(scheme), upstream=(upstream := Upstream(ANSWERS[kind])), environ=ENVIRON) as one:
        response = await one.rest.get("/jobs")
        refused = await one.rest.get("/jobs?nothing=1")
        result = await one.rpc("tools/call", {"name": "list"})
        openapi = await one.rest.get("/openapi.json")
        printed = repr(one)

    assert len(upstream.got) >= 2
    answered = [repr(dict(one.headers)) + one.text for one in (response, refused, openapi)]
    for text in (*answered, json.dumps(result), printed, *logged(caplog)):
        assert not [spelling for spelling in SPELLINGS if spelling in text], text


def logged(caplog: pytest.LogCaptureFixture) -> Iterator[str]:
    for record in caplog.records:
        yield f"{record.getMessage()} {record.args!r}"
        if record.exc_info:
            yield "".join(traceback.format_exception(*record.exc_info))


@pytest.mark.parametrize("scheme", ALL)
async def test_no_plan_and_no_part_of_the_runtime_prints_a_secret(scheme: str) -> None:
    loaded = document(api(scheme))
    listeners, _ = arrange([loaded], Settings())
    async with connect(transport=httpx.MockTransport(Upstream())) as upstream:
        wiring = Wiring(upstream, ENVIRON)
        served = build(listeners, wiring, Settings(), _ready)
        operations = [exposed.operation(wiring) for exposed in loaded.exposed]
        printed = [*map(repr, (wiring, served, operations, loaded, listeners)), *map(str, (served, operations))]

    for text in (*printed, *lines([loaded]), json.dumps(as_json([loaded]))):
        assert not [spelling for spelling in SPELLINGS if spelling in text], text


async def _ready() -> dict[str, bool]:
    return {}


@pytest.mark.parametrize("scheme", ALL)
@pytest.mark.parametrize(
    "environ", [{}, {"API_KEY": SecretStr(""), "API_USER": SecretStr(USER)}], ids=["unset", "empty"]
)
async def test_a_missing_secret_is_told_with_variable_file_and_line(scheme: str, environ: dict[str, Any]) -> None:
    source = api(scheme).replace("value: '{{env.KEY}}'}]}]}]", "value: fixed}]}]}]")
    without_key = {name: value for name, value in ENVIRON.items() if name != "API_KEY"}
    async with world(source, upstream=(upstream := Upstream()), environ=without_key | environ) as one:
        response = await one.rest.get("/jobs")
        result = (await one.rpc("tools/call", {"name": "list"}))["result"]

    assert response.json() == {
        "type": "urn:fairlead:problem:not-configured",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "API_KEY is not set; 'Jobs' needs it (some.yaml:9)",
        "variable": "API_KEY",
    }
    assert (response.status_code, result["structuredContent"], upstream.got) == (503, response.json(), [])


@pytest.mark.parametrize("scheme", ["bearer", "apikey-header"])
@pytest.mark.parametrize("secret", ["can\nary", "can\r\nary: 1", "can\x00ary", "canary→"])
async def test_a_secret_that_no_header_can_hold_is_refused_without_being_told(
    scheme: str, secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    source = api(scheme).replace("value: '{{env.KEY}}'}]}]}]", "value: fixed}]}]}]")
    environ = {"API_KEY": SecretStr(secret)}
    async with world(source, upstream=(upstream := Upstream()), environ=environ) as one:
        response = await one.rest.get("/jobs")

    assert (response.status_code, upstream.got) == (503, [])
    detail = "API_KEY holds line breaks or other characters that no header can; 'Jobs' needs it (some.yaml:9)"
    assert response.json()["detail"] == detail
    for text in (response.text, *logged(caplog)):
        assert "ary" not in text.replace("canary-of", "").replace("binary", "")


async def test_a_constant_header_with_a_secret_that_no_header_can_hold_does_not_tell_it() -> None:
    environ = {"API_KEY": SecretStr("canary\nof"), "API_USER": SecretStr(USER)}
    async with world(api("basic"), upstream=(upstream := Upstream()), environ=environ) as one:
        response = await one.rest.get("/jobs")

    assert (response.status_code, upstream.got, "canary" in response.text) == (503, [], False)


async def test_the_line_break_that_a_file_with_a_secret_ends_in_is_no_part_of_it() -> None:
    source = api("bearer").replace("value: '{{env.KEY}}'}]}]}]", "value: fixed}]}]}]")
    environ = {"API_KEY": SecretStr("canary\n")}
    async with world(source, upstream=(upstream := Upstream()), environ=environ) as one:
        await one.rest.get("/jobs")

    assert upstream.only.header("authorization") == "Bearer canary"


def test_an_error_raised_again_carries_no_trace_of_an_earlier_one() -> None:
    first = CallError("x", {"a": 1}, (("b", "c"),))
    try:
        raise first
    except CallError as error:
        again = error.again()

    assert (again.__traceback__, again.problem(), again.headers) == (None, first.problem(), first.headers)


def test_a_process_with_every_log_on_prints_no_secret(tmp_path: Path) -> None:
    (tmp_path / "api.yaml").write_text(api("apikey-query").replace("https://api.test", "http://127.0.0.1:9"))
    arguments = ("--log-level", "debug", "--access-log", tmp_path / "api.yaml")
    with serving(*arguments, cwd=tmp_path, environ={"API_KEY": CANARY, "API_USER": USER}) as served:
        answered = httpx.get(f"{served.rest}/jobs")
        ended = served.stop()

    assert answered.status_code == 502
    assert "GET /jobs" in ended.stdout + ended.stderr
    assert not [text for text in SPELLINGS if text in "".join([*served.said, ended.stdout, ended.stderr])]
