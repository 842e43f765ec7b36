"""A misspelt key is never passed over: every key of the real files, one letter changed, is named with its line."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fairlead.errors import LoadError, Place, Problem
from fairlead.load import loads
from fairlead.nodes import MappingNode
from fairlead.source import parse

CAPABILITIES = Path(__file__).parents[2] / "capabilities"
FILES = sorted(CAPABILITIES.glob("*.yaml"))


def keys(node: Any, way: tuple[str, ...] = ()) -> Iterator[tuple[Place, str, tuple[str, ...]]]:
    """Every key of a tree with its place and the keys above it."""
    if isinstance(node, MappingNode):
        for key, value in node.items():
            yield node.key_places[key], key, way
            yield from keys(value, (*way, key))
    if isinstance(node, list):
        for item in node:
            yield from keys(item, way)


def misspelt(key: str) -> str:
    middle = len(key) // 2
    return f"{key[:middle]}{'q' if key[middle] != 'q' else 'z'}{key[middle + 1 :]}"


def problems_of(text: str) -> tuple[Problem, ...]:
    try:
        return loads(text, "mutated.yaml").problems
    except LoadError as error:
        return error.problems


def is_named(key: str, place: Place, problems: tuple[Problem, ...], lines: list[str]) -> bool:
    """Whether a problem names the key at its line, or at the line of the call that a key of `with` refutes."""
    naming = [problem for problem in problems if repr(key) in str(problem)]
    return any(
        problem.place.line == place.line or lines[problem.place.line - 1].lstrip().startswith("call: ")
        for problem in naming
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_misspelt_key_is_named_with_its_line(path: Path) -> None:
    lines = path.read_text("utf-8").split("\n")
    everything = list(keys(parse(path.read_bytes(), path.name)))
    overlooked = []
    for place, key, way in everything:
        line, column = place.line - 1, place.column - 1
        wrong = misspelt(key)
        mutated = f"{lines[line][:column]}{wrong}{lines[line][column + len(key) :]}"
        found = problems_of("\n".join([*lines[:line], mutated, *lines[line + 1 :]]))
        if not is_named(wrong, place, found, lines):
            overlooked.append((*way, key))

    assert len(everything) > 100
    assert set(overlooked) <= {("binds", "keys", "GROQ_API_KEY"), ("binds", "keys", "TOGETHER_AI_API_KEY")}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_variable_that_binds_misspells_is_named_where_it_is_used(path: Path) -> None:
    text = path.read_text("utf-8").replace("_API_KEY: ", "_API_KEQ: ")

    (problem,) = loads(text, "mutated.yaml").problems

    assert problem.severity == "warning"
    assert "_API_KEY' is not listed in `binds`" in problem.message
    assert text.split("\n")[problem.place.line - 1].strip().startswith("token: ")
