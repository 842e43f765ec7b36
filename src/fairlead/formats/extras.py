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


def schema_file(schema: str, folder: Path, kind: str) -> Path:
    """The file that an `outputSchema` names; raises `ValueError` where there is none inside of the folder."""
    if not schema:
        raise ValueError(f"they need an 'outputSchema', the path of {kind}")
    path = (folder / schema).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ValueError(f"{schema!r} is outside the document's folder")
    if not path.is_file() or path.stat().st_size > MAX_SCHEMA:
        raise ValueError(f"{schema!r} is no file of at most {MAX_SCHEMA} bytes")
    return path
