"""Mappings that are done while JSON is read: what they find is written again, and no value is built between.

{type: array, mapping: $.data, items: {type: object, properties: {name: {type: string, mapping: $.label}}}}

msgspec reads objects as structs of the members that are wanted, and writes structs as objects. An answer of another
form than that (a number where a text is declared, a null where an object is looked into) is mapped by its shape.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial, reduce
from itertools import chain, starmap
from operator import attrgetter
from typing import Any, Final

import msgspec

from fairlead.conversion import CONVERSIONS
from fairlead.formats import JSON, Format
from fairlead.jsonpath import Every, First, Named
from fairlead.jsonpath.plain import Item, Member, PlainPath, children
from fairlead.mapped import Shape
from fairlead.operation import Arguments
from fairlead.shape import Each, Found, Get, Members, looked_at
from fairlead.wanted import narrowed

_READ_AS: Final[dict[Get | None, Any]] = {
    None: msgspec.Raw,
    CONVERSIONS["string"]: str | None,
    CONVERSIONS["boolean"]: bool | None,
    CONVERSIONS["integer"]: int | None,
    CONVERSIONS["number"]: int | float | None,
}
"""For each conversion the type of what it leaves as it is; without one it stays in the bytes that it is spelt in."""

_FIT: Final = re.compile(r'[^"\\\x00-\x1f\ud800-\udfff]*')
"""The names that msgspec can have."""

_Function = Callable[[Any], Any]
_Field = tuple[str, Any, Any]
"""An attribute of a struct, its type, and what it is where the object has no such member."""

_Tree = dict[str, Any]
"""The members that are wanted of an object: each with its type, or with what is wanted of it."""


class _IndirectError(Exception):
    """A shape is more than msgspec can do by itself."""


def directly(shape: Shape, form: Format) -> tuple[Shape, Format]:
    """What is to be made of the format's values, and the format, read no further than the shape looks."""
    narrow = narrowed(form, looked_at(shape))
    try:
        kind, find = _mapping(shape, form)
    except _IndirectError:
        return shape, narrow
    decode = msgspec.json.Decoder(kind).decode

    def read(data: bytes, charset: str) -> Any:
        try:
            found = find(decode(data))
            return found if isinstance(found, msgspec.Raw) else msgspec.Raw(msgspec.json.encode(found))
        except (ValueError, AttributeError, RecursionError):
            return narrow.read(data, charset)

    def mapped(value: Any, arguments: Arguments) -> Any:
        return value if isinstance(value, msgspec.Raw) else shape(value, arguments)

    return mapped, replace(form, read=read)


def _mapping(shape: Shape, form: Format) -> tuple[Any, _Function]:
    """The type of values that are mapped, and what makes of one what is written."""
    match shape:
        case Found(get, None) if form is JSON:
            return _following(get, msgspec.Raw)
        case Each(get, Members(members, None)) if form is JSON:
            item, make = _items(members)
            kind, find = _following(get, item if isinstance(get, Every) else _list(item))
            return kind, lambda value: make(find(value))
    raise _IndirectError


def _following(get: Get | None, kind: Any) -> tuple[Any, _Function]:
    """The type of values in which a path finds what is of a type, and what finds it there."""
    if get is None:
        return kind, _unchanged
    if isinstance(get, Named):
        return reduce(_holding, reversed(get.names), kind), attrgetter(".".join(["member"] * len(get.names)))
    if not isinstance(get, First | Every) or not isinstance(get.path, PlainPath):
        raise _IndirectError
    steps: list[_Function] = []
    for step in reversed(get.path.steps):
        match step:
            case Member(name):
                steps.append(_members)
                kind = _holding(kind, name)
            case Item():
                steps.append(step)
                kind = _list(kind)
            case _ if step is children:
                steps.append(chain.from_iterable)
                kind = _list(kind)
            case _:
                raise _IndirectError
    return kind, partial(_every if isinstance(get, Every) else _first, tuple(reversed(steps)))


def _unchanged(value: Any) -> Any:
    return value


def _every(steps: Iterable[_Function], value: Any) -> Any:
    found: Iterable[Any] = (value,)
    for step in steps:
        found = step(found)
    return list(found)


def _first(steps: Iterable[_Function], value: Any) -> Any:
    found = _every(steps, value)
    return found[0] if found else None


def _members(found: Iterable[Any]) -> list[Any]:
    """The members that are wanted, where they are; the interpreter makes an attribute of one name quick."""
    return [member for one in found if (member := one.member) is not None]


def _items(members: Iterable[tuple[str, Shape | None]]) -> tuple[Any, _Function]:
    """The type of objects of which members are wanted, and what makes objects of these members of a list of them."""
    tree: _Tree = {}
    paths = []
    for _, member in members:
        match member:
            case Found(Named() as get, convert) if convert in _READ_AS:
                paths.append(get.names)
                _grow(tree, get.names, _READ_AS[convert])
            case _:
                raise _IndirectError
    outputs = [name for name, _ in members]
    kind = _object(tree)
    if paths == [(name,) for name in outputs]:
        return kind, _unchanged  # they are written as they are read
    take = attrgetter(*[".".join(map(_attribute, names)) for names in paths])
    build: Any = starmap if len(paths) > 1 else map
    made = _object(dict.fromkeys(outputs, Any))
    return kind, lambda items: items and list(build(made, map(take, items)))


def _grow(tree: _Tree, names: Sequence[str], kind: Any) -> None:
    """Adds what is wanted at the end of a path; one member is wanted as one type."""
    *above, name = names
    for one in above:
        tree = tree.setdefault(one, {})
        if not isinstance(tree, dict):
            raise _IndirectError
    if tree.setdefault(name, kind) != kind:
        raise _IndirectError


def _object(tree: _Tree) -> Any:
    """The type of objects with these members; one that is missing is null, or has only such members itself."""
    return _struct({_attribute(name): name for name in tree}, list(starmap(_field, tree.items())))


def _field(name: str, kind: Any) -> _Field:
    if isinstance(kind, dict):
        inner = _object(kind)
        return _attribute(name), inner, inner()
    return _attribute(name), kind, None


def _struct(names: dict[str, str], fields: list[_Field]) -> Any:
    if not all(map(_FIT.fullmatch, names.values())):
        raise _IndirectError
    return msgspec.defstruct("Object", fields, rename=names, frozen=True, gc=False)


def _holding(kind: Any, name: str) -> Any:
    """The type of objects with one member that is wanted, as the attribute `member`."""
    return _struct({"member": name}, [("member", kind, None)])


def _list(kind: Any) -> Any:
    return list[kind]


def _attribute(name: str) -> str:
    """A name that Python can have for a member of any name."""
    return f"_{name.encode(errors='surrogatepass').hex()}"
