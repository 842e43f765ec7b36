"""Signature version 4: the worked examples of AWS's documentation and test suite, and what reaches an upstream."""

from __future__ import annotations

from calendar import timegm
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from typing import Any, cast

import pytest
from pydantic import SecretStr

from fairlead.auth.oauth1 import OAuth1Signer, Rsa
from fairlead.auth.sigv4 import SigV4Signer
from fairlead.errors import Refused
from fairlead.upstream import Request
from serving.test_oauth1 import KEY
from serving.world import Sent, Upstream, document, world

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
SUITE = SigV4Signer("AKIDEXAMPLE", SECRET, "us-east-1", "service", now=lambda: timegm((2015, 8, 30, 12, 36, 0)))
IAM = replace(SUITE, service="iam")
S3 = SigV4Signer(
    *("AKIAIOSFODNN7EXAMPLE", SECRET.replace("+", "/"), "us-east-1", "s3"),
    now=lambda: timegm((2013, 5, 24, 0, 0, 0)),
)
HOST, BUCKET = "https://example.amazonaws.com", "https://examplebucket.s3.amazonaws.com"
VANILLA = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
FORM = ("content-type", "application/x-www-form-urlencoded")
EXAMPLES = {
    "get-vanilla": (SUITE, Request("GET", f"{HOST}/"), VANILLA),
    "get-empty-path": (SUITE, Request("GET", HOST), VANILLA),
    "get-relative": (SUITE, Request("GET", f"{HOST}/example/.."), VANILLA),
    "get-slashes": (SUITE, Request("GET", f"{HOST}//"), VANILLA),
    "get-slash-dot-slash": (SUITE, Request("GET", f"{HOST}/./"), VANILLA),
    "get-vanilla-query-order-key-case": (
        SUITE,
        Request("GET", f"{HOST}/?Param2=value2&Param1=value1"),
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ),
    "post-vanilla": (
        SUITE,
        Request("POST", f"{HOST}/"),
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    ),
    "post-x-www-form-urlencoded": (
        SUITE,
        Request("POST", f"{HOST}/", (FORM,), b"Param1=value1"),
        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    ),
    "iam-list-users": (
        IAM,
        Request(
            "GET",
            "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
            (("content-type", "application/x-www-form-urlencoded; charset=utf-8"),),
        ),
        "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
    ),
    "s3-get-object": (
        S3,
        Request("GET", f"{BUCKET}/test.txt", (("range", "bytes=0-9"),)),
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    ),
    "s3-get-bucket-lifecycle": (
        S3,
        Request("GET", f"{BUCKET}/?lifecycle"),
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
    ),
    "s3-list-objects": (
        S3,
        Request("GET", f"{BUCKET}/?max-keys=2&prefix=J"),
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    ),
}


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_signature_is_that_of_the_published_example(example: str) -> None:
    sign, request, signature = EXAMPLES[example]

    assert dict(sign(request).headers)["authorization"].rpartition("Signature=")[2] == signature


def test_all_services_but_s3_encode_the_path_once_more() -> None:
    request = Request("GET", f"{HOST}/a%20b%2Fc/%C3%BC")

    assert SUITE._canonical(request, {}, "", "").split("\n")[1] == "/a%2520b%252Fc/%25C3%25BC"
    assert S3._canonical(request, {}, "", "").split("\n")[1] == "/a%20b%2Fc/%C3%BC"


API = """
naftiko: 1.0.0-alpha2
capability:
  consumes:
  - namespace: api
    baseUri: https://api.test
    authentication: AUTHENTICATION
    resources: [{name: things, path: '/things/{id}', operations: [{name: get, method: GET, inputParameters: [
      {name: x-amz-date, in: header}, {name: q, in: query}]}]}]
  exposes:
  - {type: rest, namespace: rest, resources: [{path: '/things/{id}', operations: [{method: GET, call: api.get}]}]}
"""
STANDARD = {"AWS_ACCESS_KEY_ID": SecretStr("AKID"), "AWS_SECRET_ACCESS_KEY": SecretStr("canary")}


async def sent(authentication: str, environ: dict[str, SecretStr]) -> Sent:
    source = API.replace("AUTHENTICATION", authentication)
    async with world(source, upstream=(upstream := Upstream()), environ=environ) as one:
        answered = await one.rest.get("/things/a%2Fb?q=x", headers={"x-amz-date": "mine"})
    assert answered.status_code == 200, answered.text
    return upstream.only


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["aws-sig-v4", "awsSigV4", "sigv4", "AWS_SIG_V4"])
async def test_the_keys_are_those_of_the_file_or_else_of_the_variables_of_all_tools(kind: str) -> None:
    stated = f"{{type: {kind}, accessKeyId: AKID, secretKey: '{{{{KEY}}}}', region: eu-west-1, service: sqs}}"
    one = await sent(stated, {"KEY": SecretStr("canary")})
    other = await sent(f"{{type: {kind}, region: eu-west-1, service: sqs}}", STANDARD)

    for got in (one, other):
        moment = got.header("x-amz-date") or ""
        signer = SigV4Signer("AKID", "canary", "eu-west-1", "sqs", now=partial(_seconds, moment))
        expected = dict(signer(Request("GET", got.url)).headers)
        assert (got.header("authorization"), moment) == (expected["authorization"], expected["x-amz-date"])


def _seconds(moment: str) -> float:
    return timegm((*(int(moment[a:b]) for a, b in ((0, 4), (4, 6), (6, 8), (9, 11), (11, 13), (13, 15))),))


@pytest.mark.anyio
async def test_a_session_token_is_sent_and_signed() -> None:
    got = await sent("{type: sigv4, sessionToken: '{{T}}', region: r, service: s}", {**STANDARD, "T": SecretStr("tok")})

    assert got.header("x-amz-security-token") == "tok"
    assert "SignedHeaders=host;x-amz-date;x-amz-security-token," in (got.header("authorization") or "")


@pytest.mark.parametrize(
    ("authentication", "why"),
    [
        (
            "{type: sigv4, key: Authorization, value: '{{SIGNATURE}}', placement: header}",
            "`key` and `value` cannot sign for AWS; it needs `accessKeyId`, `secretKey`, `region`, `service`",
        ),
        ("{type: sigv4, region: r}", "a signature of AWS needs a `region` and a `service`"),
    ],
)
def test_what_cannot_sign_is_refused_with_its_place(authentication: str, why: str) -> None:
    problems = document(API.replace("AUTHENTICATION", authentication)).problems

    assert f"some.yaml:7:28: {why}" in [str(problem) for problem in problems if problem.severity == "error"]


@pytest.mark.parametrize("sign", [SUITE, OAuth1Signer("key", Rsa(KEY))])
def test_a_body_that_is_still_on_its_way_is_refused_rather_than_signed_wrongly(sign: Any) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b""

    with pytest.raises(Refused, match="signs the whole body, so it cannot be streamed"):
        sign(Request("POST", f"{HOST}/", content=cast("bytes", chunks())))
