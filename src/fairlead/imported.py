"""A part of a document that stands in another file, as written.

consumes: [{import: registry, location: shared/registry.yaml, as: ships}]
aggregates: [{import: fleet, location: shared/fleet.yaml}]
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from fairlead.model import Model, Name, Text


class Imported(Model):
    """The namespace there, the file, and the namespace here."""

    import_: Name = Field(alias="import")
    location: Text = ""
    as_: Text = Field(default="", alias="as")
    description: Text = ""


def is_import(data: Any) -> bool:
    """Whether an entry stands for one of another file."""
    return isinstance(data, dict) and "import" in data


def in_place(data: Any) -> str:
    """The kind of an entry that either is an import or stands here."""
    return "<import>" if is_import(data) else "<here>"
