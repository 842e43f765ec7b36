"""What operations declare of their inputs, and what of it is of no use.

inputParameters:
- {name: port, in: query, type: string, description: Where}
- {name: ship, in: body, type: string, value: $.ship.name}
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from fairlead.arguments import Input, Inputs, Location
from fairlead.bodies import holes
from fairlead.errors import Problem
from fairlead.parameters import InputParameter
from fairlead.scope import Scope


def is_path(value: Any) -> bool:
    """Whether the `value` of a declared input is a JSONPath into the body of the request."""
    return isinstance(value, str) and value.startswith("$")


def constants(scope: Scope) -> Iterator[Input]:
    """Declared inputs with a value, which REST callers may give and not change."""
    for one in scope.declared if scope.path else ():
        is_constant = one.value is not None and not is_path(one.value) and not any(True for _ in holes(one.value))
        if one.name and is_constant and one.name not in scope.holes and one.in_ not in ("path", "environment"):
            place = _place(one, "query", scope)
            yield Input(one.name, place, None, one.description, value=one.value)


def as_declared(derived: Input, scope: Scope) -> Input:
    """The derived input with what its own declaration says about it."""
    declared = scope.declaration(derived.name)
    if declared is None:
        return derived
    is_said = declared.required is not None and derived.location != "path"
    default = derived.default if declared.default is None else declared.default
    required = (bool(declared.required) if is_said else derived.required) and default is None
    location = _place(declared, derived.location, scope)
    if is_path(declared.value):
        return replace(derived, location="member", type=declared.type, required=required, found_at=declared.value)
    return replace(
        derived,
        location=location,
        type=declared.type or derived.type,
        description=declared.description or derived.description,
        required=required,
        pattern=declared.pattern,
        enum=declared.enum,
        default=default,
    )


def _place(declared: InputParameter, derived: Location, scope: Scope) -> Location:
    """Where the declaration says that callers give it, as far as it can be given there; else where it is sent."""
    if derived == "path" or declared.in_ is None or declared.in_ == "environment":
        return derived
    if declared.in_ != "body":
        return declared.in_
    has_members = scope.path is not None and not scope.takes_whole_body and not scope.without_body
    return "member" if has_members and derived != "body" else derived


def unused(inputs: Inputs, scope: Scope) -> Iterator[Problem]:
    """What callers could give and nothing would take."""
    names = inputs.names
    for hole in scope.holes:
        if hole not in names:
            yield Problem(scope.at(""), f"nothing uses {{{hole}}} of the path", "take it up in `with`")
    for parameter in scope.declared:
        is_given = parameter.value is None and parameter.in_ != "environment"
        if parameter.name not in names and is_given and parameter in scope.own:
            hint = "take it up in `with`"
            yield Problem(parameter.at(), f"nothing uses the input {parameter.name!r}", hint, "warning")
        if parameter.style or parameter.explode is not None:
            key = "style" if parameter.style else "explode"
            hint = "write it at the input of the consumed operation"
            yield Problem(
                parameter.at(key), f"{key!r} says how an API is called, not how callers write", hint, "warning"
            )
        if is_path(parameter.value) and (scope.path is None or parameter.in_ not in ("body", None)):
            yield Problem(parameter.at("value"), "only the body of a REST request can be looked into by a JSONPath")
        if parameter.name in names and parameter.in_ == "path" and scope.path and parameter.name not in scope.holes:
            yield Problem(parameter.at("in"), f"the path has no {{{parameter.name}}}")


def with_unused(inputs: Inputs, scope: Scope) -> Inputs:
    """The inputs, and those that the operation itself declares and nothing takes: callers may give them too."""
    return Inputs((*inputs, *(_unused(one, scope) for one in scope.own if _is_open(one, scope, inputs.names))))


def _unused(one: InputParameter, scope: Scope) -> Input:
    place = _place(one, "query", scope)
    is_needed = scope.path is None and bool(one.required)
    return Input(one.name, place, one.type, one.description, is_needed, one.pattern, enum=one.enum, default=one.default)


def _is_open(one: InputParameter, scope: Scope, taken: frozenset[str]) -> bool:
    """Whether callers can give a declared input that nothing takes."""
    has_place = one.in_ not in ("path", "environment") and one.name not in scope.holes
    return bool(one.name) and one.value is None and has_place and one.name not in taken


def refusals(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Those of the problems for which an operation is refused."""
    return tuple(problem for problem in problems if problem.severity == "error")
