"""What upstreams answer in, by the names of `outputRawFormat`: one module a kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fairlead.formats.avro import avro
from fairlead.formats.base import Excess, Format, Opened, without_schema
from fairlead.formats.delimited import delimited
from fairlead.formats.html import html
from fairlead.formats.markdown import markdown
from fairlead.formats.plain import JSON, NDJSON, TEXT, YAML
from fairlead.formats.protobuf import protobuf
from fairlead.formats.xml import XML

__all__ = ["FORMATS", "JSON", "OPAQUE", "Excess", "Format"]

FORMATS: Final[Mapping[str, Opened]] = {
    "json": without_schema(JSON),
    "xml": without_schema(XML),
    "yaml": without_schema(YAML),
    "csv": without_schema(delimited("CSV", ",")),
    "tsv": without_schema(delimited("TSV", "\t")),
    "psv": without_schema(delimited("PSV", "|")),
    "html": html,
    "markdown": markdown,
    "text": without_schema(TEXT),
    "ndjson": without_schema(NDJSON),
    "avro": avro,
    "protobuf": protobuf,
}
OPAQUE: Final = frozenset({"binary"})
"""Formats that are known and that nothing can be found in."""
