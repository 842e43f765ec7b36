"""Where everything of one run stands: a folder for its files, and the ports of the two upstreams."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parents[1]
ENVIRONMENTS = HERE / ".env"
APPS = HERE / "apps"


@dataclass(frozen=True)
class Site:
    """`static` is nginx with fixed answers, `live` is our own upstream."""

    folder: Path
    static: int
    live: int
