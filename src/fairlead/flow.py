"""Steps as planned: what each one calls, what it takes from where, and which wait for which.

steps:
- {type: call, name: get-ship, call: registry.get-ship, with: {imo: rest.imo}}
- {type: call, name: list-crew, call: crew.list}
- {type: lookup, name: captain, index: list-crew, match: id, lookupValue: $.get-ship.captain}

Here the two calls need nothing of each other and run at once. A call that may change something waits for all steps
before it, and all steps after it wait for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from fairlead.binding import Sources
from fairlead.binds import Value
from fairlead.calls import Target
from fairlead.errors import CallError, Place
from fairlead.formats import JSON, Format
from fairlead.jsonpath import compile_path
from fairlead.mapped import Shape
from fairlead.operation import Failing, Run, Source
from fairlead.parameters import OutputParameter
from fairlead.results import Results, step_of
from fairlead.schema import Schema, schema_of
from fairlead.scope import RESULT
from fairlead.scripts import Script
from fairlead.sequence import Act, CallAct, Get, LookupAct, Reads, ScriptAct, Sequential, Step
from fairlead.sources import results, revealed
from fairlead.steps import Scripting
from fairlead.wiring import Wiring, wired

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class PlannedCall:
    """A step that calls: the operation, its parameters, and what is kept of its answers."""

    name: str
    place: Place
    target: Target
    sources: Sources
    format: Format = JSON
    keep: Shape | None = None
    declared: frozenset[str] = frozenset()

    @property
    def is_safe(self) -> bool:
        return self.target.consumed.operation.method in _SAFE

    def act(self, wiring: Wiring) -> Act | Failing:
        run = wired(self.target.consumed, wiring)
        if isinstance(run, Failing):
            return run
        sources = tuple((one.argument, revealed(source, wiring.environ)) for one, source in self.sources)
        required = frozenset(parameter.argument for parameter, _ in self.sources if parameter.required)
        return CallAct(run, sources, required, self.keep, wiring.reading(self.target.consumed, self.format))


@dataclass(frozen=True)
class PlannedLookup:
    """A step that looks something up in an earlier result."""

    name: str
    place: Place
    index: str
    match: str
    members: tuple[str, ...]
    sources: Sources
    is_safe: ClassVar[bool] = True
    declared: ClassVar[frozenset[str]] = frozenset()

    def act(self, wiring: Wiring) -> Act | Failing:
        (_, key), *_ = self.sources
        return LookupAct(self.index, self.match, revealed(key, wiring.environ), self.members)


@dataclass(frozen=True)
class PlannedScript:
    """A step that runs a script, for which it takes the results of all steps before."""

    name: str
    place: Place
    language: str
    script: Script
    scripting: Scripting
    before: tuple[str, ...]
    sources: Sources
    is_safe: ClassVar[bool] = True
    declared: ClassVar[frozenset[str]] = frozenset()

    def act(self, wiring: Wiring) -> Act | Failing:
        sources = tuple((one.name, revealed(source, wiring.environ)) for one, source in self.sources)
        return ScriptAct(self.script, self.language, self.scripting, self.before, sources, wiring.scripts)


PlannedStep = PlannedCall | PlannedLookup | PlannedScript


def reads(step: PlannedStep) -> Iterator[str]:
    """The paths of earlier results that a step takes."""
    for _, source in step.sources:
        yield from results(source)
    if isinstance(step, PlannedLookup):
        yield step.index
    if isinstance(step, PlannedScript):
        yield from (f"{RESULT}{name}" for name in step.before)


@dataclass(frozen=True)
class Flow:
    """The steps of an operation as planned, by the stages in which they run, and what is made of their results."""

    steps: tuple[PlannedStep, ...]
    assigned: Sources
    outputs: tuple[OutputParameter, ...] = ()
    answer: Shape | None = None
    answer_reads: tuple[str, ...] = ()
    as_json: bool = False
    evidence: tuple[str, ...] = ("steps",)

    @property
    def results(self) -> Results:
        """What the steps declare of their answers."""
        return Results({step.name: step.declared for step in self.steps})

    @property
    def sources(self) -> Iterator[Source | Value]:
        """Where the values of all steps come from."""
        yield from (source for _, source in self.assigned)
        yield from (source for step in self.steps for _, source in step.sources)

    @property
    def schema(self) -> Schema:
        """The JSON Schema of what is made of the results; nothing is known of a last answer as it is."""
        return schema_of(self.outputs, as_members=any(one.name for one in self.outputs)) if self.answer else {}

    def stages(self) -> tuple[tuple[PlannedStep, ...], ...]:
        """The steps that run at once; each waits for those whose results it takes."""
        level: dict[str, int] = {}
        earliest = 0
        for step in self.steps:
            after = [level[name] + 1 for name in map(step_of, reads(step)) if name in level]
            after += [] if step.is_safe else [at + 1 for at in level.values()]
            level[step.name] = max([earliest, *after])
            earliest = earliest if step.is_safe else level[step.name] + 1
        numbers = sorted(set(level.values()))
        return tuple(tuple(step for step in self.steps if level[step.name] == number) for number in numbers)

    def run(self, wiring: Wiring) -> Run:
        """The function behind the plan; one that fails where any step can never be taken."""
        try:
            acts = {step.name: self._act(step, wiring) for step in self.steps}
            assigned = tuple((one.name, revealed(source, wiring.environ)) for one, source in self.assigned)
        except CallError as error:
            return Failing(error)
        for act in acts.values():
            if isinstance(act, Failing):
                return act
        stages = tuple(tuple(self._step(step, acts[step.name]) for step in stage) for stage in self.stages())
        reads = self._getters(self.answer_reads)
        return Sequential(stages, self.steps[-1].name, assigned, self.answer, reads, self.as_json)

    def _act(self, step: PlannedStep, wiring: Wiring) -> Act | Failing:
        """What a step does; the answer of a call is read only where something is looked for in it."""
        act = step.act(wiring)
        read = {step_of(path) for other in self.steps for path in reads(other)}
        is_read = step.name in read or self.answer is not None or self.as_json
        act = replace(act, is_read=is_read) if isinstance(act, CallAct) else act
        return wiring.tracing.step(act, step.name) if wiring.tracing and not isinstance(act, Failing) else act

    def _step(self, step: PlannedStep, act: Act | Failing) -> Step:
        assert not isinstance(act, Failing)
        return Step(step.name, self._getters(reads(step)), act, step.is_safe)

    def _getters(self, paths: Iterable[str]) -> Reads:
        return tuple((path, self._getter(path)) for path in dict.fromkeys(paths))

    def _getter(self, path: str) -> Get:
        get = compile_path(self.results.found_at(path))
        assert get is not None, "a result has a name"
        return get
