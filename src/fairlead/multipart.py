"""Bodies of `multipart/form-data` (RFC 7578)."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from fairlead.errors import ArgumentError

_ESCAPES = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a form; a file where it has a file name."""

    name: str
    value: str
    filename: str = ""
    media_type: str = ""

    def encoded(self) -> bytes:
        """Its headers, a blank line and its value."""
        name = f'form-data; name="{self.name.translate(_ESCAPES)}"'
        file = f'; filename="{self.filename.translate(_ESCAPES)}"' if self.filename else ""
        media = self.media_type or ("application/octet-stream" if self.filename else "")
        if any(ord(char) < 32 or ord(char) > 126 for char in media):
            raise ArgumentError(f"the media type of the part {self.name!r} holds characters that a header cannot")
        typed = f"Content-Type: {media}\r\n" if media else ""
        return f"Content-Disposition: {name}{file}\r\n{typed}\r\n{self.value}".encode()


def multipart(parts: Iterable[Part]) -> tuple[bytes, str]:
    """The body, and its media type with the boundary, which no value can foresee."""
    boundary = secrets.token_hex(16)
    encoded = b"".join(b"--%s\r\n%s\r\n" % (boundary.encode(), part.encoded()) for part in parts)
    return encoded + b"--%s--\r\n" % boundary.encode(), f"multipart/form-data; boundary={boundary}"
