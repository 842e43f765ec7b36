"""Memory that is freed stays at hand, and garbage is not looked for while documents are loaded."""

from __future__ import annotations

import gc
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from fairlead.errors import LoadError
from fairlead.load import load_all
from fairlead.memory import building, keep_freed

needs_glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told anything")

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


@needs_glibc
def test_large_buffers_do_not_fault_in_their_pages_again_and_again() -> None:
    assert faults("kept") * 3 < faults()


@needs_glibc
def test_what_the_operator_has_set_is_left_as_it_is() -> None:
    assert keep_freed({}) == ["MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"]
    assert keep_freed({"MALLOC_TRIM_THRESHOLD_": "1"}) == ["MALLOC_MMAP_THRESHOLD_"]
    assert keep_freed({"GLIBC_TUNABLES": "glibc.malloc.trim_threshold=1"}) == []


def test_garbage_is_looked_for_again_after_loading_even_where_that_fails(tmp_path: Path) -> None:
    assert gc.isenabled()
    with pytest.raises(LoadError):
        load_all([tmp_path / "missing.yaml"])
    assert gc.isenabled()


def test_garbage_is_not_looked_for_while_something_is_built() -> None:
    with building():
        assert not gc.isenabled()
        with building():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
