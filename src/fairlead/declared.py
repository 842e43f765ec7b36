"""What a document says of a consumed operation: its path, the parameters of all levels, and where each of them goes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal
from urllib.parse import parse_qsl

from fairlead.arguments import Input, Location
from fairlead.binds import Bindings
from fairlead.bodies import holes
from fairlead.consumes import ConsumedOperation, ConsumedResource, HttpConsumes
from fairlead.errors import Problem
from fairlead.headers import HOP_BY_HOP, NEVER_AN_ARGUMENT, is_token
from fairlead.http_call import Parameter
from fairlead.names import canonical, find
from fairlead.parameters import InputParameter
from fairlead.styles import STYLES
from fairlead.template import parse, rooted


@dataclass(frozen=True)
class DeclaredOperation:
    """A consumed operation in its resource and section, and what the variables of their file refer to."""

    section: HttpConsumes
    resource: ConsumedResource
    operation: ConsumedOperation
    bindings: Bindings

    @property
    def path(self) -> str:
        """Its path below the base URI; a fragment never leaves a client and is left out."""
        own = self.operation.path
        return (join(self.resource.path, own) if own else self.resource.path).partition("#")[0]

    def is_variable(self, hole: str) -> bool:
        """Whether a hole can only mean a variable; `in: environment` is another way to list one."""
        return self.bindings.looks_like_variable(hole) or hole in self._environment

    @property
    def ignored(self) -> tuple[InputParameter, ...]:
        """Declared parameters that are never sent: they have no name, or no place in the request."""
        nameless = (parameter for parameter in self._every if not parameter.name)
        return (*nameless, *(parameter for parameter in self._merged if not self._has_place(parameter)))

    @cached_property
    def guarded(self) -> tuple[Parameter, ...]:
        """Declared headers that no caller may set, but the document may: by a constant or a variable in `with`."""
        named = (one for one in self.ignored if one.name and one.in_ == "header" and one.name.lower() not in HOP_BY_HOP)
        own = self._credential_names("header")
        return tuple(
            Parameter(one.name, "header", one.type, one.description)
            for one in named
            if one.name.lower() not in own and is_token(one.name)
        )

    @cached_property
    def fixed(self) -> tuple[Input, ...]:
        """Declared parameters whose value stands in the path itself, which callers may repeat and not change."""
        return tuple(
            Input(one.name, "query", "string", one.description, pattern=f"^{re.escape(self._fixed_query[one.name])}$")
            for one in self._merged
            if self._place_of(one) == "query" and one.name in self._fixed_query
            if not parse(self._fixed_query[one.name]).holes
        )

    @cached_property
    def lost(self) -> frozenset[str]:
        """The names of ignored parameters whose value the author meant to arrive, and that nothing can bring there."""
        return frozenset(
            one.name for one in self.ignored if one.in_ in ("path", "body") or (one.name and not is_token(one.name))
        )

    @cached_property
    def missed(self) -> frozenset[str]:
        """The lost parameters without which the request is another one: those that the operation says it needs."""
        own = (one for one in self.operation.input_parameters if one.in_ != "body" and one.required)
        return frozenset(parameter.name for parameter in own if parameter.name in self.lost)

    @cached_property
    def body_data(self) -> Any:
        return self.operation.body.tree if self.operation.body else None

    @property
    def _has_open_body(self) -> bool:
        is_open = self.operation.body is not None and self.operation.body.data is None
        return is_open and not any(one.in_ == "body" for one in self._merged)

    @cached_property
    def _listed(self) -> tuple[InputParameter, ...]:
        return (*self.section.parameters, *self.resource.input_parameters, *self.operation.input_parameters)

    @cached_property
    def _environment(self) -> frozenset[str]:
        return frozenset(parameter.name for parameter in self._listed if parameter.in_ == "environment")

    @cached_property
    def _every(self) -> tuple[InputParameter, ...]:
        return tuple(parameter for parameter in self._listed if parameter.in_ != "environment")

    @cached_property
    def _merged(self) -> tuple[InputParameter, ...]:
        """The parameters of all levels that have a name, the inner winning."""
        return tuple({_identity(one): one for one in self._every if one.name}.values())

    @cached_property
    def _holes(self) -> tuple[str, ...]:
        return parse(self.path).holes

    @cached_property
    def _fixed_query(self) -> Mapping[str, str]:
        """The query that stands in the path itself: `/{bucket}?acl`."""
        return dict(parse_qsl(self.path.partition("?")[2], keep_blank_values=True))

    def _credential_names(self, location: Location) -> frozenset[str]:
        credential = self.section.authentication
        return credential.names(location) if credential else frozenset()

    @cached_property
    def _never_an_argument(self) -> frozenset[str]:
        """The headers, in lower case, that no caller may set."""
        return NEVER_AN_ARGUMENT | self._credential_names("header")

    def _has_place(self, parameter: InputParameter) -> bool:
        name = parameter.name
        match self._place_of(parameter):
            case "path":
                return find(name, self._holes) is not None
            case "query":
                return name not in self._fixed_query.keys() | self._credential_names("query")
            case "header":
                is_constant = parameter.value is not None and not self._asks(parameter)
                taken = HOP_BY_HOP if is_constant else self._never_an_argument
                return is_token(name) and name.lower() not in taken
            case "cookie":
                return is_token(name) and name not in self._credential_names("cookie")
            case "body":
                is_known = self.body_data is None or find(name, {hole for hole, _ in holes(self.body_data)})
                return bool(is_known) and name not in self._credential_names("member")

    def _is_open(self, parameter: InputParameter) -> bool:
        """Whether it has no value; `value: '{{tools.q}}'` of an input `q` says no more than that it is one."""
        held = [(canonical(name), is_all) for name, is_all in holes(parameter.value) if not self.is_variable(name)]
        is_itself = isinstance(parameter.value, str) and held == [(canonical(parameter.name), True)]
        return parameter.value is None or is_itself

    def _asks(self, parameter: InputParameter) -> bool:
        """Whether its value is a template that a call fills."""
        return not self._is_open(parameter) and not all(self.is_variable(name) for name, _ in holes(parameter.value))

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
        is_sole = bodies == [parameter] and self.body_data is None
        return is_sole and (parameter.name == "body" or parameter.type in ("object", "array", None))

    def _unsafe_values(self) -> Iterator[Problem]:
        """Templates that callers would fill where they may not."""
        for parameter in self._merged:
            is_guarded = parameter.in_ == "header" and parameter.name.lower() in self._never_an_argument
            if is_guarded and self._asks(parameter):
                hole = next(name for name, _ in holes(parameter.value) if not self.is_variable(name))
                message = f"the value of {parameter.name!r} refers to {hole!r}, which is no variable"
                yield Problem(parameter.at("value"), message, "no caller may set it; list it in `binds`")

    def _unknown_styles(self) -> Iterator[Problem]:
        """Styles that there are not in the place of a parameter."""
        for parameter in self._merged:
            place = self._place_of(parameter)
            known = STYLES.get(place, ())
            hint = f"known: {', '.join(known)}" if known else ""
            if parameter.style and parameter.style not in known:
                yield Problem(parameter.at("style"), f"{parameter.style!r} is no style of a {place}", hint)
            elif parameter.explode is not None and place not in ("query", "cookie"):
                yield Problem(parameter.at("explode"), f"nothing is exploded in a {place}")


def _identity(parameter: InputParameter) -> tuple[str, str]:
    """By what an inner declaration replaces an outer one: the place, and the name, of headers without case."""
    place = parameter.in_ or "query"
    return place, parameter.name.lower() if place == "header" else parameter.name


def join(base: str, path: str) -> str:
    """Base URI and path with one slash between them."""
    return base.rstrip("/") + below(path)


def below(path: str) -> str:
    """The path as it follows another; a query follows without a slash."""
    return rooted(path) if path and not path.startswith("?") else path
