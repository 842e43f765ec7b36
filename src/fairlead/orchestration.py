"""From steps as written to their plan, and what callers of the operation may give.

steps: [{type: call, name: get-ship, call: registry.get-ship, with: {imo: tools.imo}}]
mappings: [{targetName: name, value: $.get-ship.name}]
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from fairlead.binding import Binding, Sources, free_inputs, inputs_of, named, published, sources_of, spelt
from fairlead.caller import Caller
from fairlead.calls import Call, Reachable, Target, resolve
from fairlead.consumed import Consumed
from fairlead.declarations import refusals, unused, with_unused
from fairlead.errors import Problem
from fairlead.flow import Flow, PlannedCall, PlannedLookup, PlannedScript, PlannedStep
from fairlead.formats import Format
from fairlead.http_call import Parameter
from fairlead.mapped import Shape
from fairlead.mocks import holes_of
from fairlead.operation import Argument
from fairlead.outputs import located
from fairlead.parameters import OutputParameter
from fairlead.results import Ending
from fairlead.scope import Scope
from fairlead.scripting import scripted
from fairlead.shape import Context, Kept, members, shape
from fairlead.sources import drafted
from fairlead.steps import CallStep, LookupStep, Scripting, ScriptStep
from fairlead.wiring import decoder


def orchestrated(
    caller: Caller, scope: Scope, reachable: Reachable, scripting: Scripting | None = None
) -> tuple[tuple[Flow, Binding] | None, list[Problem]]:
    """The plan of an operation of steps and how it is fed, or the problems that prevent it; and warnings."""
    problems: list[Problem] = []
    assigned = _given(caller.with_, scope, problems)
    scope = replace(scope, assigned=tuple(parameter.name for parameter, _ in assigned))
    steps = _steps(caller, scope, reachable, scripting, problems)
    if problems:
        return None, problems
    scope = replace(scope, steps=tuple(step.name for step in steps))
    free = free_inputs([*assigned, *(pair for step in steps for pair in step.sources)], scope)
    flow = Flow(tuple(replace(step, sources=spelt(step.sources, free)) for step in steps), spelt(assigned, free))
    try:
        flow = replace(flow, outputs=_located(caller, flow, scope))
        fed = [*flow.assigned, *(pair for step in flow.steps for pair in step.sources)]
        every = [*fed, *_seen(steps, scope), *_filling(flow.outputs, scope)]
        inputs = inputs_of(every, scope)
        flow = _answering(flow, caller, Context(lambda hole: scope.result(hole) or inputs.meant(hole)), scope)
    except ValueError as error:
        return None, [Problem(caller.at("mappings" if caller.mappings else "outputParameters"), f"an output {error}")]
    if refusals(problems := list(unused(inputs, scope))):
        return None, problems
    inputs = with_unused(inputs, scope)
    feeding = tuple((item.name, Argument(item.name)) for item in inputs)
    return (flow, published(Binding(inputs, feeding), scope)), problems


def _given(values: Mapping[str, Any] | None, scope: Scope, problems: list[Problem]) -> Sources:
    """What a `with` gives that is not for the parameters of one operation."""
    drafts: Sources = []
    for key, value in (values or {}).items():
        parameter = Parameter(key, "member")
        try:
            drafts.append((parameter, drafted(value, parameter, scope, scope.at(key))))
        except ValueError as error:
            problems.append(Problem(scope.at(key), f"`with` gives {key!r} a value that {error}"))
    return named(drafts, scope, problems)


def _steps(
    caller: Caller, scope: Scope, reachable: Reachable, scripting: Scripting | None, problems: list[Problem]
) -> list[PlannedStep]:
    planned: list[PlannedStep] = []
    names: list[str] = []
    for step in caller.steps:
        if step.title in (*names, *scope.assigned):
            problems.append(Problem(step.at("name"), f"the name {step.title!r} is taken by an earlier step or value"))
        inner = replace(scope, at=partial(step.at, "with"), steps=tuple(names))
        if isinstance(step, CallStep):
            planned += _call(step, inner, reachable, problems)
        elif isinstance(step, LookupStep):
            planned += _lookup(step, inner, problems)
        else:
            planned += _script(step, inner, scripting, problems)
        names.append(step.title)
    return planned


def _call(step: CallStep, scope: Scope, reachable: Reachable, problems: list[Problem]) -> list[PlannedStep]:
    given = None if step.with_ is None else frozenset(step.with_)
    words = tuple(step.description.split())
    (target,) = resolve([Call(step.call, step.at("call"), words, given=given)], reachable)
    if isinstance(target, Problem) or target.consumed.faults:
        problems += [target] if isinstance(target, Problem) else target.consumed.faults
        return []
    target = Target(target.consumed.taking(step.with_ or ()), target.evidence)
    sources = sources_of(target.consumed, step.with_ or {}, scope, problems)
    try:
        form = decoder(target.consumed)
        keep, declared = _kept(target.consumed, form)
    except ValueError as error:
        problems.append(Problem(step.at(), f"step {step.title!r}: {error}"))
        return []
    return [PlannedCall(step.title, step.at(), target, sources, form, keep, declared)]


def _kept(consumed: Consumed, form: Format) -> tuple[Shape | None, frozenset[str]]:
    """What is kept of an answer, and the names in it: the outputs with a name that the operation declares."""
    outputs = located(consumed.operation.output_parameters, ())
    context = Context(str, lists_one=not form.has_lists)
    if listed := tuple(output for output in outputs if output.name):
        made = members(listed, context)
        of_each = not any((output.path or "").startswith("$[") for output in listed)
        return (Kept(made) if of_each else made), frozenset(output.name for output in listed)
    return shape(outputs[:1], context), frozenset()


def _lookup(step: LookupStep, scope: Scope, problems: list[Problem]) -> list[PlannedStep]:
    index = scope.result(step.index)
    if index is None:
        known = f"known: {', '.join(scope.steps)}" if scope.steps else "it is the first step"
        problems.append(Problem(step.at("index"), f"{step.index!r} is no step before it", known))
        return []
    key = Parameter("lookupValue", "member")
    try:
        source = drafted(step.lookup_value, key, scope, step.at("lookupValue"))
    except ValueError as error:
        problems.append(Problem(step.at("lookupValue"), f"the value that is looked up {error}"))
        return []
    sources = named([(key, source)], scope, problems)
    return [PlannedLookup(step.title, step.at(), index, step.match, step.output_parameters, sources)]


def _script(step: ScriptStep, scope: Scope, scripting: Scripting | None, problems: list[Problem]) -> list[PlannedStep]:
    try:
        language, script, permitted = scripted(step, scripting)
    except ValueError as error:
        problems.append(Problem(step.at("file"), f"step {step.title!r} {error}"))
        return []
    before = (*scope.assigned, *scope.steps)
    sources = _given(step.with_, scope, problems)
    return [PlannedScript(step.title, step.at(), language, script, permitted, before, sources)]


def _located(caller: Caller, flow: Flow, scope: Scope) -> tuple[OutputParameter, ...]:
    last = flow.steps[-1]
    declared = last.target.consumed.operation.output_parameters if isinstance(last, PlannedCall) else ()
    return Ending(scope, flow.results, last.name, declared).located(caller.output_parameters, caller.mappings)


def _seen(steps: Iterable[PlannedStep], scope: Scope) -> Sources:
    """The arguments that scripts see, which are all that there are."""
    names = (*scope.holes, *(one.name for one in scope.declared if one.name))
    has_script = any(isinstance(step, PlannedScript) for step in steps)
    return named([(Parameter(name, "query"), Argument(name)) for name in names], scope, []) if has_script else []


def _filling(outputs: tuple[OutputParameter, ...], scope: Scope) -> Sources:
    """The arguments that fill templates in the outputs, as sources."""
    spelt = (hole for hole in holes_of(outputs) if not scope.result(hole))
    return named([(Parameter(hole, "query"), Argument(hole)) for hole in spelt], scope, [])


def _answering(flow: Flow, caller: Caller, context: Context, scope: Scope) -> Flow:
    """The flow with what makes the answer, unless that is the answer of the last step as it is."""
    outputs = flow.outputs
    is_whole = len(outputs) == 1 and not outputs[0].name and not caller.mappings
    if not outputs or (is_whole and Ending(scope, flow.results, flow.steps[-1].name).is_identity(outputs[0])):
        return flow
    made = shape(outputs, context) if is_whole else members(outputs, context)
    filled = tuple(path for hole in holes_of(outputs) if (path := scope.result(hole)))
    return replace(flow, answer=made, answer_reads=filled)
