"""The resources of an MCP adapter, as written and as planned.

resources:
- {name: ship, uri: 'ships://{imo}', mimeType: application/json, call: registry.get-ship, with: {imo: tools.imo}}
- {name: manuals, uri: 'manuals://all', location: 'file:///./manuals'}

What calls, takes steps or is a mock answers by its operation, the placeholders of its URI being the inputs. A location
is a folder, every file of which is a resource below the URI; or a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import ClassVar
from urllib.parse import unquote

from fairlead.binds import Bindings, path_of
from fairlead.caller import Caller
from fairlead.errors import ArgumentError, Place, Problem
from fairlead.exposed import Exposed
from fairlead.exposes.adapter import LISTED, Adapter
from fairlead.model import Name, Text
from fairlead.parameters import InputParameter
from fairlead.planning import Entry, Known, plan
from fairlead.scope import Scope
from fairlead.template import Hole, parse


class McpResource(Caller):
    """A resource: where it is for clients, and what is there."""

    answers_bare: ClassVar[bool] = True

    uri: Name
    mime_type: Text = ""
    location: Text = ""
    binary: bool = False


@dataclass(frozen=True)
class Resource:
    """A resource and the plan of what it does, or the folder that it is."""

    written: McpResource
    exposed: Exposed
    adapter: Adapter
    folder: Path | None = None

    @property
    def uri(self) -> str:
        return self.written.uri

    @property
    def place(self) -> Place:
        return self.written.at()

    @property
    def is_served(self) -> bool:
        return self.folder is not None or self.exposed.target is not None

    @property
    def title(self) -> str:
        return self.written.label

    @cached_property
    def holes(self) -> tuple[str, ...]:
        """The placeholders of its URI."""
        return parse(self.uri).holes

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        parts = ("([^/?#]+)" if isinstance(part, Hole) else re.escape(part) for part in parse(self.uri).parts)
        return re.compile("".join(parts))

    def values(self, uri: str) -> dict[str, str] | None:
        """The value of each placeholder in a URI, None for the URI of another resource."""
        match = self._pattern.fullmatch(uri)
        if match is None:
            return None
        try:
            texts = [unquote(text, errors="strict") for text in match.groups()]
        except UnicodeDecodeError:
            raise ArgumentError("the URI is not percent-encoded UTF-8 text") from None
        return dict(zip(self.holes, texts, strict=True))


def resources(
    adapter: Adapter, listed: tuple[McpResource, ...], known: Known, bindings: Bindings
) -> tuple[Resource, ...]:
    """The resources of an adapter."""
    names = known.namespaces | {adapter.namespace}
    faults = adapter.faults(besides=LISTED)
    plans = plan([_entry(one, names, bindings, faults, adapter.max_binary_size) for one in listed], known)
    return tuple(_planned(one, exposed, adapter) for one, exposed in zip(listed, plans, strict=True))


def _entry(
    one: McpResource, names: frozenset[str], bindings: Bindings, faults: tuple[Problem, ...], max_bytes: int | None
) -> Entry:
    holes = parse(one.uri).holes
    known = {parameter.name for parameter in one.input_parameters}
    undeclared = (InputParameter(name=hole, type="string") for hole in holes if hole not in known)
    declared = tuple(
        parameter.model_copy(update={"required": True}) if parameter.name in holes else parameter
        for parameter in (*undeclared, *one.input_parameters)
    )
    scope = Scope(names, bindings, partial(one.at, "with"), None, declared, one.input_parameters)
    return Entry(one, one.as_call(), scope, faults, max_bytes)


def _planned(one: McpResource, exposed: Exposed, adapter: Adapter) -> Resource:
    planned = Resource(one, exposed, adapter)
    if one.location:
        return _static(planned)
    problems = tuple(_uri_problems(planned)) if exposed.target else ()
    return replace(planned, exposed=exposed.refused(*problems)) if problems else planned


def _uri_problems(planned: Resource) -> Iterator[Problem]:
    """What the URI lacks, and what of it nothing would take."""
    one, inputs = planned.written, planned.exposed.inputs
    named = [part.name for part in parse(one.uri).parts if isinstance(part, Hole)]
    for name in {name for name in named if named.count(name) > 1}:
        yield Problem(one.at("uri"), f"the URI {one.uri!r} has {name!r} twice")
    for item in inputs:
        if item.required and item.name not in planned.holes:
            hint = f"take it up in the URI, as {{{item.name}}}"
            yield Problem(one.at("uri"), f"the URI {one.uri!r} does not say {item.name!r}, which is needed", hint)
    for hole in planned.holes:
        if hole not in inputs.names:
            yield Problem(one.at("uri"), f"nothing uses {{{hole}}} of the URI", "take it up in `with`")


def _static(planned: Resource) -> Resource:
    """The resource of a location, whose plan has the problems of that alone."""
    problems = tuple(_static_problems(planned))
    exposed = replace(planned.exposed, target=None, problems=problems)
    folder = None if problems else path_of(planned.written.location, Path(planned.place.file).parent)
    return replace(planned, exposed=exposed, folder=folder)


def _static_problems(planned: Resource) -> Iterator[Problem]:
    one = planned.written
    yield from (*planned.adapter.faults(besides=LISTED), *one.faults())
    path = path_of(one.location, Path(planned.place.file).parent)
    if path is None:
        yield Problem(one.at("location"), f"the location {one.location!r} is no file:// path")
    elif not path.exists():
        yield Problem(one.at("location"), f"there is nothing at the location {one.location!r}")
    if planned.holes:
        yield Problem(one.at("uri"), f"a location has no placeholders, as {{{planned.holes[0]}}}")
    if key := next((key for key in ("call", "steps", "ref") if getattr(one, key)), None):
        yield Problem(one.at(key), f"{one.name!r} has both `location` and `{key}`")
