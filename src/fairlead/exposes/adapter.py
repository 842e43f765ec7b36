"""What both kinds of adapter have: a namespace, a listener to answer on, and the plans of their operations."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from fairlead.model import Model, Name, Text

Port = Annotated[int, Field(ge=1, le=65535)]


class Adapter(Model):
    """One entry of `exposes`."""

    namespace: Name
    address: Text = ""
    port: Port | None = None
    description: Text = ""
