"""What an agent gets from a call: text and structure, errors it can read, and never words of our own insides."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from fairlead.settings import Settings
from fairlead.upstream import Limits
from serving.world import BATCHES, FINE_TUNING, Reply, Sent, Upstream, world

pytestmark = pytest.mark.anyio

HANDSHAKE = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")


def text(body: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": body}]


@pytest.mark.parametrize("body", [b"[1, 2]", b'"word"', b"7", b"true", b"null"])
@pytest.mark.parametrize("revision", HANDSHAKE)
async def test_an_answer_that_is_no_object_stays_text_where_the_revision_wants_objects(
    body: bytes, revision: str
) -> None:
    async with world(BATCHES, upstream=Upstream(Reply(body=body))) as one:
        result = await one.call("list-batch-jobs", revision=revision)

    assert result == {"content": text(body.decode()), "isError": False}


@pytest.mark.parametrize(("body", "value"), [(b"[1, 2]", [1, 2]), (b'"word"', "word"), (b"7", 7)])
async def test_the_newest_revision_takes_any_json_as_structure(body: bytes, value: Any) -> None:
    async with world(BATCHES, upstream=Upstream(Reply(body=body))) as one, one.client() as client:
        result = await client.call_tool("list-batch-jobs", {})

    assert (result.is_error, result.structured_content) == (False, value)


UNPLAIN = {
    "nan": b'{"a": NaN}',
    "infinite": b'{"a": 1e999}',
    "too-long": b'{"a": ' + b"9" * 5000 + b"}",
    "too-deep": b'{"a": ' + b"[" * 100_000,
    "half-a-character": b'{"a": "\\ud800"}',
}


@pytest.mark.parametrize("body", UNPLAIN.values(), ids=UNPLAIN.keys())
async def test_what_is_no_plain_json_is_text_without_structure(body: bytes) -> None:
    async with world(BATCHES, upstream=Upstream(Reply(body=body))) as one:
        result = await one.call("list-batch-jobs")

    assert result == {"content": text(body.decode()), "isError": False}


async def test_numbers_and_text_survive_in_both_directions() -> None:
    body = b'{"big": 123456789012345678901234567890, "float": 0.1, "text": "\xc3\xa9 \xf0\x9f\x98\x80", "none": null}'
    async with world(BATCHES, upstream=(upstream := Upstream(Reply(body=body)))) as one:
        result = await one.call("create-batch-job", {"body": json.loads(body)})

    assert (result["structuredContent"], result["content"]) == (json.loads(body), text(body.decode()))
    assert json.loads(upstream.only.body) == json.loads(body)


@pytest.mark.parametrize(
    ("media", "content"),
    [
        ("image/png", {"type": "image", "mimeType": "image/png", "data": b64encode(b"\x89PNG\xff").decode()}),
        ("audio/wav", {"type": "audio", "mimeType": "audio/wav", "data": b64encode(b"\x89PNG\xff").decode()}),
        (
            "application/zip",
            {
                "type": "resource",
                "resource": {
                    "uri": "urn:fairlead:result:download-model",
                    "mimeType": "application/zip",
                    "blob": b64encode(b"\x89PNG\xff").decode(),
                },
            },
        ),
    ],
)
async def test_a_binary_answer_arrives_as_what_it_is(media: str, content: dict[str, Any]) -> None:
    upstream = Upstream(Reply(200, b"\x89PNG\xff", (("content-type", media),)))
    async with world(FINE_TUNING, upstream=upstream) as one:
        result = await one.call("download-model", {"ft_id": "ft-1"})

    assert result == {"content": [content], "isError": False}


async def test_text_is_read_in_the_charset_that_it_declares() -> None:
    upstream = Upstream(Reply(200, b"caf\xe9", (("content-type", "text/plain; charset=iso-8859-1"),)))
    async with world(BATCHES, upstream=upstream) as one:
        assert await one.call("list-batch-jobs") == {"content": text("café"), "isError": False}


@pytest.mark.parametrize(("status", "said"), [(204, "HTTP 204 No Content"), (200, "HTTP 200 OK"), (299, "HTTP 299")])
async def test_an_answer_without_a_body_says_its_status(status: int, said: str) -> None:
    async with world(FINE_TUNING, upstream=Upstream(Reply(status, b"", ()))) as one:
        assert await one.call("delete-fine-tune-job", {"id": "a"}) == {"content": text(said), "isError": False}


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (404, b'{"error": "no such batch"}', 'HTTP 404 Not Found\n\n{"error": "no such batch"}'),
        (429, b"slow down", "HTTP 429 Too Many Requests\n\nslow down"),
        (500, b"", "HTTP 500 Internal Server Error"),
        (502, b"\xff\xfe", "HTTP 502 Bad Gateway"),
        (302, b"", "HTTP 302 Found"),
        (599, b"x", "HTTP 599\n\nx"),
    ],
)
async def test_an_error_of_the_upstream_is_told_with_status_and_text(status: int, body: bytes, said: str) -> None:
    async with world(BATCHES, upstream=Upstream(Reply(status, body))) as one:
        result = await one.call("get-batch-job", {"id": "b-1"})

    assert result == {"content": text(said), "isError": True}


@pytest.mark.parametrize(
    ("arguments", "detail"),
    [
        ({}, "argument 'id' is required"),
        ({"id": 7}, "argument 'id' must be of type string, not 7"),
        ({"id": ".."}, "argument 'id' cannot be '..': it stands in a path"),
        ({"id": "a", "forced": 1}, "argument 'forced' is not declared (did you mean 'force'?)"),
        ({"id": "a", "force": "yes"}, "argument 'force' must be of type boolean, not \"yes\""),
    ],
)
async def test_a_wrong_argument_is_named_before_anything_is_sent(arguments: dict[str, Any], detail: str) -> None:
    async with world(FINE_TUNING, upstream=(upstream := Upstream())) as one:
        result = await one.call("delete-fine-tune-job", arguments)

    problem = result["structuredContent"]
    assert (result["isError"], json.loads(result["content"][0]["text"])) == (True, problem)
    assert (problem["status"], problem["detail"], upstream.got) == (400, detail, [])


async def test_a_whole_number_with_a_decimal_point_is_an_integer() -> None:
    async with world(FINE_TUNING, upstream=(upstream := Upstream())) as one:
        await one.call("download-model", {"ft_id": "a", "checkpoint_step": 5.0})

    assert upstream.only.url == "https://api.together.ai/v1/finetune/download?ft_id=a&checkpoint_step=5"


async def test_half_a_surrogate_pair_is_refused_as_an_argument() -> None:
    call = (
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get-batch-job","arguments":{"id":"\\ud800"}}}'
    )
    headers = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
    async with world(BATCHES, upstream=(upstream := Upstream())) as one:
        response = await one.mcp.post("/mcp", content=call, headers=headers)

    assert (response.status_code in {200, 400}, upstream.got) == (True, [])
    assert "error" in response.json() or response.json()["result"]["isError"]


async def test_an_answer_over_the_limit_is_an_error_and_not_cut() -> None:
    settings = Settings(limits=Limits(body=100))
    async with world(BATCHES, upstream=Upstream(Reply(body=b"x" * 101)), settings=settings) as one:
        result = await one.call("list-batch-jobs")

    assert result["isError"]
    assert result["structuredContent"]["detail"] == "the upstream's answer is larger than 100 bytes"


async def test_an_answer_that_breaks_off_is_an_error() -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b'{"half":'
        raise httpx.ReadError("secret detail")

    async with world(BATCHES, upstream=Upstream(Reply(body=body()))) as one:
        result = await one.call("list-batch-jobs")

    assert (result["isError"], result["structuredContent"]["status"]) == (True, 502)
    assert "secret detail" not in str(result)


@pytest.mark.parametrize("revision", HANDSHAKE)
async def test_a_failure_nobody_foresaw_tells_nothing_of_itself(revision: str) -> None:
    def broken(sent: Sent) -> Reply:
        raise RuntimeError("secret detail")

    async with world(BATCHES, upstream=Upstream(broken)) as one:
        answer = await one.rpc("tools/call", {"name": "list-batch-jobs"}, revision)

    assert "secret detail" not in str(answer)
    assert answer["result"]["structuredContent"] == {
        "type": "urn:fairlead:problem:internal-error",
        "title": "Internal Server Error",
        "status": 500,
        "detail": "the request failed for a reason of our own; the log has more",
    }
