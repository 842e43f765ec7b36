"""Which consumed operation a `call` means, by evidence and never by guess.

    call: together-ai-batches.post

Operation names are not unique: this `post` fits two operations. Each kind of evidence either says nothing or supports
some of the namesakes. What all the evidence supports together is meant; where that is not exactly one, the call is
refused with the candidates and how to pin one (`call: namespace.resource.operation`).

    name          no other operation of the namespace has it
    description   the caller's equals the consumed operation's
    path          REST: the method is equal and the exposed path is the consumed path after the prefix that the
                  adapter mostly has; where none fits so, ends in the consumed path, the longest match
    resource      REST: the method and the resource name are equal
    position      the whole adapter repeats the namespace: names, descriptions, methods and `with` agree throughout

Two calls of an adapter that evidence leads to the same operation contradict each other. The keys of `with` only ever
refute: on their own they point to the wrong operation in one case of seven.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, reduce

from fairlead.consumed import Consumed
from fairlead.errors import Place, Problem, did_you_mean
from fairlead.names import canonical, find, slug
from fairlead.template import Hole, parse


@dataclass(frozen=True, slots=True)
class Call:
    """What an exposed operation or a tool says about the operation it calls.

    `words` are those of its description; `method`, `path` and `resource` are None for a tool; `given` holds the keys of
    its `with`, None where it has none.
    """

    text: str
    place: Place
    words: tuple[str, ...] = ()
    method: str | None = None
    path: str | None = None
    resource: str | None = None
    given: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """The consumed operation that a call means, and why."""

    consumed: Consumed
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class Reachable:
    """What calls can mean: consumed operations; and the namespaces that could not be imported, with the reason."""

    operations: tuple[Consumed, ...] = ()
    absent: Mapping[str, Problem] = field(default_factory=dict)

    @property
    def namespaces(self) -> frozenset[str]:
        """The namespaces of all that is consumed, be it there or not."""
        return frozenset({*(one.section.namespace for one in self.operations), *self.absent})


Candidates = tuple[Consumed, ...]
Segments = tuple[str, ...]
_UNIQUE = ("name",)


def resolve(calls: Sequence[Call], reachable: Reachable) -> list[Target | Problem]:
    """For each call of one adapter its target, or why it has none."""
    by_name = _by_name(reachable.operations)
    candidates = [_candidates(call, by_name, reachable.absent) for call in calls]
    aligned = _aligned(calls, reachable.operations)
    prefix = _prefix(calls, candidates)
    found = [
        _decide(call, named, aligned[index] if aligned else None, prefix) if isinstance(named, tuple) else named
        for index, (call, named) in enumerate(zip(calls, candidates, strict=True))
    ]
    rivals = Counter(id(one.consumed) for one in found if isinstance(one, Target) and one.evidence != _UNIQUE)
    return [
        _refusal(call, named, f"{_joined(answer.evidence)} of {answer.consumed}, as with another call")
        if isinstance(answer, Target) and isinstance(named, tuple) and rivals[id(answer.consumed)] > 1
        else answer
        for call, named, answer in zip(calls, candidates, found, strict=True)
    ]


def is_unknown(call: Call, reachable: Reachable) -> bool:
    """Whether nothing is called so, and no import is missing that could be."""
    if _split(call.text, reachable.absent)[0] is not None:
        return False
    return isinstance(_candidates(call, _by_name(reachable.operations), {}), Problem)


ByName = Mapping[str, Mapping[str, Candidates]]
"""The operations by their namespace and by each of their names in it."""


def _by_name(consumed: Sequence[Consumed]) -> ByName:
    found: dict[str, dict[str, Candidates]] = {}
    for one in consumed:
        inside = found.setdefault(one.section.namespace, {})
        for name in dict.fromkeys(_names(one)):
            inside[name] = (*inside.get(name, ()), one)
    return found


def _candidates(call: Call, named: ByName, absent: Mapping[str, Problem]) -> Candidates | Problem:
    """The operations that the text of the call can mean: `namespace.operation` or `namespace.resource.operation`."""
    namespace, rest = _split(call.text, named)
    if namespace is None:
        if lost := _split(call.text, absent)[0]:
            return Problem(call.place, f"call to {lost!r}, which is not imported: {absent[lost].message}")
        said = call.text.partition(".")[0]
        return Problem(call.place, f"call to unknown namespace {said!r}", did_you_mean(said, named))
    inside = named[namespace]
    if rest in inside:
        return inside[rest]
    near = (found for name, found in inside.items() if rest and canonical(name) == canonical(rest))
    if one_each := tuple({id(one): one for found in near for one in found}.values()):
        return one_each
    names = {one.operation.name for found in inside.values() for one in found}
    return Problem(call.place, f"call to unknown operation {rest!r} of {namespace!r}", did_you_mean(rest, names))


def _names(one: Consumed) -> tuple[str, str]:
    """The names of an operation within its namespace."""
    return one.operation.name, f"{one.resource.name}.{one.operation.name}"


def _split(text: str, known: Collection[str]) -> tuple[str | None, str]:
    """The namespace that a call names, and the rest; the longest, for a namespace may hold dots."""
    parts = text.split(".")
    for length in range(len(parts), 0, -1):
        if namespace := find(".".join(parts[:length]), known):
            return namespace, ".".join(parts[length:])
    return None, text


def _decide(call: Call, candidates: Candidates, aligned: Consumed | None, prefix: Segments) -> Target | Problem:
    if len(candidates) == 1:
        return Target(candidates[0], _UNIQUE)
    supports = _supports(call, candidates, aligned, prefix)
    if not supports:
        return _refusal(call, candidates, "nothing tells which of them is meant")
    common = reduce(lambda left, right: left & right, supports.values())
    if not common:
        return _refusal(call, candidates, f"the evidence contradicts itself: {_said(candidates, supports)}")
    if len(common) > 1:
        return _refusal(call, candidates, f"{_joined(supports)} of several of them")
    target = candidates[next(iter(common))]
    if fault := _refuted(call, target):
        return _refusal(call, candidates, f"{_joined(supports)} of {target}, but {fault}")
    return Target(target, tuple(supports))


def _supports(
    call: Call, candidates: Candidates, aligned: Consumed | None, prefix: Segments
) -> dict[str, frozenset[int]]:
    """For each kind of evidence that says something: the indices of the candidates it supports."""
    said = {
        "description": (i for i, one in enumerate(candidates) if _same_description(call, one)),
        "path": _by_path(call, candidates, prefix),
        "resource": (i for i, one in enumerate(candidates) if _same_resource(call, one)),
        "position": (i for i, one in enumerate(candidates) if one is aligned),
    }
    sets = {kind: frozenset(indices) for kind, indices in said.items()}
    return {kind: indices for kind, indices in sets.items() if indices}


def _same_description(call: Call, one: Consumed) -> bool:
    return bool(one.words) and call.words == one.words


def _same_resource(call: Call, one: Consumed) -> bool:
    same_method = call.method == one.operation.method
    return bool(call.resource) and same_method and slug(call.resource or "") == slug(one.resource.name)


def _by_path(call: Call, candidates: Candidates, prefix: Segments) -> Iterable[int]:
    """The candidates with the prefix in front of their path, or else those with the longest path."""
    before = {index: found for index, one in enumerate(candidates) if (found := _in_front(call, one)) is not None}
    if prefix in before.values():
        return (index for index, found in before.items() if found == prefix)
    shortest = min(map(len, before.values()), default=0)
    return (index for index, found in before.items() if len(found) == shortest)


def _prefix(calls: Sequence[Call], candidates: Sequence[Candidates | Problem]) -> Segments:
    """What most exposed paths of the adapter have in front of a path that they can mean."""
    counts = Counter(
        found
        for call, named in zip(calls, candidates, strict=True)
        if call.path is not None and isinstance(named, tuple)
        for found in {_in_front(call, one) for one in named}
        if found is not None
    )
    return max(counts, key=lambda prefix: counts[prefix], default=())


def _in_front(call: Call, one: Consumed) -> Segments | None:
    """What the exposed path has in front of the consumed one, None where it does not end in it."""
    exposed, path = _shape(call.path or ""), _shape(one.path)
    is_end = bool(path) and exposed[-len(path) :] == path
    return exposed[: -len(path)] if is_end and one.operation.method == call.method else None


@lru_cache(maxsize=16384)
def _shape(path: str) -> Segments:
    """The segments of a path as slugs, every placeholder alike."""
    return tuple(_segment(segment) for segment in path.split("/") if segment)


def _segment(segment: str) -> str:
    parts = parse(segment).parts
    return "".join("{}" if isinstance(part, Hole) else slug(part) for part in parts)


def _aligned(calls: Sequence[Call], consumed: Sequence[Consumed]) -> tuple[Consumed, ...] | None:
    """The operation at each call's position, where the adapter repeats one namespace in full and in order."""
    known = {one.section.namespace for one in consumed}
    namespaces = {_split(call.text, known)[0] for call in calls}
    inside = tuple(one for one in consumed if one.section.namespace in namespaces)
    if len(namespaces) != 1 or len(inside) != len(calls):
        return None
    pairs = zip(calls, inside, strict=True)
    return inside if all(_agree(call, one) and not _refuted(call, one) for call, one in pairs) else None


def _agree(call: Call, one: Consumed) -> bool:
    if call.text[len(one.section.namespace) + 1 :] not in _names(one):
        return False
    if call.method is not None and call.method != one.operation.method:
        return False
    return not (call.words and one.words) or _same_description(call, one)


def _refuted(call: Call, target: Consumed) -> str:
    """Why the keys of `with` rule the target out, if they do."""
    if call.given is None:
        return ""
    names = [parameter.name for parameter in target.inputs]
    ignored = {parameter.name for parameter in target.ignored}
    for key in sorted(call.given):
        if find(key, names) is None and key not in ignored:
            return f"`with` gives {key!r}, which it does not take"
    covered = {find(key, names) for key in call.given}
    for parameter in target.inputs:
        if parameter.required and parameter.location != "path" and parameter.name not in covered:
            return f"`with` lacks {parameter.name!r}, which it needs"
    return ""


def _joined(evidence: Iterable[str]) -> str:
    return f"it has the {' and '.join(evidence)}"


def _said(candidates: Candidates, supports: dict[str, frozenset[int]]) -> str:
    return ", ".join(
        f"{kind} means {' or '.join(str(candidates[index]) for index in sorted(indices))}"
        for kind, indices in supports.items()
    )


def _refusal(call: Call, candidates: Candidates, reason: str) -> Problem:
    listed = "; ".join(f"line {one.place.line}: {one} ({one.operation.description!r})" for one in candidates)
    pin = f"pin one, as in `call: {candidates[0].qualified_name}`; candidates: {listed}"
    return Problem(call.place, f"call {call.text!r} fits {len(candidates)} operations and is refused: {reason}", pin)
