"""The tree that a document's text becomes: mappings, lists and scalars that know where they stand.

Scalars follow YAML 1.2: `on`, `no` and `2026-05-19` are text; numbers keep their spelling.
"""

from __future__ import annotations

import re
from typing import Any, Self

from fairlead.errors import Place, Problem


class Integer(int):
    """A whole number that keeps its spelling, so that `version: 007` can still be read as text."""

    text: str

    def __new__(cls, text: str, base: int = 10) -> Self:
        number = super().__new__(cls, text, base)
        number.text = text
        return number


class Decimal(float):
    """A decimal number that keeps its spelling, so that `version: 1.10` can still be read as text."""

    text: str

    def __new__(cls, text: str) -> Self:
        number = super().__new__(cls, text)
        number.text = text
        return number


_LONGEST_NUMBER = 64
_FIRST = frozenset(["", *"~nNtTfF+-.0123456789"])
"""How a plain scalar starts that is anything but text."""
_PLAIN: tuple[tuple[re.Pattern[str], Any], ...] = (
    (re.compile(r"|~|null|Null|NULL"), lambda _: None),
    (re.compile(r"true|True|TRUE"), lambda _: True),
    (re.compile(r"false|False|FALSE"), lambda _: False),
    (re.compile(r"[-+]?[0-9]+"), Integer),
    (re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+"), lambda text: Integer(text, 0)),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,2})?"), Decimal),
)


class MappingNode(dict[str, Any]):
    """A YAML mapping; `place` is its own, `key_places` and `value_places` those of its entries.

    `faults` are the errors of form in it, at any depth, by the entry that they stand in; validation fills them in.
    """

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.faults: dict[str, list[Problem]] = {}
        self.key_places: dict[str, Place] = {}
        self.value_places: dict[str, Place] = {}


class SequenceNode(list[Any]):
    """A YAML sequence; `places` holds one place per item."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.places: list[Place] = []


Node = MappingNode | SequenceNode


def plain(text: str) -> Any:
    """The value of an unquoted scalar by the YAML 1.2 core schema; numbers beyond all use stay text."""
    if len(text) <= _LONGEST_NUMBER and text[:1] in _FIRST:
        for pattern, convert in _PLAIN:
            if pattern.fullmatch(text):
                return convert(text)
    return text
