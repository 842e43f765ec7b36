"""One request to an upstream per call: where each argument goes, and that it cannot leave its place.

inputParameters:
- {name: id, in: path, type: string, required: true}
- {name: force, in: query, type: boolean}
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn
from urllib.parse import quote

from fairlead.arguments import Location
from fairlead.auth import Sign
from fairlead.bodies import Body
from fairlead.errors import ArgumentError, Place
from fairlead.headers import is_legal, to_upstream
from fairlead.model import Type
from fairlead.names import find
from fairlead.operation import NOTHING, Arguments, Forwarded, Result
from fairlead.styles import to_pairs, to_simple
from fairlead.template import Template
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


@dataclass(frozen=True, slots=True)
class HttpCall:
    """The call of a consumed operation. Nothing here that may hold a secret is printed."""

    method: str
    base: str = field(repr=False)
    path: Template
    parameters: tuple[Parameter, ...]
    constants: Mapping[str, Any] = field(repr=False)
    body: Body
    sign: Sign
    upstream: Upstream

    async def __call__(self, arguments: Arguments, forwarded: Forwarded = NOTHING) -> Result:
        return await self.upstream.send(self.sign(self.request(arguments, forwarded)))

    def request(self, arguments: Arguments, forwarded: Forwarded = NOTHING) -> Request:
        """What the arguments ask for, not yet signed; raises `ArgumentError` for a value that cannot be sent."""
        values = {**arguments, **self.constants} if self.constants else arguments
        given = [(p, values[p.name]) for p in self.parameters if p.name in values]
        path = self.path.fill(_segments({p.name: value for p, value in given if p.location == "path"}))
        pairs = [pair for p, value in given if p.location == "query" for pair in to_pairs(p.name, value)]
        own = tuple(_headers(given))
        names = {name for name, _ in own}
        passed = tuple(pair for pair in to_upstream(forwarded.headers) if pair[0] not in names)
        content, media = self.body(values) or (None, "")
        typed = (("content-type", media),) if media and "content-type" not in names else ()
        return Request(
            self.method, self.base + _with_query(path, [*pairs, *forwarded.query]), (*passed, *own, *typed), content
        )


def _segments(values: Mapping[str, Any]) -> Callable[[str], str]:
    """A filler for the path: every value stays one segment, whatever is in it; `{key+}` may span several."""

    def fill(hole: str) -> str:
        name = find(hole, values)
        if name is None:
            _refuse(hole, "is required")
        text = to_simple(values[name])
        segments = text.split("/") if hole.endswith("+") else [text]
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


def _headers(given: list[tuple[Parameter, Any]]) -> Iterator[tuple[str, str]]:
    for parameter, value in given:
        if parameter.location == "header":
            text = to_simple(value)
            if not is_legal(text):
                _refuse(parameter.name, "holds characters that a header cannot")
            yield parameter.name.lower(), text
    cookies = [pair for p, value in given if p.location == "cookie" for pair in to_pairs(p.name, value)]
    if cookies:
        yield "cookie", "; ".join(f"{name}={_quoted(name, value)}" for name, value in cookies)


def _refuse(name: str, fault: str) -> NoReturn:
    raise ArgumentError(f"argument {name!r} {fault}", {"errors": [{"argument": name, "detail": fault}]})
