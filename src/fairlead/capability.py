"""The root of a capability file, as written.

naftiko: 1.0.0-alpha2
info: {label: Batches}
binds: [...]
capability: {consumes: [...], exposes: [...]}
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from fairlead.binds import Bind
from fairlead.consumes import Consumes
from fairlead.errors import LoadError, Problem
from fairlead.exposes import Exposes
from fairlead.model import Model, Name, Text
from fairlead.nodes import MappingNode
from fairlead.validation import validate

_VERSION_KEYS: Final = ("naftiko", "ikanos")
_VERSION = re.compile(r"(0\.[45]|1\.0\.0-(alpha|beta)\d+)")


class Stakeholder(Model):
    """Somebody to ask about a capability."""

    role: Text = ""
    full_name: Text = ""
    email: Text = ""


class Info(Model):
    """What a capability is about; the first that it has of label, display, title and name is its label."""

    label: Text = ""
    display: Text = ""
    title: Text = ""
    name: Text = ""
    description: Text = ""
    version: Text = ""
    tags: tuple[Text, ...] = ()
    created: Text = ""
    modified: Text = ""
    stakeholders: tuple[Stakeholder, ...] = ()
    personas: Any = None
    related: Any = None
    notes: Any = None
    icon: Any = None
    featured: Any = None
    pinned: Any = None


class Capability(Model):
    """The APIs that are consumed and what is exposed of them."""

    binds: tuple[Bind, ...] = ()
    consumes: tuple[Consumes, ...] = ()
    exposes: tuple[Exposes, ...] = ()


class CapabilityFile(Model):
    """The root of a document."""

    naftiko: Name | None = None
    ikanos: Name | None = None
    info: Info | None = None
    binds: tuple[Bind, ...] = ()
    capability: Capability | None = None
    consumes: tuple[Consumes, ...] = ()

    @property
    def label(self) -> str:
        """What it is called; empty where nothing says so."""
        info = self.info or Info()
        return info.label or info.display or info.title or info.name

    @property
    def all_binds(self) -> tuple[Bind, ...]:
        return (*self.binds, *(self.capability.binds if self.capability else ()))

    @property
    def all_consumes(self) -> tuple[Consumes, ...]:
        return self.capability.consumes if self.capability else self.consumes

    @property
    def exposes(self) -> tuple[Exposes, ...]:
        return self.capability.exposes if self.capability else ()


def as_capability(root: MappingNode) -> tuple[CapabilityFile, list[Problem]]:
    """The root as a model, and every problem of its form.

    Raises:
        LoadError: No model could be made of it.
    """
    model, problems = validate(CapabilityFile, root)
    problems += _root_problems(root)
    if model is None:
        raise LoadError(problems)
    return model, problems


def _root_problems(root: MappingNode) -> Iterator[Problem]:
    yield from _version_problems(root)
    if sum(key in root for key in ("capability", "consumes")) != 1:
        yield Problem(root.place, "exactly one of `capability` and `consumes` must be there")


def _version_problems(root: MappingNode) -> list[Problem]:
    keys = [key for key in _VERSION_KEYS if key in root]
    if len(keys) != 1:
        return [Problem(root.place, "exactly one of `naftiko` and `ikanos` must give the version of the format")]
    version = root[keys[0]]
    if _VERSION.fullmatch(str(version)):
        return []
    hint = "known: 0.4, 0.5, 1.0.0-alpha*, 1.0.0-beta*"
    return [Problem(root.value_places[keys[0]], f"unknown version {version!r}", hint)]
