"""Plain paths, names, indexes and wildcards, as a short loop: `$.data[*].weird-key['quoted name'][-1]`.

Names may hold what RFC 9535 wants quoted and published files do not quote: hyphens, blanks, `@` and `$`. A `length`
that is not quoted is the member of that name, and of an array the number of its items.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Any

_SEGMENT = re.compile(
    r"""\.(?P<name>[$@]?[\w-]+(?:[ ][\w-]+)*)
      | \[(?:'(?P<single>[^'\\\x00-\x1f]*)'|"(?P<double>[^"\\\x00-\x1f]*)")\]
      | \[(?P<index>0|-?[1-9][0-9]{0,14})\]
      | (?P<all>\.\*|\[\*\])""",
    re.VERBOSE,
)

Step = Callable[[list[Any]], list[Any]]


@dataclass(frozen=True, slots=True)
class Member:
    """The members of one name."""

    name: str

    def __call__(self, found: list[Any]) -> list[Any]:
        try:
            return list(map(itemgetter(self.name), found))
        except (KeyError, TypeError):  # what is no object has no members, and not every object has this one
            return [one[self.name] for one in found if isinstance(one, dict) and self.name in one]


@dataclass(frozen=True, slots=True)
class Item:
    """The items at one index; a negative one counts from the end."""

    index: int

    def __call__(self, found: list[Any]) -> list[Any]:
        index = self.index
        return [one[index] for one in found if isinstance(one, list) and -len(one) <= index < len(one)]


def children(found: list[Any]) -> list[Any]:
    """Everything that stands in objects and arrays."""
    inner = (one.values() if isinstance(one, dict) else one for one in found if isinstance(one, (dict, list)))
    return list(chain.from_iterable(inner))


def length(found: list[Any]) -> list[Any]:
    """The members of that name, and the number of items of arrays."""
    return [
        len(one) if isinstance(one, list) else one["length"]
        for one in found
        if isinstance(one, list) or (isinstance(one, dict) and "length" in one)
    ]


@dataclass(frozen=True, slots=True)
class PlainPath:
    """Steps, one after the other."""

    steps: tuple[Step, ...]

    @property
    def is_definite(self) -> bool:
        return children not in self.steps

    @property
    def names(self) -> tuple[str, ...]:
        """The names, where it is nothing but names; else none."""
        names = tuple(step.name for step in self.steps if isinstance(step, Member))
        return names if len(names) == len(self.steps) else ()

    def find(self, value: Any) -> list[Any]:
        found = [value]
        for step in self.steps:
            found = step(found)
        return found


def compile_path(text: str) -> PlainPath | None:
    """The path, or None where it is not a plain one."""
    segments = []
    end = 1
    while segment := _SEGMENT.match(text, end):
        segments.append(segment)
        end = segment.end()
    return PlainPath(tuple(map(_step, segments))) if end == len(text) else None


def _step(segment: re.Match[str]) -> Step:
    kind = segment.lastgroup
    text = segment[kind or 0]
    match kind:
        case "all":
            return children
        case "index":
            return Item(int(text))
        case "name" if text == "length":
            return length
        case _:
            return Member(text)
