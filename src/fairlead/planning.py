"""The plans of all operations of an adapter: what cannot be meant becomes a plan with problems.

- {name: get-ship, call: registry.get-ship}
- {name: get-captain, steps: [...]}
- {name: list-ships, ref: fleet.list-ships}
- {name: hello, outputParameters: [{name: message, type: string, value: hello}]}
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from fairlead.aggregates import Aggregate, Function
from fairlead.binding import bind
from fairlead.binds import Bindings
from fairlead.caller import Caller
from fairlead.calls import Call, Reachable, Target, is_unknown, resolve
from fairlead.consumed import Consumed
from fairlead.errors import Problem, did_you_mean
from fairlead.exposed import Exposed, Mock, Reference
from fairlead.flow import Flow
from fairlead.formats import JSON, Format
from fairlead.jsonpath.base import PathError
from fairlead.mapped import Shape
from fairlead.mocks import is_mock, is_whole_mock, mocked, told
from fairlead.names import find
from fairlead.orchestration import orchestrated
from fairlead.outputs import located
from fairlead.parameters import OutputParameter
from fairlead.scope import Scope
from fairlead.shape import Context, InputNames, shape, unchanged
from fairlead.steps import Scripting
from fairlead.wiring import decoder

_PATHS = "paths are JSONPath, RFC 9535, as $.data[*].id; $. is the whole answer"


@dataclass(frozen=True, slots=True)
class Entry:
    """An operation or tool as an adapter lists it: the model, how it calls, and what its `with` may use.

    `faults` are the errors of form around it, `max_bytes` is how large an answer is that the adapter lets through.
    """

    caller: Caller
    call: Call
    scope: Scope
    faults: tuple[Problem, ...] = ()
    max_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Shared:
    """A function of an aggregate under its full name, with what its call was found to mean."""

    name: str
    entry: Entry
    meaning: Target | Problem | None


@dataclass(frozen=True, slots=True)
class Known:
    """What operations can call and refer to."""

    reachable: Reachable
    functions: tuple[Shared, ...] = ()
    scripting: Scripting | None = None

    @property
    def namespaces(self) -> frozenset[str]:
        """The namespaces of what is consumed."""
        return self.reachable.namespaces


def functions(aggregates: Iterable[Aggregate], reachable: Reachable, bindings: Bindings) -> tuple[Shared, ...]:
    """The functions of all aggregates, for `ref` to mean them."""
    found: list[Shared] = []
    for aggregate in aggregates:
        names = reachable.namespaces | {aggregate.namespace}
        faults = aggregate.faults(besides="functions")
        entries = [_entry_of(function, names, bindings, faults) for function in aggregate.functions]
        for entry, meaning in zip(entries, meanings(entries, reachable), strict=True):
            found.append(Shared(f"{aggregate.namespace}.{entry.caller.name}", entry, meaning))
    return tuple(found)


def _entry_of(function: Function, names: frozenset[str], bindings: Bindings, faults: tuple[Problem, ...]) -> Entry:
    scope = Scope(names, bindings, partial(function.at, "with"), None, function.declared, function.declared)
    return Entry(function, function.as_call(), scope, faults)


def plan(entries: Iterable[Entry], known: Known) -> list[Exposed]:
    """The plans of all operations of one adapter."""
    listed = list(entries)
    found = zip(listed, meanings(listed, known.reachable), strict=True)
    return [_written(_planned(one, target, known), one) for one, target in found]


def meanings(entries: Sequence[Entry], reachable: Reachable) -> list[Target | Problem | None]:
    """What the calls of one adapter or aggregate mean; None for what has no call."""
    calling = [one for one in entries if one.caller.call]
    found = dict(zip(map(id, calling), resolve([one.call for one in calling], reachable), strict=True))
    return [found.get(id(one)) for one in entries]


def planned_function(function: Shared, known: Known) -> Exposed:
    """The plan of a function of an aggregate, called as it is."""
    return replace(_written(_planned(function.entry, function.meaning, known), function.entry), name=function.name)


def _written(planned: Exposed, one: Entry) -> Exposed:
    """The plan with what is declared of how answers are written; what is in that format already passes through."""
    caller, consumed = one.caller, planned.consumed
    encoding = caller.output_raw_format or ""
    planned = replace(planned, encoding=encoding, media_type=caller.media_type, max_bytes=one.max_bytes)
    if encoding and isinstance(planned.target, Flow):
        return replace(planned, target=replace(planned.target, as_json=True))
    if consumed is None:
        return planned
    said = consumed.operation
    media = planned.media_type or said.output_media_type
    most = one.max_bytes if said.max_binary_size is None else said.max_binary_size
    planned = replace(planned, media_type=media, max_bytes=most)
    if not encoding or planned.shape:
        return planned
    if encoding == said.output_raw_format:
        return replace(planned, encoding="")
    try:
        return replace(planned, shape=unchanged, format=decoder(consumed))
    except ValueError as error:
        return planned.refused(Problem(caller.at("outputRawFormat"), str(error)))


def _planned(one: Entry, meaning: Target | Problem | None, known: Known) -> Exposed:
    bare = _bare(one.caller, one.scope)
    is_placeholder = isinstance(meaning, Problem) and _answers_anyway(one, known)
    lost = [meaning] if isinstance(meaning, Problem) and not is_placeholder else list(_contradictions(one))
    if refusals := (*one.faults, *one.caller.faults(), *lost):
        return replace(bare, problems=refusals)
    if isinstance(meaning, Problem):
        warning = replace(meaning, hint="it answers its constants", severity="warning")
        mock = _mocked(bare, one)
        return replace(mock, problems=(warning, *mock.problems))
    if isinstance(meaning, Target):
        return _calling(bare, one, meaning)
    if one.caller.steps:
        return _in_steps(bare, one, known)
    if one.caller.ref:
        return _referring(bare, one, known)
    return _mocked(bare, one)


def _answers_anyway(one: Entry, known: Known) -> bool:
    """Whether its call is of what nothing is called so far, and its answer needs no call."""
    return is_whole_mock(one.caller.output_parameters) and is_unknown(one.call, known.reachable)


def _contradictions(one: Entry) -> Iterator[Problem]:
    """Keys of which only one can be followed, that mean nothing without another, or none at all."""
    caller = one.caller
    ways = [key for key in ("call", "steps", "ref") if getattr(caller, key)]
    if caller.ref and isinstance(caller, Function):
        yield Problem(caller.at("ref"), "a function cannot refer to a function", "give it a `call` or `steps`")
    if len(ways) > 1:
        yield Problem(caller.at(ways[1]), f"{caller.name!r} has both `{ways[0]}` and `{ways[1]}`")
    if caller.mappings and "steps" not in ways:
        yield Problem(caller.at("mappings"), "`mappings` are made of the results of `steps`, and there are none")
    outputs = caller.output_parameters
    if not ways and not caller.faults("steps") and not is_mock(outputs, by_type=one.scope.path is None):
        yield Problem(caller.at(), f"{caller.name!r} has no `call`")


def _calling(bare: Exposed, one: Entry, target: Target) -> Exposed:
    if target.consumed.faults:
        return replace(bare, problems=target.consumed.faults)
    target = replace(target, consumed=target.consumed.taking(one.caller.with_ or ()))
    scope = one.scope.taken_apart(target.consumed)
    binding, problems = bind(target.consumed, one.caller.with_, scope)
    outputs = located(one.caller.output_parameters, target.consumed.operation.output_parameters)
    shaped, form, faults = _shaped(one.caller, outputs, binding.inputs.meant if binding else str, target.consumed)
    if binding is None or faults:
        return replace(bare, problems=(*problems, *faults))
    planned = replace(_bare(one.caller, scope), target=target, binding=binding, problems=tuple(problems))
    return replace(planned, shape=shaped, format=form, outputs=outputs)


def _in_steps(bare: Exposed, one: Entry, known: Known) -> Exposed:
    found, problems = orchestrated(one.caller, one.scope, known.reachable, known.scripting)
    if found is None:
        return replace(bare, problems=tuple(problems))
    flow, binding = found
    return replace(bare, target=flow, binding=binding, outputs=flow.outputs, problems=tuple(problems))


def _referring(bare: Exposed, one: Entry, known: Known) -> Exposed:
    """The plan of what refers to a function, which has the function's name and texts where it gives none."""
    function = _function(one.caller, known)
    if isinstance(function, Problem):
        return replace(bare, problems=(function,))
    inner = planned_function(replace(function, entry=_with_outputs(function.entry, one.caller)), known)
    if inner.target is None:
        return replace(bare, problems=inner.problems)
    reference = Reference(inner)
    binding, problems = bind(reference, one.caller.with_, one.scope)
    if binding is None:
        return replace(bare, problems=tuple(problems))
    return replace(
        bare,
        name=one.caller.name or function.entry.caller.name,
        description=bare.description or inner.description,
        title=bare.title or inner.title,
        target=reference,
        binding=binding,
        outputs=inner.outputs,
        semantics=inner.semantics,
        problems=tuple(problems),
    )


def _function(caller: Caller, known: Known) -> Shared | Problem:
    names = [function.name for function in known.functions]
    name = find(caller.ref, names)
    named = [function for function in known.functions if function.name == name]
    if not named:
        return Problem(caller.at("ref"), f"ref to unknown function {caller.ref!r}", did_you_mean(caller.ref, names))
    if len(named) > 1:
        places = " and ".join(str(function.entry.caller.at()) for function in named)
        return Problem(caller.at("ref"), f"ref {caller.ref!r} fits several functions", f"they stand at {places}")
    return named[0]


def _with_outputs(function: Entry, caller: Caller) -> Entry:
    """The function with the outputs of what refers to it, where it has none; in JSON, if they are written anew."""
    own = function.caller
    update: dict[str, Any] = {}
    if caller.output_parameters and not own.output_parameters and not own.mappings:
        update["output_parameters"] = caller.output_parameters
    if caller.output_raw_format:
        update["output_raw_format"] = "json"
    return replace(function, caller=own.model_copy(update=update)) if update else function


def _mocked(bare: Exposed, one: Entry) -> Exposed:
    outputs = told(one.caller.output_parameters, bare_one=one.caller.answers_bare)
    try:
        binding, shaped, problems = mocked(outputs, one.caller.with_, one.scope)
    except ValueError as error:
        return replace(bare, problems=(Problem(one.caller.at("outputParameters"), f"an output {error}"),))
    if problems:
        return replace(bare, problems=tuple(problems))
    return replace(bare, target=Mock(), binding=binding, shape=shaped, outputs=outputs)


def _bare(caller: Caller, scope: Scope) -> Exposed:
    """What an operation says of itself, without what it does."""
    path = scope.path.text.partition("?")[0] if scope.path else ""
    return Exposed(
        name=caller.name or caller.call,
        description=caller.description,
        title=caller.label,
        place=caller.at(),
        call=caller.call,
        bindings=scope.bindings,
        path=path,
        semantics=caller.semantics if isinstance(caller, Function) else None,
    )


def _shaped(
    caller: Caller, outputs: tuple[OutputParameter, ...], input_name: InputNames, target: Consumed
) -> tuple[Shape | None, Format, list[Problem]]:
    """What maps the answers, and the format that they are read in; nothing is read where nothing changes."""
    place = caller.at("outputParameters")
    form, faults = JSON, []
    try:
        form = decoder(target)
    except ValueError as error:
        faults = [Problem(place, str(error))]
    try:
        shaped = shape(outputs, Context(input_name, lists_one=not form.has_lists))
    except ValueError as error:
        hint = _PATHS if isinstance(error, PathError) else ""
        return None, JSON, [Problem(place, f"an output mapping {error}", hint)]
    if outputs and form is not JSON and caller.output_raw_format != target.operation.output_raw_format:
        shaped = shaped or unchanged
    return (shaped, form, faults) if shaped else (None, JSON, [])
