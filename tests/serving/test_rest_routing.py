"""Which requests are answered by which route, and what all others are told."""

from __future__ import annotations

import pytest

from serving.world import BATCHES, FINE_TUNING, Exchange, Reply, Upstream, world

pytestmark = pytest.mark.anyio


async def test_head_answers_what_get_would_without_the_body() -> None:
    upstream = Upstream(Reply(200, b'{"a":1}', (("content-type", "application/json"), ("content-length", "7"))))
    async with world(BATCHES, upstream=upstream) as one:
        response = await one.rest.head("/v1/batches/b-1")

    assert upstream.only.method == "GET"
    assert (response.status_code, response.headers["content-length"], response.content) == (200, "7", b"")


async def test_head_of_a_failure_has_no_body_either() -> None:
    async with world(FINE_TUNING, upstream=Upstream()) as one:
        answered = await Exchange(one.apps[8080], b"/v1/fine-tunes/models/limits", "HEAD").run()

    assert (answered.status, answered.text) == (400, b"")


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/v1/batches", "GET, HEAD, OPTIONS, POST"),
        ("/v1/batches/b-1", "GET, HEAD, OPTIONS"),
        ("/v1/batches/b-1/cancel", "OPTIONS, POST"),
    ],
)
async def test_options_tells_what_a_path_answers(path: str, allow: str) -> None:
    async with world(BATCHES, upstream=Upstream()) as one:
        response = await one.rest.options(path)

    assert (response.status_code, response.headers["allow"], response.content) == (204, allow, b"")


async def test_another_method_is_refused_with_the_allowed_ones() -> None:
    async with world(BATCHES, upstream=(upstream := Upstream())) as one:
        response = await one.rest.delete("/v1/batches/b-1")

    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json() == {
        "type": "urn:fairlead:problem:method-not-allowed",
        "title": "Method Not Allowed",
        "status": 405,
        "detail": "method DELETE is not allowed here",
    }
    assert upstream.got == []


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v1/batch",
        "/v1/batches/",
        "/v1//batches",
        "/v1/batches/b-1/",
        "/v1/batches//cancel",
        "/V1/batches",
        "/v1/batches/b-1/cancel/now",
        "/v1/batches%2Fb-1",
    ],
)
async def test_a_path_that_nothing_serves_is_not_found(path: str) -> None:
    async with world(BATCHES, upstream=(upstream := Upstream())) as one:
        answered = await Exchange(one.apps[8080], path.encode()).run()

    assert (b"content-type", b"application/problem+json") in answered.sent[0]["headers"]
    assert (answered.status, answered.problem["title"]) == (404, "Not Found")
    assert upstream.got == []


async def test_a_path_that_is_no_text_is_refused() -> None:
    async with world(BATCHES, upstream=(upstream := Upstream())) as one:
        answered = await Exchange(one.apps[8080], b"/v1/batches/%FF").run()

    assert (answered.status, answered.problem["detail"]) == (400, "the path is not percent-encoded UTF-8 text")
    assert upstream.got == []


async def test_a_literal_segment_beats_a_placeholder() -> None:
    async with world(FINE_TUNING, upstream=(upstream := Upstream())) as one:
        await one.rest.get("/v1/fine-tunes/models/supported")
        await one.rest.get("/v1/fine-tunes/models")
        await one.rest.get("/v1/fine-tunes/models/events")

    assert [sent.url.removeprefix("https://api.together.ai/v1/") for sent in upstream.got] == [
        "fine-tunes/models/supported",
        "fine-tunes/models",
        "fine-tunes/models/events",
    ]


async def test_a_problem_on_the_pages_of_a_listener_is_json_too() -> None:
    async with world(BATCHES, upstream=Upstream()) as one:
        response = await one.rest.post("/health/live")

    assert (response.status_code, response.headers["content-type"]) == (405, "application/problem+json")
    assert response.headers["allow"] == "GET"


REFUSED = """
naftiko: 1.0.0-alpha2
capability:
  consumes:
  - {namespace: api, baseUri: 'https://api.test', resources: [
      {name: one, path: /one, operations: [{name: get, method: GET}]},
      {name: two, path: /two, operations: [{name: get, method: GET}]}]}
  exposes:
  - {type: rest, namespace: some, resources: [
      {path: /two, operations: [{method: GET, name: second, call: api.get}]},
      {path: /three, operations: [{method: GET, name: third, call: api.get}]},
      {path: /one, operations: [{method: GET, name: first, call: api.get}]}]}
"""


async def test_a_refused_operation_answers_why_and_the_others_work() -> None:
    async with world(REFUSED, upstream=(upstream := Upstream())) as one:
        refused, works = await one.rest.get("/three"), await one.rest.get("/one")

    assert (refused.status_code, refused.json()["type"]) == (501, "urn:fairlead:problem:operation-refused")
    assert refused.json()["detail"].startswith("'third' was refused when its capability was loaded: call 'api.get'")
    assert (works.status_code, upstream.only.url) == (200, "https://api.test/one")
