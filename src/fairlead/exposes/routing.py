"""From a request's path to its route: a tree of segments, built once, whose cost does not grow with its routes.

A literal segment beats a template, among templates the one with more literal text wins (`{id}:cancel` before `{id}`),
and last comes `{key+}`, which takes the rest of the path. Any other path argument is one segment, decoded after the
path was split, so that `a%2Fb` stays one value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar
from urllib.parse import unquote_to_bytes

from fairlead.errors import ArgumentError
from fairlead.template import Hole, Template, parse

T = TypeVar("T")


class Match(NamedTuple, Generic[T]):
    """What a path leads to: the thing added, and the value of each placeholder."""

    found: T
    values: Mapping[str, str]


@dataclass
class _Node(Generic[T]):
    literals: dict[str, _Node[T]] = field(default_factory=dict)
    templates: dict[str, _Branch[T]] = field(default_factory=dict)
    leaves: dict[str, tuple[T, tuple[str, ...]]] = field(default_factory=dict)
    rest: _Node[T] | None = None
    only: _Branch[T] | None = None
    """The template, where there is just one."""


@dataclass(frozen=True)
class _Branch(Generic[T]):
    """A segment with holes: how much literal text it has, what it matches, and what comes after it."""

    literal: int
    greedy: re.Pattern[str]
    lazy: re.Pattern[str]
    node: _Node[T]
    is_whole: bool
    """Whether the segment is nothing but one hole."""

    def values(self, segment: str) -> tuple[str, ...] | None:
        """The value of each hole in a segment, None where it does not match."""
        if self.is_whole:
            return (segment,) if segment else None
        match, other = self.greedy.fullmatch(segment), self.lazy.fullmatch(segment)
        if match and other and match.groups() != other.groups():
            raise ArgumentError(f"{segment!r} in the path can be taken apart in more than one way")
        return match.groups() if match else None


class RouteTable(Generic[T]):
    """Things by method and path template; a path that is no text raises `ArgumentError`."""

    def __init__(self) -> None:
        self._root: _Node[T] = _Node()
        self._plain: dict[tuple[str, bytes], Match[T]] = {}
        """What paths without holes lead to, as they are sent; literal text comes before all templates."""

    def add(self, method: str, path: str, thing: T) -> None:
        """Adds a thing under a method and a path such as `/batches/{id}`; the first of equals stays."""
        node = self._root
        holes: tuple[str, ...] = ()
        for segment in path.split("/")[1:]:
            template = parse(segment)
            holes += tuple(part.name for part in template.parts if isinstance(part, Hole))
            node = _child(node, segment, template)
        node.leaves.setdefault(method, (thing, holes))
        if not holes and path.isascii() and "%" not in path:
            self._plain.setdefault((method, path.encode()), Match(thing, {}))

    def find(self, method: str, raw_path: bytes) -> Match[T] | None:
        """The thing for a method and a path as it was sent, percent-encoded; None where there is none."""
        if known := self._plain.get((method, raw_path)):
            return known
        found = _first(self._root, _segments(raw_path), 0, (), method)
        if found is None:
            return None
        thing, holes, values = found
        return Match(thing, _named(holes, values))

    def methods(self, raw_path: bytes) -> frozenset[str]:
        """All methods that something answers on the path."""
        return frozenset(method for node in _reached(self._root, _segments(raw_path)) for method in node.leaves)


def _segments(raw_path: bytes) -> list[str]:
    try:
        if b"%" not in raw_path:
            return raw_path.decode().split("/")[1:]
        return [unquote_to_bytes(segment).decode() for segment in raw_path.split(b"/")[1:]]
    except UnicodeDecodeError:
        raise ArgumentError("the path is not percent-encoded UTF-8 text") from None


def _named(holes: tuple[str, ...], values: tuple[str, ...]) -> dict[str, str]:
    """The value of each placeholder; one that stands in the path twice has the same value in both places."""
    named = dict(zip(holes, values, strict=True))
    if len(named) == len(holes):
        return named
    named.clear()
    for hole, value in zip(holes, values, strict=True):
        if named.setdefault(hole, value) != value:
            raise ArgumentError(f"the path gives {hole!r} twice, as {named[hole]!r} and as {value!r}")
    return named


def _child(node: _Node[T], segment: str, template: Template) -> _Node[T]:
    if not template.holes:
        return node.literals.setdefault(segment, _Node())
    match template.parts:
        case (Hole(spans=True),):
            node.rest = node.rest or _Node()
            return node.rest
    pattern = "".join("(.+)" if isinstance(part, Hole) else re.escape(part) for part in template.parts)
    if pattern not in node.templates:
        literal = sum(len(part) for part in template.parts if isinstance(part, str))
        greedy, lazy = re.compile(pattern, re.DOTALL), re.compile(pattern.replace("(.+)", "(.+?)"), re.DOTALL)
        branches = {**node.templates, pattern: _Branch(literal, greedy, lazy, _Node[T](), pattern == "(.+)")}
        node.templates = dict(sorted(branches.items(), key=lambda item: -item[1].literal))
        node.only = node.templates[pattern] if len(branches) == 1 else None
    return node.templates[pattern].node


def _first(
    node: _Node[T], segments: list[str], at: int, values: tuple[str, ...], method: str
) -> tuple[T, tuple[str, ...], tuple[str, ...]] | None:
    """What the best way through the tree leads to, its placeholders and their values."""
    while True:
        if at == len(segments):
            leaf = node.leaves.get(method)
            return (*leaf, values) if leaf else None
        segment = segments[at]
        literal = node.literals.get(segment)
        if node.rest or (node.templates and (literal or not node.only)):
            break  # there may be several ways
        if literal:
            node = literal
        else:
            held = node.only.values(segment) if node.only else None
            if not node.only or not held:
                return None
            values += held
            node = node.only.node
        at += 1
    if literal and (found := _first(literal, segments, at + 1, values, method)):
        return found
    for branch in node.templates.values():
        held = branch.values(segment)
        if held and (found := _first(branch.node, segments, at + 1, values + held, method)):
            return found
    rest = "/".join(segments[at:]) if node.rest else ""
    if node.rest and rest and method in node.rest.leaves:
        return (*node.rest.leaves[method], (*values, rest))
    return None


def _reached(node: _Node[T], segments: list[str]) -> Iterator[_Node[T]]:
    """Every node that a way through the tree leads to."""
    if not segments:
        yield node
        return
    head, *rest = segments
    if literal := node.literals.get(head):
        yield from _reached(literal, rest)
    for branch in node.templates.values():
        if branch.values(head):
            yield from _reached(branch.node, rest)
    if node.rest and "/".join(segments):
        yield node.rest
