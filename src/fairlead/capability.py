"""The root of a capability file, as written.

naftiko: 1.0.0-alpha2
info: {label: Batches}
binds: [...]
capability: {consumes: [...], exposes: [...]}
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Final

from pydantic import Discriminator, Field, Tag

from fairlead.aggregates import Aggregate, Aggregates
from fairlead.binds import Bind
from fairlead.consumes import Consumes
from fairlead.dialect import rewritten
from fairlead.errors import LoadError, Problem, Severity
from fairlead.exposes import Exposes
from fairlead.imported import Imported, in_place
from fairlead.model import Model, Text
from fairlead.nodes import MappingNode
from fairlead.validation import validate

Binds = Annotated[Annotated[Bind, Tag("<here>")] | Annotated[Imported, Tag("<import>")], Discriminator(in_place)]
_VERSION_KEYS: Final = ("naftiko", "ikanos")
_CONTENT: Final = ("capability", "consumes", "exposes", "aggregates", "binds")
_VERSION = re.compile(r"(0\.[45]|1\.0\.0-(alpha|beta)\d+)")


class Info(Model):
    """What a capability is about; the first that it has of label, display, title and name is its label.

    All else is for readers and catalogues, in whatever form.
    """

    unknown_keys: ClassVar[Severity | None] = "warning"

    label: Text = ""
    display: Text = ""
    title: Text = ""
    name: Text = ""
    description: Any = None
    version: Text = ""
    tags: Any = None
    created: Any = None
    modified: Any = None
    stakeholders: Any = None
    personas: Any = None
    related: Any = None
    notes: Any = None
    icon: Any = None
    featured: Any = None
    pinned: Any = None


class Capability(Model):
    """The APIs that are consumed and what is exposed of them."""

    unknown_keys: ClassVar[Severity | None] = "warning"

    binds: tuple[Binds, ...] = ()
    consumes: tuple[Consumes, ...] = ()
    aggregates: tuple[Aggregates, ...] = ()
    exposes: tuple[Exposes, ...] = ()


class CapabilityFile(Model):
    """The root of a document."""

    unknown_keys: ClassVar[Severity | None] = "warning"

    naftiko: Any = None
    ikanos: Any = None
    info: Info | None = None
    binds: tuple[Binds, ...] = ()
    capability: Capability | None = None
    consumes: tuple[Consumes, ...] = ()
    exposes_alone: tuple[Exposes, ...] = Field(default=(), alias="exposes")
    aggregates: tuple[Aggregates, ...] = ()

    @property
    def label(self) -> str:
        """What it is called; empty where nothing says so."""
        info = self.info or Info()
        return info.label or info.display or info.title or info.name

    @property
    def version(self) -> str:
        """The version of the format."""
        said = self.naftiko if self.naftiko is not None else self.ikanos
        return "" if said is None else str(said)

    @property
    def all_binds(self) -> tuple[Bind, ...]:
        """Its binds, once their imports are resolved."""
        listed = (*self.binds, *(self.capability.binds if self.capability else ()))
        return tuple(one for one in listed if isinstance(one, Bind))

    @property
    def bind_faults(self) -> tuple[Problem, ...]:
        """The errors of form in its binds."""
        return (*self.faults("binds"), *(self.capability.faults("binds") if self.capability else ()))

    @property
    def all_consumes(self) -> tuple[Consumes, ...]:
        return self.capability.consumes if self.capability else self.consumes

    @property
    def all_aggregates(self) -> tuple[Aggregate, ...]:
        """Its aggregates, once their imports are resolved."""
        listed = (*self.aggregates, *(self.capability.aggregates if self.capability else ()))
        return tuple(one for one in listed if isinstance(one, Aggregate))

    @property
    def exposes(self) -> tuple[Exposes, ...]:
        """What it exposes; what stands there without a capability is for others to import."""
        return self.capability.exposes if self.capability else ()

    @property
    def parts(self) -> Iterator[Model]:
        """All that others can import."""
        yield from (*self.consumes, *self.aggregates, *self.exposes_alone, *self.binds)
        if inner := self.capability:
            yield from (*inner.consumes, *inner.aggregates, *inner.exposes, *inner.binds)


def as_capability(root: MappingNode) -> tuple[CapabilityFile, list[Problem]]:
    """The root as a model, and every problem of its form; parts that have a fault know it.

    Raises:
        LoadError: It is no capability.
    """
    tree, found = rewritten(root)
    model, problems = validate(CapabilityFile, tree)
    found += _root_problems(root)
    if model is None or any(problem.severity == "error" for problem in found):
        raise LoadError([*problems, *found])
    return model, [*problems, *found]


def _root_problems(root: MappingNode) -> Iterator[Problem]:
    yield from _version_problems(root)
    if "capability" in root and "consumes" in root:
        yield Problem(root.place, "`consumes` stands beside `capability`, where nothing reads it", "", "warning")
    if root.keys().isdisjoint(_CONTENT):
        yield Problem(root.place, "holds neither a `capability` nor parts for others to import")


def _version_problems(root: MappingNode) -> Iterator[Problem]:
    keys = [key for key in _VERSION_KEYS if key in root]
    if len(keys) != 1:
        message = "exactly one of `naftiko` and `ikanos` should give the version of the format"
        yield Problem(root.place, message, "", "warning")
    for key in keys:
        if not _VERSION.fullmatch(str(root[key])):
            version = "a mapping" if isinstance(root[key], MappingNode) else repr(root[key])
            hint = "known: 0.4, 0.5, 1.0.0-alpha*, 1.0.0-beta*"
            yield Problem(root.value_places[key], f"unknown version {version}", hint, "warning")
