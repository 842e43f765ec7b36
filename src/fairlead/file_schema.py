"""The JSON Schema of capability files, for editors: what the models take, in the words of both dialects.

    # yaml-language-server: $schema=./capability.schema.json

It is made of the models, so that it never says anything else. What only several values together tell (a call that
leads nowhere, a path without its parameter) is for `fairlead check`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import ModelSchema, TaggedUnionSchema

from fairlead.capability import CapabilityFile
from fairlead.dialect import LISTED, NAMED_BY, RENAMED, ROOT
from fairlead.model import Model

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_OTHER_KIND: Final = "<other>"
"""The tag of adapters that are refused, whatever they say."""


def file_schema() -> dict[str, Any]:
    """The schema of a capability file, and of one whose parts others import."""
    schema = CapabilityFile.model_json_schema(schema_generator=_Generator)
    title = "Capability file of the Naftiko / Ikanos format, as Fairlead reads it"
    return {"$schema": DIALECT, **schema, "title": title}


class _Generator(GenerateJsonSchema):
    """Sections as they may be written: with other spellings, without values, and with keys that are free."""

    def model_schema(self, schema: ModelSchema) -> JsonSchemaValue:
        return _as_written(schema["cls"], super().model_schema(schema))

    def tagged_union_schema(self, schema: TaggedUnionSchema) -> JsonSchemaValue:
        choices = [self.generate_inner(choice) for tag, choice in schema["choices"].items() if tag != _OTHER_KIND]
        return {"anyOf": choices}


def _as_written(model: type[Model], schema: JsonSchemaValue) -> JsonSchemaValue:
    fields = schema.get("properties", {})
    required = schema.get("required", [])
    spellings = dict(_spellings(model, fields))
    named = {key: _named(value) if key in _NAMED else value for key, value in fields.items()}
    properties = {key: {**_shown(value), **_or_null(value)} for key, value in named.items()}
    properties |= {other: properties[key] for other, key in spellings.items()}
    written = {key: value for key, value in schema.items() if key not in ("properties", "required")}
    alike = [[key, *(other for other, meant in spellings.items() if meant == key)] for key in required]
    needed = [{"anyOf": [{"required": [key]} for key in keys]} for keys in alike if not _NAMES & set(keys)]
    return {
        **written,
        "properties": {**properties, **{key: {} for key in model.free_keys - properties.keys()}},
        **({"allOf": needed} if needed else {}),
        "patternProperties": {"^x-": {}},
        "additionalProperties": model.unknown_keys != "error",
    }


def _spellings(model: type[Model], fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The other spellings of its keys, each with the key that it stands for."""
    yield from model.spellings.items()
    yield from ((later, key) for later, key in RENAMED.items() if key in fields)
    if "import" in fields:
        yield "from", "location"


def _keys(grammar: Mapping[str, Any]) -> Iterator[str]:
    for key, inner in grammar.items():
        yield key
        yield from _keys(inner)


_NAMED: Final = frozenset(_keys(ROOT)) - LISTED - {"capability"}
"""The keys under which named sections stand."""
_NAMES: Final = frozenset({"name", *NAMED_BY.values()})
"""Keys that a section in a mapping has no need of."""


def _named(schema: JsonSchemaValue) -> JsonSchemaValue:
    """A list of sections, or a mapping from their names to them."""
    if schema.get("type") != "array":
        return schema
    section = schema.get("items", {})
    members = {"type": "object", "additionalProperties": {"anyOf": [section, {"type": "null"}]}}
    return {"anyOf": [{"type": "array", "items": section}, members]}


def _or_null(schema: JsonSchemaValue) -> JsonSchemaValue:
    """A key without a value is as good as none."""
    bare = {key: value for key, value in schema.items() if key not in _SHOWN}
    return {"anyOf": [bare, {"type": "null"}]} if bare else {}


_SHOWN: Final = frozenset({"title", "description"})


def _shown(schema: JsonSchemaValue) -> JsonSchemaValue:
    """What an editor shows of a key."""
    return {key: schema[key] for key in _SHOWN if key in schema}
