"""JSON values read as structs of what is wanted of them, and what finds in these what paths lead to.

msgspec skips what a type does not name. What is wanted is a tree, and grows with every path; its type is made at last.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from operator import attrgetter, itemgetter
from typing import Any, Final

import msgspec

from fairlead.jsonpath import Every, First, Named
from fairlead.jsonpath.plain import Item, Member, PlainPath, Step, children

_FIT: Final = re.compile(r'[^"\\\x00-\x1f\ud800-\udfff]*')
"""The names that msgspec can have."""

_ONLY: Final = "member"
"""The attribute that stands for a member that is the only one."""

Function = Callable[[Any], Any]

Tree = Any
"""What is wanted of a value: a type; of an object its members by their names; of a list its items, in a list of one."""


class IndirectError(Exception):
    """It is more than msgspec can do by itself."""


def grown(tree: Tree | None, get: Function | None, wanted: Tree) -> Tree:
    """The tree with what is wanted at a path's end; raises `IndirectError` where it would be wanted in two ways."""
    return _grown(tree, _steps(get), wanted)


def _grown(tree: Tree | None, steps: tuple[Step, ...], wanted: Tree) -> Tree:
    if not steps:
        if tree not in (None, wanted):
            raise IndirectError
        return wanted
    step, rest = steps[0], steps[1:]
    if isinstance(step, Member):
        members = _part(tree, {})
        return members | {step.name: _grown(members.get(step.name), rest, wanted)}
    if isinstance(step, Item) or step is children:
        (items,) = _part(tree, [None])
        return [_grown(items, rest, wanted)]
    raise IndirectError


def _part(tree: Tree, empty: Any) -> Any:
    if tree is not None and not isinstance(tree, type(empty)):
        raise IndirectError
    return empty if tree is None else tree


def _steps(get: Function | None) -> tuple[Step, ...]:
    if get is None:
        return ()
    if not isinstance(get, First | Every) or not isinstance(get.path, PlainPath):
        raise IndirectError
    return get.path.steps


def type_of(tree: Tree) -> Any:
    """The type of values that are read as the tree has it; raises `IndirectError` for names that cannot be had."""
    if isinstance(tree, list):
        item = type_of(tree[0])
        return list[item]  # type: ignore[valid-type]
    return object_of(tree) if isinstance(tree, dict) else tree


def object_of(tree: dict[str, Tree]) -> Any:
    """The type of objects with these members; one that is missing is null, or has nothing in it that is wanted."""
    names = {_attribute(name, tree): name for name in tree}
    if not all(map(_FIT.fullmatch, tree)):
        raise IndirectError
    fields = [(attribute, *_member(tree[name])) for attribute, name in names.items()]
    return msgspec.defstruct("Object", fields, rename=names, frozen=True, gc=False)


def _member(tree: Tree) -> tuple[Any, Any]:
    """The type of a member, and its value where it is missing."""
    kind = type_of(tree)
    if isinstance(tree, list):
        return kind, []
    return kind, kind() if isinstance(tree, dict) else None


def _attribute(name: str, tree: dict[str, Tree]) -> str:
    """A name that Python can have for a member of any name."""
    return _ONLY if len(tree) == 1 else f"_{name.encode(errors='surrogatepass').hex()}"


def finder(get: Function | None, tree: Tree) -> Function:
    """What finds in a value that is read as the tree has it what a path leads to."""
    match get:
        case None:
            return _unchanged
        case Named():
            return attrgetter(_dotted(get, tree))
        case First():
            return partial(_one, [_taken(step, attribute) for step, attribute in _along(get, tree)])
        case _:
            return partial(_every, [_all_taken(step, attribute) for step, attribute in _along(get, tree)])


def _along(get: Function | None, tree: Tree) -> Iterator[tuple[Step, str]]:
    """The steps of a path, each with the attribute that it takes, if it takes one."""
    for step in _steps(get):
        if isinstance(step, Member):
            yield step, _attribute(step.name, tree)
            tree = tree[step.name]
        else:
            yield step, ""
            (tree,) = tree


def _dotted(get: Named, tree: Tree) -> str:
    return ".".join(attribute for _, attribute in _along(get, tree))


def _taken(step: Step, attribute: str) -> Function:
    return itemgetter(step.index) if isinstance(step, Item) else attrgetter(attribute)


def _all_taken(step: Step, attribute: str) -> Function:
    if attribute:
        return _members if attribute == _ONLY else partial(_named, attrgetter(attribute))
    return chain.from_iterable if step is children else step


def _unchanged(value: Any) -> Any:
    return value


def _one(steps: Iterable[Function], value: Any) -> Any:
    """What is found; raises `IndexError` where there is no such item."""
    for step in steps:
        value = step(value)
    return value


def _every(steps: Iterable[Function], value: Any) -> Any:
    found: Iterable[Any] = (value,)
    for step in steps:
        found = step(found)
    return list(found)


def _members(found: Iterable[Any]) -> list[Any]:
    """The only members that are wanted, where they are; the interpreter makes an attribute of one name quick."""
    return [member for one in found if (member := one.member) is not None]


def _named(get: Function, found: Iterable[Any]) -> list[Any]:
    return [member for member in map(get, found) if member is not None]


def taker(gets: list[Function], tree: Tree) -> Function:
    """What takes from an object all that several paths lead to, and of one path that alone."""
    named = [get for get in gets if isinstance(get, Named)]
    if len(named) == len(gets):
        return attrgetter(*[_dotted(get, tree) for get in named])
    finders = [finder(get, tree) for get in gets]
    return (lambda value: [find(value) for find in finders]) if len(finders) > 1 else finders[0]
