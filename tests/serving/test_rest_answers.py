"""What the upstream answers reaches a REST caller as it came: status, type, bytes, and piece by piece."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator

import anyio
import httpx
import pytest

from fairlead.errors import UpstreamFailed
from serving.world import BATCHES, JSON, Exchange, Reply, Sent, Upstream, world

pytestmark = pytest.mark.anyio

MAPPED = """
naftiko: 1.0.0-alpha2
capability:
  consumes:
  - {namespace: api, baseUri: 'https://api.test', resources: [
      {name: jobs, path: /jobs, operations: [{name: list, method: GET}]}]}
  exposes:
  - {type: rest, namespace: jobs, resources: [{path: /jobs, operations: [
      {method: GET, call: api.list, outputParameters: [{type: array, mapping: '$.data[*].id'}]}]}]}
"""


@pytest.mark.parametrize(
    ("status", "media", "body"),
    [
        (200, "application/json", b'{"b": 1.10, "a": 12345678901234567890,  "a": null}'),
        (201, "application/json; charset=utf-8", b'{"id":"b-1"}'),
        (202, "text/plain", b"accepted, later"),
        (200, "application/octet-stream", bytes(range(256))),
        (200, "application/json", b"{ this is no JSON"),
        (207, "application/xml", b"<multistatus/>"),
        (400, "application/json", b'{"error": {"message": "bad"}}'),
        (401, "application/json", b'{"error": "the key of the gateway is wrong"}'),
        (404, "text/html", b"<h1>not here</h1>"),
        (418, "application/problem+json", b'{"title": "teapot"}'),
        (429, "application/json", b'{"error": "slow down"}'),
        (500, "text/plain", b"boom"),
        (503, "application/json", b""),
        (599, "application/json", b"{}"),
    ],
)
async def test_status_type_and_bytes_pass_through_whatever_they_are(status: int, media: str, body: bytes) -> None:
    upstream = Upstream(Reply(status, body, (("content-type", media),)))
    async with world(BATCHES, upstream=upstream) as one:
        response = await one.rest.get("/v1/batches")

    assert (response.status_code, response.headers["content-type"], response.content) == (status, media, body)


@pytest.mark.parametrize("status", [204, 304])
async def test_an_answer_without_a_body_has_none(status: int) -> None:
    async with world(BATCHES, upstream=Upstream(Reply(status, b"", (("etag", '"1"'),)))) as one:
        response = await one.rest.get("/v1/batches")

    assert (response.status_code, response.content, response.headers["etag"]) == (status, b"", '"1"')


def compressing(sent: Sent) -> Reply:
    """An upstream that compresses for those who accept it."""
    if "gzip" in (sent.header("accept-encoding") or "gzip"):
        return Reply(200, gzip.compress(b'{"a":1}', mtime=0), (JSON, ("content-encoding", "gzip")))
    return Reply(200, b'{"a":1}')


async def test_a_compressed_answer_is_relayed_compressed_to_a_caller_that_accepts_it() -> None:
    async with world(BATCHES, upstream=Upstream(compressing)) as one:
        answered = await Exchange(one.apps[8080], b"/v1/batches", headers=(("accept-encoding", "gzip"),)).run()

    assert (b"content-encoding", b"gzip") in answered.sent[0]["headers"]
    assert answered.text == gzip.compress(b'{"a":1}', mtime=0)


async def test_a_caller_that_accepts_no_compression_gets_none() -> None:
    async with world(BATCHES, upstream=(upstream := Upstream(compressing))) as one:
        answered = await Exchange(one.apps[8080], b"/v1/batches").run()

    assert (upstream.only.header("accept-encoding"), answered.text) == ("identity", b'{"a":1}')


async def test_an_answer_is_relayed_while_the_upstream_still_sends() -> None:
    first_arrived = anyio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"data: 1\n\n"
        await first_arrived.wait()
        yield b"data: 2\n\n"

    class Watched(Exchange):
        async def _send(self, message: object) -> None:
            await super()._send(message)  # type: ignore[arg-type]
            if self.text:
                first_arrived.set()

    upstream = Upstream(Reply(200, body(), (("content-type", "text/event-stream"),)))
    async with world(BATCHES, upstream=upstream) as one:
        with anyio.fail_after(5):
            answered = await Watched(one.apps[8080], b"/v1/batches").run()

    assert [message.get("body") for message in answered.sent[1:]] == [b"data: 1\n\n", b"data: 2\n\n", None]


async def test_an_answer_that_breaks_off_is_not_ended_cleanly() -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b'{"half":'
        raise httpx.ReadError("reset")

    async with world(BATCHES, upstream=Upstream(Reply(200, body()))) as one:
        answered = await Exchange(one.apps[8080], b"/v1/batches").run()

    assert [message.get("more_body") for message in answered.sent] == [None, True]


async def test_a_mapped_answer_is_whole_and_of_our_own_length() -> None:
    headers = (JSON, ("etag", '"1"'), ("content-encoding", "gzip"), ("x-ratelimit-remaining", "7"))
    upstream = Upstream(Reply(200, gzip.compress(b'{"data": [{"id": "a"}, {"id": "b"}]}'), headers))
    async with world(MAPPED, upstream=upstream) as one:
        response = await one.rest.get("/jobs")

    assert response.json() == ["a", "b"]
    assert dict(response.headers) == {
        "x-ratelimit-remaining": "7",
        "content-type": "application/json",
        "content-length": "9",
    }


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_only_a_successful_answer_is_mapped(status: int) -> None:
    async with world(MAPPED, upstream=Upstream(Reply(status, b'{"data": "kept"}'))) as one:
        response = await one.rest.get("/jobs")

    assert (response.status_code, response.json()) == (status, {"data": "kept"})


UNMAPPABLE = {
    "no-json": b"<html>",
    "no-text": b"\xff",
    "too-deep": b"[" * 200_000,
    "nan": b'{"data": [{"id": NaN}]}',
}


@pytest.mark.parametrize("body", UNMAPPABLE.values(), ids=UNMAPPABLE.keys())
async def test_an_answer_that_cannot_be_mapped_is_a_bad_gateway(body: bytes) -> None:
    async with world(MAPPED, upstream=Upstream(Reply(200, body))) as one:
        response = await one.rest.get("/jobs")

    assert response.status_code == 502
    assert response.json()["type"] == f"urn:fairlead:problem:{UpstreamFailed.code}"


async def test_what_a_path_finds_goes_on_as_it_is_spelt() -> None:
    upstream = Upstream(Reply(200, b'{"data": [{"id": 1e999}, {"id": 1.50}]}'))
    async with world(MAPPED, upstream=upstream) as one:
        response = await one.rest.get("/jobs")

    assert response.content == b"[1e999,1.50]"


async def test_a_mapped_answer_over_the_limit_is_a_bad_gateway() -> None:
    body = json.dumps({"data": [{"id": "x" * 1000}] * 20_000}).encode()
    async with world(MAPPED, upstream=Upstream(Reply(200, body))) as one:
        response = await one.rest.get("/jobs")

    assert response.status_code == 502
    assert response.json() == {
        "type": "urn:fairlead:problem:too-large",
        "title": "Bad Gateway",
        "status": 502,
        "detail": "the upstream's answer is larger than 10485760 bytes",
    }
