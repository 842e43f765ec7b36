"""The values of binds that name where they are.

    binds:
    - namespace: registry
      location: file:///./secrets.yaml
      keys: {REGISTRY_TOKEN: registry-bearer-token}

Files are YAML, JSON, `.env` and `.properties`, by their endings; their top-level keys are the values. In a folder, as
Kubernetes mounts secrets, every file is a value. Where a location cannot be read, which is told, or lacks a key, the
environment variable of the name that `keys` gives it answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from dotenv import dotenv_values
from pydantic import SecretStr

from fairlead import vault
from fairlead.binds import Bind, Environ, given
from fairlead.errors import LoadError, Problem
from fairlead.model import as_text
from fairlead.source import parse

MAX_BYTES: Final = 1024 * 1024
MOUNTS: Final = "/var/run/secrets"
"""Where secrets of Kubernetes are mounted, unless FAIRLEAD_KUBERNETES_SECRETS says otherwise."""
_AT_ONCE: Final = 16

Values = Mapping[str, str]
_Outcome = tuple[Values, str]
"""The values behind a location, or why they cannot be had."""


def with_files(environ: Environ, binds: Iterable[Bind]) -> tuple[Environ, tuple[Problem, ...]]:
    """The variables of the environment and those of all locations that binds name, and what cannot be read."""
    located = [bind for bind in binds if bind.location]
    if not located:
        return environ, ()
    found = dict(environ)
    problems: list[Problem] = []
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        outcomes = list(pool.map(lambda bind: _outcome(bind, environ), located))
    for bind, (values, fault) in zip(located, outcomes, strict=True):
        if fault:
            message = f"location {bind.location!r} {fault}"
            problems.append(Problem(bind.at("location"), message, "the environment is asked instead", "warning"))
        for key, name in bind.keys.items():
            if name in values:
                found[bind.variable(key)] = SecretStr(values[name])
            elif key in environ:
                found[bind.variable(key)] = environ[key]
    return found, tuple(problems)


def _outcome(bind: Bind, environ: Environ) -> _Outcome:
    scheme, separator, _ = bind.location.partition("://")
    read = _SCHEMES.get(scheme.lower()) if separator else None
    if read is None:
        return {}, f"is of no known kind; known: {', '.join(f'{scheme}://' for scheme in sorted(_SCHEMES))}"
    try:
        return read(bind, environ), ""
    except (ValueError, OSError) as fault:
        return {}, _reason(fault)


def _reason(fault: Exception) -> str:
    if isinstance(fault, OSError):
        return f"cannot be read: {fault.strerror}"
    return "is not UTF-8 text" if isinstance(fault, UnicodeDecodeError) else str(fault)


def _filed(bind: Bind, environ: Environ) -> Values:
    if bind.file is None:
        raise ValueError("names no file")
    if bind.file.is_dir():
        return _mounted(bind.file, bind)
    text = _text(bind.file)
    ending = ".env" if bind.file.name.startswith(".env") else bind.file.suffix.lower()
    return _READERS.get(ending, _yaml)(text, bind.file)


def _kubernetes(bind: Bind, environ: Environ) -> Values:
    """The folder of a mounted secret, by its path or by its name below where they all are."""
    path = bind.location.partition("://")[2]
    folder = Path(given(environ, "FAIRLEAD_KUBERNETES_SECRETS") or MOUNTS) / path
    if not path or not folder.is_dir():
        raise ValueError(f"cannot be read: there is no folder {str(folder)!r}")
    return _mounted(folder, bind)


def _mounted(folder: Path, bind: Bind) -> Values:
    """The files that the keys name, without the line break that editors put at the end."""
    paths = {name: folder / name for name in bind.keys.values() if Path(name).name == name}
    texts = {name: _text(path) for name, path in paths.items() if path.is_file()}
    return {name: text.removesuffix("\n").removesuffix("\r") for name, text in texts.items()}


def _from_environment(bind: Bind, environ: Environ) -> Values:
    return {name: given(environ, name) for name in bind.keys.values() if given(environ, name)}


def _from_vault(bind: Bind, environ: Environ) -> Values:
    return _spelt(vault.secrets(bind.location.partition("://")[2], environ))


_SCHEMES: Final[Mapping[str, Callable[[Bind, Environ], Values]]] = {
    "file": _filed,
    "vault": _from_vault,
    "k8s": _kubernetes,
    "kubernetes": _kubernetes,
    "github": _from_environment,
    "github-secrets": _from_environment,
    "env": _from_environment,
}


def _text(path: Path) -> str:
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"is larger than {MAX_BYTES} bytes")
    return path.read_text("utf-8-sig")


def _spelt(values: Mapping[str, Any]) -> Values:
    """Every scalar as it is spelt; lists and mappings are no values."""
    spelt = {name: as_text(value) for name, value in values.items()}
    return {name: value for name, value in spelt.items() if isinstance(value, str)}


def _yaml(text: str, path: Path) -> Values:
    """YAML, of which JSON is a part; every scalar as it is spelt."""
    try:
        values = parse(text.encode(), str(path))
    except LoadError:
        raise ValueError("is no YAML or JSON mapping of keys to values") from None
    return _spelt(values)


def _env(text: str, path: Path) -> Values:
    values = dotenv_values(path, interpolate=False)
    return {name: value for name, value in values.items() if value is not None}


def _properties(text: str, path: Path) -> Values:
    """Properties as Java reads them, but for their encoding; halves of characters are no text."""
    import javaproperties  # noqa: PLC0415 -- brings much with it, for few

    try:
        values = javaproperties.loads(text)
        "".join(values.values()).encode()
    except ValueError:
        raise ValueError("is no file of Java properties: an escape in it stands for no character") from None
    return values


_READERS: Final[Mapping[str, Callable[[str, Path], Values]]] = {".env": _env, ".properties": _properties}
