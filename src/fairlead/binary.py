"""What a document declares of answers that pass through: their media type, and how large they may be.

- {name: photo, outputRawFormat: binary, outputMediaType: image/png, maxBinarySize: 5MiB}
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final

from fairlead.errors import UpstreamFailed
from fairlead.operation import NOTHING, Forwarded, Run
from fairlead.response import Arguments, Body, Result

_SIZE: Final = re.compile(r"(\d{1,12}(?:\.\d{1,12})?)\s*(B|KiB|MiB|GiB)?")
_UNITS: Final = {None: 1, "B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}


def as_size(text: str) -> int:
    """The bytes in a size as it is written; raises `ValueError` where it is none."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError("must be a size, as 512KiB or 10MiB")
    return int(float(match[1]) * _UNITS[match[2]])


@dataclass(frozen=True, slots=True)
class Declared:
    """An operation whose successful answers have the declared media type, and break off where they are too large."""

    run: Run
    media_type: str
    max_bytes: int | None

    async def __call__(self, arguments: Arguments, forwarded: Forwarded = NOTHING) -> Result:
        result = await self.run(arguments, forwarded)
        if not result.is_success:
            return result
        headers, body = result.headers, result.body
        if self.media_type:
            others = (pair for pair in headers if pair[0] != "content-type")
            headers = (*others, ("content-type", self.media_type))
        if self.max_bytes is not None:
            body = _Bounded(body, self.max_bytes)
            length = result.header("content-length")
            if length.isdigit() and int(length) > self.max_bytes:
                await body.close()
                raise body.excess
        return Result(result.status, headers, body)


@dataclass(frozen=True, slots=True)
class _Bounded:
    """A body that is given up where it turns out to be too large."""

    body: Body
    max_bytes: int

    @property
    def excess(self) -> UpstreamFailed:
        return UpstreamFailed(f"the upstream's answer is larger than the {self.max_bytes} bytes of 'maxBinarySize'")

    async def relay(self) -> AsyncGenerator[bytes]:
        size = 0
        chunks = self.body.relay()
        try:
            async for chunk in chunks:
                size += len(chunk)
                if size > self.max_bytes:
                    raise self.excess
                yield chunk
        finally:
            await chunks.aclose()

    async def read(self) -> bytes:
        data = await self.body.read()
        if len(data) > self.max_bytes:
            raise self.excess
        return data

    async def close(self) -> None:
        await self.body.close()
