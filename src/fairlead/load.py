"""From files to documents. Each file is reported with all its problems at once.

What cannot be used at all raises; a single operation that cannot be meant is refused alone, and the rest of its
document stays usable.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from fairlead.binds import Bindings
from fairlead.capability import as_capability
from fairlead.document import Document, Loading, planned
from fairlead.errors import LoadError, Place, Problem, did_you_mean
from fairlead.findings import findings
from fairlead.imports import apis, with_imports
from fairlead.memory import building
from fairlead.nodes import MappingNode
from fairlead.source import parse, read
from fairlead.validation import MENDED

AS_IT_IS = Loading()


def load(path: Path, loading: Loading = AS_IT_IS) -> Document:
    """The document in a file.

    Raises:
        LoadError: The file cannot be used; holds all problems found.
    """
    return _document(read(path), str(path), loading)


def loads(text: str, file: str = "<text>", loading: Loading = AS_IT_IS) -> Document:
    """The document in a text, as `load` has it."""
    return _document(parse(text.encode(), file), file, loading)


def _document(root: MappingNode, file: str, loading: Loading) -> Document:
    model, problems = as_capability(root)
    model, unmet = with_imports(model, Path(file).parent)
    bindings = Bindings(model.all_binds, model.label or Path(file).stem, model.bind_faults)
    consumed = apis(model.all_consumes, bindings, Path(file).parent)
    document = planned(model, consumed, bindings, file, loading)
    found = {*problems, *unmet, *consumed.problems, *filter(_is_certain, findings(document))}
    return replace(document, problems=tuple(sorted(found)))


def _is_certain(problem: Problem) -> bool:
    """Whether a finding is one in the file as it stands, not in what was mended of it."""
    return MENDED not in f"{problem.message}{problem.hint}"


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


def load_all(paths: Iterable[Path], loading: Loading = AS_IT_IS) -> tuple[tuple[Document, ...], tuple[Problem, ...]]:
    """All documents that can be used, and every problem of all files, sorted."""
    documents: list[Document] = []
    problems: list[Problem] = []
    with building():
        for path in files(paths):
            try:
                document = load(path, loading)
            except LoadError as error:
                problems += error.problems
            else:
                documents.append(document)
                problems += document.problems
    return tuple(documents), tuple(sorted(problems))
