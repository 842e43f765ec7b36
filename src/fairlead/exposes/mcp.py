"""The MCP adapter as written and as planned.

- type: mcp
  namespace: together-ai-batches-mcp
  port: 9090
  transport: http
  tools:
  - {name: get-batch-job, hints: {readOnly: true}, call: together-ai-batches.get, with: {id: tools.id}}
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from fairlead.binds import Bindings
from fairlead.caller import Caller
from fairlead.errors import Problem, Severity
from fairlead.exposed import Exposed
from fairlead.exposes.adapter import LISTED, Adapter
from fairlead.exposes.prompts import McpPrompt
from fairlead.exposes.resources import McpResource
from fairlead.model import AnyType, Model, Text
from fairlead.names import canonical
from fairlead.parameters import InputParameter
from fairlead.planning import Entry, Known, plan
from fairlead.scope import Scope


class Hints(Model):
    """What clients may expect of a tool; what is not said stays unsaid."""

    read_only: bool | None = None
    destructive: bool | None = None
    idempotent: bool | None = None
    open_world: bool | None = None


class InputSchema(Model):
    """The inputs of a tool as the JSON Schema of an object."""

    unknown_keys: ClassVar[Severity | None] = None

    properties: dict[str, SchemaProperty] = Field(default_factory=dict)
    required: tuple[Text, ...] = ()

    def parameters(self) -> Iterator[InputParameter]:
        for name, one in self.properties.items():
            facts = {"name": name, "type": one.type, "description": one.description, "required": name in self.required}
            yield InputParameter.model_validate(facts)


class SchemaProperty(Model):
    """One property; what a schema says beyond its type is for the upstream to check."""

    unknown_keys: ClassVar[Severity | None] = None

    type: AnyType = None
    description: Text = ""


class McpTool(Caller):
    """A tool; some declare their inputs as a JSON Schema, of which the flat part is taken."""

    hints: Hints | None = None
    input_schema: InputSchema | None = None

    @property
    def declared(self) -> tuple[InputParameter, ...]:
        """The declared inputs, which a tool needs unless it says otherwise."""
        if self.input_parameters or self.input_schema is None:
            return tuple(one.needed for one in self.input_parameters)
        return tuple(self.input_schema.parameters())


_Transport = Literal["http", "stdio", "sse"]
_OverHttp = Literal["streamable-http"]


def _known_transport(value: Any) -> Any:
    """The transport; `streamable-http` is what the protocol calls the one over HTTP."""
    return "http" if isinstance(value, str) and canonical(value) == "streamablehttp" else value


class McpExposes(Adapter):
    """An MCP adapter."""

    type: Literal["mcp"]
    transport: Annotated[
        _Transport, BeforeValidator(_known_transport, json_schema_input_type=_Transport | _OverHttp)
    ] = "http"
    tools: tuple[McpTool, ...] = ()
    resources: tuple[McpResource, ...] = ()
    prompts: tuple[McpPrompt, ...] = ()
    ttl_ms: Annotated[int, Field(ge=0)] | None = None
    cache_scope: Literal["public", "private"] | None = None


@dataclass(frozen=True)
class Tool:
    """A tool and the plan of what it does."""

    exposed: Exposed
    hints: Hints | None
    adapter: McpExposes

    @property
    def namespace(self) -> str:
        return self.adapter.namespace

    @property
    def name(self) -> str:
        return self.exposed.name


def tools(adapter: McpExposes, known: Known, bindings: Bindings) -> tuple[Tool, ...]:
    """The tools of an adapter."""
    names = known.namespaces | {adapter.namespace}
    faults = adapter.faults(besides=LISTED)
    entries = (_entry(tool, adapter, names, bindings, faults) for tool in adapter.tools)
    return tuple(
        Tool(exposed, _hints(tool, exposed), adapter)
        for tool, exposed in zip(adapter.tools, plan(entries, known), strict=True)
    )


def _hints(tool: McpTool, exposed: Exposed) -> Hints | None:
    """The hints that the tool gives, and for all others what its function means."""
    if exposed.semantics is None:
        return tool.hints
    safe = exposed.semantics.safe
    meant = {"read_only": safe, "destructive": False if safe else None, "idempotent": exposed.semantics.idempotent}
    own = tool.hints or Hints()
    return own.model_copy(update={key: value for key, value in meant.items() if getattr(own, key) is None})


def _entry(
    tool: McpTool, adapter: McpExposes, names: frozenset[str], bindings: Bindings, faults: tuple[Problem, ...]
) -> Entry:
    scope = Scope(names, bindings, partial(tool.at, "with"), None, tool.declared, tool.declared, of_tool=True)
    return Entry(tool, tool.as_call(), scope, faults, adapter.max_binary_size)
