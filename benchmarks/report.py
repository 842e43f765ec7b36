"""From samples to tables, and into `docs/performance.md`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.cases import Case
from benchmarks.load import Sample
from benchmarks.peers import KINDS, Peer

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
FAIRLEAD = {"fairlead", "units"}
OTHERS = ("nginx", "naive", "naive-tuned", "fastmcp")
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


@dataclass(frozen=True)
class Measured:
    """All samples of a case, by peer."""

    case: Case
    samples: Mapping[Peer, Sequence[Sample]]

    def table(self) -> str:
        """Medians of all samples; how far the first column's samples are apart; and what it is relative to Fairlead."""
        columns = list(next(iter(self.samples.values()))[0])
        head = ["", "vs Fairlead", columns[0], "spread", *columns[1:]]
        rows = [head, [":--", *["--:"] * (len(head) - 1)], *(self._row(peer, columns) for peer in self.samples)]
        return f"### {self.case.title}\n\n" + "".join(map(_line, rows))

    def overview(self) -> list[str]:
        """The case as one row: Fairlead's figure, and the ratios of those that serve as much as it."""
        fairlead = next(peer for peer in self.samples if peer.kind in FAIRLEAD)
        alike = {peer.kind: peer for peer in self.samples if peer.operations == fairlead.operations}
        unit = next(iter(self.samples[fairlead][0]))
        ratios = (f"{_ratio(self._relative(alike[kind]))}x" if kind in alike else "" for kind in OTHERS)
        return [self.case.title, f"{_figure(self._median(fairlead, unit))} {unit.removeprefix('CPU ')}", *ratios]

    def _row(self, peer: Peer, columns: Sequence[str]) -> list[str]:
        first, *others = (self._median(peer, column) for column in columns)
        figures = [sample[columns[0]] for sample in self.samples[peer]]
        spread = f"{(max(figures) - min(figures)) / first:.0%}" if len(figures) > 1 else ""
        return [peer.label, f"{_ratio(self._relative(peer))}x", _figure(first), spread, *map(_figure, others)]

    def _relative(self, peer: Peer) -> float:
        """What the peer's first column is to that of the first Fairlead, sample by sample of one turn."""
        fairlead = next(one for one in self.samples if one.kind in FAIRLEAD)
        column = next(iter(self.samples[peer][0]))
        turns = zip(self.samples[peer], self.samples[fairlead], strict=True)
        return median(own[column] / other[column] for own, other in turns)

    def _median(self, peer: Peer, column: str) -> float:
        return median(sample[column] for sample in self.samples[peer])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _ratio(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2f}" if value >= 1 else f"{value:.2g}"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def overview(measured: Sequence[Measured]) -> str:
    """All cases in one table."""
    head = ["CPU time", "Fairlead", *(KINDS[kind][0] for kind in OTHERS)]
    return "".join(map(_line, [head, [":--", *["--:"] * (len(head) - 1)], *(one.overview() for one in measured)]))


def region(heading: Mapping[str, str], measured: Sequence[Measured]) -> str:
    """What stands between the marks of the page."""
    facts = "".join(_line(fact) for fact in heading.items())
    return "\n".join([f"| | |\n|:--|:--|\n{facts}", overview(measured), *(one.table() for one in measured)])


def write(text: str) -> None:
    """Puts the text in place of what stood between the marks."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, after = _parts(page)
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}", encoding="utf-8")


def shown() -> str:
    """What stands between the marks now."""
    return _parts(PAGE.read_text(encoding="utf-8"))[1]


def _parts(page: str) -> tuple[str, str, str]:
    found = re.fullmatch(f"(.*){BEGIN}(.*){END}(.*)", page, re.DOTALL)
    if not found:
        raise SystemExit(f"{PAGE} has no region between {BEGIN!r} and {END!r}")
    return found[1], found[2].strip(), found[3]
