"""Digest authentication: the examples of RFC 7616, and a server that checks every answer by the specification."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field

import pytest
from pydantic import SecretStr

from fairlead.auth.digest import Answer, best
from serving.world import Reply, Sent, Upstream, world

pytestmark = pytest.mark.anyio

NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
EXAMPLE = (
    f'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=%s, nonce="{NONCE}", opaque="FQhe/qaU"'
)
API = """
naftiko: 1.0.0-alpha2
info: {label: Cameras}
capability:
  consumes:
  - namespace: api
    baseUri: https://api.test/base
    authentication: {type: Digest, username: '{{USER}}', password: '{{PASSWORD}}'}
    resources: [{name: cameras, path: /cameras, operations: [
      {name: list, method: GET, inputParameters: [{name: q, in: query}]},
      {name: add, method: POST, inputParameters: [{name: body, in: body, type: object}]}]}]
  exposes:
  - {type: rest, namespace: rest, resources: [{path: /cameras, operations: [
      {method: GET, call: api.list}, {method: POST, call: api.add}]}]}
"""
ENVIRON = {"USER": SecretStr('Jäs"ø'), "PASSWORD": SecretStr("Secret, or nöt?\n")}
PASSWORD = "Secret, or nöt?"


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_response_is_that_of_the_rfc(algorithm: str, response: str) -> None:
    challenge = best([EXAMPLE % algorithm])
    assert challenge
    cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"

    header = Answer(challenge, "00000001", cnonce, "Mufasa", "Circle of Life").header("GET", "/dir/index.html", b"")

    assert parameters(header)["response"] == response


def parameters(header: str) -> dict[str, str]:
    pairs = re.findall(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^,\s]+))', header.partition(" ")[2])
    return {name: re.sub(r"\\(.)", r"\1", quoted) or bare for name, quoted, bare in pairs}


@dataclass
class Server:
    """Asks for proof, and takes each nonce with rising counts for as many uses as it has."""

    challenge: str = 'Digest realm="a \\"realm\\"", qop="auth", algorithm=SHA-256, opaque="o"'
    algorithm: str = "sha256"
    uses: int = 1000
    nonce: int = 1
    used: int = 0
    seen: list[dict[str, str]] = field(default_factory=list)

    def __call__(self, sent: Sent) -> Reply:
        header = (sent.header("authorization") or "").encode("latin-1").decode()
        if not header:
            return self._ask()
        given = parameters(header)
        self.seen.append(given)
        if given["response"] != self._expected(given, sent):
            return Reply(401, b"wrong", (("www-authenticate", f'{self.challenge}, nonce="{self.nonce}"'),))
        if (
            given["nonce"] != str(self.nonce)
            or int(given.get("nc", "1"), 16) != self.used + 1
            or self.used >= self.uses
        ):
            return self._ask(", stale=true")
        self.used += 1
        return Reply()

    def _ask(self, more: str = "") -> Reply:
        self.nonce, self.used = self.nonce + 1, 0
        return Reply(401, b"", (("www-authenticate", f'{self.challenge}, nonce="{self.nonce}"{more}'),))

    def _expected(self, given: dict[str, str], sent: Sent) -> str:
        def digest(text: bytes) -> str:
            return hashlib.new(self.algorithm, text).hexdigest()

        user = ENVIRON["USER"].get_secret_value()
        assert given["username"] in (user, digest(f"{user}:{given['realm']}".encode()))
        a1 = digest(f"{user}:{given['realm']}:{PASSWORD}".encode())
        if given.get("algorithm", "").endswith("-sess"):
            a1 = digest(f"{a1}:{given['nonce']}:{given['cnonce']}".encode())
        assert given["uri"] == sent.url.removeprefix("https://api.test")
        a2 = f"{sent.method}:{given['uri']}"
        a2 += f":{digest(sent.body)}" if given.get("qop") == "auth-int" else ""
        middle = f"{given['nc']}:{given['cnonce']}:{given['qop']}:" if "qop" in given else ""
        return digest(f"{a1}:{given['nonce']}:{middle}{digest(a2.encode())}".encode())


@pytest.mark.parametrize(
    ("challenge", "algorithm"),
    [
        ('Digest realm="r", qop="auth", algorithm=SHA-256', "sha256"),
        ('Digest realm="r", qop="auth-int,auth", algorithm=MD5', "md5"),
        ('Digest realm="r", qop="auth-int", algorithm=SHA-256', "sha256"),
        ('digest realm="r"', "md5"),
        ('Digest realm="r", qop="auth", algorithm=MD5-sess', "md5"),
        ('Basic realm="x, y", Digest realm="q \\"r\\", s", qop=auth, algorithm=SHA-256, userhash=true', "sha256"),
    ],
)
async def test_a_server_takes_the_answer_to_its_challenge(challenge: str, algorithm: str) -> None:
    server = Server(challenge, algorithm)
    async with world(API, upstream=Upstream(server), environ=ENVIRON) as one:
        answers = [await one.rest.get("/cameras?q=a+b%2F"), await one.rest.post("/cameras", json={"name": "ü"})]

    assert [answered.status_code for answered in answers] == [200, 200]


async def test_the_strongest_of_several_challenges_is_answered() -> None:
    headers = [
        f'Digest realm="r", nonce="n", qop="auth", algorithm={name}' for name in ("MD5", "SHA-512-256", "SHA-256")
    ]

    assert [one and one.algorithm for one in (best(headers), best(headers[1:2]), best(["Bearer", "Digest x"]))] == [
        *("SHA-256", None, None)
    ]


async def test_only_the_first_request_is_sent_twice_and_the_uses_of_a_nonce_are_counted() -> None:
    upstream = Upstream(server := Server())
    async with world(API, upstream=upstream, environ=ENVIRON) as one:
        for _ in range(3):
            await one.rest.post("/cameras", json={"name": "a"})

    assert [sent.body for sent in upstream.got] == [b'{"name":"a"}'] * 4
    assert [given["nc"] for given in server.seen] == ["00000001", "00000002", "00000003"]


async def test_a_nonce_that_is_used_up_is_replaced_without_the_caller_noticing() -> None:
    upstream = Upstream(Server(uses=1))
    async with world(API, upstream=upstream, environ=ENVIRON) as one:
        answers = [(await one.rest.get("/cameras")).status_code for _ in range(3)]

    assert (answers, len(upstream.got)) == ([200] * 3, 6)


async def test_a_wrong_password_is_tried_once() -> None:
    upstream = Upstream(Server())
    environ = {**ENVIRON, "PASSWORD": SecretStr("wrong")}
    async with world(API, upstream=upstream, environ=environ) as one:
        answered = await one.rest.get("/cameras")

    assert (answered.status_code, answered.content, len(upstream.got)) == (401, b"wrong", 2)


async def test_a_refusal_that_asks_for_no_digest_reaches_the_caller() -> None:
    reply = Reply(401, b"no", (("www-authenticate", 'Bearer realm="x"'),))
    async with world(API, upstream=(upstream := Upstream(reply)), environ=ENVIRON) as one:
        answered = await one.rest.get("/cameras")

    assert (answered.status_code, answered.content, len(upstream.got)) == (401, b"no", 1)


async def test_a_user_that_no_header_can_hold_is_refused() -> None:
    environ = {**ENVIRON, "USER": SecretStr("a\r\nb: c")}
    async with world(API, upstream=(upstream := Upstream()), environ=environ) as one:
        answered = await one.rest.get("/cameras")

    assert (answered.status_code, upstream.got) == (503, [])
