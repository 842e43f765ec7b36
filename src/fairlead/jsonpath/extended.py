"""What RFC 9535 does not have and `jsonpath-ng` does, as far as its work is bounded: `` $.ships.`len` ``, `=~`.

Arithmetic multiplies texts and lists without end, and what leads back to a parent makes a path as long as its work;
these are refused. So is more than one `..`, and `$` within a filter, for which RFC 9535 has words that are counted.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

from jsonpath_ng import Child, DatumInContext, Descendants, Fields, Index, JSONPath, Root, Slice, This
from jsonpath_ng.ext.filter import And, Expression, Filter, Or
from jsonpath_ng.ext.iterable import Keys, Len, SortedThis
from jsonpath_ng.ext.parser import parse
from jsonpath_ng.ext.string import Split, Str, Sub
from jsonpath_ng.jsonpath import Wildcard

from fairlead.jsonpath.base import PathError, too_deep
from fairlead.jsonpath.regexes import Regex, compile_regex

MAX_BRANCHES = 64
_KNOWN = {And, Child, Descendants, Expression, Fields, Filter, Index, Keys, Len, Or, Root, Slice, SortedThis, Split}
_KNOWN |= {Str, Sub, This, Wildcard}
_EXTENSIONS = (Keys, Len, SortedThis, Split, Str, Sub)
_SINGLE = (Child, Len, Root, Split, Str, Sub, This)


class NoPath(PathError):
    """The text is no path here either, or one that has nothing but what RFC 9535 has, and was refused by it."""


@dataclass(frozen=True, slots=True)
class ExtendedPath:
    """A path that `jsonpath-ng` follows."""

    path: JSONPath

    @property
    def is_definite(self) -> bool:
        return all(_is_single(node) for node in _nodes(self.path))

    def find(self, value: Any) -> list[Any]:
        """What it finds; a function that does not fit a value finds nothing, as a path that leads nowhere."""
        try:
            return [match.value for match in self.path.find(DatumInContext.wrap(value))]
        except RecursionError:
            raise too_deep() from None
        except Exception:  # noqa: BLE001 - the library raises whatever its functions do on a value they do not fit
            return []


def compile_path(text: str) -> ExtendedPath:
    """The path; raises `NoPath` for what is none, and `PathError` for one whose work has no bound."""
    path = _parsed(text)
    nodes = list(_nodes(path))
    if strange := next((node for node in nodes if type(node) not in _KNOWN), None):
        raise PathError(f"uses {_name(strange)}, which is not supported")
    if not any(_is_extension(node) for node in nodes):
        raise NoPath
    if sum(isinstance(node, Descendants) for node in nodes) > 1:
        raise PathError("uses '..' twice beside what RFC 9535 does not have")
    if any(isinstance(inner, Root) for node in nodes if isinstance(node, Filter) for inner in _nodes(node)):
        raise PathError("uses '$' in a filter beside what RFC 9535 does not have")
    if prod(_branches(node) for node in nodes) > MAX_BRANCHES:
        raise PathError(f"has more than {MAX_BRANCHES} branches")
    for node in nodes:
        _make_linear(node)
    return ExtendedPath(path)


def _parsed(text: str) -> JSONPath:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            return parse(text)
        except Exception as error:  # noqa: BLE001 - the library raises a dozen kinds
            raise NoPath(str(error)) from None


def _nodes(path: JSONPath) -> Iterator[JSONPath]:
    """The path and all that stands in it."""
    yield path
    for inner in _inner(vars(path).values()):
        yield from _nodes(inner)


def _inner(values: Any) -> Iterator[JSONPath]:
    for value in values:
        if isinstance(value, JSONPath):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _inner(value)


def _is_extension(node: JSONPath) -> bool:
    return isinstance(node, _EXTENSIONS) or (isinstance(node, Expression) and node.op == "=~")


def _name(node: JSONPath) -> str:
    if type(node).__name__ == "Operation":
        return "arithmetic"
    try:
        return repr(str(node))
    except TypeError:  # the library cannot write `sorted` without a field
        return "'`sorted`' in a union, or in front of more"


def _branches(node: JSONPath) -> int:
    match node:
        case Fields():
            return len(node.fields)
        case Index():
            return len(node.indices)
        case _:
            return 1


def _is_single(node: JSONPath) -> bool:
    match node:
        case Fields() | Index():
            return _branches(node) == 1 and getattr(node, "fields", ()) != ("*",)
        case _:
            return isinstance(node, _SINGLE)


class _Matching(Expression):
    """`@.name =~ 'pattern'` in linear time."""

    def __init__(self, target: JSONPath, regex: Regex) -> None:
        super().__init__(target, "=~", None)
        self.regex = regex

    def find(self, datum: Any) -> list[DatumInContext]:
        found = self.target.find(DatumInContext.wrap(datum))
        return [one for one in found if isinstance(one.value, str) and self.regex.search(one.value)]


def _make_linear(node: JSONPath) -> None:
    """Gives a node of the library, in place, regular expressions that take linear time."""
    match node:
        case Sub():
            node.regex = compile_regex(node.expr)  # type: ignore[assignment] # it has the methods of the other
        case Filter():
            node.expressions = [_linear(one) for one in node.expressions]
        case And() | Or():
            node.operands = [_linear(one) for one in node.operands]
        case _:
            pass


def _linear(node: JSONPath) -> JSONPath:
    if isinstance(node, Expression) and node.op == "=~":
        return _Matching(node.target, compile_regex(str(node.value)))
    return node
