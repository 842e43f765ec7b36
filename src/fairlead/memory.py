"""Memory: what is loaded stays, and what is freed while requests are served is soon wanted again."""

from __future__ import annotations

import ctypes
import gc
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

_TUNABLES: Final = "GLIBC_TUNABLES"
_OPTIONS: Final = {
    "MALLOC_MMAP_THRESHOLD_": (-3, 16 * 1024 * 1024),
    "MALLOC_TRIM_THRESHOLD_": (-1, 64 * 1024 * 1024),
}
"""For each variable that glibc reads, the number that `mallopt` has for it, and the bytes that are set."""


@contextmanager
def building() -> Iterator[None]:
    """Has garbage collection wait while much is built that stays, and is looked at again and again for nothing."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def settle() -> None:
    """Takes what is loaded out of the reach of garbage collection, and has it look less often at what comes after.

    Buffers of bodies come and go, and are not given back to the system each time, for it takes long to get their pages
    again: up to 64 MB are kept, by the C library of most Linux systems.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    keep_freed(os.environ)


def keep_freed(environ: Mapping[str, str]) -> list[str]:
    """Sets what the operator has not set by variables of the environment, and says which."""
    if platform.libc_ver()[0] != "glibc" or "glibc.malloc." in environ.get(_TUNABLES, ""):
        return []
    unset = [name for name in _OPTIONS if name not in environ]
    mallopt = ctypes.CDLL(None).mallopt
    return [name for name in unset if mallopt(*_OPTIONS[name])]
