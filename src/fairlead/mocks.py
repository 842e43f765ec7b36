"""Operations that answer by themselves: outputs with constants and templates, and nothing to call.

- name: hello
  inputParameters: [{name: name, type: string}]
  outputParameters: [{name: message, type: string, value: 'Hello, {{name}}!'}]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from fairlead.arguments import Input, Inputs, Location
from fairlead.binding import Binding, inputs_of, published, sources_of
from fairlead.binds import Value
from fairlead.bodies import holes
from fairlead.declarations import with_unused
from fairlead.errors import Problem
from fairlead.http_call import Parameter
from fairlead.mapped import Shape
from fairlead.names import find
from fairlead.parameters import InputParameter, OutputParameter
from fairlead.scope import Scope
from fairlead.shape import Context, answered

UNNAMED = "value"
"""What an output without a name is called in the answer."""


def is_mock(outputs: Sequence[OutputParameter], *, by_type: bool = False) -> bool:
    """Whether any of the outputs, at any depth, is a constant or a template, or any of them has just a type."""
    return (by_type and bool(outputs)) or any(one.value is not None or is_mock(_inside(one)) for one in outputs)


def is_whole_mock(outputs: Sequence[OutputParameter]) -> bool:
    """Whether the outputs say all of an answer, so that nothing of it has to be found anywhere."""
    return is_mock(outputs) and not any(map(_looks_elsewhere, outputs))


def _looks_elsewhere(output: OutputParameter) -> bool:
    return output.mapping is not None or any(map(_looks_elsewhere, _inside(output)))


def told(outputs: Sequence[OutputParameter], *, bare_one: bool = False) -> tuple[OutputParameter, ...]:
    """The outputs that say anything, each with a name, but for a `bare_one` that is the answer itself."""
    if bare_one and len(outputs) == 1:
        return tuple(outputs)
    named = (one if one.name else one.model_copy(update={"name": UNNAMED}) for one in outputs)
    return tuple(filter(None, map(_told, named)))


def _told(output: OutputParameter) -> OutputParameter | None:
    if output.value is not None or output.mapping is not None or output.type == "array":
        return output
    inside = {name: found for name, one in output.properties.items() if (found := _told(one))}
    return output.model_copy(update={"properties": inside}) if inside else None


@dataclass(frozen=True)
class _Asking:
    """What takes the values that templates ask for."""

    inputs: tuple[Parameter, ...]
    guarded: ClassVar[tuple[Parameter, ...]] = ()
    ignored: ClassVar[tuple[InputParameter, ...]] = ()
    fixed: ClassVar[tuple[Input, ...]] = ()
    lost: ClassVar[frozenset[str]] = frozenset()
    missed: ClassVar[frozenset[str]] = frozenset()


def mocked(
    outputs: tuple[OutputParameter, ...], given: Mapping[str, Any] | None, scope: Scope
) -> tuple[Binding, Shape, list[Problem]]:
    """What callers may give, what is answered, and what is wrong with the values that `with` gives.

    Raises:
        ValueError: An output can mean nothing.
    """
    asked = tuple(dict.fromkeys(holes_of(outputs)))
    values = {key: value for key, value in (given or {}).items() if find(key, asked)}
    problems: list[Problem] = []
    sources = sources_of(_Asking(tuple(_parameter(hole, scope) for hole in asked)), values, scope, problems)
    for parameter, source in sources:
        is_given = find(parameter.name, values)
        if isinstance(source, Value) or (not is_given and scope.is_variable(parameter.name)):
            raise ValueError(f"refers to the variable {parameter.name!r}, which no answer may hold")
    inputs = with_unused(_with_path(inputs_of(sources, scope), scope), scope)
    binding = Binding(inputs, tuple((parameter.argument, source) for parameter, source in sources))
    return published(binding, scope), answered(outputs, Context(str)), problems


def _parameter(hole: str, scope: Scope) -> Parameter:
    """What takes the value for a hole; one that nothing declares is a text that is needed."""
    place: Location = "query" if scope.path is None or scope.without_body else "member"
    is_declared = find(hole, scope.names) is not None
    return Parameter(hole, place) if is_declared else Parameter(hole, place, "string", required=True)


def _with_path(inputs: Inputs, scope: Scope) -> Inputs:
    """The inputs, and the placeholders of the path that no template asks for."""
    others = (Input(hole, "path", "string", required=True) for hole in scope.holes if hole not in inputs.names)
    return Inputs((*others, *inputs))


def _inside(output: OutputParameter) -> tuple[OutputParameter, ...]:
    return (*output.properties.values(), *((output.items,) if output.items else ()))


def holes_of(outputs: Iterable[OutputParameter]) -> Iterator[str]:
    """What fills the templates in outputs, at any depth."""
    for output in outputs:
        yield from (hole for hole, _ in holes(output.value))
        yield from holes_of(_inside(output))
