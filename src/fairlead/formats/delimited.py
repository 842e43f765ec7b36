"""CSV and its kin: the first row names the columns, every other is an object, and every value is text."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

from fairlead.formats.base import MIB, Format, records, textual


def delimited(title: str, delimiter: str) -> Format:
    """The format of rows whose cells that character parts."""

    def read(text: str) -> Any:
        try:
            rows = [row for row in csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True) if row]
        except csv.Error:
            raise ValueError(f"is not {title}") from None
        return records(rows[0], rows[1:]) if rows else []

    return textual(title, read, 4 * MIB)
