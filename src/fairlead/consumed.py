"""A consumed operation: what it takes, and the function that calls it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

from fairlead.arguments import Location
from fairlead.auth import Anonymous
from fairlead.binds import Bindings, Environ, Value
from fairlead.bodies import Encoder, MemberBody, NoBody, TemplateBody, WholeBody, compiled, holes
from fairlead.consumes import ConsumedOperation, ConsumedResource, HttpConsumes
from fairlead.errors import CallError, Place, Problem, Unconfigured
from fairlead.headers import HOP_BY_HOP, NEVER_AN_ARGUMENT, is_legal
from fairlead.http_call import HttpCall, Parameter
from fairlead.model import InputParameter
from fairlead.names import canonical, find
from fairlead.operation import Failing, Run
from fairlead.styles import to_simple
from fairlead.template import parse, rooted
from fairlead.upstream import Upstream


@dataclass(frozen=True)
class Consumed:
    """A consumed operation in its resource and section, and what the variables of their file refer to."""

    section: HttpConsumes
    resource: ConsumedResource
    operation: ConsumedOperation
    bindings: Bindings

    @property
    def place(self) -> Place:
        return self.operation.at()

    @property
    def qualified_name(self) -> str:
        """The name that pins it in a `call`."""
        return f"{self.section.namespace}.{self.resource.name}.{self.operation.name}"

    @property
    def path(self) -> str:
        """Its path below the base URI; a fragment never leaves a client and is left out."""
        own = self.operation.path
        return (join(self.resource.path, own) if own else self.resource.path).partition("#")[0]

    def __str__(self) -> str:
        return f"{self.operation.method} {join(_USER_INFO.sub('', self.section.base_uri), self.path)}"

    @property
    def faults(self) -> tuple[Problem, ...]:
        """The errors of form that make it unusable: its own, and those that concern the whole API."""
        return (*self.section.structural_faults, *self.operation.faults())

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """All parameters: declared ones, the inner winning, and holes of the path and the body that none declares."""
        declared = tuple(self._declared())
        return (*declared, *self._undeclared(declared))

    @cached_property
    def inputs(self) -> tuple[Parameter, ...]:
        """The parameters that take their value from a call; all others are constants."""
        return tuple(parameter for parameter in self.parameters if parameter.constant is None)

    @property
    def has_body(self) -> bool:
        """Whether anything can be sent as a body."""
        places = {parameter.location for parameter in self.parameters}
        return self._body_data is not None or not places.isdisjoint({"body", "member"})

    @property
    def ignored(self) -> tuple[InputParameter, ...]:
        """Declared parameters that are never sent: they have no name, or no place in the request."""
        nameless = (parameter for parameter in self._every if not parameter.name)
        return (*nameless, *(parameter for parameter in self._merged if not self._has_place(parameter)))

    @cached_property
    def lost(self) -> frozenset[str]:
        """The names of ignored parameters whose value the author meant to arrive: in the path or in the body."""
        return frozenset(parameter.name for parameter in self.ignored if parameter.in_ in ("path", "body"))

    @cached_property
    def missed(self) -> frozenset[str]:
        """The lost parameters without which the request is another one: those that the operation says it needs."""
        own = (one for one in self.operation.input_parameters if one.in_ == "path" and one.required)
        return frozenset(parameter.name for parameter in own if parameter.name in self.lost)

    @cached_property
    def _every(self) -> tuple[InputParameter, ...]:
        listed = (*self.section.parameters, *self.resource.input_parameters, *self.operation.input_parameters)
        return tuple(parameter for parameter in listed if parameter.in_ != "environment")

    @cached_property
    def _merged(self) -> tuple[InputParameter, ...]:
        """The parameters of all levels that have a name, the inner winning."""
        return tuple({_identity(one): one for one in self._every if one.name}.values())

    @cached_property
    def _holes(self) -> tuple[str, ...]:
        return parse(self.path).holes

    @cached_property
    def _fixed_query(self) -> frozenset[str]:
        """The names in a query that stands in the path itself: `/{bucket}?acl`."""
        return frozenset(dict(parse_qsl(self.path.partition("?")[2], keep_blank_values=True)))

    def _credential_names(self, location: Location) -> frozenset[str]:
        credential = self.section.authentication
        return credential.names(location) if credential else frozenset()

    @cached_property
    def _reserved(self) -> frozenset[str]:
        """The names in a query, without case and signs, that no caller may bring in besides what is declared."""
        declared = {parameter.name for parameter in self.parameters if parameter.location == "query"}
        names = self._fixed_query | self._credential_names("query") | declared
        return frozenset(map(canonical, names))

    @cached_property
    def _body_data(self) -> Any:
        return self.operation.body.tree if self.operation.body else None

    def _has_place(self, parameter: InputParameter) -> bool:
        place = self._place_of(parameter)
        if place == "path":
            return find(parameter.name, self._holes) is not None
        if place == "body" and self._body_data is not None:
            return find(parameter.name, {name for name, _ in holes(self._body_data)}) is not None
        if place == "query":
            return parameter.name not in self._fixed_query | self._credential_names("query")
        if place == "header" and parameter.value is None:
            return parameter.name.lower() not in NEVER_AN_ARGUMENT | self._credential_names("header")
        return place != "header" or parameter.name.lower() not in HOP_BY_HOP

    def _declared(self) -> Iterator[Parameter]:
        for parameter in self._merged:
            if self._has_place(parameter):
                location = self._location(parameter)
                required = location == "path" or bool(parameter.required)
                constant = None if parameter.value is None else (parameter.value, parameter.at("value"))
                yield Parameter(parameter.name, location, parameter.type, parameter.description, required, constant)

    def _location(self, parameter: InputParameter) -> Location:
        place = self._place_of(parameter)
        if place == "body":
            return "body" if self._is_whole_body(parameter) else "member"
        return place

    def _place_of(self, parameter: InputParameter) -> Literal["path", "query", "header", "cookie", "body"]:
        """Where it says that it is; where it says nothing, in the path that has its name, or in the query."""
        if parameter.in_ is None or parameter.in_ == "environment":
            return "path" if find(parameter.name, self._holes) else "query"
        return parameter.in_

    def _is_whole_body(self, parameter: InputParameter) -> bool:
        """A sole body parameter is the body itself, unless its scalar type tells that it is one member of it."""
        bodies = [one for one in self._merged if one.in_ == "body"]
        is_sole = bodies == [parameter] and self._body_data is None
        return is_sole and (parameter.name == "body" or parameter.type in ("object", "array", None))

    def _undeclared(self, declared: tuple[Parameter, ...]) -> Iterator[Parameter]:
        paths = [parameter.name for parameter in declared if parameter.location == "path"]
        for hole in self._holes:
            if not any(find(name, self._holes) == hole for name in paths):
                yield self._variable(hole, "path") or Parameter(hole, "path", "string", required=True)
        known = {parameter.name for parameter in declared}
        optional = dict(sorted(holes(self._body_data), key=lambda hole: not hole[1]))
        for name, can_be_left_out in optional.items():
            if find(name, known) is None:
                yield self._variable(name, "member") or Parameter(name, "member", required=not can_be_left_out)

    def _variable(self, hole: str, location: Location) -> Parameter | None:
        """The constant behind a hole that only a variable can fill."""
        if not self.bindings.names_variable(hole):
            return None
        return Parameter(hole, location, constant=(f"{{{{{hole}}}}}", self.place))

    def run(self, wiring: Wiring) -> Run:
        """The call of this operation."""
        try:
            base = self._base(wiring)
            constants = tuple((one, self._revealed(one, wiring)) for one in self.parameters if one.constant)
        except CallError as error:
            return Failing(error)
        credential = self.section.authentication
        return HttpCall(
            method=self.operation.method,
            base=base,
            path=parse(rooted(self.path)),
            parameters=self.inputs,
            constants=constants,
            body=self._body(),
            sign=credential.signer(self.bindings, wiring.environ) if credential else Anonymous(),
            reserved=self._reserved,
            upstream=wiring.upstream,
        )

    def _revealed(self, parameter: Parameter, wiring: Wiring) -> Any:
        assert parameter.constant is not None
        value, place = parameter.constant
        text = self.bindings.value(value, place).reveal(wiring.environ) if isinstance(value, str) else value
        if parameter.location == "header" and not is_legal(to_simple(text)):
            raise Unconfigured(f"the header {parameter.name!r} would hold line breaks or other illegal characters")
        return text

    def _body(self) -> Encoder:
        kind = self.operation.body.type if self.operation.body else "json"
        if self._body_data is not None:
            return TemplateBody(compiled(self._body_data, [parameter.name for parameter in self.parameters]), kind)
        whole = next((parameter for parameter in self.parameters if parameter.location == "body"), None)
        if whole:
            return WholeBody(whole.name, kind if self.operation.body else None)
        members = tuple(parameter.name for parameter in self.parameters if parameter.location == "member")
        return MemberBody(members, kind) if members else NoBody()

    def _base(self, wiring: Wiring) -> str:
        namespace = self.section.namespace
        if namespace in wiring.base_uris:
            return wiring.base_uris[namespace].rstrip("/")
        if not self.section.base_uri:
            raise Unconfigured(f"{namespace!r} has no base URI", {"namespace": namespace})
        base = Api(self.section, self.bindings).base_uri.reveal(wiring.environ)
        if not is_base_uri(base):
            raise Unconfigured(f"the base URI of {namespace!r} is no http(s) URL", {"namespace": namespace})
        return base.rstrip("/")


@dataclass(frozen=True)
class Wiring:
    """What a plan needs to become a function: the client, the environment, and base URIs given by namespace."""

    upstream: Upstream
    environ: Environ
    base_uris: Mapping[str, str] = field(default_factory=dict)


_USER_INFO = re.compile(r"(?<=//)[^/@]*@")
_BASE_URI = re.compile(r"https?://[^/?#\s@]+(/[^?#\s]*)?")


def is_base_uri(text: str) -> bool:
    """Whether a text is an absolute http(s) URL without credentials, query or fragment."""
    try:
        parts = urlsplit(text)
        return _BASE_URI.fullmatch(text) is not None and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _identity(parameter: InputParameter) -> tuple[str, str]:
    """By what an inner declaration replaces an outer one: the place, and the name, of headers without case."""
    place = parameter.in_ or "query"
    return place, parameter.name.lower() if place == "header" else parameter.name


def join(base: str, path: str) -> str:
    """Base URI and path with one slash between them."""
    return base.rstrip("/") + (rooted(path) if path else "")


@dataclass(frozen=True)
class Api:
    """One API that a document consumes, and what the variables of the file it stands in refer to."""

    section: HttpConsumes
    bindings: Bindings

    @property
    def base_uri(self) -> Value:
        """The base URI with its variables."""
        return self.bindings.value(self.section.base_uri, self.section.at("baseUri"), single=True)

    def operations(self) -> Iterator[Consumed]:
        """Its operations, in the order of the document."""
        for resource in self.section.resources:
            for operation in resource.operations:
                yield Consumed(self.section, resource, operation, self.bindings)
