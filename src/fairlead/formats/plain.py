"""The formats that need no more than a line: JSON, one JSON value a line, YAML, text."""

from __future__ import annotations

from typing import Any, Final

from fairlead.formats.base import MIB, Format, textual
from fairlead.jsontext import loads
from fairlead.source import value


def _lines(text: str) -> list[Any]:
    return [loads(line) for line in text.split("\n") if line.strip()]


JSON: Final = Format("JSON", lambda data, charset: loads(data.decode()), is_quick=True, takes_charset=False)
NDJSON: Final = textual("NDJSON", _lines, 16 * MIB)
YAML: Final = textual("YAML", value, MIB // 4)
TEXT: Final = textual("text", str, 16 * MIB)
