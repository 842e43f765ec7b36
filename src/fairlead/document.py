"""A document is a capability file as frozen data that knows its lines.

    naftiko: 1.0.0-alpha2
    info: {label: Batches}
    binds: [...]
    capability: {consumes: [...], exposes: [...]}

`load` reads a file and reports all its problems at once. What cannot be used at all raises; a single operation that
cannot be meant is refused alone, and the rest of the document stays usable.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import Field

from fairlead.binds import Bind, Bindings, Value
from fairlead.consumes import Consumed, HttpConsumes, is_base_uri, operations
from fairlead.errors import LoadError, Place, Problem, did_you_mean
from fairlead.exposed import Exposed
from fairlead.exposes import Exposes, McpExposes, RestExposes
from fairlead.exposes.mcp import Tool, tools
from fairlead.exposes.rest import Route, routes
from fairlead.model import Model, Name, Text, validate
from fairlead.source import MappingNode, parse, read
from fairlead.template import parse as parse_template

VERSION_KEYS: Final = ("naftiko", "ikanos")
_VERSION = re.compile(r"(0\.[45]|1\.0\.0-(alpha|beta)\d+)")


class Stakeholder(Model):
    """Somebody to ask about a capability."""

    role: Text = ""
    full_name: Text = ""
    email: Text = ""


class Info(Model):
    """What a capability is about."""

    label: Text = ""
    display: Text = ""
    title: Text = ""
    name: Text = ""
    description: Text = ""
    version: Text = ""
    tags: tuple[Text, ...] = ()
    created: Text = ""
    modified: Text = ""
    stakeholders: tuple[Stakeholder, ...] = ()


class Capability(Model):
    """The APIs that are consumed and what is exposed of them."""

    binds: tuple[Bind, ...] = ()
    consumes: tuple[HttpConsumes, ...] = ()
    exposes: tuple[Exposes, ...] = Field(default=())


class CapabilityFile(Model):
    """The root of a document."""

    naftiko: Name | None = None
    ikanos: Name | None = None
    info: Info | None = None
    binds: tuple[Bind, ...] = ()
    capability: Capability


@dataclass(frozen=True)
class Document:
    """A loaded document: the model, the plans of everything it exposes, and its warnings and refusals."""

    file: str
    model: CapabilityFile
    bindings: Bindings
    consumed: tuple[Consumed, ...]
    routes: tuple[Route, ...]
    tools: tuple[Tool, ...]
    problems: tuple[Problem, ...]

    @property
    def label(self) -> str:
        return self.bindings.capability

    @property
    def exposed(self) -> Iterator[Exposed]:
        """The plans of all routes and tools, in the order of the document."""
        yield from (route.exposed for route in self.routes)
        yield from (tool.exposed for tool in self.tools)

    @property
    def rest(self) -> tuple[RestExposes, ...]:
        return tuple(adapter for adapter in self.model.capability.exposes if isinstance(adapter, RestExposes))

    @property
    def mcp(self) -> tuple[McpExposes, ...]:
        return tuple(adapter for adapter in self.model.capability.exposes if isinstance(adapter, McpExposes))

    def values(self) -> Iterator[Value]:
        """Every text that may hold variables of the environment."""
        for section in self.model.capability.consumes:
            yield self.bindings.value(section.base_uri, section.at("baseUri"), single=True)
            if section.authentication:
                yield from section.authentication.values(self.bindings)
        for exposed in self.exposed:
            yield from (source for _, source in exposed.binding.sources if isinstance(source, Value))


def load(path: Path, *, rest_prefix: bool = False) -> Document:
    """The document in a file; with `rest_prefix` each REST adapter's paths start with its namespace.

    Raises:
        LoadError: The file cannot be used; holds all problems found.
    """
    return _document(read(path), str(path), rest_prefix)


def loads(text: str, file: str = "<text>", *, rest_prefix: bool = False) -> Document:
    """The document in a text, as `load` has it."""
    return _document(parse(text.encode(), file), file, rest_prefix)


def _document(root: MappingNode, file: str, rest_prefix: bool) -> Document:
    model, problems = validate(CapabilityFile, root)
    problems += _version_problems(root)
    if model is None or any(problem.severity == "error" for problem in problems):
        raise LoadError(problems)
    binds = (*model.binds, *model.capability.binds)
    info = model.info or Info()
    label = info.label or info.display or info.title or info.name or Path(file).stem
    bindings = Bindings(binds, label)
    consumed = tuple(operations(model.capability.consumes))
    rest = tuple(
        route
        for adapter in model.capability.exposes
        if isinstance(adapter, RestExposes)
        for route in routes(adapter, consumed, bindings, f"/{adapter.namespace}" if rest_prefix else "")
    )
    mcp = tuple(
        tool
        for adapter in model.capability.exposes
        if isinstance(adapter, McpExposes)
        for tool in tools(adapter, consumed, bindings)
    )
    bare = Document(file, model, bindings, consumed, rest, mcp, ())
    found = (*problems, *_findings(bare))
    return Document(file, model, bindings, consumed, rest, mcp, tuple(sorted(set(found))))


def _version_problems(root: MappingNode) -> list[Problem]:
    keys = [key for key in VERSION_KEYS if key in root]
    if len(keys) != 1:
        return [Problem(root.place, "exactly one of `naftiko` and `ikanos` must give the version of the format")]
    version = root[keys[0]]
    if _VERSION.fullmatch(str(version)):
        return []
    hint = "known: 0.4, 0.5, 1.0.0-alpha*, 1.0.0-beta*"
    return [Problem(root.value_places[keys[0]], f"unknown version {version!r}", hint)]


def _findings(document: Document) -> Iterator[Problem]:
    """What is wrong with parts of a document that has the right form."""
    for exposed in document.exposed:
        yield from exposed.problems
    for value in document.values():
        yield from document.bindings.undeclared(value)
    for section in document.model.capability.consumes:
        yield from _base_uri_problems(section)
    for one in document.consumed:
        for parameter in one.ignored():
            message = f"the {parameter.in_} parameter {parameter.name!r} is never sent"
            hint = f"{one.path!r} has no place for it" if parameter.in_ == "path" else "no caller may set this header"
            yield Problem(parameter.at(), message, hint, "warning")
    yield from _address_warnings(document)


def _base_uri_problems(section: HttpConsumes) -> Iterator[Problem]:
    uri = section.base_uri
    if not uri:
        hint = f"give one with --base-uri {section.namespace}=https://..."
        yield Problem(section.at("baseUri"), f"{section.namespace!r} has no base URI", hint, "warning")
    elif not parse_template(uri).holes and not is_base_uri(uri):
        yield Problem(section.at("baseUri"), f"'baseUri' {uri.rpartition('@')[2]!r} is no plain http(s) URL")


def _address_warnings(document: Document) -> Iterator[Problem]:
    for adapter in document.model.capability.exposes:
        if adapter.address:
            message = f"address {adapter.address!r} is not used"
            yield Problem(adapter.at("address"), message, "--host decides where to listen", "warning")


def files(paths: Iterable[Path]) -> list[Path]:
    """The capability files meant by paths: files as given, folders by their `*.yaml` and `*.yml`, sorted.

    Raises:
        LoadError: A path does not exist, or a folder holds no such file.
    """
    found: list[Path] = []
    problems: list[Problem] = []
    for path in paths:
        inside = sorted(child for child in path.glob("*.y*ml") if child.suffix in (".yaml", ".yml"))
        if not path.exists():
            near = [str(sibling) for sibling in path.parent.glob("*")] if path.parent.is_dir() else []
            problems.append(Problem(Place(str(path)), "does not exist", did_you_mean(str(path), near)))
        elif path.is_dir() and not inside:
            problems.append(Problem(Place(str(path)), "holds no capability files", "they end in .yaml or .yml"))
        found += inside if path.is_dir() else [path]
    if problems:
        raise LoadError(problems)
    return list(dict.fromkeys(found))


def load_all(paths: Iterable[Path], *, rest_prefix: bool = False) -> tuple[tuple[Document, ...], tuple[Problem, ...]]:
    """All documents that can be used, and every problem of all files, sorted."""
    documents: list[Document] = []
    problems: list[Problem] = []
    for path in files(paths):
        try:
            document = load(path, rest_prefix=rest_prefix)
        except LoadError as error:
            problems += error.problems
        else:
            documents.append(document)
            problems += document.problems
    return tuple(documents), tuple(sorted(problems))
