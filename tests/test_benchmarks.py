"""The benchmarks fit the code they measure, and the page shows what they wrote. Nothing is measured here."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

import benchmarks
from benchmarks.answers import LARGE, SMALL, encoded
from benchmarks.cases import CASES, Case
from benchmarks.folder import generate, openapi
from benchmarks.lab import FULL, QUICK
from benchmarks.load import WrongAnswer, same, verify
from benchmarks.peers import KINDS, Peer
from benchmarks.peers.fairlead import FILE
from benchmarks.report import Measured, shown
from benchmarks.startup import StartUp
from fairlead.document import Document
from fairlead.listeners import arrange
from fairlead.load import load
from fairlead.settings import Settings


def _served(*documents: Document) -> tuple[int, int]:
    """How many routes and tools are served; all of them can be."""
    listeners, problems = arrange(documents, Settings())
    assert [problem for document in documents for problem in document.problems] == []
    assert list(problems) == []
    return sum(len(one.routes) for one in listeners), sum(len(one.tools) for one in listeners)


BENCHMARKS = Path(benchmarks.__file__).parent
MODULES = [path for folder in (BENCHMARKS, BENCHMARKS / "peers") for path in sorted(folder.glob("*.py"))]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_every_module_can_be_imported(path: Path) -> None:
    import_module(".".join(path.relative_to(BENCHMARKS.parent).with_suffix("").parts))


def test_the_capability_that_is_measured_is_served_without_problems() -> None:
    assert _served(load(FILE)) == (9, 0)


def test_a_generated_folder_is_served_without_problems_and_is_described_alike_for_peers(tmp_path: Path) -> None:
    for count, needed in ((1, 1), (4, 1), (10, 3)):
        files = sorted(generate(tmp_path / f"units-{count}", count).iterdir())

        described = [operation for path in openapi(count)["paths"].values() for operation in path.values()]

        assert len(files) == needed
        assert _served(*map(load, files)) == (count, count)
        assert len({operation["operationId"] for operation in described}) == count


def test_every_case_has_its_own_name_known_peers_and_a_fairlead_to_compare_with() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    for case in CASES:
        assert {peer.kind for peer in case.peers} <= set(KINDS)
        assert {peer.kind for peer in case.peers} & {"fairlead", "units"}


def test_answers_are_as_long_as_the_cases_say() -> None:
    assert (round(len(encoded(SMALL)), -2), round(len(encoded(LARGE)), -4)) == (1000, 1_000_000)


def test_an_answer_that_is_not_the_expected_one_is_not_counted() -> None:
    assert same({"a": 1})(b'{"a": 1}') == 1
    with pytest.raises(WrongAnswer, match="not what was expected"):
        same({"a": 1})(b'{"a": 2}')


@pytest.mark.parametrize(
    ("result", "problem"),
    [
        ({"requests": 100, "errors": 0, "bytes": 100_900}, None),
        ({"requests": 100, "errors": 1, "bytes": 100_000}, "1 of 100 requests failed"),
        ({"requests": 0, "errors": 0, "bytes": 0}, "no request was answered"),
        ({"requests": 100, "errors": 0, "bytes": 50_000}, "500 bytes instead of 1000"),
        ({"requests": 100, "errors": 0, "bytes": 200_000}, "2000 bytes instead of 1000"),
    ],
)
def test_errors_and_answers_of_another_length_fail_the_run(result: dict[str, float], problem: str | None) -> None:
    if problem is None:
        verify(result, 1000, connections=4)
    else:
        with pytest.raises(WrongAnswer, match=problem):
            verify(result, 1000, connections=4)


def test_a_table_has_medians_their_spread_and_the_ratio_to_fairlead() -> None:
    fairlead, nginx = Peer("fairlead"), Peer("nginx")
    samples = {
        nginx: [{"CPU s": value, "RSS MB": 10.0} for value in (0.3, 1.0, 2.0)],
        fairlead: [{"CPU s": value, "RSS MB": 200.0} for value in (3.0, 5.0, 4.0)],
    }

    measured = Measured(Case("some", "Some case", StartUp(), (nginx, fairlead)), samples)

    assert measured.table().splitlines()[4:] == [
        "| nginx, reverse proxy | 0.2x | 1.00 | 170% | 10.0 |",
        "| Fairlead | 1.00x | 4.00 | 50% | 200 |",
    ]
    assert measured.overview() == ["Some case", "4.00 s", "0.2x", "", "", ""]


def test_a_full_run_is_more_thorough_than_a_quick_one() -> None:
    assert (FULL.seconds, FULL.samples, FULL.share) > (QUICK.seconds, QUICK.samples, QUICK.share)


def test_the_page_shows_every_case_and_the_command_that_measured_it() -> None:
    page = shown()

    assert re.search(r"\| command \| `\./benchmarks/run[^`]*--write[^`]*` \|", page)
    assert [case.title for case in CASES if f"### {case.title}\n" not in page] == []
