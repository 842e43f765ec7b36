"""A value in a path stays one segment of the upstream's path, whatever is in it."""

from __future__ import annotations

from urllib.parse import quote, unquote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serving.world import BATCHES, Exchange, Upstream, world

pytestmark = pytest.mark.anyio

BASE = "https://api.together.ai/v1/batches"


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("b-1", "b-1"),
        ("a%2Fb", "a%2Fb"),
        ("a%2f..%2f..%2fb", "a%2F..%2F..%2Fb"),
        ("%252e%252e", "%252e%252e"),
        ("...", "..."),
        ("a%3Fb=c%23d", "a%3Fb%3Dc%23d"),
        ("a;b=c", "a%3Bb%3Dc"),
        ("a+b%20c", "a%2Bb%20c"),
        ("%C3%A9", "%C3%A9"),
        ("user@host:1", "user%40host%3A1"),
        ("%7Bid%7D", "%7Bid%7D"),
        ("cancel", "cancel"),
        ("~_.-", "~_.-"),
    ],
)
async def test_a_path_value_is_encoded_as_one_segment(given: str, sent: str) -> None:
    async with world(BATCHES, upstream=(upstream := Upstream())) as one:
        answered = await Exchange(one.apps[8080], f"/v1/batches/{given}".encode()).run()

    assert (answered.status, upstream.only.url) == (200, f"{BASE}/{sent}")


@pytest.mark.parametrize(
    ("given", "shown"), [("..", "'..'"), (".", "'.'"), ("%2e%2e", "'..'"), ("%2E.", "'..'"), ("%2e", "'.'")]
)
async def test_a_path_value_that_would_move_up_is_refused(given: str, shown: str) -> None:
    async with world(BATCHES, upstream=(upstream := Upstream())) as one:
        answered = await Exchange(one.apps[8080], f"/v1/batches/{given}".encode()).run()

    detail = f"argument 'id' cannot be {shown}: it stands in a path"
    assert (answered.status, answered.problem["detail"], upstream.got) == (400, detail, [])


@pytest.mark.parametrize("given", ["a%00b", "a%0D%0AHost:%20evil", "%0A", "a%7F"])
async def test_a_path_value_with_control_characters_is_refused(given: str) -> None:
    async with world(BATCHES, upstream=(upstream := Upstream())) as one:
        answered = await Exchange(one.apps[8080], f"/v1/batches/{given}/cancel".encode(), "POST").run()

    detail = "argument 'id' holds control characters: it stands in a path"
    assert (answered.status, answered.problem["detail"], upstream.got) == (400, detail, [])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1, max_size=20))
async def test_any_text_stays_one_segment_and_arrives_as_it_was_or_is_refused(names: list[str]) -> None:
    async with world(BATCHES, upstream=(upstream := Upstream())) as one:
        for name in names:
            upstream.got.clear()
            over_rest = await Exchange(one.apps[8080], f"/v1/batches/{quote(name, safe='')}".encode()).run()
            over_mcp = await one.call("get-batch-job", {"id": name})

            assert over_mcp["isError"] == (over_rest.status == 400)
            for sent in upstream.got:
                prefix, _, segment = sent.url.rpartition("/")
                assert (prefix, unquote(segment, errors="strict"), "?" in sent.url) == (BASE, name, False)
            assert len(upstream.got) == (0 if over_rest.status == 400 else 2)


async def test_a_value_too_long_for_any_url_is_the_callers_fault() -> None:
    async with world(BATCHES, upstream=(upstream := Upstream())) as one:
        answered = await Exchange(one.apps[8080], b"/v1/batches/" + b"a" * 70_000).run()

    assert (answered.status // 100, upstream.got) == (4, [])


PARTS = """
naftiko: 1.0.0-alpha2
capability:
  consumes:
  - {namespace: api, baseUri: 'https://api.test/v1/', resources: [
      {name: file, path: '/files/{name}.{kind}/x{y}', operations: [{name: get, method: GET}]}]}
  exposes:
  - {type: rest, namespace: files, resources: [
      {path: '/{name}/{kind}/{{y}}', operations: [{method: GET, call: api.get}]}]}
"""


async def test_placeholders_within_segments_are_filled_like_whole_ones() -> None:
    async with world(PARTS, upstream=(upstream := Upstream())) as one:
        await Exchange(one.apps[8080], b"/a%2Fb/tar.gz/%3F").run()

    assert upstream.only.url == "https://api.test/v1/files/a%2Fb.tar.gz/x%3F"
