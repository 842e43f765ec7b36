"""How often the scripts of steps ran in this process, and what its operator has changed of how they run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import perf_counter

from fairlead.steps import Scripting


@dataclass
class ScriptRuns:
    """A count of runs, of those that failed, how long all took together, and when the last one ended."""

    total: int = 0
    failed: int = 0
    seconds: float = 0.0
    last: datetime | None = None
    _changed: dict[int, tuple[Scripting, Scripting]] = field(default_factory=dict)
    """What was written and what holds instead, by the identity of the former."""

    def now(self, written: Scripting) -> Scripting:
        """How the scripts of a document run now."""
        return self._changed[id(written)][1] if id(written) in self._changed else written

    def change(self, written: Scripting, now: Scripting) -> None:
        """From now on they run so; a run that has begun goes on as it did."""
        self._changed[id(written)] = (written, now)

    @contextmanager
    def one(self) -> Iterator[None]:
        """Counts one run, which fails where it raises."""
        started = perf_counter()
        self.failed += 1
        try:
            yield
            self.failed -= 1
        finally:
            self.total += 1
            self.seconds += perf_counter() - started
            self.last = datetime.now(UTC)
