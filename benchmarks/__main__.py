"""The command: measures the chosen cases, prints a table of each, and writes the page of the documentation."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from fnmatch import fnmatch

from benchmarks.cases import CASES, Case
from benchmarks.lab import FULL, QUICK, Lab, lab
from benchmarks.load import Sample, WrongAnswer
from benchmarks.measure import machine
from benchmarks.peers import Peer
from benchmarks.peers.site import ENVIRONMENTS
from benchmarks.report import Measured, overview, region, write


def main() -> int:
    """The exit code: 1 where a server gave a wrong answer."""
    options = _options()
    cases = [case for case in CASES if any(fnmatch(case.name, pattern) for pattern in options.cases or ["*"])]
    if not cases:
        raise SystemExit("no case has that name; --list shows all")
    if options.list:
        print("\n".join(f"{case.name:24} {case.title}" for case in cases))
        return 0
    measured, failed = [], []
    busy = os.getloadavg()[0]
    pace = QUICK if options.quick else FULL
    with lab(replace(pace, samples=options.samples or pace.samples)) as one:
        for case in cases:
            try:
                measured.append(Measured(case, _samples(one, case)))
                print(measured[-1].table(), flush=True)
            except WrongAnswer as error:
                failed.append(f"{case.name}: {error}")
                print(f"FAILED {failed[-1]}\n", file=sys.stderr, flush=True)
    if measured:
        print(overview(measured), flush=True)
    if failed:
        print("wrong answers, so that nothing is written:", *failed, sep="\n  ", file=sys.stderr)
        return 1
    if options.write:
        write(region(_heading(busy), measured))
    return 0


def _samples(one: Lab, case: Case) -> dict[Peer, list[Sample]]:
    """In turn A B C C B A A B C, so that what changes over time meets all alike."""
    samples: dict[Peer, list[Sample]] = {peer: [] for peer in case.peers}
    for turn in range(one.pace.samples * case.times):
        for peer in case.peers[:: -1 if turn % 2 else 1]:
            try:
                samples[peer].append(case.work.sample(one, peer))
            except WrongAnswer as error:
                raise WrongAnswer(f"{peer.label}: {error}") from error
    return samples


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("./benchmarks/run", description="Measures Fairlead beside its peers.")
    parser.add_argument("cases", nargs="*", metavar="CASE", help="names of cases, * for any letters; all by default")
    parser.add_argument("--list", action="store_true", help="show the names of the cases")
    parser.add_argument("--quick", action="store_true", help="one short sample of each, two to three minutes in all")
    parser.add_argument("--samples", type=int, metavar="N", help="samples of each, instead of 6, or of 1 with --quick")
    parser.add_argument("--write", action="store_true", help="put the tables of all cases into docs/performance.md")
    options = parser.parse_args()
    if options.write and options.cases:
        parser.error("--write wants all cases")
    return options


def _heading(busy: float) -> dict[str, str]:
    return {
        "command": f"`{' '.join(['./benchmarks/run', *sys.argv[1:]])}`",
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": f"{machine()}; load average {busy:.1f} before the run",
        "Fairlead": f"Python {platform.python_version()}, {_packages(sys.executable, FAIRLEAD_PARTS)}",
        "FastAPI + httpx + jsonpath-ng": _packages(str(ENVIRONMENTS / "plain/bin/python"), NAIVE_PARTS),
        "FastMCP": _packages(str(ENVIRONMENTS / "tuned/bin/python"), FASTMCP_PARTS),
        "nginx, wrk": f"{_said('nginx', '-v')}, {_said('wrk', '-v')}",
    }


FAIRLEAD_PARTS = ("fairlead", "uvicorn", "uvloop", "httptools", "mcp")
NAIVE_PARTS = ("fastapi", "httpx", "jsonpath-ng", "uvicorn")
FASTMCP_PARTS = ("fastmcp", "mcp", "httpx2", "uvicorn")


def _packages(python: str, names: Sequence[str]) -> str:
    code = (
        "import sys, importlib.metadata as m; print(*(f'{name} {m.version(name)}' for name in sys.argv[1:]), sep=', ')"
    )
    return subprocess.run([python, "-c", code, *names], capture_output=True, text=True, check=True).stdout.strip()


def _said(program: str, option: str) -> str:
    """The first line of what a program says of its version, without the ornaments."""
    done = subprocess.run([program, option], capture_output=True, text=True, check=False)
    line = (done.stdout + done.stderr).strip().partition("\n")[0]
    return line.removeprefix("nginx version: ").partition(" [")[0].partition(" (")[0].replace("nginx/", "nginx ")


if __name__ == "__main__":
    start = time.monotonic()
    code = main()
    print(f"took {time.monotonic() - start:.0f} s", file=sys.stderr)
    sys.exit(code)
