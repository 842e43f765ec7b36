"""What the specification advises, beyond what is needed: `fairlead check --lint`.

Every finding is a warning with a code; `docs/lint.md` has a line for each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from fairlead.auth.oauth2 import OAuth2
from fairlead.auth.resource_server import ResourceServer
from fairlead.binds import Bind
from fairlead.consumes import HttpConsumes
from fairlead.document import Document
from fairlead.errors import Place, Problem
from fairlead.exposed import Reference
from fairlead.exposes import McpExposes, RestExposes
from fairlead.exposes.adapter import Adapter
from fairlead.model import Model

Kind = TypeVar("Kind", bound=Adapter)
_Findings = Iterator[Problem]
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_IDEMPOTENT: Final = _SAFE | {"PUT", "DELETE"}
_MARKUP: Final = re.compile(r"<script\b|\beval\(", re.IGNORECASE)
_SHOWN: Final = frozenset({"label", "display", "title", "description"})
"""What readers and agents are shown of a section."""
_EXAMPLES: Final = (".example.com", ".example.org", ".example.net")
"""The domains that are kept for examples (RFC 2606, 3), each after a dot."""


def lint(document: Document) -> tuple[Problem, ...]:
    """What could be better in a document that works."""
    found = {problem for rule in _RULES for problem in rule(document)}
    return tuple(sorted(found))


def _finding(code: str, place: Place, message: str, hint: str = "") -> Problem:
    return Problem(place, message, hint, "warning", code)


def _namespaces(document: Document) -> _Findings:
    parts: tuple[Bind | HttpConsumes | Adapter, ...] = (
        *document.model.all_binds,
        *document.sections,
        *_of_kind(document, Adapter),
    )
    first: dict[str, Bind | HttpConsumes | Adapter] = {}
    for part in parts:
        if (other := first.setdefault(part.namespace, part)) is not part:
            message, where = f"namespace {part.namespace!r} is not unique", other.at("namespace")
            hint = f"the one in line {where.line} has it as well"
            yield _finding("unique-namespace", part.at("namespace"), message, hint)


def _function_names(document: Document) -> _Findings:
    for aggregate in document.model.all_aggregates:
        names: set[str] = set()
        for function in aggregate.functions:
            if function.name in names:
                message = f"{aggregate.namespace!r} has another function {function.name!r}"
                yield _finding("unique-function", function.at("name"), message)
            names.add(function.name)


def _base_uris(document: Document) -> _Findings:
    for section in document.sections:
        uri, place = section.base_uri, section.at("baseUri")
        if uri.endswith("/"):
            yield _finding("trailing-slash", place, f"'baseUri' {uri!r} ends with a slash")
        if f".{_host(uri).rstrip('.')}".endswith(_EXAMPLES):
            yield _finding("example-host", place, f"{_host(uri)!r} is a host of examples")


def _host(uri: str) -> str:
    try:
        return urlsplit(uri).hostname or ""
    except ValueError:
        return ""


def _paths(document: Document) -> _Findings:
    for resource in chain.from_iterable(section.resources for section in document.sections):
        if "?" in resource.path:
            hint = "declare its parameters with `in: query`"
            yield _finding("query-in-path", resource.at("path"), f"path {resource.path!r} has a query", hint)
    for adapter in _of_kind(document, RestExposes):
        for exposed in adapter.resources:
            if len(exposed.path) > 1 and exposed.path.endswith("/"):
                yield _finding("trailing-slash", exposed.at("path"), f"path {exposed.path!r} ends with a slash")


def _descriptions(document: Document) -> _Findings:
    info = document.model.info
    if info and not info.description:
        yield _finding("description", info.at(), "'info' has no description")
    for section in document.sections:
        if not section.description:
            yield _finding("description", section.at(), f"{section.namespace!r} has no description")
    for adapter in _of_kind(document, McpExposes):
        if not adapter.description:
            yield _finding("description", adapter.at(), f"{adapter.namespace!r} has no description")
    for tool in document.tools:
        if not tool.exposed.description:
            hint = "agents choose tools by their descriptions"
            yield _finding("description", tool.exposed.place, f"tool {tool.name!r} has no description", hint)


def _methods(document: Document) -> _Findings:
    for route in document.routes:
        target, semantics = route.exposed.target, route.exposed.semantics
        if not isinstance(target, Reference) or semantics is None:
            continue
        said = f"{route} refers to {target.function.name!r}, which"
        if semantics.safe is not None and semantics.safe != (route.method in _SAFE):
            is_safe = "is safe" if semantics.safe else "is not safe"
            yield _finding("method-semantics", route.place, f"{said} {is_safe}")
        if semantics.idempotent and route.method not in _IDEMPOTENT:
            yield _finding("method-semantics", route.place, f"{said} is idempotent")


def _hints(document: Document) -> _Findings:
    for tool in document.tools:
        hints, exposed = tool.hints, tool.exposed
        if hints is None:
            continue
        said, semantics = f"tool {tool.name!r} is hinted to be", exposed.semantics
        if hints.read_only and hints.destructive:
            yield _finding("hints", exposed.place, f"{said} both read-only and destructive")
        if semantics and semantics.safe is not None and hints.read_only not in (None, semantics.safe):
            word = "read-only" if hints.read_only else "not read-only"
            yield _finding("hints-semantics", exposed.place, f"{said} {word}, against the semantics of its function")
        if semantics and semantics.idempotent is not None and hints.idempotent not in (None, semantics.idempotent):
            word = "idempotent" if hints.idempotent else "not idempotent"
            yield _finding("hints-semantics", exposed.place, f"{said} {word}, against the semantics of its function")
        if exposed.consumed and hints.read_only and exposed.consumed.operation.method in ("PUT", "PATCH", "DELETE"):
            message = f"{said} read-only, and calls {exposed.consumed.operation.method}"
            yield _finding("hints-method", exposed.place, message)


def _markup(document: Document) -> _Findings:
    for section in _sections(document.model):
        for key in _SHOWN & type(section).model_fields.keys():
            if isinstance(text := getattr(section, key), str) and (found := _MARKUP.search(text)):
                yield _finding("script-in-text", section.at(key), f"{key!r} holds {found[0]!r}")


def _sections(value: Any) -> Iterator[Model]:
    """A model and all models in it."""
    if isinstance(value, Model):
        yield value
        for name in type(value).model_fields:
            yield from _sections(getattr(value, name))
    elif isinstance(value, tuple | dict):
        for member in value.values() if isinstance(value, dict) else value:
            yield from _sections(member)


def _tokens(document: Document) -> _Findings:
    for section in _sections(document.model):
        if isinstance(section, OAuth2 | ResourceServer):
            uris = {"authorizationServerUri": section.authorization_server_uri, "resource": section.resource}
            for key, uri in uris.items():
                if uri.lower().startswith("http:"):
                    yield _finding("oauth2-https", section.at(key), f"{key!r} is no https URL")
        if isinstance(section, ResourceServer) and not section.scopes:
            hint = "every token for the resource is let in"
            yield _finding("oauth2-scopes", section.at(), "oauth2 asks for no scopes", hint)


def _stdio(document: Document) -> _Findings:
    for adapter in _of_kind(document, McpExposes):
        if adapter.transport == "stdio" and adapter.authentication:
            message = "an adapter over stdio has no callers to authenticate"
            yield _finding("stdio-authentication", adapter.at("authentication"), message)


def _of_kind(document: Document, kind: type[Kind]) -> Iterable[Kind]:
    return [adapter for adapter in document.model.exposes if isinstance(adapter, kind)]


_RULES: Final[tuple[Callable[[Document], _Findings], ...]] = (
    _namespaces,
    _function_names,
    _base_uris,
    _paths,
    _descriptions,
    _methods,
    _hints,
    _markup,
    _tokens,
    _stdio,
)
