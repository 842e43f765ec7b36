"""A first capability for an API, as `fairlead new` writes it: two operations, as routes and as tools."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from fairlead.errors import StartError
from fairlead.names import slug
from fairlead.wiring import is_base_uri

_TEXT: Final = """\
# A first capability. What each part may be: fairlead schema; what is wrong with it: fairlead check --lint
naftiko: 1.0.0-alpha2
info:
  label: LABEL
  description: What this capability is for.
capability:
  # The API that it calls. With a key: put `binds` above and `authentication` below `baseUri`.
  consumes:
  - type: http
    namespace: NAME
    baseUri: BASE_URI
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
    namespace: NAME-rest
    port: 8080
    resources:
    - path: /items
      operations:
      - {method: GET, name: list-items, call: NAME.list-items}
    - path: /items/{id}
      operations:
      - {method: GET, name: get-item, call: NAME.get-item}
  - type: mcp
    namespace: NAME-mcp
    port: 9090
    description: Tools for these items.
    tools:
    - name: list-items
      description: Lists all items.
      hints: {readOnly: true}
      call: NAME.list-items
    - name: get-item
      description: Gets one item.
      hints: {readOnly: true}
      call: NAME.get-item
"""


def starter(name: str, base_uri: str) -> str:
    """The text of a capability of that name; raises `StartError` for what cannot be one."""
    if not slug(name):
        raise StartError(f"{name!r} is no name: it needs letters or digits")
    if not is_base_uri(base_uri):
        raise StartError(f"{base_uri!r} is no plain http(s) URL")
    filled = _TEXT.replace("BASE_URI", json.dumps(base_uri.rstrip("/"))).replace("NAME", slug(name))
    return filled.replace("LABEL", json.dumps(name))


def write(name: str, base_uri: str, folder: Path) -> Path:
    """The file that now is there.

    Raises:
        StartError: It was there before, or cannot be written.
    """
    text = starter(name, base_uri)
    path = folder / f"{slug(name)}.yaml"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise StartError(f"{str(path)!r} is there already") from None
    except OSError as error:
        raise StartError(f"{str(path)!r} cannot be written: {error.strerror}") from None
    return path
