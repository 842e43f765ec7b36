"""Python: Monty, an interpreter of a part of the language that has no way out, in a process of its own for each run.

The process has an empty environment and nothing open but its pipe. It is killed when its time is over, and ends by
itself where nobody is left to kill it.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Final

from fairlead.scripts.base import (
    FOR_CHECKS,
    MAX_RESULT,
    Job,
    Language,
    Limits,
    MemoryExceeded,
    ScriptFailed,
    Source,
    Stop,
    TimeExceeded,
    UnusableResult,
    at,
)
from fairlead.scripts.packages import file

_PROGRAM: Final = """\
import json
scope = {{"context": json.loads({context}), "print": lambda *given, **options: None}}
{sources}
try:
    print("=" + json.dumps(scope["result"], allow_nan=False) if "result" in scope else "-")
except (TypeError, ValueError, RecursionError) as error:
    print("?cannot be told as JSON: " + str(error))
"""
_FIRST_SOURCE: Final = 3
"""The line of the program that runs the first source."""
_STOPPER: Final = "raise StopIteration\n"
_SOURCE: Final = re.compile(r"line (\d+), in <module>")
_LINE: Final = re.compile(r'<string>"?, line (\d+)')
_FULL: Final = re.compile(r"\A\s*monty worker: allocation of \d+ bytes exceeds the memory limit")
_PLACE: Final = re.compile(r" \(<string>, line \d+\)$")


def check(source: Source) -> None:
    """Raises `ValueError` for what is not of our part of Python. The line before it keeps it from being run."""
    job = Job((Source(source.name, _STOPPER + source.text),), "null", FOR_CHECKS, Stop())
    with job.timed():
        text = _output(job)
    message = _message(text)
    if message != "StopIteration":
        line = _LINE.search(text)
        raise ValueError(at(source, line and str(int(line[1]) - 1), message))


def run(job: Job) -> bytes | None:
    """The result of a job in JSON."""
    output = _output(job)
    answer = output.partition("\n")[0]
    match answer[:1]:
        case "=":
            return answer[1:].encode()
        case "-":
            return None
        case "?":
            raise UnusableResult(answer[1:])
    raise _failure(job, output)


PYTHON: Final = Language(check, run, counts=False)


def _output(job: Job) -> str:
    """What the interpreter writes: the answer of the program, or what became of it."""
    sources = "\n".join(f"exec({source.text!a}, scope)" for source in job.sources)
    with TemporaryDirectory(prefix="fairlead-") as folder:
        path = Path(folder, "program.py")
        path.write_text(_PROGRAM.format(context=ascii(job.context), sources=sources), "ascii")
        with _started(path, job.limits) as (process, written), job.stop.by(process.kill):
            return written.read(MAX_RESULT + 4096).decode(errors="replace")


@contextmanager
def _started(path: Path, limits: Limits) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
    bounds = ["--max-memory", str(limits.memory), "--max-feed-duration", str(limits.seconds + 1), "--max-sleep", "0"]
    command = [str(_interpreter()), *bounds, str(path)]
    with subprocess.Popen(  # noqa: S603 the program is the package's own
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=path.parent,
        env={},
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        try:
            _bound(process.pid, limits)
            yield process, process.stdout
        finally:
            process.kill()


def _bound(pid: int, limits: Limits) -> None:
    """A second bound of memory, the system's, above the interpreter's own."""
    if sys.platform == "linux":
        import resource  # noqa: PLC0415 not every system has it

        most = 2 * limits.memory + 256 * 1024 * 1024
        with suppress(OSError, ValueError):  # the system may have a lower one, or let nobody set it
            resource.prlimit(pid, resource.RLIMIT_DATA, (most, most))


def _failure(job: Job, output: str) -> ScriptFailed:
    message = _message(output)
    if job.stop.is_set:
        return TimeExceeded(job.limits)
    if message.startswith("MemoryError: memory limit exceeded") or _FULL.search(output):
        return MemoryExceeded(job.limits)
    source, line = _SOURCE.search(output), _LINE.search(output)
    if not source:
        return ScriptFailed(message)
    return ScriptFailed(at(job.sources[int(source[1]) - _FIRST_SOURCE], line and line[1], message))


def _message(output: str) -> str:
    """What the interpreter says of an error, without its frames."""
    _, told, text = output.partition("error:")
    if not told:
        return "broke its interpreter"
    lines = [line for line in text.splitlines() if not line.startswith("  ")]
    said = "\n".join(line for line in lines if line.strip() != "Traceback (most recent call last):").strip()
    return _PLACE.sub("", said)


@cache
def _interpreter() -> Path:
    return file("pydantic-monty-runtime", "monty", "monty.exe")
