"""APIs that a document takes from other files.

    consumes:
    - {import: together-ai, location: ./shared/together.yaml, as: together}

An imported API brings the binds of its own file: its secrets are those that file names; the importer's binds answer
where that file lists nothing of the name.
"""

from __future__ import annotations

from pathlib import Path

from fairlead.binds import Bindings
from fairlead.capability import CapabilityFile, as_capability
from fairlead.consumed import Api
from fairlead.consumes import Consumes, HttpConsumes, ImportedConsumes
from fairlead.errors import LoadError, Problem, did_you_mean
from fairlead.source import read


def apis(entries: tuple[Consumes, ...], bindings: Bindings, folder: Path) -> tuple[tuple[Api, ...], list[Problem]]:
    """The APIs of a file, those of other files in the place of their imports, and the problems of those files."""
    found: list[Api] = []
    problems: list[Problem] = []
    for entry in entries:
        if isinstance(entry, HttpConsumes):
            found.append(Api(entry, bindings))
            continue
        try:
            source, warnings = _file(entry, folder)
            found.append(Api(_section(source, entry), _bindings(source, bindings)))
            problems += warnings
        except LoadError as error:
            problems += error.problems
    return tuple(found), problems


def _bindings(source: CapabilityFile, importer: Bindings) -> Bindings:
    binds, faults = (*source.all_binds, *importer.binds), (*source.bind_faults, *importer.faults)
    return Bindings(binds, importer.capability, faults)


def _file(entry: ImportedConsumes, folder: Path) -> tuple[CapabilityFile, list[Problem]]:
    path = folder / entry.file
    place = entry.at("location" if entry.location else "from")
    if not entry.file or not path.resolve().is_relative_to(folder.resolve()):
        raise LoadError([Problem(place, "an import needs a file inside the folder of the document")])
    if not path.is_file():
        raise LoadError([Problem(place, f"there is no file {entry.file!r} to import from")])
    model, problems = as_capability(read(path))
    if any(problem.severity == "error" for problem in problems):
        raise LoadError(problems)
    return model, problems


def _section(source: CapabilityFile, entry: ImportedConsumes) -> HttpConsumes:
    known = [section for section in source.all_consumes if isinstance(section, HttpConsumes)]
    for section in known:
        if section.namespace == entry.import_:
            return section.renamed(entry.as_) if entry.as_ else section
    hint = did_you_mean(entry.import_, [section.namespace for section in known])
    raise LoadError([Problem(entry.at("import"), f"{entry.file!r} consumes no {entry.import_!r}", hint)])
