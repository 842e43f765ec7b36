"""What the JSONPath library of the reference engine, Jayway's, has and RFC 9535 writes otherwise or not at all.

$.ships[?(@.flag in ['NO', 'SE'])]     $.ships[?(@.flag == 'NO' || @.flag == 'SE')]
$.ships[?(@.name =~ /F.*/)]            $.ships[?(match(@.name, 'F.*'))]
$.ships[*].length.max()                a function of what the path finds
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from iregexp_check import check

from fairlead.jsonpath.base import QUOTED

_FILTERS: Final = re.compile(
    QUOTED
    + r"|(?P<of>[@$](?:\.[\w-]+|\[(?:-?\d+|'[^']*'|\"[^\"]*\")\])*)"
    + r"(?:\s*=~\s*/(?P<pattern>(?:\\.|[^/\\])+)/|\s+(?P<no>n?)in\s*\[(?P<items>[^\[\]]+)\])",
    re.DOTALL,
)
_ITEM: Final = re.compile(QUOTED + r"|[^,\s]+", re.DOTALL)
_CLASSES: Final = {r"\d": "[0-9]", r"\w": "[A-Za-z0-9_]", r"\s": "[ \\t\\n\\r]"}
_CLASS: Final = re.compile(r"\\.", re.DOTALL)


def standardised(text: str) -> str:
    """The path in the words of RFC 9535, as far as it has words for it."""
    return _FILTERS.sub(_filter, text)


def _filter(found: re.Match[str]) -> str:
    of = found["of"]
    if of is None:
        return found[0]
    if found["items"] is not None:
        either = " || ".join(f"{of} == {item}" for item in _ITEM.findall(found["items"]))
        return f"{'!' if found['no'] else ''}({either})"
    pattern = _CLASS.sub(lambda one: _CLASSES.get(one[0], one[0]), found["pattern"].removeprefix("^").removesuffix("$"))
    if not check(pattern):
        return found[0]
    literal = pattern.replace("\\", "\\\\").replace("'", "\\'")
    return f"match({of}, '{literal}')"


def _counted(found: Any) -> int | None:
    return len(found) if isinstance(found, list | dict | str) else None


def _of_numbers(function: Callable[[list[Any]], Any]) -> Callable[[Any], Any]:
    def result(found: Any) -> Any:
        numbers = [one for one in found if _is_number(one)] if isinstance(found, list) else []
        return function(numbers) if numbers else None

    return result


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


FUNCTIONS: Final[Mapping[str, Callable[[Any], Any]]] = {
    ".length()": _counted,
    ".size()": _counted,
    ".keys()": lambda found: list(found) if isinstance(found, dict) else None,
    ".min()": _of_numbers(min),
    ".max()": _of_numbers(max),
    ".sum()": _of_numbers(sum),
    ".avg()": _of_numbers(lambda numbers: sum(numbers) / len(numbers)),
    ".first()": lambda found: found[0] if isinstance(found, list) and found else None,
    ".last()": lambda found: found[-1] if isinstance(found, list) and found else None,
}
"""What may stand at the end of a path, and what it makes of all that the path finds; null where that is nothing."""
