"""What both ends of digest authentication share (RFC 7616): the hashes, and parameters in headers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from hashlib import new
from typing import Final

ALGORITHMS: Final = {"SHA-256": "sha256", "MD5": "md5"}
"""What the algorithms are called here, the better one first."""
_PART = re.compile(r"""([!#$%&'*+.^`|~\w-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+)))?""", re.ASCII)


def hashed(algorithm: str, *parts: str | bytes) -> str:
    """The hash of the parts, joined by colons."""
    data = b":".join(part.encode() if isinstance(part, str) else part for part in parts)
    return new(ALGORITHMS[algorithm], data, usedforsecurity=False).hexdigest()


def digests(header: str) -> Iterator[Mapping[str, str]]:
    """The parameters of each part of a header that is of digests, for it may list challenges of several schemes."""
    listed: list[tuple[str, dict[str, str]]] = []
    for match in _PART.finditer(header):
        name, quoted, bare = match.groups()
        if quoted is None and bare is None:
            listed.append((name.lower(), {}))
        elif listed:
            value = bare if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
            listed[-1][1].setdefault(name.lower(), value)
    yield from (parameters for scheme, parameters in listed if scheme == "digest")
