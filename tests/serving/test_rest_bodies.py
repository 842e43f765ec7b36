"""Request bodies: JSON arrives byte for byte, and what the operation does not take is refused."""

from __future__ import annotations

import pytest

from fairlead.exposes.request import Reading
from fairlead.settings import Settings
from serving.world import BATCHES, FINE_TUNING, Upstream, world

pytestmark = pytest.mark.anyio

JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    "body",
    [
        b'{"z": 1, "a": 2,   "z2": [1,2 ,3]}\n',
        b'{"big": 123456789012345678901234567890, "float": 1.10, "exp": 1E5, "tiny": 0.1000000000000000055}',
        '{"text": "é \\u00e9 \\ud83d\\ude00 \U0001f600", "empty": ""}'.encode(),
        b'{"twice": 1, "twice": 2}',
        b"{}",
    ],
)
async def test_a_json_body_arrives_byte_for_byte(body: bytes) -> None:
    async with world(BATCHES, upstream=(upstream := Upstream())) as one:
        response = await one.rest.post("/v1/batches", content=body, headers=JSON)

    sent = upstream.only
    assert (response.status_code, sent.body) == (200, body)
    assert (sent.header("content-type"), sent.header("content-length")) == ("application/json", str(len(body)))


@pytest.mark.parametrize(
    ("media", "sent"),
    [
        ("application/json; charset=utf-8", "application/json"),
        ("APPLICATION/JSON", "application/json"),
        ("application/vnd.api+json", "application/vnd.api+json"),
    ],
)
async def test_any_json_media_type_will_do(media: str, sent: str) -> None:
    async with world(BATCHES, upstream=(upstream := Upstream())) as one:
        await one.rest.post("/v1/batches", content=b'{"a":1}', headers={"content-type": media})

    assert (upstream.only.body, upstream.only.header("content-type")) == (b'{"a":1}', sent)


@pytest.mark.parametrize(
    ("media", "body"),
    [
        ("application/x-www-form-urlencoded", b"a=1&b=%20"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="f"\r\n\r\n\xff\x00\r\n--x--\r\n',
        ),
        ("application/octet-stream", b"\x00\xff"),
        ("text/plain", b'{"not": "json" to us'),
    ],
)
async def test_a_body_of_another_media_type_passes_untouched(media: str, body: bytes) -> None:
    async with world(BATCHES, upstream=(upstream := Upstream())) as one:
        response = await one.rest.post("/v1/batches", content=body, headers={"content-type": media})

    assert response.status_code == 200
    assert (upstream.only.body, upstream.only.header("content-type")) == (body, media)


async def test_a_body_without_a_content_type_is_taken_for_json() -> None:
    async with world(BATCHES, upstream=(upstream := Upstream())) as one:
        await one.rest.post("/v1/batches", content=b'{"a":1}')

    assert upstream.only.body == b'{"a":1}'


OTHER_THAN_DECLARED: tuple[tuple[bytes, str, str], ...] = (
    (b"", "json", "is required"),
    (b"{", "json", "is not JSON: expecting property name enclosed in double quotes at line 1, column 2"),
    (b"  ", "json", "is not JSON: expecting value at line 1, column 3"),
    (b'{"a":1}{}', "json", "is not JSON: extra data at line 1, column 8"),
    (b'{"a":NaN}', "json", "is not JSON: NaN is no JSON value"),
    (b'{"a":"\xff"}', "json", "is not UTF-8 text"),
    (b"[" * 100_000, "json", "is nested too deeply"),
    (b"[1,2]", "json", "must be of type object, not [1, 2]"),
    (b'"text"', "json", 'must be of type object, not "text"'),
    (b"null", "json", "must be of type object, not null"),
)


@pytest.mark.parametrize(("body", "media", "fault"), OTHER_THAN_DECLARED, ids=range(len(OTHER_THAN_DECLARED)))
async def test_a_body_that_is_not_what_is_declared_is_refused(body: bytes, media: str, fault: str) -> None:
    async with world(BATCHES, upstream=(upstream := Upstream())) as one:
        response = await one.rest.post("/v1/batches", content=body, headers={"content-type": f"application/{media}"})

    assert response.json() == {
        "type": "urn:fairlead:problem:invalid-arguments",
        "title": "Bad Request",
        "status": 400,
        "detail": f"argument 'body' {fault}",
        "errors": [{"argument": "body", "detail": fault}],
        "declared": ["body"],
    }
    assert (response.status_code, upstream.got) == (400, [])


async def test_a_body_with_a_number_too_long_to_read_is_refused_in_our_own_words() -> None:
    async with world(BATCHES, upstream=(upstream := Upstream())) as one:
        response = await one.rest.post("/v1/batches", content=b'{"n":' + b"9" * 5000 + b"}", headers=JSON)

    assert (response.status_code, upstream.got) == (400, [])
    assert "set_int_max_str_digits" not in response.text


async def test_an_empty_body_with_a_content_type_is_no_body() -> None:
    async with world(FINE_TUNING, upstream=(upstream := Upstream())) as one:
        await one.rest.post("/v1/fine-tunes/ft-1/cancel", headers=JSON)
        await one.rest.request("DELETE", "/v1/fine-tunes/ft-1?force=true", content=b"", headers=JSON)

    assert [(sent.method, sent.body, sent.header("content-type")) for sent in upstream.got] == [
        ("POST", b"", None),
        ("DELETE", b"", None),
    ]


async def test_a_body_that_the_operation_does_not_take_is_refused() -> None:
    async with world(FINE_TUNING, upstream=(upstream := Upstream())) as one:
        response = await one.rest.post("/v1/fine-tunes/ft-1/cancel", json={"reason": "x"})

    detail = "argument 'body' is not declared: the operation takes no body"
    assert (response.status_code, response.json()["detail"], upstream.got) == (400, detail, [])


async def test_a_get_with_a_body_arrives_as_one() -> None:
    async with world(FINE_TUNING, upstream=(upstream := Upstream())) as one:
        await one.rest.request("GET", "/v1/fine-tunes/ft-1/metrics", content=b'{"steps": [1, 2]}', headers=JSON)
        await one.rest.get("/v1/fine-tunes/ft-1/metrics")

    assert [(sent.method, sent.body, sent.header("content-type")) for sent in upstream.got] == [
        ("GET", b'{"steps": [1, 2]}', "application/json"),
        ("GET", b"", None),
    ]


@pytest.mark.parametrize(("size", "status"), [(100, 200), (101, 413)])
async def test_a_body_over_the_limit_is_refused_and_one_at_it_is_not(size: int, status: int) -> None:
    body = b'{"a":"' + b"x" * (size - 8) + b'"}'
    settings = Settings(reading=Reading(body=100))
    async with world(BATCHES, upstream=(upstream := Upstream()), settings=settings) as one:
        response = await one.rest.post("/v1/batches", content=body, headers=JSON)

    assert (response.status_code, len(upstream.got)) == (status, 1 if status == 200 else 0)
    if status == 413:
        assert response.json()["detail"] == "the request's body is larger than 100 bytes"


MEMBERS = """
naftiko: 1.0.0-alpha2
capability:
  consumes:
  - {namespace: api, baseUri: 'https://api.test', resources: [{name: jobs, path: /jobs, operations: [
      {name: create, method: POST, inputParameters: [
        {name: model, in: body, type: string, required: true}, {name: epochs, in: body, type: integer}]}]}]}
  exposes:
  - {type: rest, namespace: jobs, resources: [{path: /jobs, operations: [{method: POST, call: api.create}]}]}
"""


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({"model": "m", "epochs": 3}, 200, b'{"model":"m","epochs":3}'),
        ({"model": "é"}, 200, '{"model":"é"}'.encode()),
        ({"epochs": 3}, 400, "argument 'model' is required"),
        ({"model": "m", "epoch": 3}, 400, "argument 'epoch' is not declared (did you mean 'epochs'?)"),
        ({"model": "m", "epochs": "3"}, 400, "argument 'epochs' must be of type integer, not \"3\""),
        ([1], 400, "argument 'body' must be a JSON object with epochs, model"),
    ],
)
async def test_members_of_a_body_are_declared_one_by_one(body: object, status: int, told: str | bytes) -> None:
    async with world(MEMBERS, upstream=(upstream := Upstream())) as one:
        response = await one.rest.post("/jobs", json=body)

    assert response.status_code == status
    assert (upstream.only.body if status == 200 else response.json()["detail"]) == told


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded"])
async def test_a_json_object_is_taken_apart_whatever_it_is_said_to_be(media: str) -> None:
    async with world(MEMBERS, upstream=(upstream := Upstream())) as one:
        taken = await one.rest.post("/jobs", content=b'{"model": "m"}', headers={"content-type": media})
        refused = await one.rest.post("/jobs", content=b"model=m", headers={"content-type": media})

    assert (taken.status_code, upstream.only.body) == (200, b'{"model":"m"}')
    assert refused.json()["detail"] == f"argument 'body' must be sent as application/json, not {media!r}"


async def test_an_encoded_body_passes_where_the_operation_declares_the_header() -> None:
    text = BATCHES.read_text("utf-8").replace(
        "- name: body\n", "- {name: Content-Encoding, in: header, type: string}\n        - name: body\n"
    )
    async with world(text, upstream=(upstream := Upstream())) as one:
        headers = {"content-type": "application/json", "content-encoding": "gzip"}
        response = await one.rest.post("/v1/batches", content=b"\x1f\x8b\x00", headers=headers)

    assert response.status_code == 200
    assert (upstream.only.body, upstream.only.header("content-encoding")) == (b"\x1f\x8b\x00", "gzip")


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        ("{type: xml, data: '<a b=\"{{x}}\">{{x}}</a>'}", b'<a b="&lt;&quot;&amp;">&lt;&quot;&amp;</a>'),
        ("{type: formUrlEncoded, data: 'grant=code&a={{x}}'}", b"grant=code&a=%3C%22%26"),
        ("{type: formUrlEncoded, data: {a: 'x {{x}}'}}", b"a=x+%3C%22%26"),
        ("{type: xml, data: '{{x}}'}", b'<"&'),
    ],
)
async def test_a_value_in_a_text_cannot_be_more_than_a_value(body: str, sent: bytes) -> None:
    document = f"""\
naftiko: 1.0.0-alpha2
capability:
  consumes:
  - namespace: harbour
    baseUri: https://harbour.example
    resources: [{{path: /x, operations: [{{name: send, method: POST, body: {body}}}]}}]
  exposes:
  - {{type: mcp, namespace: m, tools: [{{name: send, call: harbour.send}}]}}
"""
    upstream = Upstream()
    async with world(document, upstream=upstream) as one:
        await one.call("send", {"x": '<"&'})

    assert upstream.only.body == sent
