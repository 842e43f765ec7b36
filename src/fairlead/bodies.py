"""Request bodies: from arguments to bytes and their media type.

    body:
      type: json
      data: {query: '{{tools.query}}', limit: 10}

Data is filled as a tree, never as text, so that JSON stays valid whatever the values hold. A member that is nothing
but the hole of an argument that was not given is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Self, get_args
from urllib.parse import quote_plus, urlencode
from xml.sax.saxutils import escape

from pydantic import field_validator, model_validator

from fairlead.arguments import Encoded, Opaque, Stream
from fairlead.errors import ArgumentError
from fairlead.jsontext import dumps, loads
from fairlead.model import Model
from fairlead.multipart import Part, multipart
from fairlead.names import canonical
from fairlead.operation import UNSET
from fairlead.response import Arguments
from fairlead.styles import to_text
from fairlead.template import Hole, Template, parse

Kind = Literal["json", "formUrlEncoded", "multipartForm", "text", "xml", "sparql"]
_MEDIA: dict[Kind, str] = {
    "json": "application/json",
    "formUrlEncoded": "application/x-www-form-urlencoded",
    "multipartForm": "multipart/form-data",
    "text": "text/plain; charset=utf-8",
    "xml": "application/xml",
    "sparql": "application/sparql-query",
}
_NAMES: dict[str, Kind] = {
    **{canonical(kind): kind for kind in get_args(Kind)},
    "form": "formUrlEncoded",
    "multipart": "multipartForm",
    "raw": "text",
}


class BodyModel(Model):
    """The `body` of a consumed operation; without `data` it is made of the `in: body` parameters."""

    type: Kind = "json"
    data: Any = None

    @field_validator("type", mode="before", json_schema_input_type=str)
    @classmethod
    def _by_its_name(cls, value: Any) -> Any:
        return _NAMES.get(canonical(value), value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _spells_json(self) -> Self:
        try:
            _ = self.tree
        except ValueError as error:
            raise ValueError(f"has JSON text that {error}") from None
        return self

    @property
    def tree(self) -> Any:
        """The data, JSON text as the tree that it spells."""
        return json_template(self.data) if self.type == "json" and isinstance(self.data, str) else self.data


def as_body(text: str) -> dict[str, str]:
    """What a bare text says as a `body`: JSON where it spells JSON, and else just text."""
    is_json = text.lstrip().startswith(("{", "[", '"'))
    return {"type": "json" if is_json else "text", "data": text}


def json_template(text: str) -> Any:
    """JSON text with holes as a tree: a hole outside of quotes becomes a text that is nothing but the hole.

    Text that is neither JSON nor a hole stands for itself; raises `ValueError` for JSON that is broken.
    """
    parts = re.split(r'("(?:[^"\\]|\\.)*")', text)
    quoted = "".join(part if part.startswith('"') else _HOLE.sub(r'"\g<0>"', part) for part in parts)
    try:
        return loads(quoted)
    except ValueError:
        if text.lstrip().startswith(("{", "[")):
            raise
        return text


_HOLE = re.compile(r"\{\{[^{}]+\}\}")

Sent = tuple[bytes | Stream, str]
"""A body and its media type."""


class Encoder(Protocol):
    """Makes a request's body, or None where there is none to send."""

    def __call__(self, arguments: Arguments) -> Sent | None: ...


@dataclass(frozen=True, slots=True)
class NoBody:
    """The operation sends none."""

    def __call__(self, arguments: Arguments) -> None:
        return None


@dataclass(frozen=True, slots=True)
class WholeBody:
    """One argument is the body; it goes on in the bytes it came in, if it came in any."""

    name: str
    kind: Kind | None = None

    def __call__(self, arguments: Arguments) -> Sent | None:
        if self.name not in arguments:
            return None
        value = arguments[self.name]
        if isinstance(value, Opaque):
            return self._opaque(value)
        if isinstance(value, Encoded):
            is_json = self.kind in (None, "json")
            return (value.data, value.media) if is_json else _encode(value.value, self.kind or "json")
        return _encode(value, self.kind or "json")

    def _opaque(self, value: Opaque) -> Sent:
        media = value.media.partition(";")[0].strip().lower()
        if self.kind and media != _MEDIA[self.kind].partition(";")[0]:
            fault = f"must be sent as application/json or {_MEDIA[self.kind]}, not {value.media!r}"
            raise ArgumentError.about(self.name, fault)
        return value.data, value.media


@dataclass(frozen=True, slots=True)
class MemberBody:
    """Each argument is a member of an object."""

    names: tuple[str, ...]
    kind: Kind = "json"

    def __call__(self, arguments: Arguments) -> Sent | None:
        members = {name: arguments[name] for name in self.names if name in arguments}
        return _encode(members, self.kind) if members else None


@dataclass(frozen=True, slots=True)
class TemplateBody:
    """Data with holes that arguments fill."""

    data: Any
    kind: Kind = "json"

    def __call__(self, arguments: Arguments) -> Sent | None:
        value = filled(self.data, arguments, _WRITTEN.get(self.kind, to_text))
        return None if value is UNSET else _encode(value, self.kind)


def _encode(value: Any, kind: Kind) -> Sent:
    try:
        return _encoded(value, kind)
    except UnicodeEncodeError:
        raise ArgumentError("the body holds half of a surrogate pair, which is no text") from None


def _encoded(value: Any, kind: Kind) -> Sent:
    if kind == "json":
        return to_json(value), _MEDIA[kind]
    if kind == "formUrlEncoded" and isinstance(value, Mapping):
        pairs = [(name, to_text(item)) for name, member in value.items() for item in _items(member)]
        return urlencode(pairs).encode(), _MEDIA[kind]
    if kind == "multipartForm":
        return multipart(_parts(value))
    return to_text(value).encode(), _MEDIA[kind]


def _parts(value: Any) -> Iterator[Part]:
    """The parts that an object names, or that a list spells out as `{name, value, filename, contentType}`."""
    if isinstance(value, Mapping):
        yield from (Part(str(name), to_text(item)) for name, member in value.items() for item in _items(member))
    elif isinstance(value, list) and all(isinstance(part, Mapping) and "name" in part for part in value):
        for part in (part for part in value if "value" in part):
            described = (to_text(part.get(key, "")) for key in ("name", "value", "filename", "contentType"))
            yield Part(*described)
    else:
        raise ArgumentError("a multipart body is made of named parts: an object, or a list of objects with a name")


def _items(member: Any) -> list[Any]:
    """A list is one field for each item; an object stays under its own name, as JSON."""
    return member if isinstance(member, list) else [member]


def holes(data: Any) -> Iterator[tuple[str, bool]]:
    """The inputs behind all holes in a body's data, and whether each can be left out: it is all of its text."""
    if isinstance(data, str):
        template = parse(data, single=False)
        yield from ((input_name(hole), template.parts == (Hole(hole),)) for hole in template.holes)
    elif isinstance(data, Mapping):
        for member in data.values():
            yield from holes(member)
    elif isinstance(data, list):
        for item in data:
            yield from holes(item)


def input_name(hole: str) -> str:
    """The input behind a hole: `tools.x` and `rest.x` are `x`."""
    return hole.removeprefix("tools.").removeprefix("rest.")


def compiled(data: Any, name: Callable[[str], str]) -> Any:
    """The data with every text that has holes as a template; `name` is what fills the input behind a hole."""
    if isinstance(data, str):
        parts = parse(data, single=False).parts
        named = (Hole(name(input_name(part.name))) if isinstance(part, Hole) else part for part in parts)
        return Template(tuple(named)) if any(isinstance(part, Hole) for part in parts) else data
    if isinstance(data, Mapping):
        return {key: compiled(member, name) for key, member in data.items()}
    if isinstance(data, list):
        return [compiled(item, name) for item in data]
    return data


def _as_xml(value: Any) -> str:
    return escape(to_text(value), {'"': "&quot;", "'": "&apos;"})


def _as_form(value: Any) -> str:
    return quote_plus(to_text(value))


_WRITTEN: dict[Kind, Callable[[Any], str]] = {"xml": _as_xml, "formUrlEncoded": _as_form}
"""How values stand in a text of those kinds, so that they cannot be taken for more than values."""


def filled(data: Any, arguments: Arguments, written: Callable[[Any], str] = to_text) -> Any:
    """The compiled data with every hole filled; UNSET where it is nothing but a hole that nothing fills.

    A value that is not all of a text is `written` into it.
    """
    if isinstance(data, Template):
        match data.parts:
            case (Hole(name),):
                return arguments.get(name, UNSET)
            case _:
                return data.fill(lambda hole: written(arguments.get(hole, "")))
    if isinstance(data, Mapping):
        members = ((name, filled(member, arguments)) for name, member in data.items())
        return {name: member for name, member in members if member is not UNSET}
    if isinstance(data, list):
        return [item for item in (filled(item, arguments) for item in data) if item is not UNSET]
    return data


def to_json(value: Any) -> bytes:
    """The value as compact JSON; raises `ArgumentError` where it holds what JSON cannot."""
    try:
        return dumps(value)
    except ValueError:
        detail = "holds a value that JSON cannot"
        raise ArgumentError(f"the body {detail}", {"errors": [{"argument": "body", "detail": detail}]}) from None
