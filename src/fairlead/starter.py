"""A first capability for an API, as `fairlead new` writes it: two operations, as routes and as tools."""

from __future__ import annotations

import math
from pathlib import Path
from string import Template
from typing import Final
from unicodedata import category

import yaml

from fairlead.errors import StartError
from fairlead.names import slug
from fairlead.wiring import is_base_uri

_TEXT: Final = Template("""\
# A first capability. What each part may be: fairlead schema; what is wrong with it: fairlead check --lint
naftiko: 1.0.0-alpha2
info:
  label: $label
  description: What this capability is for.
capability:
  # The API that it calls. With a key: put `binds` above and `authentication` below `baseUri`.
  consumes:
  - type: http
    namespace: $namespace
    baseUri: $base_uri
    description: What this API offers.
    resources:
    - name: items
      path: /items
      operations:
      - name: list-items
        method: GET
        description: Lists all items.
        inputParameters:
        - {name: page, in: query, type: integer, description: Which page of the list.}
    - name: item
      path: /items/{id}
      operations:
      - name: get-item
        method: GET
        description: Gets one item.
        inputParameters:
        - {name: id, in: path, type: string, required: true, description: Which item.}
  # What it offers of it: routes, and tools for agents.
  exposes:
  - type: rest
    namespace: $name-rest
    port: 8080
    resources:
    - path: /items
      operations:
      - {method: GET, name: list-items, call: $name.list-items}
    - path: /items/{id}
      operations:
      - {method: GET, name: get-item, call: $name.get-item}
  - type: mcp
    namespace: $name-mcp
    port: 9090
    description: Tools for these items.
    tools:
    - name: list-items
      description: Lists all items.
      hints: {readOnly: true}
      call: $name.list-items
    - name: get-item
      description: Gets one item.
      hints: {readOnly: true}
      call: $name.get-item
""")
_NAME: Final = "capability"
"""The name in the file, and of it, where what is given has neither letters nor digits."""


def starter(name: str, base_uri: str) -> str:
    """The text of a capability of that name; raises `StartError` for what cannot be one."""
    if not _is_name(name):
        raise StartError(f"{name!r} is no name: it needs letters, digits or symbols such as emoji")
    if "{" in base_uri or not _is_text(base_uri) or not is_base_uri(base_uri):
        raise StartError(f"{base_uri!r} is no plain http(s) URL")
    return _TEXT.substitute(
        label=_scalar(name),
        name=_slug(name),
        namespace=_scalar(_slug(name)),
        base_uri=_scalar(base_uri.rstrip("/")),
    )


def _is_name(text: str) -> bool:
    return _is_text(text) and any(char.isalnum() or category(char) == "So" for char in text)


def _is_text(text: str) -> bool:
    """Whether it can be written; a command line may hold bytes that are no text."""
    return not any(category(char) == "Cs" for char in text)


def _slug(name: str) -> str:
    return slug(name) or _NAME


def _scalar(text: str) -> str:
    """The text as YAML, in quotes only where it would be something else without."""
    style = None if text.isprintable() else '"'
    dumped = yaml.safe_dump([text], default_flow_style=True, default_style=style, allow_unicode=True, width=math.inf)
    return str(dumped).strip()[1:-1]


def write(name: str, base_uri: str, folder: Path) -> Path:
    """The file that now is there.

    Raises:
        StartError: It was there before, or cannot be written.
    """
    text = starter(name, base_uri)
    path = folder / f"{_slug(name)}.yaml"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise StartError(f"{str(path)!r} is there already") from None
    except OSError as error:
        raise StartError(f"{str(path)!r} cannot be written: {error.strerror}") from None
    return path
