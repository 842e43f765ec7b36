"""From `with` and the declared inputs to what callers may give and where each value goes.

    with:
      id: rest.id

An exposed operation seldom declares inputs: they are derived from the consumed operation, through `with`. A consumed
input that `with` leaves out is taken from the caller under its own name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from fairlead.arguments import Input, Inputs, Location
from fairlead.binds import Value
from fairlead.bodies import holes
from fairlead.declarations import as_declared, constants, is_path, refusals, unused, with_unused
from fairlead.errors import Problem, did_you_mean
from fairlead.http_call import Parameter, placed
from fairlead.names import canonical, find, matched, property_names
from fairlead.operation import Argument, Literal, Source
from fairlead.parameters import InputParameter
from fairlead.scope import RESULT, Scope
from fairlead.sources import Inside, drafted, inside_of, reads, renamed

Sources = list[tuple[Parameter, Source | Value]]
_DOTTED = re.compile(r"[A-Za-z][\w-]*(\.[\w-]+)+")
"""What can be a reference by its form."""


@dataclass(frozen=True)
class Binding:
    """The inputs of an exposed operation, and the source of each parameter that it sends.

    A source that is a `Value` is revealed when the runtime is built.
    """

    inputs: Inputs
    sources: tuple[tuple[str, Source | Value], ...]

    @property
    def is_identity(self) -> bool:
        """Whether every argument goes on under its own name, so that nothing needs to be bound."""
        return all(source == Argument(name) for name, source in self.sources)


class Callee(Protocol):
    """What takes parameters: a consumed operation, or a function of an aggregate."""

    @property
    def inputs(self) -> tuple[Parameter, ...]:
        """The parameters that take their value from a call."""

    @property
    def guarded(self) -> tuple[Parameter, ...]:
        """Those that only the document may set."""

    @property
    def ignored(self) -> tuple[InputParameter, ...]:
        """Those that are declared and never sent."""

    @property
    def fixed(self) -> tuple[Input, ...]:
        """Ignored ones whose value callers may repeat."""

    @property
    def lost(self) -> frozenset[str]:
        """The names of ignored ones that were meant to arrive."""

    @property
    def missed(self) -> frozenset[str]:
        """The names of lost ones without which the request is another one."""


def bind(target: Callee, given: Mapping[str, Any] | None, scope: Scope) -> tuple[Binding | None, list[Problem]]:
    """The binding of an exposed operation to its target, or the problems that prevent it; and warnings."""
    problems: list[Problem] = []
    sources = sources_of(target, given or {}, scope, problems)
    sources = spelt(sources, free_inputs(sources, scope), target.guarded)
    inputs = inputs_of(sources, scope)
    inputs = Inputs((*inputs, *(one for one in target.fixed if find(one.name, inputs.names) is None)))
    problems += unused(inputs, scope)
    if refusals(problems):
        return None, problems
    inputs = with_unused(inputs, scope)
    return published(Binding(inputs, tuple((p.argument, source) for p, source in sources)), scope), problems


def sources_of(target: Callee, given: Mapping[str, Any], scope: Scope, problems: list[Problem]) -> Sources:
    """The source of every parameter that has one, under the names that callers use."""
    problems += [
        *_ambiguous_names(target, given, scope),
        *_unknown_keys(target, given, scope),
        *_lost(target, given, scope),
    ]
    return named(_drafts(target, given, scope, problems), scope, problems)


def _drafts(target: Callee, given: Mapping[str, Any], scope: Scope, problems: list[Problem]) -> Sources:
    """The source of every parameter that has one, the inputs in it named as `with` spells them."""
    sources: Sources = []
    keys = matched([parameter.argument for parameter in (*target.inputs, *target.guarded)], given)
    for parameter in (*target.inputs, *target.guarded):
        key = keys.get(parameter.argument)
        try:
            source = _drafted(key, given[key], parameter, scope) if key else _by_name(parameter, scope)
        except ValueError as error:
            problems.append(Problem(scope.at(key or ""), f"`with` gives {parameter.name!r} a value that {error}"))
            continue
        is_refused = parameter in target.guarded and not isinstance(source, Literal | Value)
        if source is not None and not is_refused:
            sources.append((parameter, source))
    return sources


def _drafted(key: str, value: Any, parameter: Parameter, scope: Scope) -> Source | Value:
    """What a value of `with` spells; in `id: id` the input `id` that is declared."""
    known = (*scope.names, *scope.holes)
    if isinstance(value, str) and value in known and canonical(value) == canonical(key):
        return Argument(value)
    return drafted(value, parameter, scope, scope.at(key))


def free_inputs(sources: Sources, scope: Scope) -> frozenset[str]:
    """The inputs that the operation itself asks for and none of the sources takes."""
    taken = {name for _, source in sources for name in reads(source)}
    asked = (one.name for one in scope.own if one.value is None and one.in_ != "environment")
    return frozenset((*asked, *scope.holes)) - taken


def spelt(sources: Sources, free: frozenset[str], guarded: tuple[Parameter, ...] = ()) -> Sources:
    """The same sources; a constant that is the name of an input which nothing else takes is that input.

    So is one that has words and dots in front of the name, as `params.id`.
    """
    return [(one, source if one in guarded else _as_input(source, free)) for one, source in sources]


def _as_input(source: Source | Value, free: frozenset[str]) -> Source | Value:
    if not isinstance(source, Literal) or not isinstance(source.value, str):
        return source
    name = source.value if source.value in free else source.value.rpartition(".")[2]
    is_reference = name in free and (name == source.value or _DOTTED.fullmatch(source.value))
    return Argument(name) if is_reference else source


def _by_name(parameter: Parameter, scope: Scope) -> Source | None:
    """The value or argument of the parameter's own name; None where the author declared other inputs only."""
    if assigned := find(parameter.name, scope.assigned):
        return Argument(f"{RESULT}{assigned}")
    if "." in parameter.name and (result := scope.result(parameter.name)):
        return Argument(result)
    if inside := inside_of(parameter.name, scope):
        return inside
    if scope.declared and not parameter.required and find(parameter.argument, scope.names) is None:
        return Literal(parameter.default) if parameter.default is not None else None
    return Argument(parameter.argument)


def named(drafts: Sources, scope: Scope, problems: list[Problem]) -> Sources:
    """The sources with the names that callers use: as declared, as in the exposed path, or as spelt.

    Two inputs never share a name that only one of them can have, and what goes into the consumed path comes first to
    what stands in the exposed one; another of that name has its place in its name.
    """
    spelt = {name: parameter for parameter, source in reversed(drafts) for name in reads(source)}
    into_path = {name for parameter, source in drafts if parameter.location == "path" for name in reads(source)}
    names: dict[str, str] = {}
    for wanted, places in ((into_path, scope.holes), (spelt.keys(), (*scope.names, *scope.holes))):
        free = [place for place in dict.fromkeys(places) if place not in names.values()]
        names |= matched([name for name in spelt if name in wanted and name not in names], free)
    taken = set(names.values())
    names |= {name: placed(name, spelt[name]) for name in spelt if name not in names and name in taken}
    sources: Sources = []
    for parameter, source in drafts:
        try:
            sources.append((parameter, _or_constant(renamed(source, names), scope)))
        except ValueError as error:
            problems.append(Problem(scope.at(""), f"`with` gives {parameter.name!r} a value that {error}"))
    return sources


def _or_constant(source: Source | Value, scope: Scope) -> Source | Value:
    """The source, or the constant that the input which it takes is declared to be."""
    declared = scope.declaration(source.name) if isinstance(source, Argument) else None
    if declared is None:
        return source
    if declared.in_ == "environment":
        return scope.bindings.value(f"{{{{{declared.name}}}}}", declared.at())
    if declared.value is None:
        return source
    if is_path(declared.value):
        return source
    if any(True for _ in holes(declared.value)):
        parameter = Parameter(declared.name, "member", declared.type)
        return drafted(declared.value, parameter, scope, declared.at("value"))
    return Literal(declared.value)


def published(binding: Binding, scope: Scope) -> Binding:
    """The binding with the names that callers use: inputs of a tool are properties, for which clients allow fewer."""
    if not scope.of_tool:
        return binding
    names = property_names(item.name for item in binding.inputs)
    items = tuple(replace(item, name=names[item.name]) for item in binding.inputs)
    others = tuple((name, safe) for name, safe in names.items() if name != safe)
    return Binding(Inputs(items, others), tuple((name, renamed(source, names)) for name, source in binding.sources))


def _ambiguous_names(target: Callee, given: Mapping[str, Any], scope: Scope) -> Iterator[Problem]:
    """Inputs of one name in two places that both need a value, of which `with` gives but one."""
    for parameter in target.inputs:
        name, key = parameter.name, parameter.key
        if key and parameter.required and find(name, given) and not find(key, given):
            places = " and ".join(other.location for other in target.inputs if other.name == name)
            hint = f"the other is called {key!r}"
            yield Problem(scope.at(name), f"{target} takes {name!r} in {places}, and `with` gives one of them", hint)


def _unknown_keys(target: Callee, given: Mapping[str, Any], scope: Scope) -> Iterator[Problem]:
    names = [parameter.argument for parameter in (*target.inputs, *target.guarded)]
    ignored = [parameter.name for parameter in target.ignored]
    first: dict[str, str] = {}
    for key in given:
        name = find(key, names)
        if name is not None and first.setdefault(name, key) != key:
            yield Problem(scope.at(key), f"`with` gives {name!r} twice, as {first[name]!r} and as {key!r}")
        if name is None and key not in ignored:
            yield Problem(
                scope.at(key), f"`with` gives {key!r}, which {target} does not take", did_you_mean(key, names)
            )


def _lost(target: Callee, given: Mapping[str, Any], scope: Scope) -> Iterator[Problem]:
    """Parameters that were meant to arrive and have no place in the request: it would be another one."""
    wanted = {find(key, target.lost): key for key in given} | dict.fromkeys(target.missed, "")
    for name in sorted(name for name in wanted if name is not None):
        hint = "correct the path or the body of the consumed operation"
        yield Problem(scope.at(wanted[name]), f"{target} has no place for {name!r}, which it is to be given", hint)


def inputs_of(sources: Sources, scope: Scope) -> Inputs:
    """The inputs that the sources read, each once, in the order of the parameters."""
    inputs: dict[str, Input] = {}
    for parameter, source in sources:
        for name in reads(source):
            known = as_declared(_derived(name, parameter, source, scope), scope)
            earlier = inputs.get(name, known)
            inputs[name] = replace(earlier, required=earlier.required or known.required)
    inputs = {one.name: one for one in constants(scope)} | inputs
    taken = {(one.location, one.name) for one in inputs.values()}
    return Inputs(
        tuple(replace(one, public="") if (one.location, one.public) in taken else one for one in inputs.values())
    )


def _derived(name: str, parameter: Parameter, source: Source | Value, scope: Scope) -> Input:
    kind = parameter.type if isinstance(source, Argument) else "object" if isinstance(source, Inside) else "string"
    if name in scope.holes:
        return Input(name, "path", kind or "string", parameter.description, required=True)
    public = parameter.name if name in (parameter.key, placed(parameter.name, parameter)) else ""
    place = _location(name, parameter, scope)
    default = parameter.default if isinstance(source, Argument) else None
    required = parameter.required and default is None
    return Input(name, place, kind, parameter.description, required, public=public, default=default)


def _location(name: str, parameter: Parameter, scope: Scope) -> Location:
    """Where REST callers give an input: where it is sent, as far as it can be given there."""
    if scope.takes_whole_body and name == "body":
        return "body"
    has_no_member = scope.takes_whole_body or scope.without_body
    is_moved = has_no_member and parameter.location == "member" and parameter.type != "object"
    is_elsewhere = parameter.location == "path" or is_moved
    return "query" if is_elsewhere else parameter.location
