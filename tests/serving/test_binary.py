"""What a document declares of answers that pass through: their media type and their size."""

from collections.abc import AsyncIterator

import pytest

from fairlead.load import loads
from serving.world import Exchange, Pairs, Reply, Upstream, world

pytestmark = pytest.mark.anyio
DOCUMENT = """\
naftiko: 1.0.0-alpha2
capability:
  consumes:
  - namespace: harbour
    baseUri: https://harbour.example
    resources:
    - path: /photo
      operations: [{name: photo, outputRawFormat: binary, outputMediaType: image/png, maxBinarySize: 0.5KiB}]
  exposes:
  - {type: rest, namespace: r, resources: [{path: /photo, operations: [{method: GET, call: harbour.photo}]}]}
  - {type: mcp, namespace: m, tools: [{name: photo, call: harbour.photo}]}
"""
BYTES: Pairs = (("content-type", "application/octet-stream"),)


async def test_a_successful_answer_has_the_declared_media_type() -> None:
    upstream = Upstream(Reply(body=b"\x89PNG", headers=BYTES))
    async with world(DOCUMENT, upstream=upstream) as one:
        rest = await one.rest.get("/photo")
        tool = await one.call("photo")

    assert (rest.content, rest.headers["content-type"]) == (b"\x89PNG", "image/png")
    assert (tool["content"][0]["type"], tool["content"][0]["mimeType"]) == ("image", "image/png")


async def test_a_file_is_no_text_however_it_looks() -> None:
    upstream = Upstream(Reply(body=b"%PDF", headers=(("content-type", "application/pdf"),)))
    async with world(DOCUMENT.replace(", outputMediaType: image/png", ""), upstream=upstream) as one:
        (content,) = (await one.call("photo"))["content"]

    assert content["type"] == "resource"
    assert (content["resource"]["mimeType"], content["resource"]["blob"]) == ("application/pdf", "JVBERg==")


async def test_an_error_keeps_its_own() -> None:
    upstream = Upstream(Reply(status=404, body=b"no", headers=(("content-type", "text/plain"),)))
    async with world(DOCUMENT, upstream=upstream) as one:
        rest = await one.rest.get("/photo")

    assert (rest.status_code, rest.text, rest.headers["content-type"]) == (404, "no", "text/plain")


@pytest.mark.parametrize(("size", "status"), [(512, 200), (513, 502)])
async def test_an_answer_of_known_length_is_refused_where_it_is_too_large(size: int, status: int) -> None:
    upstream = Upstream(Reply(body=bytes(size), headers=(*BYTES, ("content-length", str(size)))))
    async with world(DOCUMENT, upstream=upstream) as one:
        rest = await one.rest.get("/photo")
        tool = await one.call("photo")

    assert (rest.status_code, tool["isError"]) == (status, status == 502)


async def test_an_answer_of_unknown_length_breaks_off_where_it_is_too_large() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield bytes(200)

    async with world(DOCUMENT, upstream=Upstream(lambda sent: Reply(body=chunks(), headers=BYTES))) as one:
        exchange = await Exchange(one.apps[8080], b"/photo").run()
        tool = await one.call("photo")

    assert exchange.text == bytes(400)
    assert exchange.sent[-1]["more_body"]
    assert (
        tool["structuredContent"]["detail"] == "the upstream's answer is larger than the 512 bytes of 'maxBinarySize'"
    )


@pytest.mark.parametrize(("good", "bad"), [("0.5KiB", "much"), ("0.5KiB", "-1"), ("image/png", "png")])
def test_what_is_no_size_or_media_type_is_told(good: str, bad: str) -> None:
    problems = loads(DOCUMENT.replace(good, bad)).problems

    assert {problem.place.line for problem in problems} == {8}
