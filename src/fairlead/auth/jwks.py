"""The public keys of an authorization server (RFC 7517): fetched when they are needed, and kept for five minutes.

A key that is not known is looked for once more, at most once a minute, so that new keys work at once and tokens with
made-up keys cause no traffic. While the server cannot be asked, or is being asked, the keys that are known stay good
for an hour.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import anyio
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK, PyJWTError

from fairlead.auth.metadata import endpoint, json_object
from fairlead.errors import CallError, UpstreamFailed
from fairlead.upstream import Request, Upstream

LIFETIME: Final = 300.0
"""How long keys are kept, in seconds."""
PAUSE: Final = 60.0
"""How long after a search for an unknown key the next one is due."""
OUTAGE: Final = 3600.0
"""How long the keys that are known stay good while the server cannot be asked."""
_RETRY: Final = 5.0
"""How long after a failure the server is asked again."""
_MAX_KEYS: Final = 100
_MIN_RSA_BITS: Final = 2048

PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey | Ed448PublicKey
_CURVES: Final = {"ES256": "secp256r1", "ES384": "secp384r1", "ES512": "secp521r1"}
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA", *_CURVES)
"""Those with a public key alone: of a shared secret nobody could tell who signed."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key that signatures are checked with, and what it is for."""

    id: str | None
    algorithm: str | None
    public: PublicKey

    def fits(self, id_: str | None, algorithm: str) -> bool:
        """Whether it may be the key of a token that names that id, or none, and that algorithm."""
        return id_ in (None, self.id) and self.algorithm in (None, algorithm) and _is_of(self.public, algorithm)


def _is_of(key: PublicKey, algorithm: str) -> bool:
    """Whether the algorithm works with such a key."""
    if isinstance(key, RSAPublicKey):
        return algorithm[:2] in ("RS", "PS") and key.key_size >= _MIN_RSA_BITS
    if isinstance(key, EllipticCurvePublicKey):
        return _CURVES.get(algorithm) == key.curve.name
    return algorithm == "EdDSA"


class Keys:
    """The keys of one authorization server, fetched by one caller; meanwhile those wait whose keys are not known."""

    def __init__(self, issuer: str, upstream: Upstream, now: Callable[[], float] = time.monotonic) -> None:
        self._issuer = issuer
        self._upstream = upstream
        self._now = now
        self._lock = anyio.Lock()
        self._keys: tuple[Key, ...] = ()
        self._failure: CallError | None = None
        self._asked = self._searched = self._had = -math.inf

    async def fitting(self, id_: str | None, algorithm: str) -> tuple[Key, ...]:
        """The keys that may have signed a token; raises `CallError` where the server cannot be asked for any."""
        found = self._found(id_, algorithm)
        if self._lock.locked() and found:
            return found
        if self._is_old():
            await self._fetch_once()
        elif self._may_search() and not found:
            await self._fetch_once()
            self._searched = self._asked
        found = self._found(id_, algorithm)
        if not found and self._failure:
            raise self._failure.again()
        return found

    def _found(self, id_: str | None, algorithm: str) -> tuple[Key, ...]:
        is_good = self._now() - self._had <= OUTAGE
        return tuple(key for key in self._keys if is_good and key.fits(id_, algorithm))

    def _is_old(self) -> bool:
        return self._now() - self._asked >= (_RETRY if self._failure else LIFETIME)

    def _may_search(self) -> bool:
        return self._now() - self._searched >= PAUSE

    async def _fetch_once(self) -> None:
        """Fetches the keys, unless somebody else does so meanwhile."""
        asked = self._asked
        async with self._lock:
            if self._asked == asked:
                await self._fetch()

    async def _fetch(self) -> None:
        try:
            self._keys, self._failure = await self._fetched(), None
            self._had = self._now()
        except CallError as error:
            self._failure = UpstreamFailed(f"the keys of the authorization server could not be had: {error.detail}")
        self._asked = self._now()

    async def _fetched(self) -> tuple[Key, ...]:
        url = await endpoint(self._issuer, "jwks_uri", self._upstream)
        if not url.startswith("https://" if self._issuer.startswith("https://") else ("https://", "http://")):
            raise UpstreamFailed("it names no `jwks_uri`")
        result = await self._upstream.send(Request("GET", url, (("accept", "application/json"),)))
        listed = (await json_object(result)).get("keys")
        if not result.is_success or not isinstance(listed, list):
            raise UpstreamFailed(f"it answered {result.status} without any")
        return tuple(_usable(listed[:_MAX_KEYS]))


def _usable(listed: list[Any]) -> Iterator[Key]:
    """The public keys for signatures; others are left out."""
    for data in listed:
        try:
            if data["kty"] == "oct" or "d" in data or not _is_for_signatures(data):
                continue
            public = PyJWK(data).key
        except (PyJWTError, ValueError, TypeError, KeyError):
            continue
        if isinstance(public, PublicKey):
            yield Key(data.get("kid"), data.get("alg"), public)


def _is_for_signatures(data: Mapping[str, Any]) -> bool:
    return data.get("use", "sig") == "sig" and "verify" in data.get("key_ops", ["verify"])
