"""What the upstreams answer, and what has to arrive."""

from __future__ import annotations

import json
from typing import Any, Final

Json = Any


def _batch(number: int) -> dict[str, Json]:
    return {
        "id": f"batch_{number:05}",
        "object": "batch",
        "endpoint": "/v1/chat/completions",
        "status": "completed" if number % 3 else "in_progress",
        "created_at": 1767225600 + number,
        "request_counts": {"total": 1000 + number, "completed": 990, "failed": number % 7},
        "metadata": {"customer": f"customer-{number % 17}", "note": "größer als zuvor, ok"},
    }


def encoded(value: Json) -> bytes:
    """Compact JSON, as APIs send it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def documents(size: int) -> dict[str, Json]:
    """A list of batches that is about `size` bytes long as JSON."""
    length = len(encoded(_batch(0))) + 1
    return {"object": "list", "data": [_batch(number) for number in range(max(1, round(size / length)))]}


SMALL: Final = {"object": "wrapped", "data": documents(1000)}
LARGE: Final = documents(1_000_000)
LARGE_IDS: Final = [batch["id"] for batch in LARGE["data"]]
LARGE_LISTED: Final = [
    {"batch": batch["id"], "state": batch["status"], "done": batch["request_counts"]["completed"]}
    for batch in LARGE["data"]
]
SLOW: Final = {"waited": True}
DOWNLOAD_BYTES: Final = 100_000_000
DELAY: Final = 0.05
"""Seconds that the slow upstream takes."""
INTERVAL: Final = 0.01
"""Seconds between two events of one stream."""
