"""All that a WebAssembly program may ask of us: what time it is, and that we keep what it writes.

Every other function of WASI is there, as programs cannot start without it, and answers that it is not supported.
Wasmtime has a WASI of its own, which could be told as much, but no process could be forked after it was used.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from fairlead.scripts.base import ScriptFailed

_MODULE: Final = "wasi_snapshot_preview1"
_SUCCESS: Final = 0
_BAD_FILE: Final = 8
_NOT_SUPPORTED: Final = 58
_STANDARD: Final = (1, 2)
"""The standard output and error."""


@dataclass(frozen=True, slots=True)
class Wasi:
    """The functions, and what was written through them: no more than a bound."""

    most: int
    written: bytearray = field(default_factory=bytearray)

    def defined(self, linker: Any, program: Any) -> None:
        """Gives a linker everything that the program imports."""
        for one in program.imports:
            linker.define_func(_MODULE, one.name, one.type, self._function(one.name), access_caller=True)

    def _function(self, name: str) -> Callable[..., int | None]:
        known: dict[str, Callable[..., int | None]] = {
            "clock_time_get": _clock_time_get,
            "environ_get": lambda memory, *given: _SUCCESS,
            "environ_sizes_get": _environ_sizes_get,
            "fd_prestat_get": lambda memory, *given: _BAD_FILE,
            "fd_write": self._fd_write,
            "proc_exit": _proc_exit,
        }
        return partial(_called, known.get(name, lambda memory, *given: _NOT_SUPPORTED))

    def _fd_write(self, memory: _Memory, file: int, buffers: int, count: int, size: int) -> int:
        if file not in _STANDARD:
            return _BAD_FILE
        total = 0
        for place, length in struct.iter_unpack("<II", memory.read(buffers, 8 * count)):
            self.written.extend(memory.read(place, min(length, self.most - len(self.written))))
            total += length
        memory.write(size, struct.pack("<I", total))
        return _SUCCESS


@dataclass(frozen=True, slots=True)
class _Memory:
    """The memory of the caller; its addresses come as signed numbers."""

    memory: Any
    caller: Any

    def read(self, place: int, length: int) -> bytes:
        start = place % (1 << 32)
        return bytes(self.memory.read(self.caller, start, start + length)) if length else b""

    def write(self, place: int, data: bytes) -> None:
        self.memory.write(self.caller, data, place % (1 << 32))


def _called(function: Callable[..., int | None], caller: Any, *given: int) -> int | None:
    return function(_Memory(caller["memory"], caller), *given)


def _clock_time_get(memory: _Memory, clock: int, precision: int, place: int) -> int:
    memory.write(place, struct.pack("<Q", time.time_ns() if clock == 0 else time.monotonic_ns()))
    return _SUCCESS


def _environ_sizes_get(memory: _Memory, count: int, size: int) -> int:
    memory.write(count, bytes(4))
    memory.write(size, bytes(4))
    return _SUCCESS


def _proc_exit(memory: _Memory, status: int) -> None:
    raise ScriptFailed("ended its interpreter")
