"""Steps as they run: each with what the earlier ones found, and those that need nothing of each other at once.

A step that fails ends all, with its name and what its upstream answered.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import anyio

from fairlead.arguments import plain
from fairlead.errors import ArgumentError, CallError, StepFailed, Unconfigured
from fairlead.formats import JSON, Format
from fairlead.mapped import Shape, answered, value_of, with_body
from fairlead.operation import NOTHING, UNSET, Forwarded, Run, Source
from fairlead.response import Arguments, Json, Result, Whole
from fairlead.scope import RESULT
from fairlead.script_runs import ScriptRuns
from fairlead.scripts import LANGUAGES, Limits, Script, ScriptFailed
from fairlead.steps import Scripting
from fairlead.styles import to_text

Get = Callable[[Json], Json]
Reads = tuple[tuple[str, Get], ...]
"""Paths into the results of earlier steps: the name under which a source knows one, and what finds it."""

_TO_STEPS = frozenset({"accept-language", "traceparent", "tracestate"})
_TO_WRITING_STEP = _TO_STEPS | {"idempotency-key"}
_QUOTED = 2000
"""How many characters of an upstream's answer tell why a step failed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a step answers: the result itself, the value in it, and what is kept of that under the step's name."""

    result: Result
    raw: Json
    kept: Json


Act = Callable[[Arguments, Forwarded], Awaitable[Answer]]


def answer_of(step: str) -> str:
    """The name under which all of a step's answer is found."""
    return f"answer of {step}"


@dataclass(frozen=True, slots=True)
class CallAct:
    """Calls an upstream and keeps of its answer what the consumed operation declares, if anything `is_read` of it."""

    run: Run
    sources: tuple[tuple[str, Source], ...]
    required: frozenset[str]
    keep: Shape | None
    format: Format = JSON
    is_read: bool = True

    async def __call__(self, arguments: Arguments, forwarded: Forwarded) -> Answer:
        values = ((name, source(arguments)) for name, source in self.sources)
        given = {name: value for name, value in values if value is not UNSET}
        if missing := sorted(self.required - given.keys()):
            raise StepFailed(f"no earlier step found a value for {missing[0]!r}, which it needs")
        result = await self.run(given, forwarded)
        whole = await result.whole()
        if not whole.is_success:
            raise _failed(whole)
        told = with_body(whole, whole.data, whole.header("content-type")).result
        if not whole.data or not self.is_read:
            return Answer(told, None, None)
        raw = await value_of(whole, self.format)
        return Answer(told, raw, self.keep(raw, arguments) if self.keep else raw)


def _failed(answer: Whole) -> StepFailed:
    text = answer.data[: 4 * _QUOTED].decode(errors="replace")[:_QUOTED]
    extra = {"upstream_status": answer.status, **({"upstream_answer": text} if text else {})}
    later = tuple(pair for pair in answer.headers if pair[0] == "retry-after")
    return StepFailed(f"the upstream answered {answer.status_text}", extra, later)


@dataclass(frozen=True, slots=True)
class LookupAct:
    """Finds the items of a list by one of their members; no item is null, and of several values those found."""

    index: str
    match: str
    key: Source
    members: tuple[str, ...]

    async def __call__(self, arguments: Arguments, forwarded: Forwarded) -> Answer:
        by_key: dict[str, Json] = {}
        for item in self._items(arguments):
            if isinstance(item, dict) and item.get(self.match) is not None:
                by_key.setdefault(to_text(item[self.match]), self._picked(item))
        key = plain(self.key(arguments))
        if isinstance(key, list):
            found: Json = [by_key[text] for text in map(to_text, key) if text in by_key]
        else:
            found = None if key is UNSET else by_key.get(to_text(key))
        return Answer(answered(found), found, found)

    def _items(self, arguments: Arguments) -> list[Json]:
        index = arguments.get(self.index)
        if not isinstance(index, list | dict):
            raise StepFailed(f"there is no list at {self.index} to look in")
        return index if isinstance(index, list) else [index]

    def _picked(self, item: dict[str, Json]) -> Json:
        return {name: item.get(name) for name in self.members} if self.members else item


@dataclass(frozen=True, slots=True)
class ScriptAct:
    """Runs a script over the arguments, the results of all `before` it, and what its `with` gives."""

    script: Script
    language: str
    scripting: Scripting
    before: tuple[str, ...]
    sources: tuple[tuple[str, Source], ...]
    runs: ScriptRuns

    async def __call__(self, arguments: Arguments, forwarded: Forwarded) -> Answer:
        given = ((name, source(arguments)) for name, source in self.sources)
        results = {name: arguments.get(f"{RESULT}{name}") for name in self.before}
        context = {name: plain(value) for name, value in arguments.items() if not name.startswith(RESULT)}
        context |= {name: plain(value) for name, value in results.items() if value is not None}
        context |= {name: plain(value) for name, value in given if value is not UNSET}
        limits = self._limits()
        try:
            with self.runs.one():
                found = await self.script(context, limits)
        except ScriptFailed as error:
            raise StepFailed(f"the script {error}") from None
        value = None if found is UNSET else found
        return Answer(answered(value), value, value)

    def _limits(self) -> Limits:
        """What a run may take now; raises `Unconfigured` where the operator has switched such scripts off."""
        now = self.runs.now(self.scripting)
        if not now.enabled or self.language not in (now.allowed_languages or LANGUAGES):
            raise Unconfigured(f"scripts in {self.language!r} are switched off at the control adapter")
        return Limits(seconds=now.timeout / 1000, statements=now.statement_limit)


@dataclass(frozen=True, slots=True)
class Step:
    """A step: its name, what it reads of earlier results, what it does, and whether it only reads."""

    name: str
    reads: Reads
    act: Act
    is_safe: bool = True


@dataclass(frozen=True, slots=True)
class Sequential:
    """An operation of steps; `answer` makes its value of all results, where it is not the last step's answer.

    That answer is given as it came, or `as_json`.
    """

    stages: tuple[tuple[Step, ...], ...]
    last: str
    assigned: tuple[tuple[str, Source], ...] = ()
    answer: Shape | None = None
    reads: Reads = ()
    as_json: bool = False

    async def __call__(self, arguments: Arguments, forwarded: Forwarded = NOTHING) -> Result:
        _ensure_no_query(forwarded)
        values = ((name, source(arguments)) for name, source in self.assigned)
        found: dict[str, Json] = {name: plain(value) for name, value in values if value is not UNSET}
        answers: dict[str, Answer] = {}
        for stage in self.stages:
            for step, answer in zip(stage, await self._performed(stage, found, arguments, forwarded), strict=True):
                found[step.name], found[answer_of(step.name)] = answer.kept, answer.raw
                answers[step.name] = answer
        if self.answer is None:
            last = answers[self.last]
            return answered(last.raw) if self.as_json else last.result
        return answered(self.answer(found, _with(self.reads, found, arguments)))

    async def _performed(
        self, stage: tuple[Step, ...], found: dict[str, Json], arguments: Arguments, forwarded: Forwarded
    ) -> list[Answer]:
        acts = [(step, _with(step.reads, found, arguments), self._for(step, forwarded)) for step in stage]
        return [await _attempted(*acts[0])] if len(acts) == 1 else await _at_once(acts)

    def _for(self, step: Step, forwarded: Forwarded) -> Forwarded:
        """What goes to a step of the caller's request; a key against repetition is for the only one that writes."""
        writing = [one for stage in self.stages for one in stage if not one.is_safe]
        passed = _TO_WRITING_STEP if writing == [step] else _TO_STEPS
        return Forwarded(tuple(pair for pair in forwarded.headers if pair[0] in passed))


def _ensure_no_query(forwarded: Forwarded) -> None:
    if forwarded.query:
        raise ArgumentError.about(forwarded.query[0][0], "is not declared, and no step would take it")


def _with(reads: Reads, found: dict[str, Json], arguments: Arguments) -> Arguments:
    """The arguments and what the paths find in the results; null is as good as not given."""
    values = ((name, get(found)) for name, get in reads)
    return {**arguments, **{name: value for name, value in values if value is not None}}


async def _attempted(step: Step, arguments: Arguments, forwarded: Forwarded) -> Answer:
    try:
        return await step.act(arguments, forwarded)
    except CallError as error:
        detail = f"step {step.name!r}: {error.detail}"
        raise type(error)(detail, {**error.extra, "step": step.name}, error.headers) from None


async def _at_once(acts: Sequence[tuple[Step, Arguments, Forwarded]]) -> list[Answer]:
    """The answers of all, in order; the first failure ends the others."""
    answers: dict[int, Answer] = {}
    failures: list[CallError] = []

    async def attempt(index: int) -> None:
        try:
            answers[index] = await _attempted(*acts[index])
        except CallError as error:
            failures.append(error)
            group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        for index in range(len(acts)):
            group.start_soon(attempt, index)
    if failures:
        raise failures[0]
    return [answers[index] for index in range(len(acts))]
