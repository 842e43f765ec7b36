"""A made-up answer in which every path of some outputs finds a value.

outputParameters:
- {name: imo, type: string, mapping: $.ship.imo_number}      {"ship": {"imo_number": "imo"}}
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from fairlead.parameters import OutputParameter

_PATH = re.compile(r"\$?(?:\.?[\w-]++|\[(?:\d+|\*|'[^']+'|\"[^\"]+\")\])*\.?")
_SEGMENT = re.compile(r"([\w-]+)|\[(?:(\d+|\*)|'([^']+)'|\"([^\"]+)\")\]")
_VALUES: dict[str | None, Any] = {"integer": 1, "number": 1.5, "boolean": True, "array": [], "object": {}}


def sample(outputs: Iterable[OutputParameter]) -> Any:
    """The answer, None where no path of the outputs asks for anything; filters and the like find nothing in it."""
    answer: Any = None
    for output in outputs:
        answer = _merged(answer, _found_at(output))
    return answer


def _found_at(output: OutputParameter) -> Any:
    """What has to be there for the output to find its value."""
    path = (output.path or "").strip()
    if not _PATH.fullmatch(path):
        return None
    value = _value(output)
    for match in reversed(list(_SEGMENT.finditer(path.removeprefix("$")))):
        name, index, *quoted = match.groups()
        value = [value] if index else {name or quoted[0] or quoted[1]: value}
    return value


def _value(output: OutputParameter) -> Any:
    if output.properties:
        return sample(output.properties.values()) or {}
    if output.items:
        return [_value(output.items)] if output.items.path is None else [_found_at(output.items)]
    if output.path is not None and output.path.strip() in ("$", "$."):
        return None
    return _VALUES.get(output.type, output.name or "text")


def _merged(one: Any, other: Any) -> Any:
    if isinstance(one, dict) and isinstance(other, dict):
        return one | {name: _merged(one.get(name), value) for name, value in other.items()}
    if isinstance(one, list) and isinstance(other, list) and one and other:
        return [_merged(one[0], other[0])]
    return one if other is None else other
