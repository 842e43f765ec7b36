"""Steps of an operation, as written: calls, lookups and scripts, and what is made of their results.

steps:
- {type: call, name: get-ship, call: registry.get-ship, with: {imo: '{{imo}}'}}
- {type: lookup, name: find-captain, index: list-crew, match: id, lookupValue: $.get-ship.captain,
   outputParameters: [name]}
mappings:
- {targetName: captain, value: $.find-captain.name}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from fairlead.model import Model, Text

MAX_TIMEOUT = 24 * 60 * 60 * 1000
"""Milliseconds that a script may have at most: a day."""


class _Step(Model):
    name: Text = ""
    label: Text = ""
    description: Text = ""

    @property
    def title(self) -> str:
        """What it is called in references and in problems."""
        return self.name


class CallStep(_Step):
    """A call of a consumed operation; without a name it has that of the operation."""

    type: Literal["call"] = "call"
    call: Text
    with_: dict[str, Any] | None = Field(default=None, alias="with")

    @property
    def title(self) -> str:
        return self.name or self.call.rpartition(".")[2]


class LookupStep(_Step):
    """The items of an earlier result of which one member is a value that is looked for."""

    type: Literal["lookup"]
    index: Text
    match: Text
    lookup_value: Any
    output_parameters: tuple[Text, ...] = ()


class ScriptStep(_Step):
    """A script over the arguments and all earlier results."""

    type: Literal["script"]
    file: Text = ""
    language: Text = ""
    location: Text = ""
    dependencies: tuple[Text, ...] = ()
    with_: dict[str, Any] | None = Field(default=None, alias="with")


def _kind(data: Any) -> str:
    kind = data.get("type", "call") if isinstance(data, dict) else "call"
    return f"<{kind}>"


Step = Annotated[
    Annotated[CallStep, Tag("<call>")]
    | Annotated[LookupStep, Tag("<lookup>")]
    | Annotated[ScriptStep, Tag("<script>")],
    Discriminator(_kind),
]


class ResultMapping(Model):
    """One member of the answer, by its dotted name, and where its value is found."""

    target_name: Text
    value: Any


class Scripting(Model):
    """What a control adapter says of scripts: whether they run, where they are, and in how many milliseconds."""

    enabled: bool = True
    default_location: Text = ""
    default_language: Text = ""
    timeout: Annotated[int, Field(ge=1, le=MAX_TIMEOUT)] = 60_000
    statement_limit: Annotated[int, Field(ge=1)] | None = None
    allowed_languages: tuple[Text, ...] = ()


def given_in(steps: tuple[Step, ...]) -> Iterator[Any]:
    """The values that the steps give, for whatever they may refer to."""
    for step in steps:
        if isinstance(step, LookupStep):
            yield step.lookup_value
        else:
            yield from (step.with_ or {}).values()
