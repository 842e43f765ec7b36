"""Output parameters -> a function from the upstream's value to the mapped one, or None where nothing changes.

outputParameters:
- type: object
  mapping: $.
- type: object
  properties: {id: {type: string, mapping: $.id}, asked: {type: string, value: 'for {{name}}'}}
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any, ClassVar

from fairlead.arguments import plain
from fairlead.bodies import compiled, filled, holes
from fairlead.conversion import CONVERSIONS
from fairlead.jsonpath import compile_path
from fairlead.mapped import Shape
from fairlead.operation import UNSET
from fairlead.parameters import OutputParameter
from fairlead.response import Arguments
from fairlead.wanted import ALL, NOTHING, Wanted, found_by

Get = Callable[[Any], Any]
InputNames = Callable[[str], str]
"""The input that a hole of a template means; raises `ValueError` where it means none."""


@dataclass(frozen=True, slots=True)
class Context:
    """What outputs are compiled for: the inputs of the call, and whether the format has no lists of one item."""

    input_name: InputNames
    lists_one: bool = False


_Compile = Callable[[OutputParameter, Context], Shape | None]


@dataclass(frozen=True, slots=True)
class Found:
    """What a path finds, as the type that is declared for it."""

    get: Get | None
    convert: Get | None

    def __call__(self, value: Any, arguments: Arguments) -> Any:
        found = self.get(value) if self.get else value
        return self.convert(found) if self.convert else found

    @property
    def wanted(self) -> Wanted:
        return found_by(self.get)


@dataclass(frozen=True, slots=True)
class Each:
    """Every item of a list; what is no list gives None, or is the only item in a format without lists."""

    get: Get | None
    item: Shape
    lists_one: bool

    def __call__(self, value: Any, arguments: Arguments) -> Any:
        found = self.get(value) if self.get else value
        found = _listed(found) if self.lists_one else found
        return [self.item(item, arguments) for item in found] if isinstance(found, list) else None

    @property
    def wanted(self) -> Wanted:
        return found_by(self.get, Wanted(items=looked_at(self.item)))


@dataclass(frozen=True, slots=True)
class _Values:
    """An object of whose members each is mapped; what is no object gives None."""

    get: Get | None
    member: Shape

    def __call__(self, value: Any, arguments: Arguments) -> Any:
        found = self.get(value) if self.get else value
        is_object = isinstance(found, dict)
        return {name: self.member(one, arguments) for name, one in found.items()} if is_object else None

    @property
    def wanted(self) -> Wanted:
        return found_by(self.get)


@dataclass(frozen=True, slots=True)
class Members:
    """A new object, member by member, from the value or from what a path finds in it."""

    members: tuple[tuple[str, Shape | None], ...]
    get: Get | None = None

    def __call__(self, value: Any, arguments: Arguments) -> Any:
        found = self.get(value) if self.get else value
        return {name: shape(found, arguments) if shape else found for name, shape in self.members}

    @property
    def wanted(self) -> Wanted:
        members = (looked_at(shape) if shape else ALL for _, shape in self.members)
        return found_by(self.get, reduce(or_, members, NOTHING))


@dataclass(frozen=True, slots=True)
class _First:
    """The first of several that is not null."""

    shapes: tuple[Shape, ...]

    def __call__(self, value: Any, arguments: Arguments) -> Any:
        return next((found for shape in self.shapes if (found := shape(value, arguments)) is not None), None)

    @property
    def wanted(self) -> Wanted:
        return reduce(or_, map(looked_at, self.shapes), NOTHING)


@dataclass(frozen=True, slots=True)
class _Listed:
    """A list of so many items."""

    items: tuple[Shape, ...]

    def __call__(self, value: Any, arguments: Arguments) -> Any:
        return [item(value, arguments) for item in self.items]


@dataclass(frozen=True, slots=True)
class _Constant:
    value: Any
    wanted: ClassVar[Wanted] = NOTHING

    def __call__(self, value: Any, arguments: Arguments) -> Any:
        return self.value


@dataclass(frozen=True, slots=True)
class _Filled:
    """A constant with arguments of the call in it; None where it is nothing but one that was not given."""

    data: Any
    names: frozenset[str]
    convert: Get | None
    wanted: ClassVar[Wanted] = NOTHING

    def __call__(self, value: Any, arguments: Arguments) -> Any:
        given = {name: plain(arguments[name]) for name in self.names if name in arguments}
        found = filled(self.data, given)
        found = None if found is UNSET else found
        return self.convert(found) if self.convert else found


def unchanged(value: Any, arguments: Arguments) -> Any:
    """The shape of what is only to be written in another format."""
    return value


@dataclass(frozen=True, slots=True)
class Kept:
    """The members of an object; of a list, each item with the members that are found in it."""

    members: Shape

    def __call__(self, value: Any, arguments: Arguments) -> Any:
        if not isinstance(value, list):
            return self.members(value, arguments)
        return [item | self.members(item, arguments) if isinstance(item, dict) else item for item in value]


def looked_at(shape: Shape) -> Wanted:
    """What of the upstream's value a shape looks at."""
    wanted: Wanted = getattr(shape, "wanted", ALL)
    return wanted


def members(outputs: tuple[OutputParameter, ...], context: Context) -> Shape:
    """The object that outputs make by their names, be it only one; raises `ValueError` as `shape` does."""
    return _members(outputs, context, _shape_of)


def shape(outputs: tuple[OutputParameter, ...], context: Context) -> Shape | None:
    """What the output parameters, each with its path, make of a value.

    One output is the whole result, several make one object by their names, and of several without names the first that
    is not null is the result.

    Raises:
        ValueError: A path is not valid, or a template refers to nothing.
    """
    if len(outputs) != 1:
        if outputs and not any(output.name for output in outputs):
            return _First(tuple(_shape_of(output, context) or unchanged for output in outputs))
        return _members(outputs, context, _shape_of) if outputs else None
    found = _shape_of(outputs[0], context)
    return None if isinstance(found, Found) and found.get is None else found


def _members(outputs: tuple[OutputParameter, ...], context: Context, member: _Compile) -> Shape:
    """The object that outputs make by their names."""
    named = {output.name: output for output in outputs}
    if not all(named):
        raise ValueError("needs a name where there are several")
    if len(named) < len(outputs):
        raise ValueError("needs another name than the others have")
    return Members(tuple((name, member(output, context)) for name, output in named.items()))


def answered(outputs: tuple[OutputParameter, ...], context: Context) -> Shape:
    """What outputs with constants answer without any value; a single one without a name is the answer itself.

    Raises:
        ValueError: An output has a path, or a template refers to nothing.
    """
    if len(outputs) == 1 and not outputs[0].name:
        return _answer(outputs[0], context)
    return _members(outputs, context, _answer)


def _answer(output: OutputParameter, context: Context) -> Shape:
    if output.mapping is not None:
        raise ValueError(f"has nothing that {output.mapping!r} could be found in; give a `call` or a `value`")
    if output.value is not None:
        return _value_shape(output, context)
    if output.properties:
        return Members(tuple((name, _answer(one, context)) for name, one in output.properties.items()))
    if output.type == "array":
        return _Listed(tuple(_answer(one, context) for one in (output.items,) if one))
    return _Constant({} if output.type == "object" else None)


def _shape_of(output: OutputParameter, context: Context) -> Shape | None:
    if output.value is not None:
        return _value_shape(output, context)
    get = compile_path(output.mapping) if output.mapping else None
    if output.properties:
        members = ((name, _shape_of(member, context)) for name, member in output.properties.items())
        return Members(tuple(members), get)
    if output.items and (item := _shape_of(output.items, context)):
        return Each(get, item, context.lists_one)
    if output.values and (member := _shape_of(output.values, context)):
        return _Values(get, member)
    convert = _conversion(output, context)
    return Found(get, convert) if get or convert else None


def _value_shape(output: OutputParameter, context: Context) -> Shape:
    convert = _conversion(output, context)
    names = frozenset(context.input_name(hole) for hole, _ in holes(output.value))
    if not names:
        return _Constant(convert(output.value) if convert else output.value)
    return _Filled(compiled(output.value, context.input_name), names, convert)


def _conversion(output: OutputParameter, context: Context) -> Get | None:
    if output.type == "array" and context.lists_one:
        return _listed
    convert = CONVERSIONS.get(output.type) if output.type else None
    return convert if output.max_length is None else _Cut(output.max_length, convert)


@dataclass(frozen=True, slots=True)
class _Cut:
    """A text no longer than it may be; all else as it is."""

    length: int
    convert: Get | None

    def __call__(self, value: Any) -> Any:
        found = self.convert(value) if self.convert else value
        return found[: self.length] if isinstance(found, str) else found


def _listed(value: Any) -> list[Any] | None:
    return value if isinstance(value, list) or value is None else [value]
