"""What formats with schemas of their own need: a package that is an extra, and a file in the document's folder."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, Final

from fairlead.formats.base import MIB

MAX_SCHEMA: Final = MIB


def extra(module: str, name: str) -> Any:
    """A module of an extra; raises `ValueError` that says how to install it."""
    try:
        return import_module(module)
    except ImportError:
        raise ValueError(f"the package for them is not installed; pip install 'fairlead[{name}]'") from None


def schema_file(schema: str, folder: Path, kind: str) -> tuple[Path, Path]:
    """The file that an `outputSchema` names, and the folder where it is: the document's, or else the current one.

    Raises:
        ValueError: There is none inside of them.
    """
    if not schema:
        raise ValueError(f"they need an 'outputSchema', the path of {kind}")
    roots = dict.fromkeys((folder.resolve(), Path.cwd().resolve()))
    inside = [(path, root) for root in roots if (path := (root / schema).resolve()).is_relative_to(root)]
    if not inside:
        raise ValueError(f"{schema!r} is outside the document's folder")
    for path, root in inside:
        if path.is_file() and path.stat().st_size <= MAX_SCHEMA:
            return path, root
    raise ValueError(f"{schema!r} is no file of at most {MAX_SCHEMA} bytes")
