"""HTML: its tables, each a list of objects by the cells of the header; an `outputSchema` is a CSS selector for them.

<table><tr><th>name</th></tr><tr><td>Ada</td></tr></table>   {"tables": [[{"name": "Ada"}]]}

A table without a header is left out. A cell that spans several columns or rows stands in each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from fairlead.formats.base import MIB, Excess, Format, records, textual

MAX_SPAN: Final = 1000
MAX_CELLS: Final = 200_000
MAX_TABLE_DEPTH: Final = 4
MAX_NESTING_TAGS: Final = 20_000
_TAG = re.compile(r"<([a-zA-Z][^\s/>]*)")
_FLAT = frozenset("p li dt dd tr td th thead tbody tfoot caption col option br hr img input wbr meta link".split())

Row = list[str]


def html(schema: str, folder: Path) -> Format:
    """The format of pages in which the selector finds tables, or what holds them."""
    selector = schema or "table"
    try:
        LexborHTMLParser("<p>").css(selector)
    except SelectolaxError:
        raise ValueError(f"{schema!r} is no CSS selector") from None

    def read(text: str) -> Any:
        _ensure_cheap(text)
        page = LexborHTMLParser(text)
        if page.css_first("table " * (MAX_TABLE_DEPTH + 1)):
            raise Excess(f"has tables nested deeper than {MAX_TABLE_DEPTH} levels")
        found = page.css(selector)
        tables = {node.mem_id: node for one in found for node in ([one] if one.tag == "table" else one.css("table"))}
        return {"tables": [rows for table in tables.values() if (rows := _records(table)) is not None]}

    return textual("HTML", read, 2 * MIB)


def _ensure_cheap(text: str) -> None:
    """Raises for what takes the parser long: its time grows with the square of how deep elements are nested.

    Those that cannot stand in their own kind are as many as they like, but in SVG and MathML, where they can.
    """
    is_foreign = re.search("<(svg|math)", text, re.IGNORECASE) is not None
    tags = (match[1].lower() for match in _TAG.finditer(text))
    nesting = sum(is_foreign or tag not in _FLAT for tag in tags)
    if nesting > MAX_NESTING_TAGS:
        raise Excess(f"has more than {MAX_NESTING_TAGS} elements that may be nested")


def _records(table: LexborNode) -> list[dict[str, str]] | None:
    """The rows below the header; those of nothing but header cells only repeat it."""
    rows = list(_rows(table))
    in_head = (row for row in rows if row.parent is not None and row.parent.tag == "thead")
    head = next((row for row in [*in_head, *rows] if row.css_first("th")), None)
    if head is None:
        return None
    grid = dict(zip([row.mem_id for row in rows], _grid(rows), strict=True))
    below = (row for row in rows if row.mem_id != head.mem_id and any(cell.tag == "td" for cell in row.iter()))
    return records(grid[head.mem_id], [grid[row.mem_id] for row in below])


def _rows(table: LexborNode) -> Iterator[LexborNode]:
    """Its own rows, and none of tables inside of it."""
    for part in table.iter():
        if part.tag in ("thead", "tbody", "tfoot"):
            yield from (row for row in part.iter() if row.tag == "tr")


def _grid(rows: list[LexborNode]) -> list[Row]:
    """The texts of the cells, each wherever it spans."""
    grid: list[dict[int, str]] = [{} for _ in rows]
    cells = 0
    for number, row in enumerate(rows):
        column = 0
        for cell in (one for one in row.iter() if one.tag in ("td", "th")):
            text = " ".join(cell.text().split())
            while column in grid[number]:
                column += 1
            height, width = _span(cell, "rowspan"), _span(cell, "colspan")
            for line in grid[number : number + height]:
                line.update(dict.fromkeys(range(column, column + width), text))
                cells += width
                if cells > MAX_CELLS:
                    raise Excess("has too many cells")
            column += width
    return [[line.get(column, "") for column in range(max(line, default=-1) + 1)] for line in grid]


def _span(cell: LexborNode, name: str) -> int:
    said = cell.attributes.get(name) or ""
    return min(max(int(said), 1), MAX_SPAN) if said.isascii() and said.isdigit() and len(said) < 5 else 1
