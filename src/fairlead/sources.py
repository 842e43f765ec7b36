"""What a value of `with` spells: where the value of a parameter comes from.

with:
  id: rest.id
  name: 'MS {{name}}'
  tags: [blue, '{{colour}}']
  unit: m
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fairlead.arguments import plain
from fairlead.binds import Environ, Value
from fairlead.bodies import compiled, filled, holes
from fairlead.errors import Place
from fairlead.http_call import Parameter
from fairlead.operation import UNSET, Argument, Arguments, Hidden, Literal, Source
from fairlead.scope import RESULT, Scope
from fairlead.styles import from_text, to_text
from fairlead.template import Hole, Template, parse


@dataclass(frozen=True, slots=True)
class Filled:
    """A text with the caller's arguments in it; not given as long as one of them is not."""

    template: Template

    def __call__(self, arguments: Arguments) -> Any:
        if any(hole not in arguments for hole in self.template.holes):
            return UNSET
        return self.template.fill(lambda hole: to_text(plain(arguments[hole])))


@dataclass(frozen=True, slots=True)
class Built:
    """A list or mapping with the caller's arguments in it; what is nothing but an argument not given is left out."""

    data: Any
    names: Mapping[str, str]

    def __call__(self, arguments: Arguments) -> Any:
        given = {name: plain(arguments[name]) for name in self.names.values() if name in arguments}
        return filled(compiled(self.data, lambda hole: self.names[hole]), given)


def drafted(value: Any, parameter: Parameter, scope: Scope, place: Place) -> Source | Value:
    """The source that a value of `with` spells, inputs in it named as they are spelt there.

    Raises:
        ValueError: It can mean nothing; the message says what it does.
    """
    if value is None:
        raise ValueError("is empty")
    if not isinstance(value, str):
        return _nested(value, scope)
    if value.startswith(RESULT):
        return Argument(_result(value, scope))
    if reference := scope.reference(value):
        return Argument(reference)
    if scope.bindings.names_variable(value):
        return scope.bindings.value(f"{{{{{value}}}}}", place)
    if parse(value).holes:
        return _template(value, scope, place)
    return Literal(from_text(parameter.type, value) if parameter.type not in ("array", "object") else value)


def _result(path: str, scope: Scope) -> str:
    if found := scope.result(path):
        return found
    known = (*scope.steps, *scope.assigned)
    raise ValueError(
        f"refers to no step before it; known: {', '.join(known)}" if known else "refers to a step, and there are none"
    )


def _template(value: str, scope: Scope, place: Place) -> Source | Value:
    template = parse(value)
    variables = [scope.is_variable(hole) for hole in template.holes]
    if all(variables):
        return scope.bindings.value(value, place, single=True)
    if any(variables):
        raise ValueError("mixes variables and inputs in one text")
    parts = tuple(Hole(_meant(part.name, scope)) if isinstance(part, Hole) else part for part in template.parts)
    match parts:
        case (Hole(name),):
            return Argument(name)
        case _:
            return Filled(Template(parts))


def _meant(hole: str, scope: Scope) -> str:
    return scope.result(hole) or scope.reference(hole) or hole


def _nested(value: Any, scope: Scope) -> Source:
    named = {hole for hole, _ in holes(value)}
    if not named:
        return Literal(value)
    if any(scope.is_variable(hole) for hole in named):
        raise ValueError("has a variable inside a list or mapping, which is not supported by this version")
    return Built(value, {hole: _meant(hole, scope) for hole in named})


def revealed(source: Source | Value, environ: Environ) -> Source:
    """The source itself, or the variable that it is; raises `Unconfigured` for one that is not set."""
    return Hidden(source.reveal(environ)) if isinstance(source, Value) else source


def reads(source: Source | Value) -> tuple[str, ...]:
    """The names of the inputs that a source takes."""
    return tuple(name for name in _names(source) if not name.startswith(RESULT))


def results(source: Source | Value) -> tuple[str, ...]:
    """The paths into the results of earlier steps that a source takes."""
    return tuple(name for name in _names(source) if name.startswith(RESULT))


def _names(source: Source | Value) -> tuple[str, ...]:
    match source:
        case Argument(name):
            return (name,)
        case Filled(template):
            return template.holes
        case Built(_, names):
            return tuple(names.values())
        case _:
            return ()


def renamed(source: Source | Value, names: Mapping[str, str]) -> Source | Value:
    """The same source with other names for those of the inputs that it takes which have one."""
    match source:
        case Argument(name):
            return Argument(names.get(name, name))
        case Filled(template):
            parts = (
                Hole(names.get(part.name, part.name)) if isinstance(part, Hole) else part for part in template.parts
            )
            return Filled(Template(tuple(parts)))
        case Built(data, holes):
            return Built(data, {hole: names.get(name, name) for hole, name in holes.items()})
        case _:
            return source
