"""What steps leave behind, the paths into it, and where each output of an operation of steps is found.

mappings:
- {targetName: ship.name, value: $.get-ship.name}
outputParameters:
- {name: ship, type: object, properties: {name: {type: string}}}

Under its name a step leaves what the consumed operation declares of its answer; all of the answer is beside it. A path
starts at a step where its first name is one; else it starts at the answer of the last step.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fairlead.conversion import CONVERSIONS
from fairlead.names import find
from fairlead.outputs import located
from fairlead.parameters import OutputParameter
from fairlead.scope import RESULT, Scope
from fairlead.sequence import answer_of
from fairlead.steps import ResultMapping
from fairlead.template import Hole, parse

_PATH = re.compile(r"\$\.([\w-]+)((?:\.([\w-]+))?.*)", re.DOTALL)
_WHOLE = ("$", RESULT)


@dataclass(frozen=True)
class Results:
    """The names that each step before declares of its answer, none where it leaves the answer as it is."""

    declared: Mapping[str, frozenset[str]]

    def found_at(self, path: str) -> str:
        """The path of a result: what a step does not declare is found in all of its answer."""
        match = _PATH.fullmatch(path)
        known = self.declared.get(match[1]) if match else None
        is_beside = match and known and match[3] and find(match[3], known) is None
        return f"{_answer(match[1])}{match[2]}" if match and is_beside else path


def step_of(path: str) -> str:
    """The first name of a path of a result."""
    match = _PATH.fullmatch(path)
    return match[1] if match else ""


def _answer(step: str) -> str:
    return f"$[{json.dumps(answer_of(step), ensure_ascii=False)}]"


@dataclass(frozen=True)
class Ending:
    """What the outputs of an operation of steps can mean: all results, the last step, and what that one declares."""

    scope: Scope
    results: Results
    last: str
    consumed: tuple[OutputParameter, ...] = ()

    def located(
        self, outputs: tuple[OutputParameter, ...], mappings: tuple[ResultMapping, ...]
    ) -> tuple[OutputParameter, ...]:
        """The outputs, each with its path into the results or its constant.

        Raises:
            ValueError: A mapping refers to no step.
        """
        members = _members(outputs)
        for one in mappings:
            members = _put(members, tuple(one.target_name.split(".")), self._source(one.value))
        named = tuple(self._by_step(name, one) for name, one in members.items())
        return tuple(map(self._stored, located(named, self.consumed)))

    def is_identity(self, output: OutputParameter) -> bool:
        """Whether a located output is the answer of the last step as it is."""
        is_nested = output.properties or output.items or output.values or output.type in CONVERSIONS
        return output.mapping == _answer(self.last) and not is_nested

    def _source(self, value: Any) -> dict[str, Any]:
        """Where the value of a mapping is found, as an output says it."""
        match parse(value, single=False).parts if isinstance(value, str) else ():
            case (Hole(name),) if path := self.scope.result(name):
                return {"mapping": path}
        if not isinstance(value, str) or not value.startswith("$"):
            return {"value": value}
        if path := self.scope.result(value):
            return {"mapping": path}
        raise ValueError(f"{value!r} refers to no step; known: {', '.join(self.scope.steps)}")

    def _by_step(self, name: str, output: OutputParameter) -> OutputParameter:
        """An output that says nothing of its own is the result of the step of its name."""
        says = output.path is not None or output.value is not None or output.properties
        path = None if says or not name else self.scope.result(name)
        return output.model_copy(update={"mapping": path}) if path else output

    def _stored(self, output: OutputParameter) -> OutputParameter:
        if output.mapping is not None:
            return output.model_copy(update={"mapping": self._path(output.mapping)})
        if output.value is not None:
            return output
        if output.properties:
            inside = {name: self._stored(member) for name, member in output.properties.items()}
            return output.model_copy(update={"properties": inside})
        return output.model_copy(update={"mapping": self._path(RESULT)})

    def _path(self, path: str) -> str:
        path = path.strip()
        if result := self.scope.result(path):
            return self.results.found_at(result)
        if path in _WHOLE:
            return _answer(self.last)
        return _answer(self.last) + (path[1:] if path.startswith("$") else f".{path}")


def _members(outputs: tuple[OutputParameter, ...]) -> dict[str, OutputParameter]:
    """The outputs by their names; a single object without a name is its members."""
    match outputs:
        case (OutputParameter(name="", mapping=None, value=None, properties=dict() as properties),) if properties:
            return {name: one.model_copy(update={"name": name}) for name, one in properties.items()}
        case _:
            return {output.name: output for output in outputs}


def _put(
    members: Mapping[str, OutputParameter], names: tuple[str, ...], source: Mapping[str, Any]
) -> dict[str, OutputParameter]:
    """The members with a source for the one that the names lead to, which is made where nothing declares it."""
    first, *rest = names
    name = find(first, members) or first
    one = members.get(name, OutputParameter(name=name))
    inside = {"type": "object", "properties": _put(one.properties, tuple(rest), source)} if rest else source
    return {**members, name: one.model_copy(update=dict(inside))}
