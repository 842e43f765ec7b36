"""Mappings that are done while JSON is read: what they find is written again, and no value is built between.

{type: array, mapping: $.data, items: {type: object, properties: {name: {type: string, mapping: $.label}}}}

msgspec reads objects as structs of the members that are wanted, and writes structs as objects. An answer of another
form than that (a number where a text is declared, a null where an object is looked into) is mapped by its shape.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import starmap
from typing import Any, Final

import msgspec

from fairlead.conversion import CONVERSIONS
from fairlead.formats import JSON, Format
from fairlead.jsonpath import Every, First, Named
from fairlead.jsontext import written
from fairlead.mapped import Direct, Shape
from fairlead.shape import Each, Found, Get, Members
from fairlead.structs import Function, IndirectError, Tree, finder, grown, object_of, taker, type_of

_READ_AS: Final[dict[Get | None, Any]] = {
    None: msgspec.Raw,
    CONVERSIONS["string"]: str | None,
    CONVERSIONS["boolean"]: bool | None,
    CONVERSIONS["integer"]: int | None,
    CONVERSIONS["number"]: int | float | None,
}
"""For each conversion the type of what it leaves as it is; without one it stays in the bytes that it is spelt in."""


def directly(shape: Shape, form: Format) -> Direct | None:
    """What does with answers of a format all that a shape does; None where that is more than msgspec can do."""
    if form is not JSON:
        return None
    try:
        kind, make = _mapping(shape)
    except IndirectError:
        return None
    decode = msgspec.json.Decoder(kind).decode

    def mapped(data: bytes) -> bytes | None:
        try:
            return written(make(decode(data)))
        except (ValueError, AttributeError, IndexError, RecursionError):
            return None

    return mapped


def _mapping(shape: Shape) -> tuple[Any, Function]:
    """The type of values that are mapped, and what makes of one what is written."""
    match shape:
        case Found(get, convert) if _is_readable(get, convert):
            return _finding(get, _READ_AS[convert])
        case Each(get, Members(members, None)):
            tree, make = _objects(members)
            item = type_of(tree)
            kind, find = _finding(get, item if isinstance(get, Every) else list[item])  # type: ignore[valid-type]
            return kind, lambda value: make(find(value))
        case Members(members, (None | Named()) as get):
            tree, make = _objects(members)
            kind, find = _finding(get, tree)
            return kind, lambda value: make((find(value),))[0]
    raise IndirectError


def _finding(get: Get | None, wanted: Tree) -> tuple[Any, Function]:
    """The type of values in which a path finds what is wanted, and what finds it there."""
    tree = grown(None, get, wanted)
    return type_of(tree), finder(get, tree)


def _objects(outputs: Iterable[tuple[str, Shape | None]]) -> tuple[Tree, Function]:
    """What is wanted of objects of which members are mapped, and what makes the mapped ones of a list of them."""
    tree: Tree = None
    gets: dict[str, Get] = {}
    for name, output in outputs:
        match output:
            case Found((First() | Every()) as get, convert) if _is_readable(get, convert):
                gets[name] = get
                tree = grown(tree, get, _READ_AS[convert])
            case _:
                raise IndirectError
    if all(isinstance(get, Named) and get.names == (name,) for name, get in gets.items()):
        return tree, lambda found: found  # they are written as they are read
    build: Any = starmap if len(gets) > 1 else map
    take = taker([*gets.values()], tree)
    made = object_of(dict.fromkeys(gets, Any))
    return tree, lambda found: found and list(build(made, map(take, found)))


def _is_readable(get: Get | None, convert: Get | None) -> bool:
    """Whether what is found can be read as what it is converted to; a list that is found is converted as one value."""
    return convert is None or (convert in _READ_AS and isinstance(get, First))
