"""How long an exchange with an upstream may take, and how much of it may be held."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of every exchange with an upstream; times in seconds, sizes in bytes.

    `connect` bounds the wait for a free connection and the making of one; `read` each wait for more bytes to come or
    go. `total` bounds all that passes before the response's headers are there, but for the time of a streamed upload,
    and then the reading of a body that is read whole, not the relaying of a stream.
    """

    connect: float = 5.0
    read: float = 30.0
    total: float = 60.0
    connections: int = 100
    body: int = 10 * 1024 * 1024
    idle: float = 30.0
