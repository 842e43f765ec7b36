"""A WebAssembly program that is given arguments and writes an answer, each time in an instance of its own.

An instance has memory up to a bound, and the little of WASI that we answer. Wasmtime holds it there, and ends it
wherever it is when the epoch of its engine passes, or when it has executed as many instructions as it has fuel.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fairlead.scripts.base import (
    MAX_RESULT,
    Limits,
    MemoryExceeded,
    ScriptFailed,
    StatementsExceeded,
    Stop,
    TimeExceeded,
)
from fairlead.scripts.packages import module
from fairlead.scripts.wasi import Wasi

UNBOUNDED: Final = 2**63
"""More fuel than any run could burn."""


def machine_code(path: Path) -> bytes:
    """The program of a file for this machine; no thread of Wasmtime's works on it, so that a process can fork after."""
    wasmtime = module("wasmtime")
    return bytes(wasmtime.Module.from_file(_engine(wasmtime), str(path)).serialize())


def program(code: bytes) -> Program:
    """A program with an engine of its own, for one thread."""
    wasmtime = module("wasmtime")
    engine = _engine(wasmtime)
    linker = wasmtime.Linker(engine)
    loaded = wasmtime.Module.deserialize(engine, code)
    wasi = Wasi(MAX_RESULT + 2)
    wasi.defined(linker, loaded)
    return Program(wasmtime, engine, loaded, linker, wasi)


def _engine(wasmtime: Any) -> Any:
    config = wasmtime.Config()
    config.epoch_interruption = True
    config.consume_fuel = True
    config.parallel_compilation = False
    return wasmtime.Engine(config)


@dataclass(frozen=True, slots=True)
class Program:
    """A module, the engine it is for, and what it may import; one run at a time."""

    wasmtime: Any
    engine: Any
    module: Any
    linker: Any
    wasi: Wasi

    def run(self, call: str, arguments: Sequence[str], limits: Limits, stop: Stop, fuel: int) -> bytes:
        """What the program writes when that function of it is called; raises `ScriptFailed` where it is cut off."""
        self.wasi.written.clear()
        store = self.wasmtime.Store(self.engine)
        store.set_limits(memory_size=limits.memory)
        store.set_epoch_deadline(1)
        store.set_fuel(fuel)
        try:
            with stop.by(self.engine.increment_epoch):
                self._call(store, call, arguments, limits)
        except self.wasmtime.Trap as trap:
            raise self._failure(trap, limits) from None
        except self.wasmtime.WasmtimeError:
            raise MemoryExceeded(limits) from None
        finally:
            store.close()
        return bytes(self.wasi.written)

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
            case self.wasmtime.TrapCode.OUT_OF_FUEL:
                return StatementsExceeded(limits)
            case self.wasmtime.TrapCode.STACK_OVERFLOW:
                return ScriptFailed("recursed too deeply")
        return ScriptFailed("broke its interpreter")
