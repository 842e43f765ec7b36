"""Every raw format becomes the JSON that mappings work on, within bounds."""

from pathlib import Path
from typing import Any

import pytest

from fairlead.formats import FORMATS, Excess
from fairlead.formats.extras import extra

ADA = {"name": "Ada", "port": 'Oslo, "N"'}
LETTERS = zip("abcdef", "bcdefg", strict=True)
BILLION = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(f"{b}: &{b} [{f'*{a},' * 10}]\n" for a, b in LETTERS)


def read(kind: str, text: str | bytes, schema: str = "", charset: str = "") -> Any:
    data = text if isinstance(text, bytes) else text.encode()
    return FORMATS[kind](schema, Path())(data, charset)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<a><b>1</b><c x='y'/></a>", {"b": "1", "c": {"x": "y"}}),
        ("<a><b>1</b><c/><b>2</b><b/></a>", {"b": ["1", "2", ""], "c": ""}),
        ("<a b='1'><b>2</b></a>", {"b": ["1", "2"]}),
        ("<a x='1'> text </a>", {"x": "1", "": "text"}),
        ("<a>one <b>two</b> three</a>", {"b": "two", "": "one  three"}),
        ("<a>5</a>", "5"),
        ("<a> </a>", ""),
        ("<s:a xmlns:s='urn:s' xmlns='urn:t'><s:b s:c='1'>&lt;&#65;</s:b></s:a>", {"b": {"c": "1", "": "<A"}}),
        ("<!DOCTYPE a><a><![CDATA[<b>]]></a>", "<b>"),
    ],
)
def test_xml_is_read_as_objects_lists_and_text(text: str, expected: Any) -> None:
    assert read("xml", text) == expected


def test_xml_is_read_in_the_encoding_that_it_or_the_upstream_names() -> None:
    text = "<?xml version='1.0' encoding='iso-8859-1'?><a>ü</a>"

    assert read("xml", text.encode("latin-1")) == "ü"
    assert read("xml", text.encode("utf-16"), charset="utf-16") == "ü"


@pytest.mark.parametrize(
    "text",
    [
        "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
        "<!DOCTYPE a [<!ENTITY % b SYSTEM 'http://x.example/'> %b;]><a/>",
        "<!DOCTYPE a SYSTEM 'http://x.example/a.dtd'><a>&b;</a>",
        "<a>&b;</a>",
        "<a",
        "",
        "<a></b>",
        "<?xml version='1.0' encoding='klingon'?><a/>",
        "<a>" * 200,
    ],
)
def test_xml_that_is_broken_deep_or_declares_entities_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read("xml", text)


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("csv", 'name,port\r\nAda,"Oslo, ""N"""\r\n\r\nBea\r\n', [ADA, {"name": "Bea", "port": ""}]),
        ("csv", "\ufeffname\nÅse\n", [{"name": "Åse"}]),
        ("csv", "a,,a\n1,2,3,4\n", [{"a": "1", "2": "2", "a 2": "3", "4": "4"}]),
        ("csv", "a,b\n", []),
        ("csv", "", []),
        ("tsv", "a\tb\n1\t2\n", [{"a": "1", "b": "2"}]),
        ("psv", "a|b\n1|2\n", [{"a": "1", "b": "2"}]),
        ("ndjson", '{"a": 1}\n\n[2]\r\n', [{"a": 1}, [2]]),
        ("text", "one\n", "one\n"),
        ("yaml", "a: 5\nb: [on, 1.5, null, &x {c: d}, *x]\n", {"a": 5, "b": ["on", 1.5, None, {"c": "d"}, {"c": "d"}]}),
        ("yaml", "just text", "just text"),
        ("json", "[1]", [1]),
    ],
)
def test_text_formats_are_read(kind: str, text: str, expected: Any) -> None:
    assert read(kind, text) == expected


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("csv", 'a\n"b'),
        ("csv", b"\xff"),
        ("csv", "a," * 100_000),
        ("csv", "a," * 9_000 + "\n" + "b\n" * 9_000),
        ("ndjson", "{}\n{"),
        ("json", "{"),
        ("yaml", "a: ["),
        ("yaml", "a: !!python/object:x.Y {}"),
        ("yaml", "a: 1\n---\nb: 1"),
        ("yaml", "[" * 100),
        ("yaml", BILLION),
        ("yaml", f"a: &a '{'x' * 100_000}'\nb: [{'*a,' * 10_000}]"),
        ("yaml", "x" * 300_000),
        ("text", b"\xff"),
        ("html", "<div>" * 30_000),
        ("html", "<svg>" + "<td>" * 30_000),
        ("html", "<table><tr><td>" * 6),
        ("html", "<table><tr><th>a" + "<tr><td colspan=1000 rowspan=1000>b" * 1000),
        ("markdown", "x" * 200_000),
    ],
)
def test_what_is_broken_or_out_of_bounds_is_refused(kind: str, text: str | bytes) -> None:
    with pytest.raises(ValueError):
        read(kind, text)


def test_a_charset_that_nobody_knows_is_refused() -> None:
    assert read("csv", "a\nü".encode("latin-1"), charset="iso-8859-1") == [{"a": "ü"}]
    with pytest.raises(ValueError):
        read("csv", "a", charset="klingon")


PAGE = """
<div id=fleet><table><thead><tr><th> name <th>port<th>port</thead>
<tr><td>Ada<td><b>Os</b>lo<td>x<tr><th>name<th>port<th>port<tr><th>Bea<td colspan=2>Rome <br>harbour</table></div>
<table><tr><td>no header</table>
<table id=spans><tr><th>a<th>b<tr><td rowspan=2>1<td>2<tr><td>3</table>
"""
FLEET = [
    {"name": "Ada", "port": "Oslo", "port 2": "x"},
    {"name": "Bea", "port": "Rome harbour", "port 2": "Rome harbour"},
]
SPANS = [{"a": "1", "b": "2"}, {"a": "1", "b": "3"}]


@pytest.mark.parametrize(
    ("selector", "tables"),
    [("", [FLEET, SPANS]), ("#fleet", [FLEET]), ("table#spans", [SPANS]), ("div, table", [FLEET, SPANS]), ("p", [])],
)
def test_the_tables_of_a_page_are_read(selector: str, tables: Any) -> None:
    assert read("html", PAGE, selector) == {"tables": tables}


def test_an_output_schema_that_is_no_selector_is_told_when_the_document_is_loaded() -> None:
    with pytest.raises(ValueError, match="no CSS selector"):
        FORMATS["html"]("table[", Path())


MARKDOWN = """\
---
title: Fleet
---
before

# Our *ships*

Two `of` them,
[in port](x).

- one
- two

## Table

| name | port |
|---|---|
| *Ada* | Oslo |

```
code
```
"""


def test_markdown_is_read_as_front_matter_tables_and_sections() -> None:
    assert read("markdown", MARKDOWN) == {
        "frontMatter": {"title": "Fleet"},
        "tables": [[{"name": "Ada", "port": "Oslo"}]],
        "sections": [
            {"heading": "Our ships", "level": 1, "content": "Two of them, in port.\none\ntwo"},
            {"heading": "Table", "level": 2, "content": "code"},
        ],
    }
    assert [one["heading"] for one in read("markdown", MARKDOWN, "Ta")["sections"]] == ["Table"]
    assert read("markdown", "no heading") == {"frontMatter": {}, "tables": [], "sections": []}


def test_an_excess_says_which_bound_it_is() -> None:
    with pytest.raises(Excess, match="larger than the 131072 bytes that are read as Markdown"):
        read("markdown", "x" * 200_000)


SHIP = """{"type": "record", "name": "Ship", "fields": [
  {"name": "name", "type": "string"}, {"name": "flags", "type": {"type": "array", "items": "int"}},
  {"name": "photo", "type": "bytes"}, {"name": "built", "type": {"type": "int", "logicalType": "date"}},
  {"name": "owner", "type": ["null", "string"]}, {"name": "speed", "type": "double"}]}"""
RECORD = b"\x06Ada" + b"\x02\x0a\x00" + b"\x02\xff" + b"\x02" + b"\x00" + b"\0\0\0\0\0\0\xf8\x3f"


def with_file(tmp_path: Path, kind: str, text: str, data: bytes) -> Any:
    (tmp_path / "schema").write_text(text)
    return FORMATS[kind]("schema", tmp_path)(data, "")


def test_avro_is_read_by_its_schema(tmp_path: Path) -> None:
    assert with_file(tmp_path, "avro", SHIP, RECORD) == {
        "name": "Ada",
        "flags": [5],
        "photo": "/w==",
        "built": "1970-01-02",
        "owner": None,
        "speed": 1.5,
    }


@pytest.mark.parametrize("data", [b"", RECORD[:-1], RECORD + b"x", b"\xff" * 20, b"\x01" + RECORD])
def test_broken_avro_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(ValueError):
        with_file(tmp_path, "avro", SHIP, data)


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("{", "no Avro schema"),
        ('{"type": "klingon"}', "no Avro schema"),
        ('{"type": "array", "items": "null"}', "take no bytes"),
        ('{"type": "array", "items": {"type": "record", "name": "E", "fields": []}}', "take no bytes"),
        ('{"type": "record", "name": "N", "fields": [{"name": "next", "type": ["null", "N"]}]}', "recursive"),
    ],
)
def test_avro_schemas_that_set_no_bounds_are_refused(tmp_path: Path, schema: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        with_file(tmp_path, "avro", schema, b"")


PROTO = """syntax = "proto3";
package fleet;
import "google/protobuf/timestamp.proto";
message Ship { string name = 1; repeated int32 flags = 2; google.protobuf.Timestamp built_at = 3; Ship sister = 4; }
"""


def test_protocol_buffers_are_read_by_their_first_message(tmp_path: Path) -> None:
    data = b"\x0a\x03Ada\x12\x01\x05\x1a\x02\x08\x01\x22\x05\x0a\x03Bea"

    assert with_file(tmp_path, "protobuf", PROTO, data) == {
        "name": "Ada",
        "flags": [5],
        "built_at": "1970-01-01T00:00:01Z",
        "sister": {"name": "Bea", "flags": []},
    }


@pytest.mark.parametrize(
    ("schema", "data"),
    [(PROTO, b"\x0a\xff"), (PROTO, b"\x1a\x0c\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), ("x", b""), ("", b"")],
)
def test_broken_protocol_buffers_are_refused(tmp_path: Path, schema: str, data: bytes) -> None:
    with pytest.raises(ValueError):
        with_file(tmp_path, "protobuf", schema, data)


@pytest.mark.parametrize("kind", ["avro", "protobuf"])
def test_a_schema_must_be_a_file_in_the_folder_of_the_document(tmp_path: Path, kind: str) -> None:
    (tmp_path / "schema").write_text(SHIP)
    inner = tmp_path / "inner"
    inner.mkdir()
    for schema in ("", "none", "../schema", str(tmp_path / "schema")):
        with pytest.raises(ValueError):
            FORMATS[kind](schema, inner)


@pytest.mark.parametrize(("kind", "text"), [("avro", SHIP), ("protobuf", PROTO)])
def test_a_schema_that_is_not_beside_the_document_is_looked_for_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, text: str
) -> None:
    (inner := tmp_path / "inner").mkdir()
    (tmp_path / "schema").write_text(text)
    monkeypatch.chdir(tmp_path)

    assert FORMATS[kind]("schema", inner)


def test_a_format_whose_package_is_missing_says_how_to_install_it() -> None:
    with pytest.raises(ValueError, match=r"pip install 'fairlead\[avro\]'"):
        extra("no_such_package", "avro")
