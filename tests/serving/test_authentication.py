"""Where a fixed credential is put, and that no caller can put anything there."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from serving.world import Sent, Upstream, world

pytestmark = pytest.mark.anyio

API = """
naftiko: 1.0.0-alpha2
info: {label: Jobs}
capability:
  consumes:
  - namespace: api
    baseUri: https://api.test
    auth: AUTHENTICATION
    resources: [{name: jobs, path: /jobs, operations: [
      {name: list, method: GET, inputParameters: [
        {name: api_key, in: cookie}, {name: other, in: cookie},
        {name: filter, in: query, type: object}]},
      {name: add, method: POST, inputParameters: [{name: body, in: body, type: object}]},
      {name: send, method: PUT, body: {type: json}, inputParameters: [
        {name: a, in: body, type: string}, {name: api_key, in: body, type: string}]},
      {name: fill, method: PATCH, body: {type: formUrlEncoded}, inputParameters: [{name: form, in: body}]},
      {name: stop, method: DELETE, body: {type: text, data: now}}]}]
  exposes:
  - {type: rest, namespace: rest, resources: [{path: /jobs, operations: [
      {method: GET, call: api.list}, {method: POST, call: api.add}, {method: PUT, call: api.send},
      {method: PATCH, call: api.fill}, {method: DELETE, call: api.stop}]}]}
"""
COOKIE = "{type: apikey, in: cookie, name: api_key, value: '{{KEY}}'}"
BODY = "{type: apikey, placement: body, key: api_key, value: '{{KEY}}'}"
QUERY = "{type: query, parameters: {api_key: '{{KEY}}', format: json}}"
ENVIRON = {"KEY": SecretStr("secret=+/")}


async def sent(authentication: str, method: str, target: str, **options: Any) -> Sent:
    source = API.replace("AUTHENTICATION", authentication)
    async with world(source, upstream=(upstream := Upstream()), environ=ENVIRON) as one:
        answered = await one.rest.request(method, target, **options)
    assert answered.status_code == 200, answered.text
    return upstream.only


async def refused(authentication: str, method: str, target: str, **options: Any) -> tuple[int, str]:
    source = API.replace("AUTHENTICATION", authentication)
    async with world(source, upstream=(upstream := Upstream()), environ=ENVIRON) as one:
        answered = await one.rest.request(method, target, **options)
    assert upstream.got == []
    return answered.status_code, answered.json()["detail"]


@pytest.mark.parametrize(
    ("given", "cookie"),
    [
        ("", "api_key=secret=+/"),
        ("api_key=mine", "api_key=secret=+/"),
        ("other=a; api_key=mine", "other=a; api_key=secret=+/"),
    ],
)
async def test_a_cookie_is_sent_beside_others_and_in_place_of_the_callers(given: str, cookie: str) -> None:
    got = await sent(COOKIE, "GET", "/jobs", headers={"cookie": given} if given else {})

    assert got.header("cookie") == cookie


@pytest.mark.parametrize(
    ("method", "given", "body"),
    [
        ("POST", {"a": 1, "ü": [1.5]}, '{"a":1,"ü":[1.5],"api_key":"secret=+/"}'),
        ("POST", {"api_key": "mine"}, '{"api_key":"secret=+/"}'),
        ("PUT", {"a": "b"}, '{"a":"b","api_key":"secret=+/"}'),
        ("PUT", None, '{"api_key":"secret=+/"}'),
        ("PATCH", {"b": "c d", "api_key": "mine"}, "b=c+d&api_key=secret%3D%2B%2F"),
    ],
)
async def test_a_member_of_the_body_is_set_in_place_of_the_callers(method: str, given: Any, body: str) -> None:
    got = await sent(BODY, method, "/jobs", json=given)

    media = "application/x-www-form-urlencoded" if method == "PATCH" else "application/json"
    assert (got.body.decode(), got.header("content-type")) == (body, media)


async def test_a_body_that_has_no_members_cannot_hold_a_credential() -> None:
    detail = "the credential is a member of a JSON object or a form, and this body is neither"

    assert await refused(BODY, "DELETE", "/jobs") == (501, detail)


async def test_pairs_of_the_query_are_appended_and_no_caller_can_add_them() -> None:
    assert (await sent(QUERY, "GET", "/jobs")).url == "https://api.test/jobs?api_key=secret%3D%2B%2F&format=json"
    for target in ("/jobs?api_key=mine", "/jobs?Format=xml", '/jobs?filter={"api-key":"mine"}'):
        assert (await refused(QUERY, "GET", target))[0] == 400


@pytest.mark.parametrize("value", ["a b", "a;b", 'a"b', "a\nb", "ä"])
async def test_a_secret_that_no_cookie_can_hold_is_refused_without_being_told(value: str) -> None:
    source = API.replace("AUTHENTICATION", COOKIE)
    environ = {"KEY": SecretStr(value)}
    async with world(source, upstream=(upstream := Upstream()), environ=environ) as one:
        answered = await one.rest.get("/jobs")

    assert (answered.status_code, upstream.got) == (503, [])
    assert answered.json()["detail"] == "KEY holds characters that no cookie can; 'Jobs' needs it (some.yaml:8)"


async def test_a_scheme_that_does_not_say_enough_refuses_its_operations() -> None:
    status, detail = await refused("{type: hmac, apiId: a, apiKey: b}", "GET", "/jobs")

    assert (status, detail.partition(" does ")[0]) == (501, "authentication of type 'hmac'")
