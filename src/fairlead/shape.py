"""Output parameters -> a function from the upstream's value to the mapped one, or None where nothing changes.

outputParameters:
- type: object
  mapping: $.
- type: object
  properties: {id: {type: string, mapping: $.id}}
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fairlead.jsonpath import compile_path
from fairlead.model import OutputParameter
from fairlead.operation import Shape


@dataclass(frozen=True, slots=True)
class _Each:
    """Every item of a list; what is no list gives None."""

    get: Shape | None
    item: Shape

    def __call__(self, value: Any) -> Any:
        found = self.get(value) if self.get else value
        return [self.item(item) for item in found] if isinstance(found, list) else None


@dataclass(frozen=True, slots=True)
class _Members:
    """A new object, member by member, from the value or from what a path finds in it."""

    get: Shape | None
    members: tuple[tuple[str, Shape | None], ...]

    def __call__(self, value: Any) -> Any:
        found = self.get(value) if self.get else value
        return {name: shape(found) if shape else found for name, shape in self.members}


@dataclass(frozen=True, slots=True)
class _Constant:
    value: Any

    def __call__(self, value: Any) -> Any:
        return self.value


def shape(outputs: tuple[OutputParameter, ...]) -> Shape | None:
    """What the output parameters make of a value.

    One output is the whole result, several make one object by their names.

    Raises:
        ValueError: A path is not valid.
    """
    if len(outputs) == 1:
        return _shape_of(outputs[0])
    if not outputs:
        return None
    if not all(output.name for output in outputs):
        raise ValueError("needs a name where there are several")
    if len({output.name for output in outputs}) < len(outputs):
        raise ValueError("needs another name than the others have")
    return _Members(None, tuple((output.name, _shape_of(output)) for output in outputs))


def _shape_of(output: OutputParameter) -> Shape | None:
    if output.value is not None:
        return _value_shape(output)
    get = compile_path(output.mapping) if output.mapping else None
    if output.properties:
        return _Members(get, tuple((name, _shape_of(member)) for name, member in output.properties.items()))
    if output.items and (item := _shape_of(output.items)):
        return _Each(get, item)
    return get


def _value_shape(output: OutputParameter) -> Shape | None:
    if isinstance(output.value, str) and output.value.startswith("$"):
        return compile_path(output.value)
    return _Constant(output.value)
