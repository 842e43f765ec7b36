"""Secrets from HashiCorp Vault: version 2 of its key-value engine, over its HTTP API.

    location: vault://secret/registry

is `GET $VAULT_ADDR/v1/secret/data/registry`, with VAULT_TOKEN and VAULT_NAMESPACE, and VAULT_CACERT trusted as well. A
mount of several segments is told by the `data` that the API has behind it: `vault://team/kv/data/registry`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import anyio

from fairlead.binds import Environ, given
from fairlead.errors import CallError, StartError
from fairlead.headers import is_legal
from fairlead.upstream import Limits, Request, connect

MAX_BYTES: Final = 1024 * 1024
_LIMITS: Final = Limits(connect=5.0, read=5.0, total=10.0, connections=1, body=MAX_BYTES)
_REASONS: Final = {
    400: "the request is malformed",
    403: "VAULT_TOKEN may not read it",
    404: "there is no such secret",
    503: "Vault is sealed, or under maintenance",
}


def secrets(path: str, environ: Environ) -> dict[str, Any]:
    """The newest version of a secret, key by key.

    Raises:
        ValueError: It cannot be had; says why, and never what is secret.
    """
    address, api_path = _address(environ), f"/v1/{_api_path(path)}"
    request = Request("GET", address + api_path, tuple(_headers(environ)))
    try:
        status, body = anyio.run(_answer, request, _stripped(environ, "VAULT_CACERT"))
    except CallError as error:
        raise ValueError(f"cannot be read: {api_path} at VAULT_ADDR: {error.detail}") from None
    except StartError as error:
        raise ValueError(f"cannot be read: VAULT_CACERT: {error}") from None
    if status != 200:
        reason = f": {_REASONS[status]}" if status in _REASONS else ""
        raise ValueError(f"cannot be read: {api_path} at VAULT_ADDR answers {status}{reason}")
    return _data(body)


def _stripped(environ: Environ, name: str) -> str:
    """The value of a variable without white space around it, such as the line break at the end of a file."""
    return given(environ, name).strip()


def _required(environ: Environ, name: str) -> str:
    value = _stripped(environ, name)
    if not value:
        raise ValueError(f"cannot be read: {name} is not set")
    return value


def _address(environ: Environ) -> str:
    address = _required(environ, "VAULT_ADDR").rstrip("/")
    if not address.lower().startswith(("http://", "https://")):
        raise ValueError("cannot be read: VAULT_ADDR is no http(s) URL")
    return address


def _headers(environ: Environ) -> Iterator[tuple[str, str]]:
    yield "x-vault-request", "true"
    yield "x-vault-token", _legal("VAULT_TOKEN", _required(environ, "VAULT_TOKEN"))
    if namespace := _stripped(environ, "VAULT_NAMESPACE"):
        yield "x-vault-namespace", _legal("VAULT_NAMESPACE", namespace)


def _legal(name: str, value: str) -> str:
    if not is_legal(value):
        raise ValueError(f"cannot be read: {name} holds line breaks or other illegal characters")
    return value


def _api_path(path: str) -> str:
    """Mount, `data` and name; the first segment is the mount where nothing else is said."""
    segments = path.strip("/").split("/")
    if len(segments) < 2 or not all(segments) or {".", ".."} & set(segments):
        raise ValueError("is no vault://mount/path")
    at = segments.index("data") if "data" in segments[1:-1] else 1
    name = segments[at + 1 :] if segments[at] == "data" and len(segments) > at + 1 else segments[at:]
    return quote("/".join([*segments[:at], "data", *name]))


async def _answer(request: Request, ca_file: str) -> tuple[int, bytes]:
    async with connect(_LIMITS, Path(ca_file) if ca_file else None) as upstream:
        result = await upstream.send(request)
        return result.status, await result.body.read()


def _data(body: bytes) -> dict[str, Any]:
    try:
        return dict(json.loads(body, parse_int=str, parse_float=str)["data"]["data"])
    except (ValueError, LookupError, TypeError, RecursionError):
        raise ValueError("is no secret of version 2 of the key-value engine") from None
