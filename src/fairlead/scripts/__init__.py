"""Scripts of documents, each in a sandbox: no file, no network, no environment, and limits of time and memory.

A script sees one variable, `context`, and assigns another, `result`. Both are JSON. Every run begins anew.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from fairlead.errors import did_you_mean
from fairlead.operation import UNSET
from fairlead.scripts.base import (
    Job,
    Language,
    Limits,
    MemoryExceeded,
    ScriptFailed,
    Source,
    StatementsExceeded,
    Stop,
    TimeExceeded,
    UnusableResult,
    value_of,
)
from fairlead.scripts.javascript import JAVASCRIPT
from fairlead.scripts.python import PYTHON

__all__ = [
    "LANGUAGES",
    "Limits",
    "MemoryExceeded",
    "Script",
    "ScriptFailed",
    "Source",
    "StatementsExceeded",
    "TimeExceeded",
    "UnusableResult",
    "prepare",
]

LANGUAGES: Final[Mapping[str, Language]] = {"javascript": JAVASCRIPT, "python": PYTHON}
_NO_SANDBOX: Final = frozenset({"groovy"})
_AT_ONCE: Final = 4
"""Scripts that run at the same time; others wait, and their time does not begin."""
_THREADS: Final = ThreadPoolExecutor(_AT_ONCE, "script")


@dataclass(frozen=True, slots=True)
class Script:
    """A function from a context to a result, `UNSET` where the script assigns none."""

    language: Language
    sources: tuple[Source, ...]

    async def __call__(self, context: Mapping[str, Any], limits: Limits = Limits()) -> Any:  # noqa: B008 frozen
        """Runs the script; a task that is cancelled ends it. Raises `ScriptFailed`."""
        stop = Stop()
        try:
            return await asyncio.get_running_loop().run_in_executor(_THREADS, self._run, context, limits, stop)
        finally:
            stop()

    def _run(self, context: Mapping[str, Any], limits: Limits, stop: Stop) -> Any:
        job = Job(self.sources, json.dumps(context, allow_nan=False), limits, stop)
        with job.timed():
            text = self.language.run(job)
        return UNSET if text is None else value_of(text)


def prepare(language: str, source: Source, dependencies: Sequence[Source] = ()) -> Script:
    """A script that runs after the sources it depends on, in their scope.

    Raises:
        ValueError: The language is none of ours, its package is not installed, or a source cannot be parsed.
    """
    if language in _NO_SANDBOX:
        raise ValueError(f"{language!r} is refused, for there is no sandbox that holds it; known: {_known()}")
    if language not in LANGUAGES:
        raise ValueError(f"unknown language {language!r}; {did_you_mean(language, LANGUAGES)}")
    known = LANGUAGES[language]
    sources = (*dependencies, source)
    for one in sources:
        known.check(one)
    return Script(known, sources)


def _known() -> str:
    return ", ".join(sorted(LANGUAGES))
