"""Every file of `documents` loads and is explained as it says; every file of `broken` has exactly its problems.

A file is a document, a line of ten hyphens, and what is expected. Adding a case is adding a file.
"""

from pathlib import Path

import pytest

from fairlead.errors import LoadError
from fairlead.explain import lines
from fairlead.load import loads

TESTS = Path(__file__).parents[1]
DOCUMENTS = sorted((TESTS / "documents").glob("*.yaml"))
BROKEN = sorted((TESTS / "broken").glob("*.yaml"))


def split(path: Path) -> tuple[str, str]:
    text, line, expected = path.read_text("utf-8").partition("\n----------\n")
    assert line, "the line of ten hyphens is missing"
    return f"{text}\n", expected


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_a_document_loads_without_problems_and_is_explained_as_it_says(path: Path) -> None:
    text, expected = split(path)

    document = loads(text, path.name)

    assert document.problems == ()
    assert "\n".join(lines([document])) == expected


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_broken_document_has_exactly_the_problems_it_says(path: Path) -> None:
    text, expected = split(path)

    try:
        problems = loads(text, path.name).problems
    except LoadError as error:
        problems = error.problems

    assert "".join(f"{problem}\n" for problem in problems) == expected


def test_there_are_golden_files_of_both_kinds() -> None:
    assert len(DOCUMENTS) > 10
    assert len(BROKEN) > 30
