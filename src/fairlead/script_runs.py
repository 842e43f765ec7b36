"""How often the scripts of steps ran in this process, for those who look after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter


@dataclass
class ScriptRuns:
    """A count of runs, of those that failed, how long all took together, and when the last one ended."""

    total: int = 0
    failed: int = 0
    seconds: float = 0.0
    last: datetime | None = None

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
