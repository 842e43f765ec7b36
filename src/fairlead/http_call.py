"""One request to an upstream per call: where each argument goes, and that it cannot leave its place.

inputParameters:
- {name: id, in: path, type: string, required: true}
- {name: force, in: query, type: boolean}
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import starmap
from typing import Any, NoReturn
from urllib.parse import quote

from fairlead.arguments import Location, Stream, plain
from fairlead.auth import Send
from fairlead.auth.base import Signed, Unsigned
from fairlead.bodies import Encoder, NoBody
from fairlead.errors import ArgumentError, Place
from fairlead.headers import Headers, is_legal
from fairlead.model import Type
from fairlead.names import canonical, find
from fairlead.operation import NOTHING, UNSET, Forwarded, Single, Source
from fairlead.response import Arguments, Ready, Result
from fairlead.styles import FORM, Joined, Style, to_pairs, to_simple
from fairlead.template import Hole, Template
from fairlead.upstream import Request


@dataclass(frozen=True, slots=True)
class Parameter:
    """One input of a consumed operation, in the place where it is sent.

    A constant has its value, a template the text or data that other inputs fill, each with its place. Where another
    parameter of the operation has its name in another place, its arguments come under a `key`.
    """

    name: str
    location: Location
    type: Type | None = None
    description: str = ""
    required: bool = False
    constant: tuple[Any, Place] | None = None
    key: str = ""
    template: tuple[Any, Place] | None = None
    default: Any = None
    style: Style = FORM

    @property
    def argument(self) -> str:
        """The name of its argument."""
        return self.key or self.name

    @property
    def said(self) -> tuple[Any, Place] | None:
        """What the document says of its value, and where."""
        return self.constant or self.template


def placed(name: str, parameter: Parameter) -> str:
    """The name with the place of the parameter in it, for where another one has the name alone."""
    return f"{name}_{'body' if parameter.location == 'member' else parameter.location}"


Given = Sequence[tuple[Parameter, Any]]
Pair = tuple[str, str | Joined]
Sources = tuple[tuple[Parameter, Source], ...]
MAX_URL = 32 * 1024
_PLAIN = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9_.~-]+").fullmatch
"""Text that is one segment of a path, or a part of a query, just as it is."""


@dataclass(frozen=True)
class HttpCall(Single):
    """The call of a consumed operation. Nothing here that may hold a secret is printed."""

    method: str
    base: str = field(repr=False)
    path: Template
    parameters: tuple[Parameter, ...]
    constants: tuple[tuple[Parameter, Any], ...] = field(repr=False)
    body: Encoder
    send: Send
    reserved: frozenset[str]
    filled: Sources = field(default=(), repr=False)
    query: tuple[str, ...] = ()
    """The names in the query in the order in which they are sent, where some of them have a value by themselves."""

    async def __call__(self, arguments: Arguments, forwarded: Forwarded = NOTHING) -> Result:
        return await self.send(self.request(arguments, forwarded))

    def ready(self, arguments: Arguments, forwarded: Forwarded) -> Ready | None:
        return self.send.ready(self.request(arguments, forwarded)) if isinstance(self.send, Signed | Unsigned) else None

    def request(self, arguments: Arguments, forwarded: Forwarded = NOTHING) -> Request:
        """What the arguments ask for, not yet signed; raises `ArgumentError` for a value that cannot be sent."""
        url = self.base + self._target(arguments, forwarded)
        own = self._own_headers(arguments) if self._has_headers else ()
        content, media = self._content(arguments)
        if media and not any(name == "content-type" for name, _ in own):
            own = (*own, ("content-type", media))
        if content is not None and not isinstance(content, bytes) and content.length is not None:
            own = (*own, ("content-length", str(content.length)))
        if not own:
            return Request(self.method, url, forwarded.headers, content)
        names = {name for name, _ in own}
        passed = (pair for pair in forwarded.headers if pair[0] not in names)
        return Request(self.method, url, (*passed, *own), content)

    @cached_property
    def _places(self) -> Mapping[Location, tuple[Given, Sources, tuple[Parameter, ...]]]:
        """What goes where: constants, what is filled from arguments, and parameters that arguments are for."""
        with_values = (one for one, _ in (*self.constants, *self.filled))
        return {
            location: (
                tuple(pair for pair in self.constants if pair[0].location == location),
                tuple(pair for pair in self.filled if pair[0].location == location),
                tuple(parameter for parameter in self.parameters if parameter.location == location),
            )
            for location in {one.location for one in (*self.parameters, *with_values)}
        }

    @cached_property
    def _has_headers(self) -> bool:
        return "header" in self._places or "cookie" in self._places

    def _own_headers(self, arguments: Arguments) -> Headers:
        return tuple(_headers(self._given("header", arguments), self._given("cookie", arguments)))

    def _given(self, location: Location, arguments: Arguments) -> Given:
        """What is sent in one place, each with its parameter."""
        if location not in self._places:
            return ()
        constants, filled, parameters = self._places[location]
        values = ((one, source(arguments)) for one, source in filled)
        return [
            *constants,
            *((one, _typed(one, value)) for one, value in values if value is not UNSET),
            *((one, _typed(one, arguments[one.argument])) for one in parameters if one.argument in arguments),
        ]

    @cached_property
    def _names(self) -> Mapping[str, str | None]:
        """The parameter that fills each hole of the path."""
        constants, filled, parameters = self._places.get("path", ((), (), ()))
        names = [one.name for one, _ in (*constants, *filled)] + [one.name for one in parameters]
        return {hole: find(hole, names) for hole in self.path.holes}

    @cached_property
    def _fixed(self) -> str | None:
        """The path, where it is the same for all calls."""
        return None if self.path.holes else self.path.text

    def _filled(self, arguments: Arguments) -> str:
        values = {parameter.name: value for parameter, value in self._given("path", arguments)}
        parts = [
            part if isinstance(part, str) else _segment(part, self._names[part.name] or part.name, values)
            for part in self.path.parts
        ]
        return "".join(parts)

    def _target(self, arguments: Arguments, forwarded: Forwarded) -> str:
        target = self._fixed if self._fixed is not None else self._filled(arguments)
        if forwarded.query or "query" in self._places:
            target = _with_query(target, [*self._pairs(arguments), *self._free(forwarded.query, "query parameter")])
        if len(target) > MAX_URL:
            raise ArgumentError(f"the arguments make a URL of {len(target)} characters; {MAX_URL} are allowed")
        return target

    def _content(self, arguments: Arguments) -> tuple[bytes | Stream | None, str]:
        if isinstance(self.body, NoBody):
            return None, ""
        last: tuple[Location, ...] = ("body", "member")
        order = (*(location for location in self._places if location not in last), *last)
        given = (pair for location in order for pair in self._given(location, arguments))
        return self.body({parameter.name: value for parameter, value in given}) or (None, "")

    def _pairs(self, arguments: Arguments) -> Iterator[Pair]:
        given = self._given("query", arguments)
        in_order = sorted(given, key=lambda pair: self.query.index(pair[0].name)) if self.query else given
        for parameter, value in in_order:
            pairs = to_pairs(parameter.name, value, parameter.style)
            is_spread = isinstance(value, Mapping) and parameter.style.is_spread
            yield from self._free(pairs, f"member of {parameter.name!r}") if is_spread else pairs

    def _free(self, pairs: Iterable[Pair], what: str) -> Iterator[Pair]:
        """The pairs, whose names callers chose: none may stand in for what only the document or a bind decides."""
        for name, value in pairs:
            if canonical(name) in self.reserved:
                raise ArgumentError(
                    f"{what} {name!r} is reserved: no caller may add it",
                    {"errors": [{"argument": name, "detail": "is reserved"}]},
                )
            yield name, value


def _typed(parameter: Parameter, value: Any) -> Any:
    """The value; 5.0 is an integer to JSON Schema, and 5 is how an integer is written.

    Only where it is the whole body it can go on in the bytes that it came in.
    """
    value = value if parameter.location == "body" else plain(value)
    return int(value) if parameter.type == "integer" and isinstance(value, float) else value


def _segment(hole: Hole, name: str, values: Mapping[str, Any]) -> str:
    """What stands in the place of a hole: one segment, whatever is in it; `{key+}` may span several."""
    if name not in values:
        _refuse(name, "is required")
    text = to_simple(values[name])
    if _PLAIN(text):
        return text
    segments = text.split("/") if hole.spans else [text]
    if any(segment in (".", "..") for segment in segments) or not text:
        _refuse(name, f"cannot be {text!r}: it stands in a path")
    if any(ord(char) < 32 or ord(char) == 127 for char in text):
        _refuse(name, "holds control characters: it stands in a path")
    return "/".join(_quoted(name, segment) for segment in segments)


def _with_query(path: str, pairs: list[Pair]) -> str:
    if not pairs:
        return path
    return f"{path}{'&' if '?' in path else '?'}{'&'.join(starmap(_pair, pairs))}"


def _pair(name: str, value: str | Joined) -> str:
    if isinstance(value, Joined):
        return f"{_quoted(name, name)}={value.glue.join(_quoted(name, text) for text in value.texts)}"
    return f"{_quoted(name, name)}={_quoted(name, value)}"


def _quoted(name: str, text: str) -> str:
    if _PLAIN(text):
        return text
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        _refuse(name, "holds half of a surrogate pair, which is no text")


def _headers(headers: Given, cookies: Given) -> Iterator[tuple[str, str]]:
    for parameter, value in headers:
        text = to_simple(value)
        if not is_legal(text):
            _refuse(parameter.name, "holds characters that a header cannot")
        yield parameter.name.lower(), text
    if pairs := [pair for parameter, value in cookies for pair in to_pairs(parameter.name, value, parameter.style)]:
        yield "cookie", "; ".join(starmap(_pair, pairs))


def _refuse(name: str, fault: str) -> NoReturn:
    raise ArgumentError.about(name, fault)
