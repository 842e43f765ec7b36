"""The grammar that both directions share (RFC 9110, 5.5 and 5.6.2), as regular expressions that never backtrack."""

from __future__ import annotations

from typing import Final

TOKEN: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]++"  # noqa: S105 -- a pattern
TEXT: Final = r"[\t\x20-\x7e\x80-\xff]"
FIELD: Final = rf"{TOKEN}:{TEXT}*+"


class Malformed(Exception):
    """Bytes that no strict reading allows; the connection they came on is of no more use."""
