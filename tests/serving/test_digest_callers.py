"""Digest authentication of callers, against clients that are not ours and hand-made answers."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import md5, sha256
from itertools import count
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from fairlead.auth.digest_check import LIFETIME, MAX_COUNT, MAX_USED, Nonces
from serving.test_callers import ships
from serving.world import Exchange, Reply, Upstream, World, world

pytestmark = pytest.mark.anyio

DIGEST = "{type: digest, username: '{{USER}}', password: '{{SECRET}}'}"
ENVIRON = {"USER": SecretStr("Mufasa"), "SECRET": SecretStr("Circle of Life")}
HASHES: dict[str, Any] = {"SHA-256": sha256, "MD5": md5}


def challenges(answered: httpx.Response) -> list[dict[str, str]]:
    """The parameters of each challenge."""
    listed = answered.headers.get_list("www-authenticate")
    assert all(one.startswith("Digest ") for one in listed)
    pairs = ((pair.split("=", 1) for pair in one.removeprefix("Digest ").split(", ")) for one in listed)
    return [{name: value.strip('"') for name, value in one} for one in pairs]


def answer(challenge: dict[str, str], method: str = "GET", uri: str = "/ships/1", **changed: str) -> dict[str, str]:
    """The `Authorization` header that proves knowledge of the password, as RFC 7616 has it; with changes."""
    given = {"username": "Mufasa", "realm": challenge["realm"], "nonce": challenge["nonce"], "uri": uri}
    given |= {"qop": "auth", "nc": "00000001", "cnonce": "c", "algorithm": challenge["algorithm"]}
    used = given | {name: value for name, value in changed.items() if name not in ("response", "password")}

    def hashed(*parts: str) -> str:
        return str(HASHES[challenge["algorithm"]](":".join(parts).encode()).hexdigest())

    user = hashed(used["username"], used["realm"], changed.get("password", "Circle of Life"))
    asked = hashed(method, used["uri"])
    proof = hashed(user, used["nonce"], used["nc"], used["cnonce"], used["qop"], asked)
    listed = used | {"response": changed.get("response", proof)}
    return {"authorization": "Digest " + ", ".join(f'{name}="{value}"' for name, value in listed.items())}


@pytest.fixture
async def one() -> Any:
    async with world(ships(DIGEST), upstream=Upstream(Reply(body=b'{"a":1}')), environ=ENVIRON) as made:
        yield made


async def challenged(one: World) -> list[dict[str, str]]:
    return challenges(await one.rest.get("/ships/1"))


async def test_the_better_algorithm_is_offered_first_and_each_challenge_is_new(one: World) -> None:
    listed = [*await challenged(one), *await challenged(one)]

    assert [given["algorithm"] for given in listed] == ["SHA-256", "MD5"] * 2
    assert {(given["realm"], given["qop"], "stale" in given) for given in listed} == {("fairlead", "auth", False)}
    assert len({given["nonce"] for given in listed}) == 4


async def test_a_client_that_is_not_ours_gets_in_again_and_again_with_one_challenge(one: World) -> None:
    digest = httpx.DigestAuth("Mufasa", "Circle of Life")
    answers = [await one.rest.get("/ships/1?x=1", auth=digest) for _ in range(3)]
    put = await one.rest.put("/ships/1", auth=digest, json={"a": 1})

    assert [len(answered.history) for answered in answers] == [1, 0, 0]
    assert [answered.status_code for answered in [*answers, put]] == [400, 400, 400, 200]  # `x` is not declared


async def test_a_client_with_a_wrong_password_does_not_get_in(one: World) -> None:
    for user, password in [("Mufasa", "x"), ("Mufasa", ""), ("", ""), ("Scar", "Circle of Life")]:
        answered = await one.rest.get("/ships/1", auth=httpx.DigestAuth(user, password))
        assert answered.status_code == 401


@pytest.mark.parametrize("place", [0, 1])
async def test_both_algorithms_let_in(one: World, place: int) -> None:
    given = (await challenged(one))[place]
    answered = await one.rest.get("/ships/1", headers=answer(given))

    assert answered.status_code == 200


async def test_an_answer_is_good_once(one: World) -> None:
    given = (await challenged(one))[0]
    once = answer(given)
    first, again = [await one.rest.get("/ships/1", headers=once) for _ in range(2)]
    later = await one.rest.get("/ships/1", headers=answer(given, nc="000000ff"))
    earlier = await one.rest.get("/ships/1", headers=answer(given, nc="00000002"))

    assert [one.status_code for one in (first, again, later, earlier)] == [200, 401, 200, 200]
    assert [new["stale"] for new in challenges(again)] == ["true", "true"]


@pytest.mark.parametrize(
    "changed",
    [
        {"password": "x"},
        {"response": ""},
        {"response": "0" * 64},
        {"username": "Scar"},
        {"realm": "other"},
        {"uri": "/ships/2"},
        {"uri": "/ships/1?"},
        {"uri": "*"},
        {"qop": "auth-int"},
        {"qop": ""},
        {"nc": "1"},
        {"nc": "zzzzzzzz"},
        {"nc": ""},
        {"cnonce": ""},
        {"nonce": ""},
        {"algorithm": "SHA-256-sess"},
        {"algorithm": "SHA-512-256"},
        {"algorithm": ""},
    ],
)
async def test_an_answer_about_anything_else_is_refused(one: World, changed: dict[str, str]) -> None:
    given = (await challenged(one))[0]
    answered = await one.rest.get("/ships/1", headers=answer(given, **changed))

    assert answered.status_code == 401
    assert "stale" not in challenges(answered)[0]


@pytest.mark.parametrize("nonce", ["x", "..", "0.0.0", "ff.ff.ff"])
async def test_a_nonce_that_is_not_ours_is_stale(one: World, nonce: str) -> None:
    given = (await challenged(one))[0] | {"nonce": nonce}
    answered = await one.rest.get("/ships/1", headers=answer(given))

    assert answered.status_code == 401
    assert challenges(answered)[0]["stale"] == "true"


@pytest.mark.parametrize(
    "text", ["", ",", "=", '"', 'username="', "Digest", 'nc="\\', "a=b=c", 'x="' + "\\" * 5000, "é=ü, " * 500]
)
async def test_a_malformed_answer_is_refused(one: World, text: str) -> None:
    headers = (("authorization", f"Digest {text}"),)
    exchange = await Exchange(one.apps[8080], b"/ships/1", headers=headers).run()

    assert exchange.status == 401


async def test_a_user_beyond_ascii_may_be_spelt_in_both_ways() -> None:
    environ = {**ENVIRON, "USER": SecretStr("Jäsøn")}
    async with world(ships(DIGEST), upstream=Upstream(), environ=environ) as one:
        given = (await challenged(one))[0]
        plain = answer(given, username="Jäsøn")["authorization"]
        encoded = answer(given, username="Jäsøn", nc="00000002")["authorization"]
        encoded = encoded.replace('username="Jäsøn"', "username*=UTF-8''J%C3%A4s%C3%B8n")
        asked = [
            await one.rest.get("/ships/1", headers=[(b"authorization", text.encode())]) for text in (plain, encoded)
        ]

    assert [answered.status_code for answered in asked] == [200, 200]


async def test_the_method_and_the_query_are_part_of_the_proof(one: World) -> None:
    given = (await challenged(one))[0]
    other = await one.rest.put("/ships/1", json={}, headers=answer(given))
    query = await one.rest.get("/ships/1?key=1", headers=answer(given))
    right = await one.rest.get("/ships/1?key=1", headers=answer(given, uri="/ships/1?key=1"))

    assert [one.status_code for one in (other, query, right)] == [401, 401, 200]


class Clock:
    def __init__(self) -> None:
        self.time = 1e9

    def __call__(self) -> float:
        return self.time


def test_a_nonce_is_over_after_a_while_and_is_then_forgotten() -> None:
    clock = Clock()
    nonces = Nonces(clock)
    old = nonces.new()
    assert nonces.use(old, 1)

    clock.time += LIFETIME / 1000
    assert not nonces.use(old, 2)
    assert nonces.use(nonces.new(), 1)
    assert len(nonces._used) == 1


def test_a_nonce_is_good_so_often() -> None:
    nonces = Nonces()
    nonce = nonces.new()

    assert [nonces.use(nonce, number) for number in (MAX_COUNT, MAX_COUNT + 1, 0, 2**32 - 1)] == [True, *[False] * 3]


def fresh(nonces: Nonces, clock: Clock) -> Iterator[str]:
    for _ in count():
        clock.time += 0.001
        yield nonces.new()


def test_of_too_many_nonces_the_first_is_over_rather_than_good_a_second_time() -> None:
    clock = Clock()
    nonces = Nonces(clock)
    made = fresh(nonces, clock)
    first, second = next(made), next(made)
    assert nonces.use(first, 1)
    assert nonces.use(second, 1)
    for _ in range(MAX_USED - 1):
        assert nonces.use(next(made), 1)

    assert len(nonces._used) == MAX_USED
    assert not nonces.use(first, 1)
    assert not nonces.use(first, 2)
    assert nonces.use(second, 2)


def test_the_nonces_of_one_process_are_not_those_of_another() -> None:
    assert not Nonces().use(Nonces().new(), 1)
