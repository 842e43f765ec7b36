"""The query: what is declared arrives as its type spells it, everything else is refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from fairlead.exposes.request import Reading
from fairlead.settings import Settings
from serving.world import FINE_TUNING, Exchange, Upstream, world

pytestmark = pytest.mark.anyio

TYPED = """
naftiko: 1.0.0-alpha2
capability:
  consumes:
  - {namespace: api, baseUri: 'https://api.test', resources: [{name: jobs, path: /jobs, operations: [
      {name: list, method: GET, inputParameters: [
        {name: text, in: query, type: string},
        {name: count, in: query, type: integer},
        {name: ratio, in: query, type: number},
        {name: deep, in: query, type: boolean},
        {name: ids, in: query, type: array},
        {name: any, in: query},
        {name: X-Trace, in: header, type: integer},
        {name: flavour, in: cookie}]},
      {name: find, method: POST, inputParameters: [{name: filter, in: query, type: object}]}]}]}
  exposes:
  - {type: rest, namespace: jobs, resources: [{path: /jobs, operations: [
      {method: GET, name: list, call: api.list}, {method: POST, name: find, call: api.find}]}]}
"""


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("", ""),
        ("text=", "?text="),
        ("text=a+b%26c%3D%C3%A9", "?text=a%20b%26c%3D%C3%A9"),
        ("text=1", "?text=1"),
        ("text=null", "?text=null"),
        ("count=12345678901234567890123", "?count=12345678901234567890123"),
        ("count=-7", "?count=-7"),
        ("ratio=0.25", "?ratio=0.25"),
        ("ratio=-3", "?ratio=-3"),
        ("deep=false", "?deep=false"),
        ("ids=b&ids=a&ids=b", "?ids=b&ids=a&ids=b"),
        ("ids=a,b", "?ids=a%2Cb"),
        ("any=%5B1%5D", "?any=%5B1%5D"),
        ("deep=true&text=x&count=1", "?text=x&count=1&deep=true"),
    ],
)
async def test_a_declared_parameter_arrives_as_its_type_spells_it(given: str, sent: str) -> None:
    async with world(TYPED, upstream=(upstream := Upstream())) as one:
        answered = await Exchange(one.apps[8080], f"/jobs?{given}".encode()).run()

    assert (answered.status, upstream.only.url) == (200, f"https://api.test/jobs{sent}")


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ("count=1.0", "argument 'count' must be of type integer, not \"1.0\""),
        ("count=", "argument 'count' must be of type integer, not \"\""),
        ("count=0x10", "argument 'count' must be of type integer, not \"0x10\""),
        ("count=%EF%BC%91", "argument 'count' must be of type integer, not \"\\uff11\""),
        ("ratio=NaN", "argument 'ratio' must be of type number, not \"NaN\""),
        ("ratio=1e999", "argument 'ratio' holds a number that is too large"),
        ("ratio=1,5", "argument 'ratio' must be of type number, not \"1,5\""),
        ("deep=True", "argument 'deep' must be of type boolean, not \"True\""),
        ("deep=1", "argument 'deep' must be of type boolean, not \"1\""),
        ("text=a&text=b", "argument 'text' is given 2 times"),
        (
            "count=x&deep=y",
            "argument 'count' must be of type integer, not \"x\"; argument 'deep' must be of type boolean, not \"y\"",
        ),
        ("text=%FF", "the query is not percent-encoded UTF-8 text of at most 1000 pairs"),
        ("&".join(["ids=1"] * 1001), "the query is not percent-encoded UTF-8 text of at most 1000 pairs"),
    ],
)
async def test_a_parameter_of_another_type_is_refused_by_name(given: str, fault: str) -> None:
    async with world(TYPED, upstream=(upstream := Upstream())) as one:
        answered = await Exchange(one.apps[8080], f"/jobs?{given}".encode()).run()

    assert (answered.status, answered.problem["detail"], upstream.got) == (400, fault, [])


async def test_an_object_is_spread_over_the_query() -> None:
    async with world(TYPED, upstream=(upstream := Upstream())) as one:
        await one.rest.post("/jobs?status=done&owner=a%20b")

    assert upstream.only.url == "https://api.test/jobs?status=done&owner=a%20b"


async def test_declared_headers_and_cookies_arrive_where_they_belong() -> None:
    headers = {"x-trace": "7", "x-other": "no", "cookie": 'session=mine; flavour="oat"; other=1'}
    async with world(TYPED, upstream=(upstream := Upstream())) as one:
        await one.rest.get("/jobs", headers=headers)

    sent = upstream.only
    assert (sent.header("x-trace"), sent.header("x-other"), sent.header("cookie")) == ("7", None, "flavour=oat")


async def test_a_declared_header_of_another_type_is_refused() -> None:
    async with world(TYPED, upstream=(upstream := Upstream())) as one:
        response = await one.rest.get("/jobs", headers={"x-trace": "seven"})

    detail = "argument 'X-Trace' must be of type integer, not \"seven\""
    assert (response.status_code, response.json()["detail"], upstream.got) == (400, detail, [])


async def test_an_undeclared_parameter_is_refused_and_the_declared_ones_are_listed() -> None:
    async with world(FINE_TUNING, upstream=(upstream := Upstream())) as one:
        response = await one.rest.delete("/v1/fine-tunes/ft-1?forced=true&api_key=1")

    assert response.json() == {
        "type": "urn:fairlead:problem:invalid-arguments",
        "title": "Bad Request",
        "status": 400,
        "detail": "argument 'forced' is not declared (did you mean 'force'?); "
        "argument 'api_key' is not declared (known: force, id)",
        "errors": [
            {"argument": "forced", "detail": "is not declared (did you mean 'force'?)"},
            {"argument": "api_key", "detail": "is not declared (known: force, id)"},
        ],
        "declared": ["id", "force"],
    }
    assert (response.status_code, upstream.got) == (400, [])


async def test_one_setting_forwards_undeclared_parameters_as_they_are() -> None:
    settings = Settings(reading=Reading(forward_query=True))
    async with world(FINE_TUNING, upstream=(upstream := Upstream()), settings=settings) as one:
        await one.rest.delete("/v1/fine-tunes/ft-1?after=a%2Fb&force=true&after=c")

    assert upstream.only.url == "https://api.together.ai/v1/fine-tunes/ft-1?force=true&after=a%2Fb&after=c"


SIGNED = """
naftiko: 1.0.0-alpha2
capability:
  consumes:
  - namespace: api
    baseUri: https://api.test
    authentication: {type: apikey, key: key, value: '{{env.GROQ_API_KEY}}', placement: query}
    resources: [{name: jobs, path: /jobs, operations: [{name: list, method: GET, inputParameters: [
      {name: version, in: query, value: '7'}]}]}]
  exposes:
  - {type: rest, namespace: jobs, resources: [{path: /jobs, operations: [{method: GET, call: api.list}]}]}
"""


@pytest.mark.parametrize("name", ["key", "version"])
async def test_no_forwarded_parameter_stands_in_for_what_the_document_sets(name: str) -> None:
    settings = Settings(reading=Reading(forward_query=True))
    async with world(SIGNED, upstream=(upstream := Upstream()), settings=settings) as one:
        refused = await one.rest.get(f"/jobs?{name}=mine")
        await one.rest.get("/jobs?page=2")

    assert (refused.status_code, refused.json()["errors"][0]["argument"]) == (400, name)
    assert upstream.only.url == "https://api.test/jobs?version=7&page=2&key=groq-secret"


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/v1/fine-tunes/models/limits", "argument 'model_name' is required"),
        ("/v1/finetune/download?checkpoint_step=1", "argument 'ft_id' is required"),
        ("/v1/finetune/download?checkpoint_step=x", "argument 'checkpoint_step' must be of type integer, not \"x\""),
    ],
)
async def test_a_required_parameter_must_be_given(path: str, detail: str) -> None:
    async with world(FINE_TUNING, upstream=(upstream := Upstream())) as one:
        response = await one.rest.get(path)

    problem: dict[str, Any] = response.json()
    assert (response.status_code, problem["detail"], upstream.got) == (400, detail, [])


@pytest.mark.parametrize(
    ("given", "sent"),
    [("", ""), ("?force=true", "?force=true"), ("?force=false", "?force=false")],
)
async def test_an_optional_parameter_that_is_not_given_is_absent(given: str, sent: str) -> None:
    async with world(FINE_TUNING, upstream=(upstream := Upstream())) as one:
        await one.rest.delete(f"/v1/fine-tunes/ft-1{given}")

    assert upstream.only.url == f"https://api.together.ai/v1/fine-tunes/ft-1{sent}"
