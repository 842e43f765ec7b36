"""Scripts of steps: which files they are, in which language, and whether they may run.

    - {type: script, name: rank, language: python, location: 'file:///./scripts', file: rank.py}

A location is a folder; `file:///./x` and `file://x` are below that of the document. Files never lie outside of it.
"""

from __future__ import annotations

from pathlib import Path

from fairlead.binds import path_of
from fairlead.scripts import LANGUAGES, Script, Source, prepare
from fairlead.steps import Scripting, ScriptStep

_LARGEST = 1024 * 1024
"""Bytes of a script."""


def scripted(step: ScriptStep, scripting: Scripting | None) -> tuple[str, Script, Scripting]:
    """The language, the script and how it runs; raises `ValueError` that says why it cannot be run."""
    if scripting is None or not scripting.enabled:
        raise ValueError("is a script, which neither a control adapter with `scripting` nor --scripts permits")
    language = step.language or scripting.default_language
    location = step.location or scripting.default_location
    for name, value in (("file", step.file), ("language", language), ("location", location)):
        if not value:
            raise ValueError(f"has no {name!r}")
    if language not in (scripting.allowed_languages or LANGUAGES):
        known = ", ".join(sorted(scripting.allowed_languages or LANGUAGES))
        raise ValueError(f"is in {language!r}, which is not allowed; allowed: {known}")
    folder = path_of(location, Path(step.at().file).parent)
    if folder is None:
        raise ValueError(f"has the location {location!r}, which is no file:// folder")
    source, *dependencies = (_read(folder, name) for name in (step.file, *step.dependencies))
    return language, prepare(language, source, dependencies), scripting


def _read(folder: Path, name: str) -> Source:
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"has a file {name!r} outside of its location")
    try:
        data = path.read_bytes() if path.stat().st_size <= _LARGEST else None
    except OSError:
        raise ValueError(f"has no file {name!r} in its location") from None
    if data is None:
        raise ValueError(f"has a file {name!r} of more than {_LARGEST} bytes")
    try:
        return Source(name, data.decode())
    except UnicodeDecodeError:
        raise ValueError(f"has a file {name!r} that is not UTF-8 text") from None
