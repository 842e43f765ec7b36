"""Files that would exhaust time or memory are refused at once."""

import time
from pathlib import Path

import pytest

from fairlead.errors import LoadError
from fairlead.source import MAX_BYTES, MAX_DEPTH, parse, read


def problems(data: bytes) -> list[str]:
    with pytest.raises(LoadError) as caught:
        parse(data, "f.yaml")
    return [str(problem) for problem in caught.value.problems]


def test_a_file_of_ten_megabytes_is_refused_within_a_second(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    path.write_bytes(b"- a\n" * 2_500_000)
    start = time.perf_counter()

    with pytest.raises(LoadError) as caught:
        read(path)

    assert time.perf_counter() - start < 1
    assert str(caught.value) == f"{path}:1:1: the file is larger than {MAX_BYTES} bytes"


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "{? "])
def test_two_hundred_thousand_levels_are_refused_within_a_second(opening: str) -> None:
    start = time.perf_counter()

    (problem,) = problems((opening * 200_000).encode())

    assert time.perf_counter() - start < 1
    assert problem.endswith(f"is nested deeper than {MAX_DEPTH} levels")


def test_nesting_up_to_the_limit_is_allowed() -> None:
    deep = MAX_DEPTH - 1

    assert parse(b"a: " + b"[" * deep + b"]" * deep, "f.yaml")["a"] is not None


def test_aliases_that_would_expand_to_a_billion_nodes_are_refused_within_a_second() -> None:
    bomb = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)
    )
    start = time.perf_counter()

    (problem,) = problems(bomb.encode())

    assert time.perf_counter() - start < 1
    assert problem.endswith("has more than 1000000 nodes, aliases expanded")


def test_aliases_within_the_limit_are_allowed() -> None:
    text = "a: &a [1, 2]\nb: &b [*a, *a]\nc: [*b, *b]\n"

    assert parse(text.encode(), "f.yaml")["c"] == [[[1, 2], [1, 2]], [[1, 2], [1, 2]]]
