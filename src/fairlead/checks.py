"""What `fairlead check` reports: each document alone, all together on their listeners, and missing secrets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from fairlead.binds import Environ, environ
from fairlead.document import Document, Loading
from fairlead.errors import Problem
from fairlead.lint import lint
from fairlead.listeners import Listener, arrange
from fairlead.load import AS_IT_IS, load_all
from fairlead.locations import with_files
from fairlead.settings import Settings


def checked(
    paths: Iterable[Path], env_file: Path | None, loading: Loading = AS_IT_IS, *, advice: bool = False
) -> tuple[tuple[Document, ...], tuple[Problem, ...], tuple[str, ...]]:
    """The documents, every problem of them (each alone, together on their listeners, missing secrets), and notes.

    With `advice` the problems hold what could be better, too.
    """
    documents, problems = load_all(paths, loading)
    listeners, clashes = arrange(documents, Settings())
    variables, unread = configured(documents, env_file)
    advised = chain.from_iterable(map(lint, documents)) if advice else ()
    found = tuple(sorted({*problems, *clashes, *unread, *missing(documents, variables), *advised}))
    return documents, found, tuple(crowded(listeners))


def crowded(listeners: Iterable[Listener]) -> Iterator[str]:
    """A note for each list of tools that is longer than some clients take."""
    for listener in listeners:
        for tools in listener.tool_sets():
            is_repeated = len(listener.offers) == 1 and tools.path != "/mcp"
            if not is_repeated and (said := tools.crowding()):
                yield f"port {listener.port}: {said}"


def configured(documents: Iterable[Document], env_file: Path | None) -> tuple[Environ, tuple[Problem, ...]]:
    """The variables of the process, of a `.env` file and of all files that binds name, and what cannot be read."""
    return with_files(environ(env_file), (bind for document in documents for bind in document.binds))


def missing(documents: Iterable[Document], variables: Environ) -> Iterator[Problem]:
    """A warning for each variable that is not set, at the first place that needs it."""
    seen: set[tuple[str, str]] = set()
    for document in documents:
        for value in document.values():
            for name in value.missing(variables):
                if (document.file, name) not in seen:
                    seen.add((document.file, name))
                    where = "there or in the environment" if "#" in name else "in the environment or in .env"
                    hint = f"set it {where}; until then the operations that need it answer 503"
                    yield Problem(value.place, f"{name} is not set", hint, "warning")
