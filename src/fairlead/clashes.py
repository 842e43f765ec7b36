"""Which routes and forwards of one path are the same, and are served as one; others clash, and neither is served."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from fairlead.binds import Value
from fairlead.consumed import Api, Consumed
from fairlead.errors import Problem
from fairlead.exposed import Exposed, Reference
from fairlead.exposes.forward import Proxy
from fairlead.exposes.rest import Route
from fairlead.flow import Flow
from fairlead.operation import Argument, Source
from fairlead.template import parse


def settled(alike: list[Route], port: int) -> tuple[Route, list[Problem]]:
    """The route that is served of those of one method and path, and what to tell of the others.

    Which of two different ones a caller means nobody can tell, so neither is served.
    """
    first, *others = [route for route in alike if route.exposed.target] or alike
    if first.exposed.target is None:
        return first, []
    different = [route for route in others if _meaning(route) != _meaning(first)]
    same = [_repeated(route, first) for route in others if route not in different]
    clashes = [_clash(route, first, port) for route in different]
    served = replace(first, exposed=first.exposed.refused(*clashes)) if clashes else first
    return served, [*same, *clashes]


def apart(forwards: list[Proxy], port: int, problems: list[Problem]) -> Iterator[Proxy]:
    """The forwards, of which those with one path are one where they are the same, and answer why not where not."""
    alike: dict[str, list[Proxy]] = {}
    for proxy in forwards:
        alike.setdefault(proxy.path.shape, []).append(proxy)
    for same_path in alike.values():
        first, *others = [proxy for proxy in same_path if proxy.target] or same_path
        clashes = [_clash(one, first, port) for one in others if _hands_on(one) != _hands_on(first)]
        problems += clashes
        problems += (_repeated(one, first) for one in others if _hands_on(one) == _hands_on(first))
        yield replace(first, target=None, problems=tuple(clashes)) if clashes else first


def _clash(one: Route | Proxy, first: Route | Proxy, port: int) -> Problem:
    hint = f"{first.place} has it too, and neither is served; keep one, or serve with --rest-prefix namespace"
    return Problem(one.place, f"{one} clashes with another {_kind(one)} on port {port}", hint)


def _repeated(one: Route | Proxy, first: Route | Proxy) -> Problem:
    return Problem(one.place, f"{one} is the same as at {first.place}", "they are served as one", "warning")


def _kind(one: Route | Proxy) -> str:
    return "route" if isinstance(one, Route) else "forward"


def _hands_on(proxy: Proxy) -> tuple[Any, ...]:
    """What a forward does, wherever it stands."""
    demand = proxy.adapter.authentication
    request = _request(proxy.target) if proxy.target else ()
    return *request, proxy.trusted, demand.meaning(proxy.bindings) if demand else None


def _meaning(route: Route) -> tuple[Any, ...]:
    """What a call of the route does, wherever it stands: two of one meaning can be served as one."""
    exposed = route.exposed
    numbers = {hole: f"{{{number}}}" for number, hole in enumerate(parse(route.path).holes)}
    inputs = [replace(item, name=numbers.get(item.name, item.name)) for item in exposed.inputs]
    sources = [(name, _numbered(source, numbers)) for name, source in exposed.binding.sources]
    request = _request(exposed.consumed) if exposed.consumed else _elsewhere(exposed)
    demand = route.adapter.authentication
    callers = demand.meaning(exposed.bindings) if demand else None
    written = exposed.outputs, exposed.encoding, exposed.media_type, exposed.max_bytes
    return *request, inputs, sources, *written, callers


def _elsewhere(exposed: Exposed) -> tuple[Any, ...]:
    """What tells apart what calls no operation itself: steps and functions are alike only where they are the same."""
    match exposed.target:
        case Flow():
            return (exposed.place,)
        case Reference(function):
            return (function.place,)
        case _:
            return ()


def _request(consumed: Consumed) -> tuple[Any, ...]:
    """What of a consumed operation makes its requests what they are."""
    credential = consumed.section.authentication
    secrets = credential.meaning(consumed.bindings) if credential else None
    constants = [(one.name, one.location, one.said and one.said[0]) for one in consumed.parameters]
    base = _text(Api(consumed.section, consumed.bindings).base_uri)
    return str(consumed), base, constants, consumed.operation.body, secrets


def _text(value: Source | Value) -> Any:
    return (value.template, value.variables) if isinstance(value, Value) else value


def _numbered(source: Source | Value, numbers: Mapping[str, str]) -> Any:
    """The source with the placeholders of the path by their order, for their names may differ."""
    return Argument(numbers.get(source.name, source.name)) if isinstance(source, Argument) else _text(source)
