"""Variables that come from outside a document, and text that refers to them.

    binds:
    - namespace: env
      keys: {TOGETHER_AI_API_KEY: TOGETHER_AI_API_KEY}
    ...
    token: '{{env.TOGETHER_AI_API_KEY}}'

Secrets are `SecretStr` from the moment they are read; nothing here prints them. They come from the environment, a
`.env` file, and what binds name as their `location`; never from an argument or a header.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar

from dotenv import dotenv_values
from pydantic import BeforeValidator, Field, SecretStr

from fairlead.errors import Place, Problem, StartError, Unconfigured, did_you_mean
from fairlead.model import Model, Name, Text
from fairlead.template import Template, parse

Environ = Mapping[str, SecretStr]
_ENVIRONMENT_NAME = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")


def environ(env_file: Path | None = None) -> Environ:
    """The variables of the process, and under them those of a `.env` file where it exists.

    Raises:
        StartError: A file that was named is not there, or cannot be read as UTF-8 text.
    """
    path = env_file or Path(".env")
    if not path.is_file() and (env_file or path.exists()):
        raise StartError(f"there is no file {str(path)!r}")
    try:
        filed = dotenv_values(path, interpolate=False) if path.is_file() else {}
    except (OSError, UnicodeDecodeError):
        raise StartError(f"{str(path)!r} cannot be read as UTF-8 text") from None
    merged = {**{name: value for name, value in filed.items() if value is not None}, **os.environ}
    return {name: SecretStr(value) for name, value in merged.items()}


def _as_keys(value: Any) -> Any:
    """A list of names stands for variables of the same names."""
    return dict(zip(value, value, strict=True)) if isinstance(value, list) else value


def path_of(location: str, folder: Path) -> Path | None:
    """The path behind a `file://` location, in the folder where it is relative; None where it is none."""
    scheme, _, rest = location.partition("://")
    if scheme.lower() != "file" or not rest:
        return None
    relative = rest.startswith((".", "/.")) or not rest.startswith("/")
    return folder / (rest.lstrip("/") if relative else rest)


_Keys = Annotated[dict[str, Name], BeforeValidator(_as_keys, json_schema_input_type=dict[str, Name] | list[str])]


class Bind(Model):
    """Names for variables of the environment, or for the keys of a file, under a namespace.

    What the first versions also said, `type` and `resolution`, follows from the location.
    """

    spellings: ClassVar[Mapping[str, str]] = {"name": "namespace", "uri": "location"}

    namespace: Name
    keys: Annotated[dict[str, Name], BeforeValidator(_as_keys, json_schema_input_type=dict[str, Name] | list[str])] = (
        Field(default_factory=dict)
    )
    description: Text = ""
    location: Text = ""
    type: Text = ""
    resolution: Text = ""

    @property
    def file(self) -> Path | None:
        """The file behind a `file://` location, relative to the document's folder, or else, where it is not there, to
        the current one; None where there is none.
        """
        folders = (Path(self.at().file).parent, Path())
        paths = [path for folder in folders if (path := path_of(self.location, folder))]
        return next((path for path in paths if path.exists()), paths[0] if paths else None)

    def variable(self, key: str) -> str:
        """What is looked up for a key: a variable of the environment, or `<location>#<key in it>`."""
        return f"{self.file or self.location}#{self.keys[key]}" if self.location else self.keys[key]


@dataclass(frozen=True)
class Value:
    """A text of a document whose `{{placeholders}}` are variables; knows where it stands."""

    template: Template = field(repr=False)
    place: Place
    bindings: Bindings = field(repr=False)

    @cached_property
    def variables(self) -> dict[str, str]:
        """The environment variable behind each placeholder."""
        return {hole: self.bindings.variable(hole) for hole in self.template.holes}

    def missing(self, environ: Environ) -> tuple[str, ...]:
        """The names of the variables that are not set, or are empty."""
        return tuple(name for name in self.variables.values() if not given(environ, name))

    def undeclared(self) -> Iterator[Problem]:
        """A warning for each variable that no bind lists; the environment answers all the same."""
        keys = [key for bind in self.bindings.binds for key in bind.keys]
        for hole, variable in self.variables.items():
            if not self.bindings.declares(hole):
                near = did_you_mean(hole.rpartition(".")[2], keys)
                used = f"the environment variable {variable} is used"
                hint = f"{near} {used}" if near.startswith("did") else used
                yield Problem(self.place, f"{hole!r} is not listed in `binds`", hint, "warning")

    def reveal(self, environ: Environ) -> str:
        """The text with all variables in it; raises `Unconfigured` that names the first missing one."""
        for name in self.missing(environ):
            detail = f"{name} is not set; {self.bindings.capability!r} needs it ({self.place.short})"
            raise Unconfigured(detail, {"variable": name})
        return self.template.fill(lambda hole: environ[self.variables[hole]].get_secret_value())


def given(environ: Environ, name: str) -> str:
    """The value of a variable; empty where it is not set."""
    return environ[name].get_secret_value() if name in environ else ""


@dataclass(frozen=True)
class Bindings:
    """What the placeholders of one document refer to."""

    binds: tuple[Bind, ...] = ()
    capability: str = ""
    faults: tuple[Problem, ...] = ()
    """The errors of form in the binds: nobody knows what a variable means."""

    def value(self, text: str, place: Place, *, single: bool = False) -> Value:
        """The text as a value that can be revealed once the environment is known."""
        return Value(parse(text, single=single), place, self)

    def variable(self, reference: str) -> str:
        """The environment variable behind `env.NAME` or `NAME`; the name itself where no bind lists it."""
        namespace, _, key = reference.rpartition(".")
        return next(self._keys(namespace, key), key)

    def declares(self, reference: str) -> bool:
        """Whether a bind lists the reference."""
        namespace, _, key = reference.rpartition(".")
        return next(self._keys(namespace, key), None) is not None

    def looks_like_variable(self, reference: str) -> bool:
        """Whether the reference is spelt as a variable of the environment is, so that no input can be meant."""
        return self.names_variable(reference) or _ENVIRONMENT_NAME.fullmatch(reference) is not None

    def names_variable(self, reference: str) -> bool:
        """Whether the reference can only mean a variable: a bind lists it, or it names a bind's namespace."""
        namespace = reference.rpartition(".")[0]
        return self.declares(reference) or namespace in ("env", "bind", *(bind.namespace for bind in self.binds))

    def _keys(self, namespace: str, key: str) -> Iterator[str]:
        """What the key is in the binds of the namespace, or of any; of several that list it the last counts."""
        scoped = (bind for bind in reversed(self.binds) if namespace in ("", bind.namespace))
        return (bind.variable(key) for bind in scoped if key in bind.keys)
