"""What a value of `with` spells: where the value of a parameter comes from.

with:
  id: rest.id
  name: 'MS {{name}}'
  tags: [blue, '{{colour}}']
  unit: m
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fairlead.arguments import plain
from fairlead.binds import Environ, Value
from fairlead.bodies import compiled, filled, holes
from fairlead.errors import Place
from fairlead.http_call import Parameter
from fairlead.names import find
from fairlead.operation import UNSET, Argument, Hidden, Literal, Source
from fairlead.response import Arguments
from fairlead.scope import RESULT, Scope
from fairlead.styles import from_text, to_text
from fairlead.template import Hole, Template, parse


@dataclass(frozen=True, slots=True)
class Inside:
    """What is found by its keys inside of an argument that is an object; not given where nothing is."""

    name: str
    keys: tuple[str, ...]

    def __call__(self, arguments: Arguments) -> Any:
        found = plain(arguments.get(self.name))
        for key in self.keys:
            found = found.get(key) if isinstance(found, Mapping) else None
        return UNSET if found is None else found

    def __str__(self) -> str:
        return f"argument {'.'.join((self.name, *self.keys))}"


@dataclass(frozen=True, slots=True)
class Filled:
    """A text with the caller's arguments in it, or what is inside of them; not given as long as one of them is not."""

    template: Template
    inside: Mapping[str, Inside] = field(default_factory=dict)

    def __call__(self, arguments: Arguments) -> Any:
        found = {hole: self._value(hole, arguments) for hole in self.template.holes}
        if UNSET in found.values():
            return UNSET
        return self.template.fill(lambda hole: to_text(plain(found[hole])))

    def _value(self, hole: str, arguments: Arguments) -> Any:
        return self.inside[hole](arguments) if hole in self.inside else arguments.get(hole, UNSET)


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
    inside = {part.name: found for part in parts if isinstance(part, Hole) and (found := inside_of(part.name, scope))}
    match parts:
        case (Hole(name),):
            return inside.get(name) or Argument(name)
        case _:
            return Filled(Template(parts), inside)


def inside_of(hole: str, scope: Scope) -> Inside | None:
    """What `user.name` means where there is an input `user`, and none of the whole name."""
    first, *keys = hole.split(".")
    name = find(first, scope.names)
    is_input = find(hole, (*scope.names, *scope.holes)) is not None
    return Inside(name, tuple(keys)) if name and keys and not is_input and not hole.startswith(RESULT) else None


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
        case Inside(name):
            return (name,)
        case Filled(template, inside):
            return tuple(inside[hole].name if hole in inside else hole for hole in template.holes)
        case Built(_, names):
            return tuple(names.values())
        case _:
            return ()


def renamed(source: Source | Value, names: Mapping[str, str]) -> Source | Value:
    """The same source with other names for those of the inputs that it takes which have one."""
    match source:
        case Argument(name):
            return Argument(names.get(name, name))
        case Inside(name, keys):
            return Inside(names.get(name, name), keys)
        case Filled(template, inside):
            parts = (
                Hole(names.get(part.name, part.name)) if isinstance(part, Hole) else part for part in template.parts
            )
            moved = {hole: Inside(names.get(one.name, one.name), one.keys) for hole, one in inside.items()}
            return Filled(Template(tuple(parts)), moved)
        case Built(data, holes):
            return Built(data, {hole: names.get(name, name) for hole, name in holes.items()})
        case _:
            return source
