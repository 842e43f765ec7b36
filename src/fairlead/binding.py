"""From `with` and the declared inputs to what callers may give and where each value goes.

    with:
      id: rest.id

An exposed operation seldom declares inputs: they are derived from the consumed operation, through `with`. A consumed
input that `with` leaves out is taken from the caller under its own name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fairlead.arguments import Input, Inputs, Location
from fairlead.binds import Bindings, Value
from fairlead.bodies import holes
from fairlead.consumed import Consumed
from fairlead.errors import Place, Problem, did_you_mean
from fairlead.http_call import Parameter
from fairlead.model import InputParameter
from fairlead.names import find, property_names, slug
from fairlead.operation import UNSET, Argument, Arguments, Literal, Source
from fairlead.styles import from_text, to_text
from fairlead.template import Hole, Template, parse


@dataclass(frozen=True, slots=True)
class Filled:
    """A text with the caller's arguments in it; not given as long as one of them is not."""

    template: Template

    def __call__(self, arguments: Arguments) -> Any:
        if any(hole not in arguments for hole in self.template.holes):
            return UNSET
        return self.template.fill(lambda hole: to_text(arguments[hole]))


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


@dataclass(frozen=True)
class Scope:
    """Where a `with` stands: the names it may use, the exposed path for REST, and the declared inputs.

    `own` are those that the operation itself declares, not its resource or adapter. It takes the whole body of a
    request where `with` says `rest.body`.
    """

    namespaces: frozenset[str]
    bindings: Bindings
    at: Callable[[str], Place]
    path: Template | None = None
    declared: tuple[InputParameter, ...] = ()
    own: tuple[InputParameter, ...] = ()
    takes_whole_body: bool = False

    def taken_apart(self, target: Consumed) -> Scope:
        """The same with a placeholder that stands for several of the target's taken apart.

        `/points/{latitude-longitude}` for `/points/{latitude},{longitude}` is what is left of the target's segment when
        only its words are kept, so that the segment itself can stand there.
        """
        if self.path is None:
            return self
        segments = [parse(one) for one in target.path.partition("?")[0].split("/")]
        merged = {slug(one.words): one.text for one in segments if one.holes and len(one.parts) > 1}
        known = {*parse(target.path).holes, *_declared_names(self)}
        path = "/".join(_whole(segment, merged, known) for segment in self.path.text.split("/"))
        return replace(self, path=parse(path))


def _whole(segment: str, merged: Mapping[str, str], known: Collection[str]) -> str:
    """The segment, or the target's segment of which it has nothing but the words."""
    match parse(segment).parts:
        case (Hole(name),) if find(name, known) is None:
            return merged.get(slug(name), segment)
        case _:
            return segment


def bind(target: Consumed, given: Mapping[str, Any] | None, scope: Scope) -> tuple[Binding | None, list[Problem]]:
    """The binding of an exposed operation to its target, or the problems that prevent it."""
    problems = [*_ambiguous_names(target, scope), *_unknown_keys(target, given or {}, scope)]
    problems += _lost(target, given or {}, scope)
    sources: list[tuple[Parameter, Source | Value]] = []
    for parameter in target.inputs:
        key = find(parameter.name, given or {})
        try:
            source = _source((given or {})[key], parameter, scope, scope.at(key)) if key else _by_name(parameter, scope)
        except ValueError as error:
            problems.append(Problem(scope.at(key or ""), f"`with` gives {parameter.name!r} a value that {error}"))
            continue
        if source is not None:
            sources.append((parameter, source))
    inputs = _inputs(target, sources, scope)
    problems += _unused(inputs, scope)
    if problems:
        return None, problems
    binding = Binding(Inputs(tuple(inputs.values())), tuple((p.name, source) for p, source in sources))
    return (binding if scope.path else _with_property_names(binding)), []


def _with_property_names(binding: Binding) -> Binding:
    """The binding of a tool: its inputs are properties of a JSON Schema, for which clients allow fewer names."""
    names = property_names(item.name for item in binding.inputs)
    items = tuple(replace(item, name=names[item.name]) for item in binding.inputs)
    others = tuple((name, safe) for name, safe in names.items() if name != safe)
    return Binding(Inputs(items, others), tuple((name, _reading(source, names)) for name, source in binding.sources))


def _reading(source: Source | Value, names: Mapping[str, str]) -> Source | Value:
    match source:
        case Argument(name):
            return Argument(names[name])
        case Filled(template):
            parts = (Hole(names[part.name]) if isinstance(part, Hole) else part for part in template.parts)
            return Filled(Template(tuple(parts)))
        case _:
            return source


def _ambiguous_names(target: Consumed, scope: Scope) -> Iterator[Problem]:
    """Inputs of one name in two places: no argument of that name could say which it means."""
    counts = Counter(parameter.name for parameter in target.inputs)
    for name, count in counts.items():
        if count > 1:
            places = " and ".join(parameter.location for parameter in target.inputs if parameter.name == name)
            yield Problem(scope.at(""), f"{target} takes {name!r} in {places}, and an argument has but one place")


def _unknown_keys(target: Consumed, given: Mapping[str, Any], scope: Scope) -> Iterator[Problem]:
    names = [parameter.name for parameter in target.inputs]
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


def _lost(target: Consumed, given: Mapping[str, Any], scope: Scope) -> Iterator[Problem]:
    """Parameters that were meant to arrive and have no place in the request: it would be another one."""
    wanted = {find(key, target.lost): key for key in given} | dict.fromkeys(target.missed, "")
    for name in sorted(name for name in wanted if name is not None):
        hint = "correct the path or the body of the consumed operation"
        yield Problem(scope.at(wanted[name]), f"{target} has no place for {name!r}, which it is to be given", hint)


def _by_name(parameter: Parameter, scope: Scope) -> Source | None:
    """The caller's argument of the parameter's own name; None where the author declared other inputs only."""
    if scope.declared and not parameter.required and find(parameter.name, _declared_names(scope)) is None:
        return None
    return _taken(_input_name(parameter.name, scope), scope)


def _source(value: Any, parameter: Parameter, scope: Scope, place: Place) -> Source | Value:
    """The source that a value of `with` spells."""
    if value is None:
        raise ValueError("is empty")
    if not isinstance(value, str):
        if any(True for _ in holes(value)):
            raise ValueError("has placeholders inside a list or mapping, which is not supported by this version")
        return Literal(value)
    if value.startswith("$."):
        raise ValueError("refers to a step, and there are none")
    if reference := _reference(value, scope):
        return _taken(_input_name(reference, scope), scope)
    if scope.bindings.names_variable(value):
        return scope.bindings.value(f"{{{{{value}}}}}", place)
    template = parse(value)
    if not template.holes:
        return Literal(from_text(parameter.type, value) if parameter.type not in ("array", "object") else value)
    variables = [_is_variable(hole, scope) for hole in template.holes]
    if all(variables):
        return scope.bindings.value(value, place, single=True)
    if any(variables):
        raise ValueError("mixes variables and inputs in one text")
    parts = tuple(Hole(_input_of(part.name, scope)) if isinstance(part, Hole) else part for part in template.parts)
    return _taken(parts[0].name, scope) if len(parts) == 1 and isinstance(parts[0], Hole) else Filled(Template(parts))


def _is_variable(hole: str, scope: Scope) -> bool:
    """Whether a hole can only mean a variable; what the caller is known to give is an input however it is spelt."""
    if scope.bindings.names_variable(hole):
        return True
    known = (*_declared_names(scope), *(scope.path.holes if scope.path else ()))
    return scope.bindings.looks_like_variable(hole) and find(hole, known) is None


def _taken(name: str, scope: Scope) -> Source:
    """The caller's argument, or the constant that the input of that name is declared to be."""
    declared = next((parameter for parameter in scope.declared if parameter.name == name), None)
    if declared is None or declared.value is None:
        return Argument(name)
    if isinstance(declared.value, str) and declared.value.startswith("$"):
        raise ValueError("is taken by a JSONPath, which is not supported by this version")
    if any(True for _ in holes(declared.value)):
        raise ValueError("has a declared constant with placeholders, which is not supported by this version")
    return Literal(declared.value)


def _reference(text: str, scope: Scope) -> str | None:
    """The input behind `rest.x`, `tools.x` or `<namespace>.x`, which can only mean what the caller gives."""
    for namespace in ("rest", "tools", *sorted(scope.namespaces, key=len, reverse=True)):
        if text.startswith(f"{namespace}.") and len(text) > len(namespace) + 1:
            return text[len(namespace) + 1 :]
    return None


def _input_of(hole: str, scope: Scope) -> str:
    return _input_name(_reference(hole, scope) or hole, scope)


def _input_name(name: str, scope: Scope) -> str:
    """The name that callers use: as declared, as in the exposed path, or as referred to."""
    declared = find(name, _declared_names(scope))
    return declared or find(name, scope.path.holes if scope.path else ()) or name


def _declared_names(scope: Scope) -> tuple[str, ...]:
    return tuple(parameter.name for parameter in scope.declared)


def _inputs(target: Consumed, sources: list[tuple[Parameter, Source | Value]], scope: Scope) -> dict[str, Input]:
    """The inputs that the sources read, each once, in the order of the parameters."""
    inputs: dict[str, Input] = {}
    for parameter, source in sources:
        for name in _read_by(source):
            known = _as_declared(_derived(name, parameter, source, scope), scope)
            earlier = inputs.get(name, known)
            inputs[name] = replace(earlier, required=earlier.required or known.required)
    return inputs


def _read_by(source: Source | Value) -> tuple[str, ...]:
    match source:
        case Argument(name):
            return (name,)
        case Filled(template):
            return template.holes
        case _:
            return ()


def _derived(name: str, parameter: Parameter, source: Source | Value, scope: Scope) -> Input:
    kind = parameter.type if isinstance(source, Argument) else "string"
    if scope.path and name in scope.path.holes:
        return Input(name, "path", kind or "string", parameter.description, required=True)
    return Input(name, _location(name, parameter, scope), kind, parameter.description, parameter.required)


def _location(name: str, parameter: Parameter, scope: Scope) -> Location:
    """Where REST callers give an input: where it is sent, as far as it can be given there."""
    if scope.takes_whole_body:
        return "body" if name == "body" else "query" if parameter.location in ("path", "member") else parameter.location
    return "query" if parameter.location == "path" else parameter.location


def _as_declared(derived: Input, scope: Scope) -> Input:
    """The derived input with what its own declaration says about it."""
    declared = next((parameter for parameter in scope.declared if parameter.name == derived.name), None)
    if declared is None:
        return derived
    required = derived.required if declared.required is None or derived.location == "path" else declared.required
    location = derived.location
    if location not in ("member", "path") and declared.in_ in ("path", "query", "header", "cookie"):
        location = declared.in_
    return Input(
        derived.name,
        location,
        declared.type or derived.type,
        declared.description or derived.description,
        required,
        declared.pattern,
    )


def _unused(inputs: Mapping[str, Input], scope: Scope) -> Iterator[Problem]:
    """What callers could give and nothing would take."""
    holes = scope.path.holes if scope.path else ()
    for hole in holes:
        if hole not in inputs:
            yield Problem(scope.at(""), f"nothing uses {{{hole}}} of the path", "take it up in `with`")
    for parameter in scope.declared:
        if parameter.name not in inputs and parameter.value is None and parameter in scope.own:
            yield Problem(parameter.at(), f"nothing uses the input {parameter.name!r}", "take it up in `with`")
        if (
            parameter.name in inputs
            and parameter.in_ == "path"
            and scope.path
            and parameter.name not in scope.path.holes
        ):
            yield Problem(parameter.at("in"), f"the path has no {{{parameter.name}}}")
