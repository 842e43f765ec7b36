"""The APIs that a capability consumes.

consumes:
- type: http
  namespace: together-ai-batches
  baseUri: https://api.together.ai/v1
  resources:
  - {name: batches-id, path: '/batches/{id}', operations: [{name: get, method: GET}]}
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl

from pydantic import Discriminator, Field, Tag

from fairlead.arguments import Location
from fairlead.auth import Anonymous, Authentication
from fairlead.binds import Bindings, Environ
from fairlead.bodies import Body, BodyModel, MemberBody, NoBody, TemplateBody, WholeBody, holes
from fairlead.errors import CallError, Place, Unconfigured
from fairlead.headers import HOP_BY_HOP, NEVER_AN_ARGUMENT
from fairlead.http_call import HttpCall, Parameter
from fairlead.model import InputParameter, Model, Name, OutputParameter, Text
from fairlead.names import find
from fairlead.operation import Failing, Run
from fairlead.template import parse
from fairlead.upstream import Upstream

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
RawFormat = Literal[
    "json", "xml", "avro", "protobuf", "csv", "tsv", "psv", "yaml", "html", "markdown", "binary", "text"
]


class ConsumedOperation(Model):
    """One operation of an API; a `path` of its own follows that of its resource."""

    name: Name
    method: Method = "GET"
    path: Text = ""
    label: Text = ""
    description: Text = ""
    input_parameters: tuple[InputParameter, ...] = ()
    body: BodyModel | None = None
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
    resources: tuple[ConsumedResource, ...] = ()

    def renamed(self, namespace: str) -> HttpConsumes:
        """The same API under another namespace."""
        return self.model_copy(update={"namespace": namespace})


class ImportedConsumes(Model):
    """An API that another file describes: `{import: <namespace there>, location: <file>, as: <namespace here>}`."""

    import_: Name = Field(alias="import")
    location: Text = ""
    from_: Text = Field(default="", alias="from")
    as_: Text = Field(default="", alias="as")
    description: Text = ""

    @property
    def file(self) -> str:
        return self.location or self.from_


def _kind(data: Any) -> str:
    return "<import>" if isinstance(data, dict) and "import" in data else "<http>"


Consumes = Annotated[
    Annotated[HttpConsumes, Tag("<http>")] | Annotated[ImportedConsumes, Tag("<import>")], Discriminator(_kind)
]


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
        """Its path below the base URI; a fragment never leaves a client and is left out."""
        own = self.operation.path
        return (join(self.resource.path, own) if own else self.resource.path).partition("#")[0]

    def __str__(self) -> str:
        return f"{self.operation.method} {join(_USER_INFO.sub('', self.section.base_uri), self.path)}"

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
    def ignored(self) -> tuple[InputParameter, ...]:
        """Declared parameters that are never sent: not or already in the path, or headers that no caller may set."""
        return tuple(parameter for parameter in self._merged if not self._has_place(parameter))

    @cached_property
    def _merged(self) -> tuple[InputParameter, ...]:
        levels = (self.section, self.resource, self.operation)
        every = (parameter for level in levels for parameter in level.input_parameters)
        return tuple({(p.name, p.in_): p for p in every if p.in_ != "environment"}.values())

    @cached_property
    def _holes(self) -> tuple[str, ...]:
        return parse(self.path).holes

    @cached_property
    def _fixed_query(self) -> frozenset[str]:
        """The names in a query that stands in the path itself: `/{bucket}?acl`."""
        return frozenset(dict(parse_qsl(self.path.partition("?")[2], keep_blank_values=True)))

    @cached_property
    def _credential_names(self) -> frozenset[str]:
        credential = self.section.authentication
        return credential.names if credential else frozenset()

    @cached_property
    def _reserved(self) -> frozenset[str]:
        """The names in a query that no caller may bring in besides what is declared."""
        declared = {parameter.name for parameter in self.parameters if parameter.location == "query"}
        return self._fixed_query | self._credential_names | declared

    @cached_property
    def _body_data(self) -> Any:
        return self.operation.body.tree if self.operation.body else None

    def _has_place(self, parameter: InputParameter) -> bool:
        if parameter.in_ == "path":
            return find(parameter.name, self._holes) is not None
        if parameter.in_ in (None, "query"):
            return parameter.name not in self._fixed_query | self._credential_names
        if parameter.in_ == "header" and parameter.value is None:
            return parameter.name.lower() not in NEVER_AN_ARGUMENT | self._credential_names
        return parameter.in_ != "header" or parameter.name.lower() not in HOP_BY_HOP

    def _declared(self) -> Iterator[Parameter]:
        for parameter in self._merged:
            if self._has_place(parameter):
                location = self._location(parameter)
                required = location == "path" or bool(parameter.required)
                constant = None if parameter.value is None else (parameter.value, parameter.at("value"))
                yield Parameter(parameter.name, location, parameter.type, parameter.description, required, constant)

    def _location(self, parameter: InputParameter) -> Location:
        match parameter.in_:
            case "body":
                return "body" if self._is_whole_body(parameter) else "member"
            case None | "environment":
                return "query"
            case place:
                return place

    def _is_whole_body(self, parameter: InputParameter) -> bool:
        """A sole body parameter is the body itself, unless its scalar type tells that it is one member of it."""
        bodies = [one for one in self._merged if one.in_ == "body"]
        is_sole = bodies == [parameter] and self._body_data is None
        return is_sole and (parameter.name == "body" or parameter.type in ("object", "array", None))

    def _undeclared(self, declared: tuple[Parameter, ...]) -> Iterator[Parameter]:
        paths = [parameter.name for parameter in declared if parameter.location == "path"]
        for hole in self._holes:
            if not any(find(name, self._holes) == hole for name in paths):
                yield Parameter(hole, "path", "string", required=True)
        known = {parameter.name for parameter in declared}
        optional = dict(sorted(holes(self._body_data), key=lambda hole: not hole[1]))
        for name, can_be_left_out in optional.items():
            if find(name, known) is None:
                yield Parameter(name, "member", required=not can_be_left_out)

    def run(self, wiring: Wiring, bindings: Bindings) -> Run:
        """The call of this operation."""
        try:
            base = self._base(wiring, bindings)
            constants = tuple((p, _revealed(p, bindings, wiring.environ)) for p in self.parameters if p.constant)
        except CallError as error:
            return Failing(error)
        credential = self.section.authentication
        sign = credential.signer(bindings, wiring.environ) if credential else Anonymous()
        path = parse(_rooted(self.path))
        return HttpCall(
            self.operation.method,
            base,
            path,
            self.inputs,
            constants,
            self._body(),
            sign,
            self._reserved,
            wiring.upstream,
        )

    def _body(self) -> Body:
        kind = self.operation.body.type if self.operation.body else "json"
        if self._body_data is not None:
            return TemplateBody(self._body_data, kind)
        whole = next((parameter for parameter in self.parameters if parameter.location == "body"), None)
        if whole:
            return WholeBody(whole.name, kind)
        members = tuple(parameter.name for parameter in self.parameters if parameter.location == "member")
        return MemberBody(members, kind) if members else NoBody()

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


_USER_INFO = re.compile(r"(?<=//)[^/@]*@")
_BASE_URI = re.compile(r"https?://[^/?#\s@]+(/[^?#\s]*)?")


def is_base_uri(text: str) -> bool:
    """Whether a text is an absolute http(s) URL without credentials, query or fragment."""
    return _BASE_URI.fullmatch(text) is not None


def _revealed(parameter: Parameter, bindings: Bindings, environ: Environ) -> Any:
    value, place = parameter.constant or (None, Place(""))
    return bindings.value(value, place).reveal(environ) if isinstance(value, str) else value


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
