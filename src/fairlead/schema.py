"""The JSON Schema of what output parameters make, as far as they guarantee it.

outputParameters:
- {name: imo, type: string}      {type: [string, 'null']}, null where nothing is found
- {name: crew, type: array}      {}, for arrays and objects are as they are found
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairlead.bodies import holes
from fairlead.conversion import CONVERSIONS
from fairlead.parameters import OutputParameter

Schema = dict[str, Any]


def schema_of(outputs: tuple[OutputParameter, ...], *, as_members: bool = False) -> Schema:
    """The schema of the value that the outputs make; a single one is the value itself unless it is a member too."""
    if len(outputs) == 1 and not as_members:
        return _schema(outputs[0])
    if outputs and not any(output.name for output in outputs):
        return {}
    return _object({output.name: output for output in outputs}) if outputs else {}


def is_complete(schema: Schema) -> bool:
    """Whether it is an object's, and says of every value in it what it is."""
    return schema.get("type") == "object" and _says_all(schema)


def _says_all(schema: Schema) -> bool:
    others = [schema[key] for key in ("items", "additionalProperties") if isinstance(schema.get(key), dict)]
    inside = [*schema.get("properties", {}).values(), *others]
    return ("type" in schema or "const" in schema) and all(map(_says_all, inside))


def _object(members: Mapping[str, OutputParameter]) -> Schema:
    properties = {name: _schema(member) for name, member in members.items()}
    return {"type": "object", "properties": properties, "required": list(members), "additionalProperties": False}


def _schema(output: OutputParameter) -> Schema:
    return _bare(output) | ({"description": output.description} if output.description else {})


def _bare(output: OutputParameter) -> Schema:
    convert = CONVERSIONS.get(output.type) if output.type else None
    if output.max_length is not None and output.type == "string":
        return {"type": ["string", "null"], "maxLength": output.max_length}
    if output.value is not None and not any(True for _ in holes(output.value)):
        return {"const": convert(output.value) if convert else output.value}
    if output.properties and output.value is None:
        return _object(output.properties)
    if output.items and (item := _schema(output.items)):
        return {"type": ["array", "null"], "items": item}
    if output.values and (member := _schema(output.values)):
        return {"type": ["object", "null"], "additionalProperties": member}
    return {"type": [output.type, "null"]} if convert else {}
