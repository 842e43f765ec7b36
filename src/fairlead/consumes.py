"""The APIs that a capability consumes, and the call of one of their operations.

consumes:
- type: http
  namespace: together-ai-batches
  baseUri: https://api.together.ai/v1
  resources:
  - {name: batches-id, path: '/batches/{id}', operations: [{name: get, method: GET}]}
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NoReturn
from urllib.parse import quote

from pydantic import Field

from fairlead.arguments import Encoded, Location
from fairlead.auth import Anonymous, Authentication, Sign
from fairlead.binds import Bindings, Environ
from fairlead.errors import ArgumentError, CallError, Place, Unconfigured
from fairlead.headers import NEVER_AN_ARGUMENT, is_legal, to_upstream
from fairlead.model import InputParameter, Model, Name, OutputParameter, Text, Type
from fairlead.names import find
from fairlead.operation import NOTHING, Arguments, Failing, Forwarded, Result, Run
from fairlead.styles import to_pairs, to_simple
from fairlead.template import Template, parse
from fairlead.upstream import Request, Upstream

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
RawFormat = Literal[
    "json", "xml", "avro", "protobuf", "csv", "tsv", "psv", "yaml", "html", "markdown", "binary", "text"
]


class ConsumedOperation(Model):
    """One operation of an API."""

    name: Name
    method: Method = "GET"
    label: Text = ""
    description: Text = ""
    input_parameters: tuple[InputParameter, ...] = ()
    output_raw_format: RawFormat = "json"
    output_parameters: tuple[OutputParameter, ...] = ()


class ConsumedResource(Model):
    """A path of an API and the operations on it."""

    name: Name
    path: Text
    label: Text = ""
    description: Text = ""
    input_parameters: tuple[InputParameter, ...] = ()
    operations: tuple[ConsumedOperation, ...] = ()


class HttpConsumes(Model):
    """One API: where it is, how to authenticate, and what it offers."""

    type: Literal["http"] = "http"
    namespace: Name
    base_uri: Text = ""
    description: Text = ""
    input_parameters: tuple[InputParameter, ...] = ()
    authentication: Authentication | None = None
    resources: tuple[ConsumedResource, ...] = Field(default=())


@dataclass(frozen=True, slots=True)
class Parameter:
    """One input of a consumed operation, in the place where it is sent."""

    name: str
    location: Location
    type: Type | None = None
    description: str = ""
    required: bool = False
    value: tuple[Any, Place] | None = None


@dataclass(frozen=True)
class Consumed:
    """A consumed operation together with the resource and the section it stands in."""

    section: HttpConsumes
    resource: ConsumedResource
    operation: ConsumedOperation

    @property
    def place(self) -> Place:
        return self.operation.at()

    @property
    def qualified_name(self) -> str:
        """The name that pins it in a `call`."""
        return f"{self.section.namespace}.{self.resource.name}.{self.operation.name}"

    @property
    def path(self) -> str:
        return self.resource.path

    def __str__(self) -> str:
        return f"{self.operation.method} {join(self.section.base_uri, self.path)}"

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """All inputs: declared ones, the inner winning, and placeholders of the path that nothing declares."""
        return tuple(self._declared()) + tuple(self._undeclared())

    def _declared(self) -> Iterator[Parameter]:
        levels = (self.section, self.resource, self.operation)
        merged = {(p.name, p.in_): p for level in levels for p in level.input_parameters}
        for parameter in merged.values():
            location = parameter.in_ or "query"
            if location == "path" and find(parameter.name, self._holes) is None:
                continue
            if location == "header" and parameter.name.lower() in NEVER_AN_ARGUMENT:
                continue
            required = location == "path" or bool(parameter.required)
            value = _constant(parameter)
            yield Parameter(parameter.name, location, parameter.type, parameter.description, required, value)

    def _undeclared(self) -> Iterator[Parameter]:
        declared = [p.name for p in self._declared() if p.location == "path"]
        for hole in self._holes:
            if not any(find(name, self._holes) == hole for name in declared):
                yield Parameter(hole, "path", "string", "", required=True)

    @cached_property
    def _holes(self) -> tuple[str, ...]:
        return parse(self.path).holes

    def ignored(self) -> Iterator[InputParameter]:
        """Declared parameters that are never sent: nowhere in the path, or headers that no caller may set."""
        sent = {(p.name, p.location) for p in self._declared()}
        for level in (self.section, self.resource, self.operation):
            yield from (p for p in level.input_parameters if (p.name, p.in_ or "query") not in sent)

    @cached_property
    def inputs(self) -> tuple[Parameter, ...]:
        """The parameters that take their value from a call; all others are constants."""
        return tuple(parameter for parameter in self.parameters if parameter.value is None)

    def run(self, wiring: Wiring, bindings: Bindings) -> Run:
        """The call of this operation."""
        try:
            base = self._base(wiring, bindings)
            constants = tuple(_revealed(p, bindings, wiring.environ) for p in self.parameters if p.value)
        except CallError as error:
            return Failing(error)
        credential = self.section.authentication
        sign = credential.signer(bindings, wiring.environ) if credential else Anonymous()
        path = parse(_rooted(self.path))
        return HttpCall(self.operation.method, base, path, self.inputs, constants, sign, wiring.upstream)

    def _base(self, wiring: Wiring, bindings: Bindings) -> str:
        namespace = self.section.namespace
        if namespace in wiring.base_uris:
            return wiring.base_uris[namespace].rstrip("/")
        if not self.section.base_uri:
            raise Unconfigured(f"{namespace!r} has no base URI", {"namespace": namespace})
        value = bindings.value(self.section.base_uri, self.section.at("baseUri"), single=True)
        base = value.reveal(wiring.environ)
        if not is_base_uri(base):
            raise Unconfigured(f"the base URI of {namespace!r} is no http(s) URL", {"namespace": namespace})
        return base.rstrip("/")


@dataclass(frozen=True)
class Wiring:
    """What a plan needs to become a function: the client, the environment, and base URIs given by namespace."""

    upstream: Upstream
    environ: Environ
    base_uris: Mapping[str, str] = field(default_factory=dict)


_BASE_URI = re.compile(r"https?://[^/?#\s@]+(/[^?#\s]*)?")


def is_base_uri(text: str) -> bool:
    """Whether a text is an absolute http(s) URL without credentials, query or fragment."""
    return _BASE_URI.fullmatch(text) is not None


def _constant(parameter: InputParameter) -> tuple[Any, Place] | None:
    return None if parameter.value is None else (parameter.value, parameter.at("value"))


def _revealed(parameter: Parameter, bindings: Bindings, environ: Environ) -> tuple[Parameter, Any]:
    value, place = parameter.value or (None, Place(""))
    return parameter, bindings.value(value, place).reveal(environ) if isinstance(value, str) else value


def join(base: str, path: str) -> str:
    """Base URI and path with one slash between them."""
    return base.rstrip("/") + (_rooted(path) if path else "")


def _rooted(path: str) -> str:
    return path if path.startswith("/") else f"/{path}"


def operations(sections: tuple[HttpConsumes, ...]) -> Iterator[Consumed]:
    """Every consumed operation, in the order of the document."""
    for section in sections:
        for resource in section.resources:
            yield from (Consumed(section, resource, operation) for operation in resource.operations)


@dataclass(frozen=True, slots=True)
class HttpCall:
    """One request to an upstream per call."""

    method: str
    base: str
    path: Template
    parameters: tuple[Parameter, ...]
    constants: tuple[tuple[Parameter, Any], ...]
    sign: Sign
    upstream: Upstream

    async def __call__(self, arguments: Arguments, forwarded: Forwarded = NOTHING) -> Result:
        return await self.upstream.send(self.sign(self.request(arguments, forwarded)))

    def request(self, arguments: Arguments, forwarded: Forwarded = NOTHING) -> Request:
        """What the arguments ask for, not yet signed; raises `ArgumentError` for a value that cannot be sent."""
        given = [*self.constants, *((p, arguments[p.name]) for p in self.parameters if p.name in arguments)]
        url = self.base + self.path.fill(_segments({p.name: value for p, value in given if p.location == "path"}))
        pairs = [pair for p, value in given if p.location == "query" for pair in to_pairs(p.name, value)]
        url = _with_query(url, [*pairs, *forwarded.query])
        own = tuple(_headers(given))
        names = {name for name, _ in own}
        passed = tuple(pair for pair in to_upstream(forwarded.headers) if pair[0] not in names)
        content = _content([(p, value) for p, value in given if p.location == "body"], self.parameters)
        media = (("content-type", "application/json"),) if content is not None else ()
        return Request(self.method, url, (*passed, *own, *media), content)


def _segments(values: Mapping[str, Any]) -> Any:
    """A filler for the path: every value stays one segment, whatever is in it."""

    def fill(hole: str) -> str:
        name = find(hole, values)
        if name is None:
            _refuse(hole, "is required")
        text = to_simple(values[name])
        if text in ("", ".", ".."):
            _refuse(name, f"cannot be {text!r}: it stands in a path")
        if any(ord(char) < 32 or ord(char) == 127 for char in text):
            _refuse(name, "holds control characters: it stands in a path")
        return _quoted(name, text)

    return fill


def _with_query(url: str, pairs: list[tuple[str, str]]) -> str:
    if not pairs:
        return url
    query = "&".join(f"{_quoted(name, name)}={_quoted(name, value)}" for name, value in pairs)
    return f"{url}{'&' if '?' in url else '?'}{query}"


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


def is_whole_body(parameter: Parameter, parameters: tuple[Parameter, ...]) -> bool:
    """Whether the parameter is the request's body, not one member of it."""
    bodies = [p for p in parameters if p.location == "body"]
    return bodies == [parameter] and (parameter.name == "body" or parameter.type in ("object", "array", None))


def _content(given: list[tuple[Parameter, Any]], parameters: tuple[Parameter, ...]) -> bytes | None:
    if not given:
        return None
    first, value = given[0]
    if not is_whole_body(first, parameters):
        return _json({p.name: plain(member) for p, member in given})
    return value.data if isinstance(value, Encoded) else _json(value)


def plain(value: Any) -> Any:
    """The value itself, without the bytes it came in."""
    return value.value if isinstance(value, Encoded) else value


def _json(value: Any) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except (ValueError, UnicodeEncodeError):
        _refuse("body", "holds a value that JSON cannot")


def _refuse(name: str, fault: str) -> NoReturn:
    raise ArgumentError(f"argument {name!r} {fault}", {"errors": [{"argument": name, "detail": fault}]})
