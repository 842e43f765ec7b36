"""The values of binds that name a file.

    binds:
    - namespace: registry
      location: file:///./secrets.yaml
      keys: {REGISTRY_TOKEN: registry-bearer-token}

YAML, JSON, `.env` and `.properties` files are read, by their endings; their top-level keys are the values. Where a file
cannot be read, which is told, or lacks a key, the environment variable of the name that `keys` gives it answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from dotenv import dotenv_values
from pydantic import SecretStr

from fairlead.binds import Bind, Environ
from fairlead.errors import LoadError, Problem
from fairlead.model import as_text
from fairlead.source import parse

MAX_BYTES: Final = 1024 * 1024


def with_files(environ: Environ, binds: Iterable[Bind]) -> tuple[Environ, tuple[Problem, ...]]:
    """The variables of the environment and those of all files that binds name, and what cannot be read."""
    found = dict(environ)
    problems: list[Problem] = []
    for bind in binds:
        if not bind.location:
            continue
        values: Mapping[str, str] = {}
        try:
            values = _values(bind)
        except (ValueError, OSError) as fault:
            message = f"location {bind.location!r} {_reason(fault)}"
            problems.append(Problem(bind.at("location"), message, "the environment is asked instead", "warning"))
        for key, name in bind.keys.items():
            if name in values:
                found[bind.variable(key)] = SecretStr(values[name])
            elif key in environ:
                found[bind.variable(key)] = environ[key]
    return found, tuple(problems)


def _reason(fault: Exception) -> str:
    if isinstance(fault, OSError):
        return f"cannot be read: {fault.strerror}"
    return "is not UTF-8 text" if isinstance(fault, UnicodeDecodeError) else str(fault)


def _values(bind: Bind) -> Mapping[str, str]:
    path = bind.file
    if path is None:
        raise ValueError("is no file:// location, and no other is supported by this version")
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"is larger than {MAX_BYTES} bytes")
    text = path.read_text("utf-8-sig")
    reader = _READERS.get(".env" if path.name.startswith(".env") else path.suffix.lower(), _yaml)
    return reader(text, path)


def _yaml(text: str, path: Path) -> dict[str, str]:
    """YAML, of which JSON is a part; every scalar as it is spelt."""
    try:
        values = parse(text.encode(), str(path))
    except LoadError:
        raise ValueError("is no YAML or JSON mapping of keys to values") from None
    spelt = {name: as_text(value) for name, value in values.items()}
    return {name: value for name, value in spelt.items() if isinstance(value, str)}


def _env(text: str, path: Path) -> dict[str, str]:
    values = dotenv_values(path, interpolate=False)
    return {name: value for name, value in values.items() if value is not None}


def _properties(text: str, path: Path) -> dict[str, str]:
    """Java properties: `key=value` or `key: value`, comments with `#` and `!`."""
    values = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        if not line.startswith(("#", "!")):
            at = min((index for index in (line.find("="), line.find(":")) if index >= 0), default=len(line))
            values[line[:at].strip()] = line[at + 1 :].strip()
    return values


_READERS: Final[Mapping[str, Callable[[str, Path], Mapping[str, Any]]]] = {".env": _env, ".properties": _properties}
