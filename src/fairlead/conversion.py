"""A value as the type that an output declares: `5` of a CSV as the number 5, a number as text; None for what is none.

- {name: tonnage, type: number, mapping: $.gross_tonnage}
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from fairlead.model import Type
from fairlead.styles import from_text, to_text


def _string(value: Any) -> str | None:
    return None if value is None else to_text(value)


def _boolean(value: Any) -> Any:
    return value if isinstance(value, bool) else _read("boolean", value)


def _integer(value: Any) -> Any:
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if _is_integer(value) else _read("integer", value)


def _number(value: Any) -> Any:
    return value if _is_integer(value) or isinstance(value, float) else _read("number", value)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _read(kind: Type, value: Any) -> Any:
    try:
        return from_text(kind, value.strip()) if isinstance(value, str) else None
    except ValueError:
        return None


CONVERSIONS: Final[dict[Type, Callable[[Any], Any]]] = {
    "string": _string,
    "boolean": _boolean,
    "integer": _integer,
    "number": _number,
}
"""What makes a value one of a scalar type; arrays and objects are as they are found, whichever is declared."""
