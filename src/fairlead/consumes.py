"""The APIs that a capability consumes, as written.

consumes:
- type: http
  namespace: together-ai-batches
  baseUri: https://api.together.ai/v1
  resources:
  - {name: batches-id, path: '/batches/{id}', operations: [{name: get, method: GET}]}
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from fairlead.auth import Authentication
from fairlead.binary import as_size
from fairlead.bodies import BodyModel, as_body
from fairlead.errors import Problem
from fairlead.imported import Imported, in_place
from fairlead.model import FREE, Model, Name, Text, as_text, lower
from fairlead.parameters import InputParameter, Outputs

_Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
_InLowerCase = Literal["get", "post", "put", "patch", "delete", "head", "options"]
Method = Annotated[
    _Method,
    BeforeValidator(
        lambda value: value.upper() if isinstance(value, str) and value.islower() else value,
        json_schema_input_type=_Method | _InLowerCase,
    ),
]


RawFormat = Annotated[str, BeforeValidator(lower)]

MediaType = Annotated[Text, StringConstraints(pattern=r"^([\w.+-]+/[\w.+-]+( *;[ -~]*)?)?$")]
Size = Annotated[int, BeforeValidator(lambda value: as_size(str(as_text(value))), json_schema_input_type=str | float)]


_Untyped = {"type": "object", "not": {"anyOf": [{"required": ["type"]}, {"required": ["data"]}]}}
_Data = list[Any] | Annotated[dict[str, Any], WithJsonSchema(_Untyped)]


class ConsumedOperation(Model):
    """One operation of an API; a `path` of its own follows that of its resource."""

    free_keys: ClassVar[frozenset[str]] = FREE | {"operationId", "responses"}
    spellings: ClassVar[Mapping[str, str]] = {"id": "name"}

    name: Name
    method: Method = "GET"
    path: Text = ""
    label: Text = ""
    description: Text = ""
    input_parameters: tuple[InputParameter, ...] = ()
    body: BodyModel | None = None
    output_raw_format: RawFormat = "json"
    output_schema: Text = ""
    output_media_type: MediaType = ""
    max_binary_size: Size | None = None
    output_parameters: Outputs = ()

    @field_validator("body", mode="before", json_schema_input_type=BodyModel | str | _Data)
    @classmethod
    def _from_data(cls, value: Any) -> Any:
        """A text is of the kind that it looks like; data that does not say of which kind it is are JSON."""
        if isinstance(value, str):
            return as_body(value)
        is_data = isinstance(value, list) or (isinstance(value, dict) and value.keys().isdisjoint(("type", "data")))
        return {"data": value} if is_data and value else value


class ConsumedResource(Model):
    """A path of an API and the operations on it."""

    name: Text = ""
    path: Text
    label: Text = ""
    description: Text = ""
    input_parameters: tuple[InputParameter, ...] = ()
    operations: tuple[ConsumedOperation, ...] = ()


class HttpConsumes(Model):
    """One API: where it is, how to authenticate, and what it offers."""

    type: Literal["http"] = "http"
    namespace: Name
    base_uri: Text = ""
    description: Text = ""
    input_parameters: tuple[InputParameter, ...] = ()
    headers: dict[str, Text] = Field(default_factory=dict)
    authentication_: Authentication | None = Field(default=None, alias="authentication")
    auth_: Authentication | None = Field(default=None, alias="auth")
    resources: tuple[ConsumedResource, ...] = ()

    @model_validator(mode="after")
    def _says_once_how_to_authenticate(self) -> Self:
        if self.authentication_ and self.auth_:
            raise ValueError("has both `authentication` and `auth`")
        return self

    @property
    def parameters(self) -> tuple[InputParameter, ...]:
        """What every request of it takes; its `headers` are constants."""
        fixed = ({"name": name, "in": "header", "value": value} for name, value in self.headers.items())
        return (*map(InputParameter.model_validate, fixed), *self.input_parameters)

    @cached_property
    def structural_faults(self) -> tuple[Problem, ...]:
        """The errors of form that may hide an operation or change all: any but those inside a named operation."""
        operations = [operation for resource in self.resources for operation in resource.operations]
        inside = {fault for one in operations for fault in one.faults(besides="name")}
        return tuple(fault for fault in self.faults() if fault not in inside)

    @property
    def authentication(self) -> Authentication | None:
        """How to authenticate, under either of its names."""
        return self.authentication_ or self.auth_


Consumes = Annotated[
    Annotated[HttpConsumes, Tag("<here>")] | Annotated[Imported, Tag("<import>")], Discriminator(in_place)
]
