"""Answers in another format than JSON: what an operation exposes as XML, YAML or a table.

- {method: GET, call: registry.list-ships, outputRawFormat: csv}

In XML the members of an object are elements, those of a list repeat, and the member "" is text, as they are read. A
table has a row for every object of a list, and a column for every name in them; what is nested is JSON in its cell.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import StringIO
from typing import Any, Final
from xml.etree import ElementTree as ET

import yaml

from fairlead.errors import UpstreamFailed
from fairlead.formats import JSON
from fairlead.jsontext import dumps
from fairlead.mapped import to_be_read, value_of, with_body
from fairlead.operation import NOTHING, Forwarded, Run
from fairlead.response import Arguments, Result
from fairlead.styles import to_text

_NOT_IN_NAMES: Final = re.compile(r"[^\w.-]+")
_NOT_IN_TEXT: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Encoding:
    """A media type, and how a JSON value is written in it."""

    media: str
    write: Callable[[Any], bytes]


def _xml(value: Any) -> bytes:
    root = ET.Element("result")
    _fill(root, {"item": value} if isinstance(value, list) else value)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _fill(element: ET.Element, value: Any) -> None:
    if not isinstance(value, Mapping):
        element.text = _NOT_IN_TEXT.sub("\N{REPLACEMENT CHARACTER}", "" if value is None else to_text(value))
        return
    for name, member in value.items():
        if name == "" and not isinstance(member, Mapping | list):
            _fill(element, member)
            continue
        for item in member if isinstance(member, list) else [member]:
            _fill(ET.SubElement(element, _name(name)), {"item": item} if isinstance(item, list) else item)


def _name(name: str) -> str:
    """The name as an element can have it."""
    safe = _NOT_IN_NAMES.sub("_", name) or "_"
    return safe if safe[0].isalpha() or safe[0] == "_" else f"_{safe}"


def _yaml(value: Any) -> bytes:
    text: str = yaml.dump(value, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False)
    return text.encode()


def _table(delimiter: str) -> Callable[[Any], bytes]:
    def write(value: Any) -> bytes:
        items = value if isinstance(value, list) else [value]
        rows = [item if isinstance(item, Mapping) else {"value": item} for item in items]
        names = dict.fromkeys(name for row in rows for name in row)
        text = StringIO(newline="")
        writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(["" if row.get(name) is None else to_text(row[name]) for name in names] for row in rows)
        return text.getvalue().encode()

    return write


ENCODINGS: Final[Mapping[str, Encoding]] = {
    "json": Encoding("application/json", dumps),
    "xml": Encoding("application/xml", _xml),
    "yaml": Encoding("application/yaml", _yaml),
    "csv": Encoding("text/csv; charset=utf-8", _table(",")),
    "tsv": Encoding("text/tab-separated-values; charset=utf-8", _table("\t")),
    "psv": Encoding("text/plain; charset=utf-8", _table("|")),
}


@dataclass(frozen=True, slots=True)
class Reencoded:
    """An operation whose successful answers, which are JSON, are written in another format."""

    run: Run
    encoding: Encoding

    async def __call__(self, arguments: Arguments, forwarded: Forwarded = NOTHING) -> Result:
        result = await self.run(arguments, to_be_read(forwarded))
        if not result.is_success:
            return result
        whole = await result.whole()
        if not whole.data:
            return whole.result
        value = await value_of(whole, JSON)
        try:
            written = self.encoding.write(value)
        except (RecursionError, ValueError):
            raise UpstreamFailed(f"the answer cannot be written as {self.encoding.media}") from None
        return with_body(whole, written, self.encoding.media).result
