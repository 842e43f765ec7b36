"""Markdown: its front matter, its tables, and its sections; an `outputSchema` is how the headings of sections start.

# Fleet      {"frontMatter": {}, "tables": [], "sections": [{"heading": "Fleet", "level": 1, "content": "Two ships."}]}
Two *ships*.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from fairlead.formats.base import MIB, Format, records, textual
from fairlead.source import value

_PARSER = MarkdownIt("commonmark").enable("table")
_TEXTS = {"softbreak": " ", "hardbreak": "\n"}


def markdown(schema: str, folder: Path) -> Format:
    """The format of texts of which the sections are wanted whose heading starts so."""

    def read(text: str) -> Any:
        front, body = _front_matter(text)
        tokens = _PARSER.parse(body)
        sections = [section for section in _sections(tokens) if section["heading"].startswith(schema)]
        return {"frontMatter": front, "tables": list(_tables(tokens)), "sections": sections}

    return textual("Markdown", read, MIB // 8)


def _front_matter(text: str) -> tuple[Any, str]:
    """The YAML between two lines of hyphens at the very top, and what follows."""
    first, *rest = text.splitlines(keepends=True) or [""]
    if first.rstrip() != "---":
        return {}, text
    end = next((number for number, line in enumerate(rest) if line.rstrip() in ("---", "...")), None)
    return ({}, text) if end is None else (value("".join(rest[:end])) or {}, "".join(rest[end + 1 :]))


def _sections(tokens: Sequence[Token]) -> Iterator[dict[str, Any]]:
    """Every heading, and the text of the blocks up to the next one."""
    starts = [n for n, token in enumerate(tokens) if token.type == "heading_open" and token.level == 0]
    for start, end in pairwise([*starts, len(tokens)]):
        content = "\n".join(_blocks(tokens[start + 3 : end]))
        yield {"heading": _text(tokens[start + 1]), "level": int(tokens[start].tag[1:]), "content": content}


def _blocks(tokens: Iterable[Token]) -> Iterator[str]:
    in_table = False
    for token in tokens:
        in_table = token.type != "table_close" and (in_table or token.type == "table_open")
        if not in_table and token.type in ("inline", "fence", "code_block", "html_block"):
            yield _text(token) if token.type == "inline" else token.content.rstrip("\n")


def _text(token: Token) -> str:
    """Its text without markup."""
    return "".join(_TEXTS.get(child.type, child.content) for child in token.children or ())


def _tables(tokens: Sequence[Token]) -> Iterator[list[dict[str, str]]]:
    rows: list[list[str]] = []
    for token, before in zip(tokens, [None, *tokens], strict=False):
        match token.type:
            case "table_open":
                rows = []
            case "tr_open":
                rows.append([])
            case "inline" if before and before.type in ("th_open", "td_open"):
                rows[-1].append(_text(token))
            case "table_close":
                yield records(rows[0], rows[1:])
