"""What MCP clients find at one path of a listener: tools, resources and prompts of one adapter, or of all."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fairlead import __version__
from fairlead.exposes.adapter import Adapter
from fairlead.exposes.mcp import McpExposes, Tool
from fairlead.exposes.prompts import NamedPrompt, Prompt
from fairlead.exposes.resources import Resource
from fairlead.names import unique_names

CROWDED = (40, 128)
"""How many tools common clients take at most."""
_CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True)
class Offer:
    """An MCP adapter and all that it offers."""

    adapter: McpExposes
    tools: tuple[Tool, ...]
    resources: tuple[Resource, ...] = ()
    prompts: tuple[Prompt, ...] = ()
    version: str = ""


@dataclass(frozen=True)
class NamedTool:
    """A tool under the name it has on one endpoint."""

    name: str
    tool: Tool


@dataclass(frozen=True)
class ToolSet:
    """What answers at one path of a listener: tools, resources and prompts."""

    path: str
    name: str
    instructions: str
    tools: tuple[NamedTool, ...]
    adapters: tuple[McpExposes, ...]
    resources: tuple[Resource, ...] = ()
    prompts: tuple[NamedPrompt, ...] = ()
    version: str = __version__
    """That of the capability, where it is of one that has any."""

    def of(self, adapters: Collection[Adapter]) -> ToolSet:
        """The part of it that comes from those adapters, under the same names."""
        meant = set(map(id, adapters))
        return replace(
            self,
            tools=tuple(one for one in self.tools if id(one.tool.adapter) in meant),
            resources=tuple(one for one in self.resources if id(one.adapter) in meant),
            prompts=tuple(one for one in self.prompts if id(one.prompt.adapter) in meant),
            adapters=tuple(one for one in self.adapters if id(one) in meant),
        )

    def crowding(self) -> str:
        """That the list is longer than some clients take, and about what it costs; nothing where it is not."""
        listed = [named for named in self.tools if named.tool.exposed.target]
        limits = [str(limit) for limit in CROWDED if len(listed) > limit]
        if not limits:
            return ""
        size = sum(len(json.dumps(_described(named))) for named in listed)
        cost = f"{len(listed):,} tools, about {size // _CHARACTERS_PER_TOKEN:,} tokens"
        clients = f"some clients take {' or '.join(limits)}"
        return f"{self.path} lists {cost}; {clients}: {self.path}?include=PATTERN lists a part"


def _described(named: NamedTool) -> dict[str, Any]:
    """What a client reads of a tool, about."""
    exposed = named.tool.exposed
    return {"name": named.name, "description": exposed.description, "inputSchema": exposed.inputs.schema}


def tool_sets(offers: Mapping[str, Offer]) -> Iterator[ToolSet]:
    """One set per adapter, by its namespace, and where there is any the set of all."""
    for namespace, offer in offers.items():
        yield _tool_set(f"/{namespace}/mcp", namespace, offer.adapter.description, [offer])
    match tuple(offers.items()):
        case ():
            return
        case ((namespace, offer),):
            yield _tool_set("/mcp", namespace, offer.adapter.description, [offer])
        case _:
            yield _tool_set("/mcp", "fairlead", "", offers.values())


def _tool_set(path: str, name: str, instructions: str, offers: Iterable[Offer]) -> ToolSet:
    listed = tuple(offers)
    tools = [tool for offer in listed for tool in offer.tools]
    prompts = [prompt for offer in listed for prompt in offer.prompts]
    tool_names = unique_names([(tool.namespace, tool.name) for tool in tools])
    prompt_names = unique_names([(prompt.namespace, prompt.name) for prompt in prompts])
    return ToolSet(
        path,
        name,
        instructions,
        tuple(map(NamedTool, tool_names, tools)),
        tuple(offer.adapter for offer in listed),
        tuple(resource for offer in listed for resource in offer.resources),
        tuple(map(NamedPrompt, prompt_names, prompts)),
        (listed[0].version if len(listed) == 1 else "") or __version__,
    )
