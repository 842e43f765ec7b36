"""What of a JSON value a mapping looks at, and a reader that builds no more of it than that.

A document of a megabyte is read several times as fast when only the `id` of each of its items is wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any, Final, TypedDict

import msgspec

from fairlead.formats import JSON, Format
from fairlead.jsonpath import Every, First, plain


@dataclass(frozen=True, slots=True)
class Wanted:
    """The parts of a value that are looked at: some members, something in each item, or all of it."""

    members: Mapping[str, Wanted] = field(default_factory=dict)
    items: Wanted | None = None
    is_all: bool = False

    def __or__(self, other: Wanted) -> Wanted:
        if self.is_all or other.is_all:
            return ALL
        members = dict(self.members)
        for name, wanted in other.members.items():
            members[name] = members.get(name, NOTHING) | wanted
        return Wanted(members, (self.items or other.items) and (self.items or NOTHING) | (other.items or NOTHING))


NOTHING: Final = Wanted()
ALL: Final = Wanted(is_all=True)


def found_by(get: Callable[[Any], Any] | None, wanted: Wanted = ALL) -> Wanted:
    """What a compiled path looks at, where `wanted` is what is looked at in what it finds."""
    if get is None:
        return wanted
    if not isinstance(get, First | Every) or not isinstance(get.path, plain.PlainPath):
        return ALL
    return reduce(_before, reversed(get.path.steps), wanted)


def _before(wanted: Wanted, step: plain.Step) -> Wanted:
    if isinstance(step, plain.Member):
        # msgspec finds no member by a name that is not ASCII
        return Wanted({step.name: wanted}) if step.name.isascii() else ALL
    return Wanted(items=wanted) if isinstance(step, plain.Item) or step is plain.children else ALL


def narrowed(form: Format, wanted: Wanted) -> Format:
    """The format, read no further than wanted; a value of another form than the paths expect is read as a whole.

    Of what is skipped the syntax is looked at, but not the texts: they may be no UTF-8, and nobody sees them.
    """
    if form is not JSON or wanted.is_all:
        return form
    decoder = msgspec.json.Decoder(_type(wanted))

    def read(data: bytes, charset: str) -> Any:
        try:
            return decoder.decode(data)
        except (ValueError, RecursionError):
            return form.read(data, charset)

    return replace(form, read=read)


def _type(wanted: Wanted) -> Any:
    """The type that has msgspec skip what is not wanted."""
    if wanted.is_all:
        return Any
    kind: Any = None
    if wanted.members:
        members = {name: _type(one) for name, one in wanted.members.items()}
        kind |= TypedDict("Object", members, total=False)  # type: ignore[operator]
    if wanted.items:
        item = _type(wanted.items)
        kind |= list[item]  # type: ignore[valid-type]
    return kind or msgspec.Raw
