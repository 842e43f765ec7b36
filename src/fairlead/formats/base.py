"""What every format has: a name for people, a function from bytes to a JSON value, and bounds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

MIB: Final = 1024 * 1024
MAX_CELLS: Final = 1_000_000
MAX_COLUMNS: Final = 10_000


class Excess(ValueError):
    """A value is too large or nested too deeply to be read; the message is what is to be told of it."""


@dataclass(frozen=True, slots=True)
class Format:
    """How answers of one kind become a JSON value; `read` takes the bytes and the charset that was said, if any.

    Calling it raises `ValueError` for what is not of the format, without a word of what the answer holds.
    """

    title: str
    read: Callable[[bytes, str], Any]
    max_bytes: int | None = None
    is_quick: bool = False
    """Whether reading never takes so long that others should go on beside it."""
    takes_charset: bool = True
    """Whether a charset that is said means anything."""
    has_lists: bool = True
    """Whether one item in a list is told from one that is not in a list."""

    def __call__(self, data: bytes, charset: str) -> Any:
        if self.max_bytes is not None and len(data) > self.max_bytes:
            raise Excess(f"is larger than the {self.max_bytes} bytes that are read as {self.title}")
        try:
            return self.read(data, charset)
        except RecursionError:
            raise Excess("is nested too deeply for its output mapping") from None


Opened = Callable[[str, Path], Format]
"""The format for an `outputSchema`, and the folder of the document that has it.

Raises `ValueError` for a schema that it cannot use.
"""


def textual(title: str, read: Callable[[str], Any], max_bytes: int) -> Format:
    """A format of text."""
    return Format(title, lambda data, charset: read(as_text(data, charset)), max_bytes)


def without_schema(form: Format) -> Opened:
    """The format where an `outputSchema` has nothing to say."""
    return lambda schema, folder: form


def as_text(data: bytes, charset: str) -> str:
    """The text in that charset, without a byte order mark; raises `ValueError` where it is none."""
    try:
        return data.decode("utf-8-sig" if charset.lower() in ("", "utf-8", "utf8") else charset)
    except LookupError:
        raise ValueError("is in an unknown charset") from None


def records(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[dict[str, str]]:
    """An object for each row of a table, nothing of it lost.

    Cells that a row lacks are empty; a column without a name has its number for one, and the second `port` is `port 2`.
    """
    listed = list(rows)
    width = max((len(header), *map(len, listed)))
    if width * len(listed) > MAX_CELLS or width > MAX_COLUMNS:
        raise Excess("has too many cells")
    names = _unique([*header, *[""] * (width - len(header))])
    return [dict(zip(names, [*row, *[""] * (width - len(row))], strict=True)) for row in listed]


def _unique(header: Sequence[str]) -> list[str]:
    names: dict[str, None] = {}
    seen: Counter[str] = Counter()
    for number, said in enumerate(header, 1):
        name = base = said or str(number)
        while name in names:
            seen[base] += 1
            name = f"{base} {seen[base] + 1}"
        names[name] = None
    return list(names)
