"""What both kinds of adapter have: a namespace, and a listener to answer on."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from fairlead.errors import Severity
from fairlead.model import Model, Name, Text

Port = Annotated[int, Field(ge=1, le=65535)]


class Adapter(Model):
    """One entry of `exposes`."""

    namespace: Name
    address: Text = ""
    port: Port | None = None
    description: Text = ""


class OtherExposes(Model):
    """An adapter of a kind that this version does not serve; the document's other adapters are not affected."""

    unknown_keys: ClassVar[Severity | None] = None
    type: Text
    address: Text = ""
