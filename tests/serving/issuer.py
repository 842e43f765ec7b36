"""An authorization server in one process: metadata, keys that rotate, tokens, and introspection."""

from __future__ import annotations

import json
import time
from base64 import b64decode
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote_plus

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Host, Mount, Route

ISSUER = "https://auth.test"
RESOURCE = "https://ships.test/mcp"
_CURVES: dict[str, Any] = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}


@cache
def private_key(algorithm: str, number: int = 0) -> Any:
    """A key that signs with that algorithm."""
    if algorithm in _CURVES:
        return ec.generate_private_key(_CURVES[algorithm]())
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(65537, 2048)


def public_jwk(algorithm: str, kid: str | None, number: int = 0, **more: Any) -> dict[str, Any]:
    key = private_key(algorithm, number).public_key()
    kind = ECAlgorithm if algorithm in _CURVES else OKPAlgorithm if algorithm == "EdDSA" else RSAAlgorithm
    return {**kind.to_jwk(key, as_dict=True), **({"kid": kid} if kid else {}), **more}


def claims(**changed: Any) -> dict[str, Any]:
    """What a good token says; a change to None leaves a claim out."""
    now = int(time.time())
    said = {"iss": ISSUER, "aud": RESOURCE, "exp": now + 600, "iat": now, "sub": "ada", "scope": "ships.read more"}
    return {name: value for name, value in (said | changed).items() if value is not None}


def token(algorithm: str = "RS256", kid: str | None = "one", number: int = 0, /, **changed: Any) -> str:
    headers = {"kid": kid} if kid else {}
    said = json.dumps(claims(**changed)).encode()  # whatever it is, as hostile ones are
    return jwt.PyJWS().encode(said, private_key(algorithm, number), algorithm, headers=headers)


@dataclass
class Issuer:
    """The server; whatever is behind it answers all other hosts."""

    keys: list[dict[str, Any]] = field(default_factory=lambda: [public_jwk("RS256", "one")])
    active: dict[str, dict[str, Any]] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    is_down: bool = False
    is_openid: bool = False
    is_open: bool = False
    """Whether anybody may ask what a token is."""
    clients: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)

    def transport(self) -> httpx.AsyncBaseTransport:
        authority = Starlette(
            routes=[
                Route("/keys", self._keys),
                Route("/token", self._token, methods=["POST"]),
                Route("/introspect", self._introspect, methods=["POST"]),
                Route("/{rest:path}", self._metadata),
            ]
        )
        api = Starlette(routes=[Route("/{rest:path}", self._api, methods=["GET", "PUT"])])
        return httpx.ASGITransport(Starlette(routes=[Host("auth.test", authority), Mount("/", api)]))

    def count(self, path: str) -> int:
        return self.paths.count(path)

    def _noted(self, request: Request) -> Response | None:
        self.paths.append(request.url.path)
        return Response("down", 500) if self.is_down else None

    async def _metadata(self, request: Request) -> Response:
        if refused := self._noted(request):
            return refused
        wanted = "/.well-known/openid-configuration" if self.is_openid else "/.well-known/oauth-authorization-server"
        if request.url.path != wanted:
            return Response("nothing", 404)
        said = {
            "issuer": ISSUER,
            "jwks_uri": f"{ISSUER}/keys",
            "token_endpoint": f"{ISSUER}/token",
            "authorization_endpoint": f"{ISSUER}/authorize",
            "introspection_endpoint": f"{ISSUER}/introspect",
            "response_types_supported": ["code"],
        }
        return JSONResponse({name: value for name, value in (said | self.metadata).items() if value is not None})

    async def _keys(self, request: Request) -> Response:
        return self._noted(request) or JSONResponse({"keys": self.keys})

    async def _token(self, request: Request) -> Response:
        self._noted(request)
        form = parse_qs((await request.body()).decode())
        assert form["grant_type"] == ["client_credentials"]
        scope, resource = form.get("scope", [""])[0], form.get("resource", [""])[0]
        made = token(scope=scope, aud=resource)
        return JSONResponse({"access_token": made, "token_type": "Bearer", "expires_in": 600, "scope": scope})

    async def _introspect(self, request: Request) -> Response:
        if refused := self._noted(request):
            return refused
        pair = b64decode(request.headers.get("authorization", "").removeprefix("Basic ")).decode()
        self.clients.append(":".join(map(unquote_plus, pair.split(":"))))
        if self.clients[-1] != ("" if self.is_open else "us:our canary"):
            return JSONResponse({"error": "invalid_client"}, 401)
        form = parse_qs((await request.body()).decode())
        said = self.active.get(form["token"][0], {"active": False})
        return JSONResponse({"active": True, **said})

    async def _api(self, request: Request) -> Response:
        self.sent.append(repr((request.url, request.headers.raw)))
        return JSONResponse({"ship": 1})
