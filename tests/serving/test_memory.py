"""Memory that is freed stays at hand: the system is not asked for it again and again."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from fairlead.memory import keep_freed

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told anything")

FAULTS = """
import resource, sys
from fairlead.memory import keep_freed
if sys.argv[1:]:
    keep_freed({})
for _ in range(20):
    bodies = [bytes(1_000_000).replace(b"a", b"b") for _ in range(30)]
    del bodies
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
"""


def faults(*arguments: str) -> int:
    ran = subprocess.run(
        [sys.executable, "-c", FAULTS, *arguments], check=True, capture_output=True, text=True, timeout=60, env={}
    )
    return int(ran.stdout)


def test_large_buffers_do_not_fault_in_their_pages_again_and_again() -> None:
    assert faults("kept") * 3 < faults()


def test_what_the_operator_has_set_is_left_as_it_is() -> None:
    assert keep_freed({}) == ["MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"]
    assert keep_freed({"MALLOC_TRIM_THRESHOLD_": "1"}) == ["MALLOC_MMAP_THRESHOLD_"]
    assert keep_freed({"GLIBC_TUNABLES": "glibc.malloc.trim_threshold=1"}) == []
