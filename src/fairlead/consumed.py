"""A consumed operation as it is called: its name, what is wrong with it, and all parameters that it takes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from fairlead.arguments import Location
from fairlead.binds import Bindings, Value
from fairlead.bodies import holes
from fairlead.consumes import HttpConsumes
from fairlead.declared import DeclaredOperation, join
from fairlead.errors import Place, Problem
from fairlead.http_call import Parameter, placed
from fairlead.names import canonical, find, free_name
from fairlead.styles import style_of

_ORDER: Final = ("path", "query", "header", "cookie", "body", "member")
_USER_INFO: Final = re.compile(r"(?<=//)[^/@]*@")


@dataclass(frozen=True)
class Consumed(DeclaredOperation):
    """A consumed operation, with all parameters that a call of it takes."""

    members: tuple[str, ...] = ()
    """What a caller gives as members of a body of which the document says no more than that it is there."""

    def taking(self, given: Iterable[str]) -> Consumed:
        """The same, with all that `with` gives and nothing else takes in its open body."""
        names = [one.name for one in (*self.inputs, *self.guarded)] + [one.name for one in self.ignored]
        members = tuple(key for key in given if find(key, names) is None)
        return replace(self, members=members) if members and self._has_open_body else self

    @property
    def place(self) -> Place:
        return self.operation.at()

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Its description, however it is spaced."""
        return tuple(self.operation.description.split())

    @property
    def qualified_name(self) -> str:
        """The name that pins it in a `call`."""
        return f"{self.section.namespace}.{self.resource.name}.{self.operation.name}"

    def __str__(self) -> str:
        return f"{self.operation.method} {join(_USER_INFO.sub('', self.section.base_uri), self.path)}"

    @cached_property
    def faults(self) -> tuple[Problem, ...]:
        """The errors of form that make it unusable: its own, and those that concern the whole API."""
        around = (*self.bindings.faults, *self.section.structural_faults)
        return (*around, *self.operation.faults(), *self._unsafe_values(), *self._unknown_styles())

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """All parameters: declared ones, the inner winning, and holes of the path and the body that none declares."""
        declared = tuple(self._declared())
        return tuple(_with_keys((*declared, *self._undeclared(declared))))

    @cached_property
    def inputs(self) -> tuple[Parameter, ...]:
        """What takes its value from a call: parameters without a value in the document, and the holes of templates."""
        return (*self.arguments, *self._asked())

    @property
    def template_variables(self) -> Iterator[Value]:
        """The variables in templates that callers fill."""
        for value, place in (one.template for one in self.parameters if one.template):
            names = dict.fromkeys(name for name, _ in holes(value) if self.is_variable(name))
            yield from (self.bindings.value(f"{{{{{name}}}}}", place) for name in names)

    @cached_property
    def arguments(self) -> tuple[Parameter, ...]:
        """The parameters that are sent as a call gives them."""
        return tuple(parameter for parameter in self.parameters if parameter.said is None)

    @property
    def has_body(self) -> bool:
        """Whether anything can be sent as a body."""
        places = {parameter.location for parameter in self.parameters}
        return self.body_data is not None or not places.isdisjoint({"body", "member"})

    @cached_property
    def reserved(self) -> frozenset[str]:
        """The names in a query, without case and signs, that no caller may bring in besides what is declared."""
        declared = {parameter.name for parameter in self.parameters if parameter.location == "query"}
        names = self._fixed_query.keys() | self._credential_names("query") | declared
        return frozenset(map(canonical, names))

    def _declared(self) -> Iterator[Parameter]:
        for parameter in self._merged:
            if self._has_place(parameter):
                location = self._location(parameter)
                required = location == "path" or bool(parameter.required)
                one = Parameter(parameter.name, location, parameter.type, parameter.description, required)
                one = replace(one, default=parameter.default, style=style_of(parameter.style, parameter.explode))
                said = (parameter.value, parameter.at("value"))
                if self._is_open(parameter):
                    yield one
                else:
                    yield replace(one, template=said) if self._asks(parameter) else replace(one, constant=said)

    def _asked(self) -> Iterator[Parameter]:
        """The inputs that only templates ask for; what goes into headers and cookies callers give in the query."""
        asking = [one for one in self.parameters if one.template]
        known = {one.argument for one in self.arguments} | {one.name for one in self.parameters if one.constant}
        for one in sorted(asking, key=lambda one: (_ORDER.index(one.location), not one.required)):
            for hole, is_all in holes(one.template[0] if one.template else None):
                if not self.is_variable(hole) and find(hole, known) is None:
                    known.add(hole)
                    kind = one.type if is_all and isinstance(one.template and one.template[0], str) else None
                    place: Location = "query" if one.location in ("header", "cookie") else one.location
                    yield Parameter(hole, "member" if place == "body" else place, kind, "", one.required)

    def _undeclared(self, declared: tuple[Parameter, ...]) -> Iterator[Parameter]:
        paths = [parameter.name for parameter in declared if parameter.location == "path"]
        for hole in self._holes:
            if not any(find(name, self._holes) == hole for name in paths):
                is_variable = self.bindings.names_variable(hole)
                yield self._variable(hole, "path") if is_variable else Parameter(hole, "path", "string", required=True)
        known = {parameter.name for parameter in declared}
        optional = dict(sorted(holes(self.body_data), key=lambda hole: not hole[1]))
        if self._has_open_body:
            yield from (Parameter(name, "member") for name in self.members)
            yield from () if self.members else (Parameter("body", "body"),)
        for name, can_be_left_out in optional.items():
            if find(name, known) is None:
                needed = Parameter(name, "member", required=not can_be_left_out)
                yield self._variable(name, "member") if self.is_variable(name) else needed

    def _variable(self, hole: str, location: Location) -> Parameter:
        """The constant behind a hole that only a variable can fill."""
        return Parameter(hole, location, constant=(f"{{{{{hole}}}}}", self.place))


def _with_keys(parameters: tuple[Parameter, ...]) -> Iterator[Parameter]:
    """The parameters; of those of one name that are not in the path the second is `<name>_<place>` as an argument."""
    by_place = sorted(parameters, key=lambda one: (_ORDER.index(one.location), not one.required))
    first = {one.name: one for one in reversed(by_place) if one.constant is None}
    names = {one.name for one in parameters}
    for one in parameters:
        if one.constant is not None or first[one.name] is one:
            yield one
        else:
            key = free_name(placed(one.name, one), names)
            names.add(key)
            yield replace(one, key=key)


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
