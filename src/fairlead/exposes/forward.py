"""Resources that hand all requests below a path to an API, as planned.

- path: /registry/{path}
  forward: {targetNamespace: registry, trustedHeaders: [X-Request-Id]}

Method, query and body go on as they are, and so does the rest of the path, which a placeholder at its end stands for.
Operations at the same path come first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from fairlead.arguments import Location
from fairlead.binds import Bindings
from fairlead.consumed import Api, Consumed
from fairlead.consumes import ConsumedOperation, ConsumedResource
from fairlead.errors import Place, Problem, did_you_mean
from fairlead.exposes.rest import Forward, RestExposes, RestResource
from fairlead.headers import NEVER_TRUSTED, is_token
from fairlead.names import canonical, find
from fairlead.template import Hole, Template, parse, rooted


@dataclass(frozen=True)
class Proxy:
    """A path and the API behind it; without an API it has problems, which are what it answers."""

    path: Template
    resource: RestResource
    forward: Forward
    adapter: RestExposes
    bindings: Bindings
    target: Consumed | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def place(self) -> Place:
        return self.resource.at("forward")

    @property
    def before(self) -> str:
        """The path up to its placeholder."""
        return "".join(part for part in self.path.parts if isinstance(part, str))

    @cached_property
    def trusted(self) -> frozenset[str]:
        """The headers that pass besides those that always do."""
        return frozenset(name.lower() for name in self.forward.trusted_headers) - self._guarded

    @cached_property
    def reserved(self) -> frozenset[str]:
        """The names in a query, without case and signs, that only the document and the credential set."""
        return frozenset(map(canonical, self._set_in("query")))

    @cached_property
    def _guarded(self) -> frozenset[str]:
        """The headers that are never taken from a caller."""
        return NEVER_TRUSTED | frozenset(name.lower() for name in self._set_in("header"))

    def _set_in(self, location: Location) -> Iterator[str]:
        """The names that the document and the credential set in one place of every request."""
        if self.target:
            yield from (one.name for one in self.target.parameters if one.constant and one.location == location)
            credential = self.target.section.authentication
            yield from credential.names(location) if credential else ()

    def warnings(self) -> Iterator[Problem]:
        """What stands there and has no effect."""
        place = self.forward.at("trustedHeaders")
        for name in self.forward.trusted_headers:
            if not is_token(name):
                yield Problem(place, f"no header can have the name {name!r}", "", "warning")
            elif name.lower() in self._guarded:
                yield Problem(place, f"the header {name!r} is never taken from a caller", "", "warning")
        if self.resource.input_parameters and not self.resource.operations:
            yield Problem(self.resource.at("inputParameters"), "a forward has no inputs", "none is used", "warning")

    def __str__(self) -> str:
        return f"forward {self.path.text}"


def proxies(
    adapter: RestExposes, apis: Sequence[Api], absent: Mapping[str, Problem], bindings: Bindings, prefix: str = ""
) -> tuple[Proxy, ...]:
    """The forwards of an adapter; `prefix` goes in front of every path."""
    return tuple(
        _planned(Proxy(_path(prefix, resource), resource, resource.forward, adapter, bindings), apis, absent)
        for resource in adapter.resources
        if resource.forward
    )


def _path(prefix: str, resource: RestResource) -> Template:
    """The path, of which a last segment that is all placeholder takes several segments."""
    *parts, last = parse(prefix + rooted(resource.path)).parts
    is_rest = isinstance(last, Hole) and (parts[-1:] and str(parts[-1]).endswith("/"))
    return Template((*parts, replace(last, spans=True) if is_rest and isinstance(last, Hole) else last))


def _planned(proxy: Proxy, apis: Sequence[Api], absent: Mapping[str, Problem]) -> Proxy:
    target = _target(proxy.forward, apis, absent)
    problems = [*proxy.adapter.faults(besides="resources"), *proxy.resource.faults(besides="operations")]
    problems += _path_problems(proxy)
    if isinstance(target, Problem):
        return replace(proxy, problems=(*problems, target))
    problems += target.faults
    return replace(proxy, problems=tuple(problems)) if problems else replace(proxy, target=target)


def _target(forward: Forward, apis: Sequence[Api], absent: Mapping[str, Problem]) -> Consumed | Problem:
    """The API as an operation without a path of its own, or why there is none."""
    said, place = forward.target_namespace, forward.at("targetNamespace")
    if not said:
        return Problem(place, "a forward needs a `targetNamespace`")
    by_name = {api.section.namespace: api for api in reversed(apis)}
    if name := find(said, by_name):
        api = by_name[name]
        return Consumed(api.section, ConsumedResource(path=""), ConsumedOperation(name="forward"), api.bindings)
    if lost := find(said, absent):
        return Problem(place, f"forward to {lost!r}, which is not imported: {absent[lost].message}")
    return Problem(place, f"forward to unknown namespace {said!r}", did_you_mean(said, by_name))


def _path_problems(proxy: Proxy) -> Iterator[Problem]:
    place = proxy.resource.at("path")
    *parts, last = proxy.path.parts
    for part in (*parts, *([last] if not (isinstance(last, Hole) and last.spans) else [])):
        if isinstance(part, Hole):
            hint = "only the last segment can be a placeholder, for the rest of the path"
            yield Problem(place, f"nothing uses {part.text} in the path of a forward", hint)
    if "?" in proxy.before:
        yield Problem(place, f"an exposed path has no query: {proxy.path.text!r}")
