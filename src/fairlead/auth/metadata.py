"""What authorization servers say of themselves (RFC 8414, OpenID Connect Discovery)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from fairlead.jsontext import loads
from fairlead.response import Result
from fairlead.upstream import Request, Upstream

_JSON = (("accept", "application/json"),)


async def endpoint(issuer: str, name: str, upstream: Upstream) -> str:
    """The URL that an authorization server names, as `token_endpoint`; empty where it names none."""
    for url in _metadata_urls(issuer):
        result = await upstream.send(Request("GET", url, _JSON))
        said = await json_object(result)
        found = said.get(name)
        if result.is_success and isinstance(found, str) and is_about(said.get("issuer", issuer), issuer):
            return found
    return ""


def _metadata_urls(issuer: str) -> Iterator[str]:
    """Where it may be: RFC 8414 puts the well-known part before the path, others and OpenID Connect after it."""
    parts = urlsplit(issuer)
    path = parts.path.rstrip("/")
    origin = f"{parts.scheme}://{parts.netloc}"
    kind = ".well-known/oauth-authorization-server"
    yield from dict.fromkeys((f"{origin}/{kind}{path}", f"{origin}{path}/{kind}"))
    yield f"{origin}{path}/.well-known/openid-configuration"


def is_about(said: object, issuer: str) -> bool:
    """Whether an issuer is the one that is meant; a slash at the end does not count."""
    return isinstance(said, str) and said.rstrip("/") == issuer.rstrip("/")


async def json_object(result: Result) -> Mapping[str, Any]:
    """The JSON object in an answer; an empty one where it is anything else."""
    try:
        value = loads((await result.body.read()).decode())
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
