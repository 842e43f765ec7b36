"""A document is a capability file as frozen data that knows its lines, and the plans of everything it exposes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain

from fairlead.binds import Bind, Bindings, Value
from fairlead.calls import Reachable
from fairlead.capability import CapabilityFile
from fairlead.consumed import Api, Consumed
from fairlead.consumes import HttpConsumes
from fairlead.errors import Problem
from fairlead.exposed import Exposed
from fairlead.exposes import ControlExposes, McpExposes, RestExposes, SkillExposes
from fairlead.exposes.adapter import Adapter
from fairlead.exposes.forward import Proxy, proxies
from fairlead.exposes.mcp import Tool, tools
from fairlead.exposes.prompts import Prompt, prompts
from fairlead.exposes.resources import Resource, resources
from fairlead.exposes.rest import Route, routes
from fairlead.exposes.skill import PlannedSkill, Sibling, skills
from fairlead.imports import Apis
from fairlead.planning import Known, functions, planned_function
from fairlead.steps import Scripting


@dataclass(frozen=True)
class Document:
    """A loaded document: the model, the plans of everything it exposes, and its warnings and refusals.

    Functions of aggregates are planned as they are called where nothing is overridden.
    """

    file: str
    model: CapabilityFile
    bindings: Bindings
    apis: tuple[Api, ...]
    consumed: tuple[Consumed, ...]
    functions: tuple[Exposed, ...] = ()
    routes: tuple[Route, ...] = ()
    forwards: tuple[Proxy, ...] = ()
    tools: tuple[Tool, ...] = ()
    resources: tuple[Resource, ...] = ()
    prompts: tuple[Prompt, ...] = ()
    skills: tuple[PlannedSkill, ...] = ()
    scripting: Scripting | None = None
    problems: tuple[Problem, ...] = ()
    asks_callers: bool = True
    """Whether callers authenticate where an adapter says so."""

    @property
    def label(self) -> str:
        return self.bindings.capability

    @property
    def exposed(self) -> Iterator[Exposed]:
        """The plans of all routes, tools and resources that answer by them, in the order of the document."""
        yield from (route.exposed for route in self.routes)
        yield from (tool.exposed for tool in self.tools)
        yield from (resource.exposed for resource in self.resources if not resource.written.location)

    @property
    def refused(self) -> int:
        """How many of its operations, forwards and skills answer nothing but why they are refused."""
        refused = [exposed for exposed in self.exposed if exposed.target is None]
        others = [one.problems for one in self.forwards] + [one.problems for one in self.skills]
        return len(refused) + sum(map(bool, others))

    @property
    def adapters(self) -> tuple[Adapter, ...]:
        """Those that are served, of all kinds."""
        return tuple(adapter for adapter in self.model.exposes if isinstance(adapter, Adapter))

    @property
    def rest(self) -> tuple[RestExposes, ...]:
        return tuple(adapter for adapter in self.model.exposes if isinstance(adapter, RestExposes))

    @property
    def mcp(self) -> tuple[McpExposes, ...]:
        return tuple(adapter for adapter in self.model.exposes if isinstance(adapter, McpExposes))

    @property
    def skill(self) -> tuple[SkillExposes, ...]:
        return tuple(adapter for adapter in self.model.exposes if isinstance(adapter, SkillExposes))

    @property
    def siblings(self) -> Iterator[Sibling]:
        """What its skills can use."""
        for rest in self.rest:
            yield Sibling(rest.namespace, "rest", tuple(one.exposed.name for one in self.routes if one.adapter is rest))
        for mcp in self.mcp:
            yield Sibling(mcp.namespace, "mcp", tuple(one.name for one in self.tools if one.adapter is mcp))

    @property
    def control(self) -> tuple[ControlExposes, ...]:
        return tuple(adapter for adapter in self.model.exposes if isinstance(adapter, ControlExposes))

    @property
    def mcp_alone(self) -> Document:
        """It without adapters of any other kind, for a caller who is not asked who he is."""
        capability = self.model.capability
        kept = capability and capability.model_copy(update={"exposes": self.mcp})
        model = self.model.model_copy(update={"capability": kept})
        return replace(self, model=model, routes=(), forwards=(), skills=(), asks_callers=False)

    @property
    def sections(self) -> tuple[HttpConsumes, ...]:
        return tuple(api.section for api in self.apis)

    @property
    def binds(self) -> Iterator[Bind]:
        """The binds of the document and of all files it imports from."""
        yield from self.bindings.binds
        for api in self.apis:
            if api.bindings is not self.bindings:
                yield from api.bindings.binds

    def values(self) -> Iterator[Value]:
        """Every text that may hold variables of the environment."""
        for api in self.apis:
            yield api.base_uri
            if api.section.authentication:
                yield from api.section.authentication.values(api.bindings)
        for one in (*self.consumed, *(proxy.target for proxy in self.forwards if proxy.target)):
            constants = (parameter.constant for parameter in one.parameters if parameter.constant)
            yield from (one.bindings.value(value, place) for value, place in constants if isinstance(value, str))
            yield from one.template_variables
        for exposed in (*self.functions, *self.exposed):
            yield from (source for source in exposed.sources if isinstance(source, Value))
        for adapter in self.adapters:
            if adapter.authentication and self.asks_callers:
                yield from adapter.authentication.values(self.bindings)
        yield from (value for adapter in self.control if (value := adapter.collector(self.bindings)))


@dataclass(frozen=True)
class Loading:
    """What an operator decides about reading documents.

    With `rest_prefix` each REST adapter's paths start with its namespace. Scripts run where a document permits them;
    with `scripts` they always do, or never.
    """

    rest_prefix: bool = False
    scripts: bool | None = None

    def scripting(self, permitted: Scripting | None) -> Scripting | None:
        """How scripts run, None where they do not."""
        if self.scripts is None:
            return permitted
        said = permitted or Scripting()
        return said.model_copy(update={"enabled": True}) if self.scripts else None


def planned(model: CapabilityFile, found: Apis, bindings: Bindings, file: str, loading: Loading) -> Document:
    """The document with the plans of everything it exposes, its problems not yet looked for."""
    consumed = tuple(chain.from_iterable(api.operations() for api in found.apis))
    reachable = Reachable(consumed, found.absent)
    scripting = loading.scripting(_permitted(model))
    known = Known(reachable, functions(model.all_aggregates, reachable, bindings), scripting)
    alone = tuple(planned_function(one, known) for one in known.functions)
    bare = Document(file, model, bindings, found.apis, consumed, alone, scripting=scripting)
    rest = [(one, f"/{one.namespace}" if loading.rest_prefix else "") for one in bare.rest]
    mcp = (tools(one, known, bindings) for one in bare.mcp)
    document = replace(
        bare,
        routes=tuple(chain(*(routes(one, known, bindings, prefix) for one, prefix in rest))),
        forwards=tuple(chain(*(proxies(one, found.apis, found.absent, bindings, prefix) for one, prefix in rest))),
        tools=tuple(chain(*mcp)),
        resources=tuple(chain(*(resources(one, one.resources, known, bindings) for one in bare.mcp))),
        prompts=tuple(chain(*(prompts(one, one.prompts) for one in bare.mcp))),
    )
    siblings = tuple(document.siblings)
    return replace(document, skills=tuple(chain(*(skills(one, siblings) for one in document.skill))))


def _permitted(model: CapabilityFile) -> Scripting | None:
    """What the first control adapter that speaks of scripts says, if it has no fault."""
    controls = (adapter for adapter in model.exposes if isinstance(adapter, ControlExposes))
    speaking = next((one for one in controls if one.management.scripting), None)
    return speaking.management.scripting if speaking and not speaking.faults() else None
