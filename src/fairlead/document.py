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
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, Final

from fairlead.auth import OtherCredential
from fairlead.binds import Bind, Bindings, Value
from fairlead.consumes import Consumed, Consumes, HttpConsumes, ImportedConsumes, is_base_uri, operations
from fairlead.errors import LoadError, Place, Problem, did_you_mean
from fairlead.exposed import Exposed
from fairlead.exposes import Exposes, McpExposes, OtherExposes, RestExposes
from fairlead.exposes.mcp import Tool, tools
from fairlead.exposes.rest import Route, routes
from fairlead.model import Model, Name, Text
from fairlead.source import MappingNode, parse, read
from fairlead.template import parse as parse_template
from fairlead.validation import MENDED, validate

VERSION_KEYS: Final = ("naftiko", "ikanos")
_VERSION = re.compile(r"(0\.[45]|1\.0\.0-(alpha|beta)\d+)")


class Stakeholder(Model):
    """Somebody to ask about a capability."""

    role: Text = ""
    full_name: Text = ""
    email: Text = ""


class Info(Model):
    """What a capability is about; the first that it has of label, display, title and name is its label."""

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
    personas: Any = None
    related: Any = None
    notes: Any = None
    icon: Any = None
    featured: Any = None
    pinned: Any = None


class Capability(Model):
    """The APIs that are consumed and what is exposed of them."""

    binds: tuple[Bind, ...] = ()
    consumes: tuple[Consumes, ...] = ()
    exposes: tuple[Exposes, ...] = ()


class CapabilityFile(Model):
    """The root of a document."""

    naftiko: Name | None = None
    ikanos: Name | None = None
    info: Info | None = None
    binds: tuple[Bind, ...] = ()
    capability: Capability | None = None
    consumes: tuple[Consumes, ...] = ()

    @property
    def exposes(self) -> tuple[Exposes, ...]:
        return self.capability.exposes if self.capability else ()


@dataclass(frozen=True)
class Document:
    """A loaded document: the model, the plans of everything it exposes, and its warnings and refusals."""

    file: str
    model: CapabilityFile
    bindings: Bindings
    sections: tuple[HttpConsumes, ...]
    consumed: tuple[Consumed, ...]
    routes: tuple[Route, ...] = ()
    tools: tuple[Tool, ...] = ()
    problems: tuple[Problem, ...] = ()

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
        return tuple(adapter for adapter in self.model.exposes if isinstance(adapter, RestExposes))

    @property
    def mcp(self) -> tuple[McpExposes, ...]:
        return tuple(adapter for adapter in self.model.exposes if isinstance(adapter, McpExposes))

    def values(self) -> Iterator[Value]:
        """Every text that may hold variables of the environment."""
        for section in self.sections:
            yield self.bindings.value(section.base_uri, section.at("baseUri"), single=True)
            if section.authentication:
                yield from section.authentication.values(self.bindings)
        for one in self.consumed:
            constants = (parameter.constant for parameter in one.parameters if parameter.constant)
            yield from (self.bindings.value(value, place) for value, place in constants if isinstance(value, str))
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
    problems += _root_problems(root)
    if model is None:
        raise LoadError(problems)
    entries = model.capability.consumes if model.capability else model.consumes
    sections, binds, import_problems = imported(entries, Path(file).parent)
    document = _planned(model, sections, binds, file, rest_prefix)
    findings = [*import_problems, *_findings(document)]
    if any(problem.severity == "error" for problem in problems):
        raise LoadError({*problems, *filter(_is_certain, findings)})
    return replace(document, problems=tuple(sorted({*problems, *findings})))


def _is_certain(problem: Problem) -> bool:
    """Whether a finding in a mended document is one in the file as it stands."""
    return problem.severity == "error" and MENDED not in f"{problem.message}{problem.hint}"


def _planned(
    model: CapabilityFile, sections: tuple[HttpConsumes, ...], binds: tuple[Bind, ...], file: str, rest_prefix: bool
) -> Document:
    info = model.info or Info()
    label = info.label or info.display or info.title or info.name or Path(file).stem
    own = (*model.binds, *(model.capability.binds if model.capability else ()))
    bindings = Bindings((*own, *binds), label)
    consumed = tuple(operations(sections))
    document = Document(file, model, bindings, sections, consumed)
    rest = (routes(one, consumed, bindings, f"/{one.namespace}" if rest_prefix else "") for one in document.rest)
    mcp = (tools(one, consumed, bindings) for one in document.mcp)
    return replace(document, routes=tuple(chain(*rest)), tools=tuple(chain(*mcp)))


def imported(
    entries: tuple[HttpConsumes | ImportedConsumes, ...], folder: Path
) -> tuple[tuple[HttpConsumes, ...], tuple[Bind, ...], list[Problem]]:
    """The consumes sections of a file, those of other files in the place of their imports, and the binds of those."""
    sections: list[HttpConsumes] = []
    binds: list[Bind] = []
    problems: list[Problem] = []
    for entry in entries:
        if isinstance(entry, HttpConsumes):
            sections.append(entry)
            continue
        try:
            source = _imported_file(entry, folder)
            sections.append(_section_of(source, entry))
            binds += source.binds
        except LoadError as error:
            problems += error.problems
    return tuple(sections), tuple(binds), problems


def _imported_file(entry: ImportedConsumes, folder: Path) -> CapabilityFile:
    path = folder / entry.file
    place = entry.at("location" if entry.location else "from")
    if not entry.file or not path.resolve().is_relative_to(folder.resolve()):
        raise LoadError([Problem(place, "an import needs a file inside the folder of the document")])
    if not path.is_file():
        raise LoadError([Problem(place, f"there is no file {entry.file!r} to import from")])
    model, problems = validate(CapabilityFile, read(path))
    if model is None or any(problem.severity == "error" for problem in problems):
        raise LoadError(problems)
    return model


def _section_of(source: CapabilityFile, entry: ImportedConsumes) -> HttpConsumes:
    known = [section for section in source.consumes if isinstance(section, HttpConsumes)]
    for section in known:
        if section.namespace == entry.import_:
            return section.renamed(entry.as_) if entry.as_ else section
    hint = did_you_mean(entry.import_, [section.namespace for section in known])
    raise LoadError([Problem(entry.at("import"), f"{entry.file!r} consumes no {entry.import_!r}", hint)])


def _root_problems(root: MappingNode) -> Iterator[Problem]:
    yield from _version_problems(root)
    if sum(key in root for key in ("capability", "consumes")) != 1:
        yield Problem(root.place, "exactly one of `capability` and `consumes` must be there")


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
    for section in document.sections:
        yield from _base_uri_problems(section)
        if isinstance(section.authentication, OtherCredential):
            kind = section.authentication.type
            message = f"authentication of type {kind!r} is not supported by this version"
            yield Problem(section.authentication.at("type"), message)
    for one in document.consumed:
        for parameter in one.ignored:
            message = f"the {parameter.in_} parameter {parameter.name!r} is never sent"
            hint = "no caller may set this header" if parameter.in_ == "header" else f"{one.path!r} has no place for it"
            yield Problem(parameter.at(), message, hint, "warning")
        yield from _path_problems(one.path, one.place)
    for route in document.routes:
        yield from _path_problems(route.path, route.place)
        if "?" in route.path:
            yield Problem(route.place, f"{route} cannot be reached", "an exposed path has no query")
    yield from _adapter_problems(document)


def _path_problems(path: str, place: Place) -> Iterator[Problem]:
    if any(isinstance(part, str) and ("{" in part or "}" in part) for part in parse_template(path).parts):
        yield Problem(place, f"path {path!r} has a brace without its partner")


def _base_uri_problems(section: HttpConsumes) -> Iterator[Problem]:
    uri = section.base_uri
    if not uri:
        hint = f"give one with --base-uri {section.namespace}=https://..."
        yield Problem(section.at("baseUri"), f"{section.namespace!r} has no base URI", hint, "warning")
    elif not parse_template(uri).holes and not is_base_uri(uri):
        yield Problem(section.at("baseUri"), f"'baseUri' {uri.rpartition('@')[2]!r} is no plain http(s) URL")


def _adapter_problems(document: Document) -> Iterator[Problem]:
    for adapter in document.model.exposes:
        if isinstance(adapter, OtherExposes):
            yield Problem(adapter.at("type"), f"adapters of type {adapter.type!r} are not supported by this version")
        if isinstance(adapter, McpExposes) and adapter.transport == "stdio":
            yield Problem(adapter.at("transport"), "transport 'stdio' is served over http instead", "", "warning")
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
