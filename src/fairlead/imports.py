"""Parts that a document takes from other files: APIs, functions, adapters and binds.

    consumes:
    - {import: together-ai, location: ./shared/together.yaml, as: together}

A file is inside the folder of the document, and what is imported stands in it: an import of an import is refused, so
that there is never a circle. An imported API brings the binds of its own file: its secrets are those that file names;
the importer's binds answer where that file lists nothing of the name. All else is as if it stood in the importer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from fairlead.aggregates import Aggregate
from fairlead.binds import Bind, Bindings
from fairlead.capability import CapabilityFile, as_capability
from fairlead.consumed import Api
from fairlead.consumes import HttpConsumes
from fairlead.errors import LoadError, Problem, did_you_mean
from fairlead.exposes.adapter import Adapter
from fairlead.imported import Imported
from fairlead.model import Model
from fairlead.source import read

Part = TypeVar("Part", HttpConsumes, Aggregate, Adapter, Bind)
Problems = list[Problem]


def with_imports(model: CapabilityFile, folder: Path) -> tuple[CapabilityFile, Problems]:
    """The document with functions, adapters and binds in the place of their imports, and what is wrong with those."""
    problems: Problems = []
    own = {
        "aggregates": _taken(model.aggregates, Aggregate, folder, problems),
        "binds": _taken(model.binds, Bind, folder, problems),
    }
    if inner := model.capability:
        parts = {
            "aggregates": _taken(inner.aggregates, Aggregate, folder, problems),
            "binds": _taken(inner.binds, Bind, folder, problems),
            "exposes": _taken(inner.exposes, Adapter, folder, problems),
        }
        own["capability"] = inner.model_copy(update=parts)
    return model.model_copy(update=own), problems


@dataclass(frozen=True)
class Apis:
    """The APIs of a file, those of other files in the place of their imports; by its namespace why one is not there."""

    apis: tuple[Api, ...]
    absent: Mapping[str, Problem]
    problems: tuple[Problem, ...]


def apis(entries: Iterable[HttpConsumes | Imported], bindings: Bindings, folder: Path) -> Apis:
    """The APIs of a file, and the problems of the files that they come from."""
    found: list[Api] = []
    problems: Problems = []
    absent: dict[str, Problem] = {}
    for entry in entries:
        if isinstance(entry, HttpConsumes):
            found.append(Api(entry, bindings))
        elif api := _api(entry, bindings, folder, problems):
            found.append(api)
        else:
            absent[entry.as_ or entry.import_] = problems[-1]
    return Apis(tuple(found), absent, tuple(problems))


def _api(entry: Imported, bindings: Bindings, folder: Path, problems: Problems) -> Api | None:
    if (source := _file(entry, folder, problems)) is None:
        return None
    source, unmet = with_imports(source, (folder / entry.location).parent)
    problems += unmet
    section = _part(source, entry, HttpConsumes, problems)
    return Api(section, _bindings(source, bindings)) if section else None


def _bindings(source: CapabilityFile, importer: Bindings) -> Bindings:
    binds, faults = (*importer.binds, *source.all_binds), (*source.bind_faults, *importer.faults)
    return Bindings(binds, importer.capability, faults)


def _taken(entries: Iterable[Any], kind: type[Part], folder: Path, problems: Problems) -> Any:
    """The entries, those of other files in the place of their imports; one that cannot be had is left out."""
    taken: list[Model] = []
    for entry in entries:
        if not isinstance(entry, Imported):
            taken.append(entry)
        elif (source := _file(entry, folder, problems)) and (part := _part(source, entry, kind, problems)):
            taken.append(part)
    return tuple(taken)


def _file(entry: Imported, folder: Path, problems: Problems) -> CapabilityFile | None:
    """The file behind an import; the problems of its form are known to its parts."""
    path = folder / entry.location
    place = entry.at("location")
    if not entry.location or not path.resolve().is_relative_to(folder.resolve()):
        problems.append(Problem(place, "an import needs a file inside the folder of the document"))
    elif not path.is_file():
        problems.append(Problem(place, f"there is no file {entry.location!r} to import from"))
    else:
        try:
            model, found = as_capability(read(path))
        except LoadError as error:
            problems += error.problems
        else:
            problems += found
            return model
    return None


_NONE: dict[type[Model], str] = {
    HttpConsumes: "consumes no",
    Aggregate: "has no functions of",
    Adapter: "exposes no",
    Bind: "binds no",
}


def _part(source: CapabilityFile, entry: Imported, kind: type[Part], problems: Problems) -> Part | None:
    """The part of that namespace, under the name that it has here."""
    listed = [one for one in source.parts if isinstance(one, kind)]
    for one in listed:
        if one.namespace == entry.import_:
            return one.model_copy(update={"namespace": entry.as_}) if entry.as_ else one
    again = [one for one in source.parts if isinstance(one, Imported) and (one.as_ or one.import_) == entry.import_]
    message = f"{entry.location!r} {_NONE[kind]} {entry.import_!r}"
    hint = "it only imports it itself" if again else did_you_mean(entry.import_, [one.namespace for one in listed])
    problems.append(Problem(entry.at("import"), message, hint))
    return None
