"""JavaScript: QuickJS-NG, compiled to WebAssembly. Each run has an interpreter of its own."""

from __future__ import annotations

import json
import re
import threading
from functools import cache
from importlib.resources import files
from typing import Any, Final

from fairlead.jsontext import loads
from fairlead.scripts.base import (
    FOR_CHECKS,
    Job,
    Language,
    MemoryExceeded,
    ScriptFailed,
    Source,
    Stop,
    UnusableResult,
    at,
)
from fairlead.scripts.packages import file
from fairlead.scripts.wasm import UNBOUNDED, Program, machine_code, program

_TOP_LEVEL: Final = re.compile(r"(?:<eval> \(|at )<evalScript>:(\d+)")
"""The frame of a stack that is in the source itself, and not in a function of an earlier one."""
_FUEL_OF_STATEMENT: Final = 2_000
"""What a statement may take on average, in instructions of the interpreter; simple ones take some hundred."""
_FUEL_TO_START: Final = 10_000_000
_FUEL_OF_BYTE: Final = 300
"""What is free: to start the interpreter, and to read a byte of the context or of a source."""
_FULL: Final = "InternalError: out of memory"


def check(source: Source) -> None:
    """Raises `ValueError` for what is no JavaScript. What stands first keeps the rest from being run."""
    job = Job((Source(source.name, f"throw null;{source.text}"),), "null", FOR_CHECKS, Stop())
    try:
        with job.timed():
            _run(job, program(_machine_code()))
    except ScriptFailed as failed:
        if str(failed) != at(source, None, "threw null"):
            raise ValueError(str(failed)) from None


def run(job: Job) -> bytes | None:
    """The result of a job in JSON."""
    return _run(job, _program())


JAVASCRIPT: Final = Language(check, run, counts=True)


def _run(job: Job, interpreter: Program) -> bytes | None:
    sources = json.dumps([source.text for source in job.sources])
    arguments = ("qjs", "--std", "-e", _job(), job.context, sources)
    fuel = _fuel(job.limits.statements, sum(map(len, arguments)))
    return _result(job, interpreter.run("qjs_init_argv", arguments, job.limits, job.stop, fuel))


def _fuel(statements: int | None, read: int) -> int:
    if statements is None:
        return UNBOUNDED
    return min(UNBOUNDED, statements * _FUEL_OF_STATEMENT + read * _FUEL_OF_BYTE + _FUEL_TO_START)


def _result(job: Job, output: bytes) -> bytes | None:
    """What the first letter of the output says."""
    text = output[1:]
    match output[:1]:
        case b"=":
            return text
        case b"-":
            return None
        case b"?":
            raise UnusableResult(text.decode(errors="replace"))
        case b"!":
            raise _failure(job, loads(text.decode()))
    raise MemoryExceeded(job.limits) if _FULL.encode() in output else ScriptFailed("broke its interpreter")


def _failure(job: Job, told: dict[str, Any]) -> ScriptFailed:
    if told["message"] == _FULL:
        return MemoryExceeded(job.limits)
    line = _TOP_LEVEL.search(told["stack"])
    return ScriptFailed(at(job.sources[told["source"]], line and line[1], told["message"]))


class _Thread(threading.local):
    """What a thread that runs scripts keeps from run to run."""

    program: Program | None = None


_THREAD: Final = _Thread()


def _program() -> Program:
    if _THREAD.program is None:
        _THREAD.program = program(_machine_code())
    return _THREAD.program


@cache
def _machine_code() -> bytes:
    return machine_code(file("qjs-wasi-reactor.wasm", "qjs-wasi-reactor.wasm"))


@cache
def _job() -> str:
    return files("fairlead.scripts").joinpath("job.js").read_text("utf-8")
