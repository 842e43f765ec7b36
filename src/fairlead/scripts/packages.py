"""The packages that the extra `scripts` installs: modules, and files that are no modules."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any


def module(name: str) -> Any:
    """A module; raises `ValueError` that says how to install it."""
    try:
        return import_module(name)
    except ImportError:
        raise _missing() from None


def file(package: str, *names: str) -> Path:
    """The file of a package that has one of those names; raises `ValueError` that says how to install it."""
    try:
        found = [one for one in files(package) or () if one.name in names]
    except PackageNotFoundError:
        raise _missing() from None
    if not found:
        raise _missing()
    return Path(str(found[0].locate())).resolve()


def _missing() -> ValueError:
    return ValueError("the packages for scripts are not installed; pip install 'fairlead[scripts]'")
