"""A WebAssembly program that is given arguments and writes an answer, each time in an instance of its own.

An instance has memory up to a bound, and no functions but those of WASI without a file, an environment or a wait.
Wasmtime holds it there, and ends it wherever it is when the epoch of its engine passes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fairlead.scripts.base import MAX_RESULT, Limits, MemoryExceeded, ScriptFailed, Stop, TimeExceeded
from fairlead.scripts.packages import module

_NOT_SUPPORTED: Final = 58
"""What WASI answers for what there is not."""


def machine_code(path: Path) -> bytes:
    """The program of a file for this machine; no thread of Wasmtime's works on it, so that a process can fork after."""
    wasmtime = module("wasmtime")
    return bytes(wasmtime.Module.from_file(_engine(wasmtime), str(path)).serialize())


def program(code: bytes) -> Program:
    """A program with an engine of its own, for one thread."""
    wasmtime = module("wasmtime")
    engine = _engine(wasmtime)
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    linker.allow_shadowing = True
    i32 = wasmtime.ValType.i32()
    waits = wasmtime.FuncType([i32] * 4, [i32])
    linker.define_func("wasi_snapshot_preview1", "poll_oneoff", waits, lambda *given: _NOT_SUPPORTED)
    return Program(wasmtime, engine, wasmtime.Module.deserialize(engine, code), linker)


def _engine(wasmtime: Any) -> Any:
    config = wasmtime.Config()
    config.epoch_interruption = True
    config.parallel_compilation = False
    return wasmtime.Engine(config)


@dataclass(frozen=True, slots=True)
class Program:
    """A module, the engine it is for, and what it may import; one run at a time."""

    wasmtime: Any
    engine: Any
    module: Any
    linker: Any

    def run(self, call: str, arguments: Sequence[str], limits: Limits, stop: Stop) -> bytes:
        """What the program writes when that function of it is called; raises `ScriptFailed` where it is cut off."""
        output = _Output()
        store = self._store(limits, output)
        try:
            with stop.by(self.engine.increment_epoch):
                self._call(store, call, arguments, limits)
        except self.wasmtime.Trap as trap:
            raise self._failure(trap, limits) from None
        except self.wasmtime.ExitTrap:
            raise ScriptFailed("ended its interpreter") from None
        except self.wasmtime.WasmtimeError:
            raise MemoryExceeded(limits) from None
        finally:
            store.close()
        return bytes(output.written)

    def _store(self, limits: Limits, output: Callable[[bytes], int]) -> Any:
        store = self.wasmtime.Store(self.engine)
        wasi = self.wasmtime.WasiConfig()
        wasi.stdout_custom = output
        wasi.stderr_custom = output
        store.set_wasi(wasi)
        store.set_limits(memory_size=limits.memory)
        store.set_epoch_deadline(1)
        return store

    def _call(self, store: Any, call: str, arguments: Sequence[str], limits: Limits) -> None:
        exports = self.linker.instantiate(store, self.module).exports(store)

        def put(data: bytes) -> int:
            place = int(exports["malloc"](store, len(data))) % (1 << 32)
            if not place:
                raise MemoryExceeded(limits)
            exports["memory"].write(store, data, place)
            return place

        exports["_initialize"](store)
        places = [put(argument.encode() + b"\0") for argument in arguments]
        exports[call](store, len(places), put(struct.pack(f"<{len(places)}I", *places)))

    def _failure(self, trap: Any, limits: Limits) -> ScriptFailed:
        match trap.trap_code:
            case self.wasmtime.TrapCode.INTERRUPT:
                return TimeExceeded(limits)
            case self.wasmtime.TrapCode.STACK_OVERFLOW:
                return ScriptFailed("recursed too deeply")
        return ScriptFailed("broke its interpreter")


class _Output:
    """Keeps what is written, as far as a result may go and a little more."""

    def __init__(self) -> None:
        self.written = bytearray()

    def __call__(self, data: bytes) -> int:
        self.written += data[: MAX_RESULT + 2 - len(self.written)]
        return len(data)
