"""Mappings that are done while JSON is read: what they find is written again, and no value is built between.

{type: array, mapping: $.data, items: {type: object, properties: {name: {type: string, mapping: $.label}}}}

msgspec reads objects as structs of the members that are wanted, and writes structs as objects. An answer of another
form than that (a number where a text is declared, a null where an object is looked into) is mapped by its shape.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from itertools import chain, starmap
from operator import attrgetter
from typing import Any, Final

import msgspec

from fairlead.conversion import CONVERSIONS
from fairlead.formats import JSON, Format
from fairlead.jsonpath import Every, First, Named
from fairlead.jsonpath.plain import Item, Member, PlainPath, Step, children
from fairlead.jsontext import written
from fairlead.mapped import Direct, Shape
from fairlead.shape import Each, Found, Get, Members

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
_Steps = tuple[Step, ...]

_Tree = Any
"""What is wanted of a value: a type; of an object its members by their names; of a list its items, in a list of one."""


class _IndirectError(Exception):
    """A shape is more than msgspec can do by itself."""


def directly(shape: Shape, form: Format) -> Direct | None:
    """What does with answers of a format all that a shape does; None where that is more than msgspec can do."""
    if form is not JSON:
        return None
    try:
        kind, make = _mapping(shape)
    except _IndirectError:
        return None
    decode = msgspec.json.Decoder(kind).decode

    def mapped(data: bytes) -> bytes | None:
        try:
            return written(make(decode(data)))
        except (ValueError, AttributeError, RecursionError):
            return None

    return mapped


def _mapping(shape: Shape) -> tuple[Any, _Function]:
    """The type of values that are mapped, and what makes of one what is written."""
    match shape:
        case Found(get, convert) if _is_readable(get, convert):
            return _finding(get, _READ_AS[convert])
        case Each(get, Members(members, None)):
            tree, make = _objects(members)
            item = _type(tree)
            kind, find = _finding(get, item if isinstance(get, Every) else list[item])  # type: ignore[valid-type]
            return kind, lambda value: make(find(value))
        case Members(members, (None | Named()) as get):
            tree, make = _objects(members)
            kind, find = _finding(get, tree)
            return kind, lambda value: make((find(value),))[0]
    raise _IndirectError


def _finding(get: Get | None, wanted: _Tree) -> tuple[Any, _Function]:
    """The type of values in which a path finds what is wanted, and what finds it there."""
    tree = _grown(None, _steps(get), wanted)
    return _type(tree), _finder(get, tree)


def _steps(get: Get | None) -> _Steps:
    if get is None:
        return ()
    if not isinstance(get, First | Every) or not isinstance(get.path, PlainPath):
        raise _IndirectError
    return get.path.steps


def _grown(tree: _Tree, steps: _Steps, wanted: _Tree) -> _Tree:
    """The tree with what is wanted at the end of a path; nothing is wanted in two ways."""
    if not steps:
        if tree not in (None, wanted):
            raise _IndirectError
        return wanted
    step, rest = steps[0], steps[1:]
    if isinstance(step, Member):
        members = _part(tree, {})
        return members | {step.name: _grown(members.get(step.name), rest, wanted)}
    if isinstance(step, Item) or step is children:
        (items,) = _part(tree, [None])
        return [_grown(items, rest, wanted)]
    raise _IndirectError


def _part(tree: _Tree, empty: Any) -> Any:
    if tree is not None and not isinstance(tree, type(empty)):
        raise _IndirectError
    return empty if tree is None else tree


def _finder(get: Get | None, tree: _Tree) -> _Function:
    """What finds in a value that is read as the tree has it what a path leads to."""
    if get is None:
        return _unchanged
    if isinstance(get, Named):
        return attrgetter(_dotted(get, tree))
    found: list[_Function] = []
    for step in _steps(get):
        if isinstance(step, Member):
            found.append(_members if len(tree) == 1 else partial(_named, attrgetter(_attribute(step.name, tree))))
            tree = tree[step.name]
        else:
            found.append(chain.from_iterable if step is children else step)
            (tree,) = tree
    return partial(_every if isinstance(get, Every) else _first, found)


def _dotted(get: Named, tree: _Tree) -> str:
    attributes = []
    for name in get.names:
        attributes.append(_attribute(name, tree))
        tree = tree[name]
    return ".".join(attributes)


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
    """The only members that are wanted, where they are; the interpreter makes an attribute of one name quick."""
    return [member for one in found if (member := one.member) is not None]


def _named(get: _Function, found: Iterable[Any]) -> list[Any]:
    return [member for member in map(get, found) if member is not None]


def _objects(outputs: Iterable[tuple[str, Shape | None]]) -> tuple[_Tree, _Function]:
    """What is wanted of objects of which members are mapped, and what makes the mapped ones of a list of them."""
    tree: _Tree = None
    gets: dict[str, Get] = {}
    for name, output in outputs:
        match output:
            case Found((First() | Every()) as get, convert) if _is_readable(get, convert):
                gets[name] = get
                tree = _grown(tree, _steps(get), _READ_AS[convert])
            case _:
                raise _IndirectError
    if all(isinstance(get, Named) and get.names == (name,) for name, get in gets.items()):
        return tree, _unchanged  # they are written as they are read
    build: Any = starmap if len(gets) > 1 else map
    take = _taker([*gets.values()], tree)
    made = _object(dict.fromkeys(gets, Any))
    return tree, lambda found: found and list(build(made, map(take, found)))


def _is_readable(get: Get | None, convert: Get | None) -> bool:
    """Whether what is found can be read as what it is converted to; a list that is found is converted as one value."""
    return convert is None or (convert in _READ_AS and isinstance(get, First))


def _taker(gets: list[Get], tree: _Tree) -> _Function:
    """What takes from an object all that several paths lead to, and of one path that alone."""
    named = [get for get in gets if isinstance(get, Named)]
    if len(named) == len(gets):
        return attrgetter(*[_dotted(get, tree) for get in named])
    finders = [_finder(get, tree) for get in gets]
    return (lambda value: [find(value) for find in finders]) if len(finders) > 1 else finders[0]


def _type(tree: _Tree) -> Any:
    if isinstance(tree, list):
        item = _type(tree[0])
        return list[item]  # type: ignore[valid-type]
    return _object(tree) if isinstance(tree, dict) else tree


def _object(tree: dict[str, _Tree]) -> Any:
    """The type of objects with these members; one that is missing is null, or has nothing in it that is wanted."""
    names = {_attribute(name, tree): name for name in tree}
    if not all(map(_FIT.fullmatch, tree)):
        raise _IndirectError
    fields = [(attribute, *_member(tree[name])) for attribute, name in names.items()]
    return msgspec.defstruct("Object", fields, rename=names, frozen=True, gc=False)


def _member(tree: _Tree) -> tuple[Any, Any]:
    """The type of a member, and its value where it is missing."""
    kind = _type(tree)
    if isinstance(tree, list):
        return kind, []
    return kind, kind() if isinstance(tree, dict) else None


def _attribute(name: str, tree: dict[str, _Tree]) -> str:
    """A name that Python can have for a member of any name."""
    return "member" if len(tree) == 1 else f"_{name.encode(errors='surrogatepass').hex()}"
