"""Answers that are written in another format than JSON, and what is said of answers that pass through."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fairlead.encodings import ENCODINGS
from fairlead.formats import FORMATS
from serving.world import Reply, Upstream, document, world

pytestmark = pytest.mark.anyio

SHIPS = [{"name": "Fram", "crew": ["Ada", "Bo"], "tonnage": 402}, {"name": "Vasa, 1628", "flag": None}]


def of(operation: str, consumed: str = "{name: list}", adapter: str = "") -> str:
    return f"""\
naftiko: 1.0.0-alpha2
capability:
  consumes:
  - namespace: harbour
    baseUri: https://harbour.example
    resources: [{{path: /ships, operations: [{consumed}]}}]
  exposes:
  - type: rest
    namespace: r
    {adapter}
    resources: [{{path: /ships, operations: [{{method: GET, call: harbour.list, {operation}}}]}}]
  - {{type: mcp, namespace: m, tools: [{{name: list, call: harbour.list, {operation}}}]}}
"""


async def answered(text: str, reply: Reply | None = None) -> tuple[str, str]:
    """The media type and the text of the answer over REST, which is that over MCP."""
    reply = reply or Reply(body=json.dumps(SHIPS).encode())
    assert document(text).problems == ()
    async with world(text, upstream=Upstream(reply)) as one:
        rest = await one.rest.get("/ships")
        tool = await one.call("list")
    assert tool["content"][0]["text"] == rest.text
    return rest.headers["content-type"], rest.text


async def test_a_table_has_a_row_for_every_object_and_a_column_for_every_name() -> None:
    media, text = await answered(of("outputRawFormat: csv"))

    assert media == "text/csv; charset=utf-8"
    assert list(csv.DictReader(io.StringIO(text))) == [
        {"name": "Fram", "crew": '["Ada","Bo"]', "tonnage": "402", "flag": ""},
        {"name": "Vasa, 1628", "crew": "", "tonnage": "", "flag": ""},
    ]


async def test_xml_repeats_the_elements_of_lists() -> None:
    media, text = await answered(of("outputRawFormat: XML, outputParameters: [{type: object, mapping: '$[0]'}]"))

    assert media == "application/xml"
    assert text.endswith("<result><name>Fram</name><crew>Ada</crew><crew>Bo</crew><tonnage>402</tonnage></result>")


async def test_yaml_is_the_same_value() -> None:
    media, text = await answered(of("outputRawFormat: yaml"))

    assert (media, yaml.safe_load(text)) == ("application/yaml", SHIPS)


async def test_another_format_is_read_and_written() -> None:
    consumed = "{name: list, outputRawFormat: csv}"
    table = Reply(body=b"name,flag\nFram,NO\n", headers=(("content-type", "text/csv"),))

    assert (await answered(of("outputRawFormat: json", consumed), table))[1] == '[{"name":"Fram","flag":"NO"}]'
    assert (await answered(of("outputRawFormat: csv", consumed), table)) == ("text/csv", "name,flag\nFram,NO\n")


async def test_an_error_stays_as_it_came() -> None:
    async with world(of("outputRawFormat: xml"), upstream=Upstream(Reply(404, b'{"error":"none"}'))) as one:
        answer = await one.rest.get("/ships")

    assert (answer.status_code, answer.json()) == (404, {"error": "none"})


@pytest.mark.parametrize(
    "said",
    [
        "responseBinary: {mediaType: image/png}",
        "responseBinary: image/png",
        "responses: {200: {content: {image/png: {}}}}",
        "responses: {'404': {mediaType: text/plain}, '200': {mimeType: image/png}}",
    ],
)
async def test_a_route_says_what_its_answers_are(said: str) -> None:
    text = of("", "{name: list, outputRawFormat: binary}").replace("method: GET,", f"method: GET, {said},")
    assert document(text).problems == ()

    async with world(text, upstream=Upstream(Reply(body=b"\x89PNG", headers=()))) as one:
        answer = await one.rest.get("/ships")
        described = (await one.rest.get("/openapi.json")).json()

    assert (answer.headers["content-type"], answer.content) == ("image/png", b"\x89PNG")
    assert list(described["paths"]["/ships"]["get"]["responses"]["2XX"]["content"]) == ["image/png"]


@pytest.mark.parametrize(("own", "status"), [("", 502), (", maxBinarySize: 1KiB", 200)])
async def test_an_adapter_says_how_large_answers_may_be_unless_the_operation_does(own: str, status: int) -> None:
    text = of("", f"{{name: list, outputRawFormat: binary{own}}}", "maxBinarySize: 10B")
    body = Reply(body=bytes(20), headers=(("content-length", "20"),))

    async with world(text, upstream=Upstream(body)) as one:
        assert (await one.rest.get("/ships")).status_code == status


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="￾￿"), min_size=1)
ROWS = st.lists(st.dictionaries(TEXT, TEXT, min_size=1), min_size=1, max_size=5)


@given(ROWS)
def test_a_table_is_read_as_it_was_written(rows: list[dict[str, str]]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    read = FORMATS["csv"]("", Path())

    assert read(ENCODINGS["csv"].write(rows), "") == [{name: row.get(name, "") for name in names} for row in rows]


NAMES = st.from_regex(r"[a-z]{1,8}", fullmatch=True)
VALUES = st.recursive(
    TEXT.map(str.strip).filter(bool),
    lambda inner: st.dictionaries(NAMES, inner, min_size=1) | st.lists(inner, min_size=2),
    max_leaves=10,
)


@given(VALUES)
def test_xml_is_read_as_it_was_written(value: Any) -> None:
    read = FORMATS["xml"]("", Path())
    expected = {"item": value} if isinstance(value, list) else value

    assert read(ENCODINGS["xml"].write(value), "") == _nested(expected)


def _nested(value: Any) -> Any:
    """The value with a list inside of a list as the member `item`."""
    if isinstance(value, dict):
        return {name: _nested(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_nested({"item": one} if isinstance(one, list) else one) for one in value]
    return value
