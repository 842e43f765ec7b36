"""The REST adapter as written and as planned.

- type: rest
  namespace: together-ai-batches-rest
  port: 8080
  resources:
  - path: /v1/batches/{id}
    operations: [{method: GET, name: get, call: together-ai-batches.get, with: {id: rest.id}}]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from fairlead.binds import Bindings
from fairlead.caller import Caller
from fairlead.consumed import join
from fairlead.consumes import Method
from fairlead.errors import Place, Problem
from fairlead.exposed import Exposed
from fairlead.exposes.adapter import Adapter
from fairlead.model import InputParameter, Model, Text
from fairlead.names import find
from fairlead.planning import Entry, Known, plan
from fairlead.scope import Scope
from fairlead.template import Template, parse, rooted


class RestOperation(Caller):
    """A method of a resource; a `path` of its own follows that of its resource.

    Without a method it has that of the operation it calls.
    """

    method: Method | None = None
    path: Text = ""
    hints: Any = None


class RestResource(Model):
    """A path and its operations."""

    path: Text
    name: Text = ""
    label: Text = ""
    display: Text = ""
    description: Text = ""
    input_parameters: tuple[InputParameter, ...] = ()
    operations: tuple[RestOperation, ...] = ()


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
    def capability(self) -> str:
        return self.exposed.bindings.capability

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


def _entry(
    adapter: RestExposes, resource: RestResource, operation: RestOperation, names: frozenset[str], bindings: Bindings
) -> Entry:
    full = rooted(join(resource.path, operation.path) if operation.path else resource.path)
    path = parse(full)
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
    return Entry(operation, operation.as_call(operation.method or "GET", full, resource.name), scope, tuple(around))


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
