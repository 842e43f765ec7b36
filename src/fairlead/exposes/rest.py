"""The REST adapter as written and as planned.

- type: rest
  namespace: together-ai-batches-rest
  port: 8080
  resources:
  - path: /v1/batches/{id}
    operations: [{method: GET, name: get, call: together-ai-batches.get, with: {id: rest.id}}]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from fairlead.binds import Bindings
from fairlead.caller import Caller
from fairlead.consumes import MediaType, Method
from fairlead.declared import join
from fairlead.errors import Place, Problem, Severity
from fairlead.exposed import Exposed
from fairlead.exposes.adapter import Adapter
from fairlead.model import Model, Text
from fairlead.names import find
from fairlead.parameters import InputParameter
from fairlead.planning import Entry, Known, plan
from fairlead.scope import Scope
from fairlead.template import Hole, Template, parse, rooted


class Response(Model):
    """What is said of an answer: its media type, under any of its names, or as the first key of its `content`.

    All else is for readers.
    """

    unknown_keys: ClassVar[Severity | None] = None
    spellings: ClassVar[Mapping[str, str]] = {"mimeType": "mediaType", "contentType": "mediaType", "type": "mediaType"}

    media_type: MediaType = ""
    content: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"mediaType": value} if isinstance(value, str) else {} if isinstance(value, bool) else value

    @property
    def media(self) -> str:
        return self.media_type or next(iter(self.content), "")


class RestOperation(Caller):
    """A method of a resource; a `path` of its own follows that of its resource.

    Without a method it has that of the operation it calls.
    """

    method: Method | None = None
    path: Text = ""
    hints: Any = None
    responses: dict[str, Response] = Field(default_factory=dict)
    response_binary: Response | None = None

    @model_validator(mode="after")
    def _says_once_what_it_answers(self) -> Self:
        if self.responses and self.response_binary:
            raise ValueError("has both `responses` and `responseBinary`")
        return self

    @property
    def media_type(self) -> str:
        """What it says of its answers, of successful ones where it tells them apart."""
        successful = (one for status, one in self.responses.items() if status[:1] in ("2", "d"))
        said = self.response_binary or next((one for one in successful if one.media), None)
        return said.media if said else self.output_media_type


class Forward(Model):
    """The API that gets all requests below a path, and headers of callers that it gets besides those that always pass.

    What may stand there is decided in `forward`.
    """

    target_namespace: Text = ""
    trusted_headers: tuple[Text, ...] = ()


class RestResource(Model):
    """A path, its operations, and where all other requests there go."""

    path: Text
    name: Text = ""
    label: Text = ""
    description: Text = ""
    input_parameters: tuple[InputParameter, ...] = ()
    operations: tuple[RestOperation, ...] = ()
    forward: Forward | None = None


class RestExposes(Adapter):
    """A REST adapter."""

    type: Literal["rest", "api"]
    input_parameters: tuple[InputParameter, ...] = ()
    resources: tuple[RestResource, ...] = ()


@dataclass(frozen=True)
class Route:
    """One method on one path, and the plan of what it does."""

    method: str
    path: str
    resource: str
    exposed: Exposed
    adapter: RestExposes

    @property
    def place(self) -> Place:
        return self.exposed.place

    @property
    def namespace(self) -> str:
        return self.adapter.namespace

    @property
    def bindings(self) -> Bindings:
        return self.exposed.bindings

    @property
    def capability(self) -> str:
        return self.bindings.capability

    @property
    def shape(self) -> str:
        """The path with its placeholders alike; two routes of one method and shape are one route."""
        return parse(self.path).shape

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def routes(adapter: RestExposes, known: Known, bindings: Bindings, prefix: str = "") -> tuple[Route, ...]:
    """The routes of an adapter; `prefix` goes in front of every path."""
    listed = [(resource, operation) for resource in adapter.resources for operation in resource.operations]
    names = known.namespaces | {adapter.namespace}
    entries = (_entry(adapter, resource, operation, names, bindings) for resource, operation in listed)
    return tuple(
        Route(_method(operation, exposed), prefix + exposed.path, resource.name, exposed, adapter)
        for (resource, operation), exposed in zip(listed, plan(entries, known), strict=True)
    )


def _spanning(path: Template) -> Template:
    """The path; a placeholder at its end that is called `path` spans all segments that are left."""
    match path.parts:
        case (*before, Hole("path")) if not before or str(before[-1]).endswith("/"):
            return Template((*before, Hole("path", spans=True)))
        case _:
            return path


def _entry(
    adapter: RestExposes, resource: RestResource, operation: RestOperation, names: frozenset[str], bindings: Bindings
) -> Entry:
    full = rooted(join(resource.path, operation.path) if operation.path else resource.path)
    path = _spanning(parse(full))
    declared = tuple(_declared(adapter, resource, operation, path))
    scope = Scope(
        names,
        bindings,
        partial(operation.at, "with"),
        path,
        declared,
        tuple(_as_in_path(parameter, path) for parameter in operation.input_parameters),
        takes_whole_body=_takes_whole_body(operation, names, {*path.holes, *(one.name for one in declared)}),
        without_body=operation.method in ("GET", "HEAD"),
    )
    around = [*adapter.faults(besides="resources"), *resource.faults(besides="operations")]
    if "?" in full:
        around.append(Problem(resource.at("path"), f"an exposed path has no query: {full!r}"))
    call = operation.as_call(operation.method or "GET", full, resource.name)
    return Entry(operation, call, scope, tuple(around), adapter.max_binary_size)


def _method(operation: RestOperation, exposed: Exposed) -> str:
    if operation.method is None and exposed.consumed:
        return exposed.consumed.operation.method
    return operation.method or "GET"


def _takes_whole_body(operation: RestOperation, namespaces: frozenset[str], known: set[str]) -> bool:
    """Whether `with` takes the body of the request as it is: `rest.body`, and no input of its own is called so."""
    spellings = {f"{namespace}.body" for namespace in ("rest", *namespaces)}
    given = (value for value in operation.given() if isinstance(value, str))
    return "body" not in known and any(value.strip("{} ") in spellings for value in given)


def _declared(
    adapter: RestExposes, resource: RestResource, operation: RestOperation, path: Template
) -> Iterator[InputParameter]:
    """The inputs declared on all levels, the inner winning; those of the path are called as they are there."""
    levels = (adapter.input_parameters, resource.input_parameters, operation.input_parameters)
    listed = [_as_in_path(parameter, path) for level in levels for parameter in level]
    yield from {parameter.name: parameter for parameter in listed}.values()


def _as_in_path(parameter: InputParameter, path: Template) -> InputParameter:
    hole = find(parameter.name, path.holes) if parameter.in_ in ("path", None) else None
    return parameter.model_copy(update={"name": hole}) if hole else parameter
