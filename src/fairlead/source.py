"""YAML text -> mappings and lists that know where each of their keys and values stands.

Keys are always text, as written. Refused, each with its place: a second document, duplicate keys, tags that would
construct objects, text over `MAX_BYTES`, nesting over `MAX_DEPTH`, and aliases that would expand to more than
`MAX_NODES` nodes.
"""

from __future__ import annotations

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import yaml
from yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from yaml.events import MappingEndEvent as MappingEnd

from fairlead.errors import LoadError, Place, Problem
from fairlead.nodes import MappingNode, Node, SequenceNode, plain

MAX_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 64
MAX_NODES = 1_000_000

_CORE_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("str", "map", "seq")}


def read(path: Path) -> MappingNode:
    """The document in a file.

    Raises:
        LoadError: The file cannot be read or is not one well-formed YAML mapping.
    """
    place = Place(str(path))
    try:
        if path.stat().st_size > MAX_BYTES:
            raise LoadError([Problem(place, f"the file is larger than {MAX_BYTES} bytes")])
        data = path.read_bytes()
    except OSError as error:
        raise LoadError([Problem(place, f"cannot be read: {error.strerror}")]) from None
    return parse(data, str(path))


def parse(data: bytes, file: str) -> MappingNode:
    """The document in UTF-8 text; raises `LoadError` with every problem of its syntax."""
    composer = _Composer(file)
    try:
        text = data.decode("utf-16" if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig")
        composer.compose(yaml.parse(text, Loader=yaml.CSafeLoader))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        composer.problem(Place(file, line), "is not UTF-8 text")
    except yaml.MarkedYAMLError as error:
        composer.problem(_place(file, error.problem_mark), *_explained(error, text))
    except yaml.reader.ReaderError as error:
        character = chr(error.character)
        line = text.partition(character)[0].count("\n") + 1
        composer.problem(Place(file, line), f"control character {character!r} is not allowed")
    root = composer.root
    if not composer.problems and not isinstance(root, MappingNode):
        composer.problem(Place(file), "a capability document is a mapping", "it starts with `naftiko:` or `ikanos:`")
    if composer.problems:
        raise LoadError(composer.problems)
    assert isinstance(root, MappingNode)
    return root


def value(text: str) -> Any:
    """The value of a YAML text that comes from elsewhere; raises `ValueError` for what is none, or refused here.

    What aliases expand to is counted by its characters, for a long text is as good as many nodes.
    """
    composer = _Composer("", size=lambda scalar: 1 + len(scalar) // 8)
    try:
        composer.compose(yaml.parse(text, Loader=yaml.CSafeLoader))
    except yaml.YAMLError:
        raise ValueError("is not YAML") from None
    if composer.problems:
        raise ValueError(composer.problems[0].message)
    return composer.root


def _explained(error: yaml.MarkedYAMLError, text: str) -> tuple[str, str]:
    mark = error.problem_mark
    is_tab = mark is not None and text[mark.index : mark.index + 1] == "\t"
    what = " ".join(filter(None, (error.context, error.problem)))
    return f"is not valid YAML: {what}", "indent with spaces, not tabs" if is_tab else ""


def _place(file: str, mark: Any) -> Place:
    return Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)


@dataclass
class _Frame:
    """A collection that is still open."""

    node: Node
    anchor: str | None
    size: int = 1
    key: str | None = None
    key_place: Place | None = None
    merged: list[MappingNode] = field(default_factory=list)


class _MergeKey(str):
    """The key `<<` without quotes, by which YAML 1.1 takes over what other mappings have."""

    __slots__ = ()


def _mappings(value: Any) -> list[MappingNode]:
    """The mappings that a merge key has for its value; none where it is only a key of that name."""
    listed = value if isinstance(value, SequenceNode) else [value]
    mappings = [one for one in listed if isinstance(one, MappingNode)]
    return mappings if len(mappings) == len(listed) else []


def _fill_up(node: Node, other: MappingNode) -> None:
    """Takes over the entries that the node has not itself."""
    assert isinstance(node, MappingNode)
    for key in [key for key in other if key not in node]:
        node[key] = other[key]
        node.key_places[key], node.value_places[key] = other.key_places[key], other.value_places[key]


class _Stop(Exception):
    """Parsing further would be pointless or dangerous; the problem is noted."""


@dataclass
class _Composer:
    """Folds parser events into nodes, without recursion, so that nesting cannot exhaust the stack."""

    file: str
    root: Any = None
    problems: list[Problem] = field(default_factory=list)
    frames: list[_Frame] = field(default_factory=list)
    anchors: dict[str, tuple[Any, int]] = field(default_factory=dict)
    nodes: int = 0
    documents: int = 0
    size: Callable[[str], int] = lambda scalar: 1
    """How many nodes a scalar counts for."""

    def problem(self, place: Place, message: str, hint: str = "") -> None:
        self.problems.append(Problem(place, message, hint))

    def compose(self, events: Iterator[Event]) -> None:
        try:
            for event in events:
                self._take(event, _place(self.file, event.start_mark))
        except _Stop:
            pass

    def _take(self, event: Event, place: Place) -> None:
        match event:
            case ScalarEvent() if event.value or self.documents == 1 or self.frames:
                self._add(self._scalar(event, place), self.size(event.value), place, event.anchor)
            case CollectionStartEvent():
                self._open(event, place)
            case MappingEnd() | SequenceEndEvent():
                self._close()
            case AliasEvent():
                self._alias(event, place)
            case DocumentStartEvent():
                self.documents += 1
            case _:  # what follows the last `---` is an empty scalar
                pass

    def _check_document(self, place: Place) -> None:
        if self.documents > 1:
            self._stop(place, "a second document starts here", "one file holds one capability")

    def _open(self, event: CollectionStartEvent, place: Place) -> None:
        self._check_document(place)
        if len(self.frames) >= MAX_DEPTH:
            self._stop(place, f"is nested deeper than {MAX_DEPTH} levels")
        self._check_tag(event.tag, place)
        node: Node = MappingNode(place) if isinstance(event, MappingStartEvent) else SequenceNode(place)
        assert isinstance(event, MappingStartEvent | SequenceStartEvent)
        self.frames.append(_Frame(node, event.anchor))

    def _close(self) -> None:
        frame = self.frames.pop()
        for other in frame.merged:
            _fill_up(frame.node, other)
        self._add(frame.node, frame.size, frame.node.place, frame.anchor)

    def _alias(self, event: AliasEvent, place: Place) -> None:
        anchor = str(event.anchor)
        if anchor not in self.anchors:
            self._stop(place, f"alias *{anchor} refers to nothing before it, or to itself")
        value, size = self.anchors[anchor]
        self._add(value, size, place, None)

    def _add(self, value: Any, size: int, place: Place, anchor: str | None) -> None:
        """Puts a finished value into the innermost open collection, or makes it the root."""
        if anchor:
            self.anchors[anchor] = (value, size)
        if not self.frames:
            self.root = value
            return
        frame = self.frames[-1]
        frame.size += size
        if frame.size > MAX_NODES:
            self._stop(place, f"has more than {MAX_NODES} nodes, aliases expanded")
        if isinstance(frame.node, SequenceNode):
            frame.node.append(value)
            frame.node.places.append(place)
        elif frame.key is None:
            self._take_key(frame, value, place)
        else:
            self._take_value(frame, value, place)

    def _take_key(self, frame: _Frame, key: Any, place: Place) -> None:
        if not isinstance(key, str):
            self._stop(place, "a key must be text")
        frame.key, frame.key_place = key, place

    def _take_value(self, frame: _Frame, value: Any, place: Place) -> None:
        assert isinstance(frame.node, MappingNode)
        assert frame.key is not None
        assert frame.key_place is not None
        key, frame.key = frame.key, None
        if isinstance(key, _MergeKey) and (mappings := _mappings(value)):
            frame.merged += mappings
            return
        if first := frame.node.key_places.get(key):
            self.problem(frame.key_place, f"duplicate key {key!r}", f"it already stands at line {first.line}")
            return
        frame.node[key] = value
        frame.node.key_places[key] = frame.key_place
        frame.node.value_places[key] = place

    def _scalar(self, event: ScalarEvent, place: Place) -> Any:
        self._check_document(place)
        self._check_tag(event.tag, place)
        is_key = bool(self.frames) and isinstance(self.frames[-1].node, MappingNode) and self.frames[-1].key is None
        is_plain = event.implicit[0] and event.style in (None, "")
        if is_key:
            return _MergeKey("<<") if is_plain and event.value == "<<" else event.value
        return plain(event.value) if is_plain else event.value

    def _check_tag(self, tag: str | None, place: Place) -> None:
        if tag and tag != "!" and tag not in _CORE_TAGS:
            self.problem(place, f"tag {tag!r} is not allowed", "a capability holds plain data only")

    def _stop(self, place: Place, message: str, hint: str = "") -> NoReturn:
        self.problem(place, message, hint)
        raise _Stop
