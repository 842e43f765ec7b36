"""What an operator changes of the running process: a JSON object that is `PUT` on a page of a control adapter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.types import Receive, Scope

from fairlead.errors import ArgumentError, MethodNotAllowed
from fairlead.exposes.request import read_body
from fairlead.jsontext import loads

_MAX_BODY: Final = 64 * 1024
_READ: Final = "GET, HEAD"


async def changes(scope: Scope, receive: Receive, name: str, fixed: str) -> Mapping[str, Any] | None:
    """What is to be changed, None where the page is only read.

    Raises:
        CallError: The method is none of the page, or `fixed` says why nothing can be changed; the body is no object.
    """
    if scope["method"] in ("GET", "HEAD"):
        return None
    if fixed and scope["method"] == "PUT":
        raise MethodNotAllowed(f"{name} cannot be changed: {fixed}", headers=(("allow", _READ),))
    if scope["method"] != "PUT":
        allowed = _READ if fixed else f"{_READ}, PUT"
        raise MethodNotAllowed("this is read, or changed with PUT", headers=(("allow", allowed),))
    return _object(await read_body(scope, receive, _MAX_BODY))


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        value = loads(body.decode())
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ArgumentError("the body is no JSON object")
    return value
