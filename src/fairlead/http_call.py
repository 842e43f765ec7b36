"""One request to an upstream per call: where each argument goes, and that it cannot leave its place.

inputParameters:
- {name: id, in: path, type: string, required: true}
- {name: force, in: query, type: boolean}
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn
from urllib.parse import quote

from fairlead.arguments import Encoded, Location, Opaque
from fairlead.auth import Sign
from fairlead.bodies import Encoder
from fairlead.errors import ArgumentError, Place
from fairlead.headers import is_legal, to_upstream
from fairlead.model import Type
from fairlead.names import canonical, find
from fairlead.operation import NOTHING, Arguments, Forwarded, Result
from fairlead.styles import to_pairs, to_simple
from fairlead.template import Hole, Template
from fairlead.upstream import Request, Upstream


@dataclass(frozen=True, slots=True)
class Parameter:
    """One input of a consumed operation, in the place where it is sent; a constant has its value and its place."""

    name: str
    location: Location
    type: Type | None = None
    description: str = ""
    required: bool = False
    constant: tuple[Any, Place] | None = None


Given = Sequence[tuple[Parameter, Any]]
MAX_URL = 32 * 1024


@dataclass(frozen=True, slots=True)
class HttpCall:
    """The call of a consumed operation. Nothing here that may hold a secret is printed."""

    method: str
    base: str = field(repr=False)
    path: Template
    parameters: tuple[Parameter, ...]
    constants: tuple[tuple[Parameter, Any], ...] = field(repr=False)
    body: Encoder
    sign: Sign
    reserved: frozenset[str]
    upstream: Upstream

    async def __call__(self, arguments: Arguments, forwarded: Forwarded = NOTHING) -> Result:
        return await self.upstream.send(self.sign(self.request(arguments, forwarded)))

    def request(self, arguments: Arguments, forwarded: Forwarded = NOTHING) -> Request:
        """What the arguments ask for, not yet signed; raises `ArgumentError` for a value that cannot be sent."""
        given = [*self.constants, *((p, _typed(p, arguments[p.name])) for p in self.parameters if p.name in arguments)]
        path = self.path.fill(_segments(self.path, {p.name: value for p, value in given if p.location == "path"}))
        pairs = [*self._pairs(given), *self._free(forwarded.query, "query parameter")]
        own = tuple(_headers(given))
        names = {name for name, _ in own}
        passed = tuple(pair for pair in to_upstream(forwarded.headers) if pair[0] not in names)
        ordered = sorted(given, key=lambda one: one[0].location in ("body", "member"))
        content, media = self.body({p.name: value for p, value in ordered}) or (None, "")
        typed = (("content-type", media),) if media and "content-type" not in names else ()
        return Request(self.method, self._url(_with_query(path, pairs)), (*passed, *own, *typed), content)

    def _pairs(self, given: Given) -> Iterator[tuple[str, str]]:
        for parameter, value in given:
            if parameter.location == "query":
                pairs = to_pairs(parameter.name, value)
                is_spread = isinstance(value, Mapping)
                yield from self._free(pairs, f"member of {parameter.name!r}") if is_spread else pairs

    def _free(self, pairs: Iterable[tuple[str, str]], what: str) -> Iterator[tuple[str, str]]:
        """The pairs, whose names callers chose: none may stand in for what only the document or a bind decides."""
        for name, value in pairs:
            if canonical(name) in self.reserved:
                raise ArgumentError(
                    f"{what} {name!r} is reserved: no caller may add it",
                    {"errors": [{"argument": name, "detail": "is reserved"}]},
                )
            yield name, value

    def _url(self, path: str) -> str:
        if len(path) > MAX_URL:
            raise ArgumentError(f"the arguments make a URL of {len(path)} characters; {MAX_URL} are allowed")
        return self.base + path


def _typed(parameter: Parameter, value: Any) -> Any:
    """The value; 5.0 is an integer to JSON Schema, and 5 is how an integer is written.

    Only where it is the whole body it can go on in the bytes that it came in.
    """
    if isinstance(value, Opaque) and parameter.location != "body":
        _refuse(parameter.name, f"must be sent as application/json, not {value.media!r}")
    if isinstance(value, Encoded) and parameter.location != "body":
        value = value.value
    return int(value) if parameter.type == "integer" and isinstance(value, float) else value


def _segments(path: Template, values: Mapping[str, Any]) -> Callable[[str], str]:
    """A filler for the path: every value stays one segment, whatever is in it; `{key+}` may span several."""
    spanning = {part.name for part in path.parts if isinstance(part, Hole) and part.spans}

    def fill(hole: str) -> str:
        name = find(hole, values)
        if name is None:
            _refuse(hole, "is required")
        text = to_simple(values[name])
        segments = text.split("/") if hole in spanning else [text]
        if any(segment in (".", "..") for segment in segments) or not text:
            _refuse(name, f"cannot be {text!r}: it stands in a path")
        if any(ord(char) < 32 or ord(char) == 127 for char in text):
            _refuse(name, "holds control characters: it stands in a path")
        return "/".join(_quoted(name, segment) for segment in segments)

    return fill


def _with_query(path: str, pairs: list[tuple[str, str]]) -> str:
    if not pairs:
        return path
    query = "&".join(f"{_quoted(name, name)}={_quoted(name, value)}" for name, value in pairs)
    return f"{path}{'&' if '?' in path else '?'}{query}"


def _quoted(name: str, text: str) -> str:
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        _refuse(name, "holds half of a surrogate pair, which is no text")


def _headers(given: Given) -> Iterator[tuple[str, str]]:
    for parameter, value in given:
        if parameter.location == "header":
            text = to_simple(value)
            if not is_legal(text):
                _refuse(parameter.name, "holds characters that a header cannot")
            yield parameter.name.lower(), text
    cookies = [pair for p, value in given if p.location == "cookie" for pair in to_pairs(p.name, value)]
    if cookies:
        yield "cookie", "; ".join(f"{_quoted(name, name)}={_quoted(name, value)}" for name, value in cookies)


def _refuse(name: str, fault: str) -> NoReturn:
    raise ArgumentError.about(name, fault)
