"""What a process and its children cost: CPU time and memory, read from /proc.

CPU time is the figure to trust where cores are shared: neighbours change how long a request takes, but little how
much work it is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")


def tree(pid: int) -> Iterator[int]:
    """The process and all that descends from it."""
    yield pid
    for task in _tasks(pid):
        for child in _read(task / "children").split():
            yield from tree(int(child))


def cpu_seconds(pid: int) -> float:
    """CPU time that all threads of the tree have used, in user space and in the kernel."""
    tasks = (task for process in tree(pid) for task in _tasks(process))
    return sum(int((_read(task / "schedstat") or "0").split()[0]) for task in tasks) / 1e9


def resident_mb(pid: int) -> float:
    """Resident memory of the tree."""
    return _status_mb(pid, "VmRSS")


def peak_mb(pid: int) -> float:
    """The largest resident memory that the processes of the tree have had since `forget_peak`."""
    return _status_mb(pid, "VmHWM")


def forget_peak(pid: int) -> None:
    for process in tree(pid):
        (PROC / str(process) / "clear_refs").write_text("5")


def split_cpus() -> tuple[set[int], set[int]]:
    """One CPU for the server under test, all others for the upstreams and the load."""
    available = sorted(os.sched_getaffinity(0))
    if not (PROC / "self" / "schedstat").exists():
        raise SystemExit("the benchmarks need Linux with /proc/self/schedstat, where CPU time is read from")
    if len(available) < 2:
        raise SystemExit("the benchmarks need two CPUs: one for the server under test, one for everything else")
    return {available[0]}, set(available[1:])


def machine() -> str:
    """The processor, how many there are, and the kernel."""
    model = re.search(r"^model name\s*:\s*(.+)$", _read(PROC / "cpuinfo"), re.MULTILINE)
    name = " ".join(model[1].split()) if model else os.uname().machine
    return f"{os.cpu_count()} x {name}, {os.uname().sysname} {os.uname().release.partition('-')[0]}"


def _tasks(pid: int) -> list[Path]:
    try:
        return list((PROC / str(pid) / "task").iterdir())
    except OSError:
        return []  # it ended meanwhile


def _status_mb(pid: int, field: str) -> float:
    found = (re.search(rf"^{field}:\s+(\d+) kB", _read(PROC / str(one) / "status"), re.MULTILINE) for one in tree(pid))
    return sum(int(match[1]) for match in found if match) / 1024


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""  # it ended meanwhile
