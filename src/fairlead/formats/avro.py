"""Avro: one record in the binary encoding; `outputSchema` is the path of its schema, in JSON.

Bytes become base64, dates and times text. Recursive schemas, and arrays whose items may take no bytes, are refused:
few bytes could be read without end.
"""

from __future__ import annotations

import math
import struct
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

from fairlead.formats.base import MIB, Format
from fairlead.formats.extras import extra, schema_file
from fairlead.jsontext import loads

_BROKEN = (EOFError, ValueError, LookupError, TypeError, ArithmeticError, struct.error)


def avro(schema: str, folder: Path) -> Format:
    """The format of records of that schema."""
    library = extra("fastavro", "avro")
    path, _ = schema_file(schema, folder, "an Avro schema")
    try:
        tree = loads(path.read_text("utf-8"))
        parsed = library.parse_schema(tree)
    except Exception:  # noqa: BLE001 what it raises has no family of its own
        raise ValueError(f"{schema!r} is no Avro schema") from None
    _Bounds().takes(tree)

    def read(data: bytes, charset: str) -> Any:
        stream = BytesIO(data)
        try:
            value = library.schemaless_reader(stream, parsed, None)
        except _BROKEN:
            raise ValueError("is not Avro") from None
        if stream.read(1):
            raise ValueError("goes on after its record")
        return _plain(value)

    return Format("Avro", read, 4 * MIB)


def _plain(value: Any) -> Any:
    """The value as JSON has it."""
    match value:
        case dict():
            return {name: _plain(member) for name, member in value.items()}
        case list():
            return [_plain(item) for item in value]
        case _:
            return _plain_scalar(value)


def _plain_scalar(value: Any) -> Any:
    match value:
        case bytes():
            return b64encode(value).decode()
        case datetime() | date() | time():
            return value.isoformat()
        case Decimal() | UUID():
            return str(value)
        case float() if not math.isfinite(value):
            return None
        case _:
            return value


@dataclass
class _Bounds:
    """Looks for what could be read without end."""

    records: dict[str, Any] = field(default_factory=dict)

    def takes(self, schema: Any, around: tuple[str, ...] = ()) -> bool:
        """Whether a value of the schema takes at least one byte; raises `ValueError` for what has no bound."""
        match schema:
            case str():
                return self._named(schema.rpartition(".")[2], around)
            case list():
                return len([self.takes(one, around) for one in schema]) > 0
            case {"type": "record" | "error", "name": name, "fields": fields}:
                return self._record(str(name).rpartition(".")[2], fields, around)
            case {"type": "array", "items": items} if not self.takes(items, around):
                raise ValueError("the Avro schema has an array whose items take no bytes")
            case {"type": "map", "values": values}:
                return self.takes(values, around) or True
            case {"type": kind}:
                return schema.get("size") != 0 and self.takes(kind, around)
            case _:
                return True

    def _named(self, name: str, around: tuple[str, ...]) -> bool:
        if name in around:
            raise ValueError("the Avro schema is recursive")
        return self._record(name, self.records[name], around) if name in self.records else name != "null"

    def _record(self, name: str, fields: Any, around: tuple[str, ...]) -> bool:
        self.records[name] = fields
        return any([self.takes(one.get("type"), (*around, name)) for one in fields])  # noqa: C419 all are looked at
