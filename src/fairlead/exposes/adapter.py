"""What all kinds of adapter have: a namespace, a listener to answer on, and who may call.

authentication: {type: bearer, token: '{{env.TOKEN}}'}
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from fairlead.auth import Demanded
from fairlead.consumes import Size
from fairlead.errors import Problem, Severity
from fairlead.model import Model, Text

Port = Annotated[int, Field(ge=0, le=65535)]
"""A port; 0 is as good as none."""

LISTED = ("tools", "resources", "prompts")
"""What an MCP adapter lists: a mistake in an entry is that entry's alone."""


class Adapter(Model):
    """One entry of `exposes`; without a namespace it has its type for one."""

    type: Text
    namespace: Text = ""
    address: Text = ""
    port: Port | None = None
    description: Text = ""
    max_binary_size: Size | None = None
    authentication: Demanded | None = None

    @property
    def authentication_faults(self) -> tuple[Problem, ...]:
        """Why nobody can tell who may call; a key without a value is no word that everybody may."""
        empty = [key for key in ("authentication", "auth") if self._node and self._node.get(key, "") is None]
        silent = (Problem(self.key_at(key), f"{key!r} says nothing, so nobody is let in") for key in empty)
        return (*self.faults("authentication", "auth"), *silent)

    @model_validator(mode="after")
    def _has_a_namespace(self) -> Self:
        return self if self.namespace else self.model_copy(update={"namespace": self.type})


class OtherExposes(Model):
    """An adapter of a kind that this version does not serve; the document's other adapters are not affected."""

    unknown_keys: ClassVar[Severity | None] = None
    type: Text = ""
    address: Text = ""

    @property
    def misspelt(self) -> str:
        """The key that was probably meant to be `type`, where there is none."""
        return next(iter(get_close_matches("type", self._node or (), n=1)), "")
