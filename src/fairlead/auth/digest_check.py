"""Digest authentication of callers (RFC 7616): SHA-256 or MD5, `qop=auth`.

A nonce proves itself, so nothing is kept for callers who never prove that they know the password. Of those who did, it
is kept which counts they used with it, so that nobody can send what they sent a second time.
"""

from __future__ import annotations

import hmac
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Final
from urllib.parse import unquote

from starlette.types import Scope

from fairlead.auth.demand import REALM, WANTED, WRONG
from fairlead.auth.digests import ALGORITHMS, digests, hashed
from fairlead.auth.presented import authorization, same
from fairlead.errors import NoCredential, Unauthorized

LIFETIME: Final = 300_000
"""How long a nonce is good, in milliseconds."""
MAX_COUNT: Final = 1023
"""How often one is good."""
MAX_USED: Final = 10_000
"""Of how many nonces it is kept how often they were used."""
_COUNT = re.compile(r"[0-9a-fA-F]{8}")


class Nonces:
    """Nonces of one process: a moment, something random, and a code that only it can make of the two."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._key = secrets.token_bytes(32)
        self._used: dict[str, int] = {}
        self._forgotten = 0

    def new(self) -> str:
        """One that was never used."""
        return self._sealed(f"{self._moment():x}.{secrets.token_hex(8)}")

    def use(self, nonce: str, count: int) -> bool:
        """Whether the nonce is good, and was not used with the count before; from now on it was."""
        made = self._made(nonce)
        if not max(self._forgotten, self._moment() - LIFETIME) < made or not 0 < count <= MAX_COUNT:
            return False
        used, bit = self._used.get(nonce, 0), 1 << count
        if used & bit:
            return False
        self._used[nonce] = used | bit
        self._forget()
        return True

    def _forget(self) -> None:
        """Drops a nonce that is over, and of too many the first: with it all are over that are as old."""
        oldest = next(iter(self._used))
        made = self._made(oldest)
        if len(self._used) > MAX_USED or made <= self._moment() - LIFETIME:
            self._forgotten = max(self._forgotten, made)
            del self._used[oldest]

    def _made(self, nonce: str) -> int:
        """The moment in which a nonce was made; 0 for one of somebody else."""
        text = nonce.rpartition(".")[0]
        return int(text.partition(".")[0], 16) if same(nonce.encode(), self._sealed(text).encode()) else 0

    def _sealed(self, text: str) -> str:
        return f"{text}.{hmac.new(self._key, text.encode(), 'sha256').hexdigest()[:32]}"

    def _moment(self) -> int:
        return int(self._now() * 1000)


@cache
def _nonces() -> Nonces:
    """Those of this process: callers cannot tell whose challenge they answer, so all adapters have the same."""
    return Nonces()


class DigestCheck:
    """Lets through who proves that he knows the password."""

    def __init__(self, username: str, password: str) -> None:
        self._username = username
        self._users = {name: hashed(name, username, REALM, password) for name in ALGORITHMS}
        self._nonces = _nonces()

    async def __call__(self, scope: Scope) -> Scope:
        credential, rest = authorization(scope, "Digest")
        if not credential:
            raise NoCredential(WANTED, headers=self._challenges())
        # The bytes are UTF-8, as the challenge says; what is not is no credential of anybody.
        given = next(digests(f"Digest {credential.decode(errors='replace')}"), {})
        if not self._is_right(given, scope["method"], _target(scope)):
            raise Unauthorized(WRONG, headers=self._challenges())
        if not self._nonces.use(given["nonce"], int(given["nc"], 16)):
            raise Unauthorized("the nonce is used or too old", headers=self._challenges(stale=True))
        return rest

    def _is_right(self, given: Mapping[str, str], method: str, target: str) -> bool:
        """Whether it is the answer to some challenge, about this request; the nonce is looked at after that."""
        algorithm = given.get("algorithm", "MD5").upper()
        needed = [given.get(name, "") for name in ("nonce", "nc", "cnonce", "qop")]
        is_complete = algorithm in ALGORITHMS and all(needed) and _COUNT.fullmatch(needed[1]) is not None
        if not is_complete or given.get("qop") != "auth" or (given.get("realm"), given.get("uri")) != (REALM, target):
            return False
        expected = hashed(algorithm, self._users[algorithm], *needed, hashed(algorithm, method, target))
        is_user = same(_username(given).encode(), self._username.encode())
        return same(given.get("response", "").lower().encode(), expected.encode()) and is_user

    def _challenges(self, *, stale: bool = False) -> Iterator[tuple[str, str]]:
        """One for each algorithm, the better one first."""
        end = ", stale=true" if stale else ""
        for name in ALGORITHMS:
            given = f'realm="{REALM}", qop="auth", algorithm={name}, nonce="{self._nonces.new()}", charset=UTF-8{end}'
            yield "www-authenticate", f"Digest {given}"


def _username(given: Mapping[str, str]) -> str:
    """The user; one that is no ASCII may be written as RFC 8187 has it."""
    encoded = given.get("username*", "")
    return unquote(encoded[7:]) if encoded[:7].upper() == "UTF-8''" else given.get("username", "")


def _target(scope: Scope) -> str:
    """The target of the request, as it was sent."""
    query = scope["query_string"]
    return bytes(scope["raw_path"] + (b"?" + query if query else b"")).decode("latin-1")
