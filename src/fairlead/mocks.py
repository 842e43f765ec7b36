"""Operations that answer by themselves: outputs with constants and templates, and nothing to call.

- name: hello
  inputParameters: [{name: name, type: string}]
  outputParameters: [{name: message, type: string, value: 'Hello, {{name}}!'}]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from fairlead.arguments import Input, Inputs, Location
from fairlead.binding import Binding, constants, published
from fairlead.bodies import holes
from fairlead.model import InputParameter, OutputParameter
from fairlead.names import find
from fairlead.operation import Shape
from fairlead.scope import Scope
from fairlead.shape import Context, answered


def is_mock(outputs: Sequence[OutputParameter], *, by_type: bool = False) -> bool:
    """Whether any of the outputs, at any depth, is a constant or a template, or any of them has just a type."""
    return (by_type and bool(outputs)) or any(one.value is not None or is_mock(_inside(one)) for one in outputs)


def mocked(outputs: tuple[OutputParameter, ...], scope: Scope) -> tuple[Binding, Shape]:
    """What callers may give and what is answered.

    Raises:
        ValueError: An output can mean nothing.
    """
    inputs = {one.name: one for one in (*_in_path(scope), *_declared(scope), *constants(scope))}
    for hole in holes_of(outputs):
        if scope.is_variable(hole):
            raise ValueError(f"refers to the variable {hole!r}, which no answer may hold")
        if find(hole, inputs) is None and find(hole, scope.names) is None:
            inputs[hole] = Input(hole, _undeclared_place(scope), "string", required=True)
    binding = published(Binding(Inputs(tuple(inputs.values())), ()), scope)
    return binding, answered(outputs, Context(binding.inputs.meant))


def _inside(output: OutputParameter) -> tuple[OutputParameter, ...]:
    return (*output.properties.values(), *((output.items,) if output.items else ()))


def holes_of(outputs: Iterable[OutputParameter]) -> Iterator[str]:
    """What fills the templates in outputs, at any depth."""
    for output in outputs:
        yield from (hole for hole, _ in holes(output.value))
        yield from holes_of(_inside(output))


def _in_path(scope: Scope) -> Iterator[Input]:
    return (Input(hole, "path", "string", required=True) for hole in scope.holes)


def _declared(scope: Scope) -> Iterator[Input]:
    for one in scope.declared:
        if one.name and one.value is None:
            place = _place(one, scope)
            required = place == "path" or bool(one.required)
            yield Input(one.name, place, one.type, one.description, required, one.pattern)


def _undeclared_place(scope: Scope) -> Location:
    return "query" if scope.path is None or scope.without_body else "member"


def _place(declared: InputParameter, scope: Scope) -> Location:
    if declared.name in scope.holes:
        return "path"
    if declared.in_ == "body":
        return _undeclared_place(scope)
    return declared.in_ if declared.in_ in ("header", "cookie") else "query"
