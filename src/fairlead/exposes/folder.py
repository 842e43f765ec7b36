"""Files of a folder that others may read: which there are, where, and of what kind; never any outside of it."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fairlead.errors import TooLarge

MAX_FILE: Final = 10 * 1024 * 1024
"""Bytes of a file that is read."""
MAX_FILES: Final = 1000
"""How many files of one folder are listed."""
_KINDS: Final = {".md": "text/markdown", ".yaml": "application/yaml", ".yml": "application/yaml"}


def names(root: Path) -> Iterator[str]:
    """The paths of all files below a resolved folder; links that lead out of it are none of them."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(folder) / name
            if _is_open(path, root):
                yield path.relative_to(root).as_posix()


def _is_open(path: Path, root: Path) -> bool:
    """Whether a path is a file, with a name in UTF-8, not hidden, and no link leads out of the folder."""
    name = path.relative_to(root)
    is_hidden = any(part.startswith(".") for part in name.parts)
    is_text = str(name).encode(errors="replace") == os.fsencode(name)
    return not is_hidden and is_text and path.is_file() and path.resolve().is_relative_to(root)


def inside(root: Path, name: str) -> Path | None:
    """The file of that path below a resolved folder, None where there is none or it would be outside."""
    path = root / name
    is_plain = ".." not in path.parts and "\0" not in str(path)
    return path if is_plain and path.is_relative_to(root) and _is_open(path, root) else None


def bounded(path: Path) -> bytes:
    """What is in a file; raises `TooLarge`."""
    if path.stat().st_size > MAX_FILE:
        raise TooLarge(f"the file is larger than {MAX_FILE} bytes")
    return path.read_bytes()


def kind(path: Path) -> str:
    """The media type that a file has by its name."""
    return _KINDS.get(path.suffix.lower()) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
