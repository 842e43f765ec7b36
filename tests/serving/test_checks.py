"""Whatever bytes a caller sends, a check lets in or refuses; it never fails in another way."""

from __future__ import annotations

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import Scope

from fairlead.auth import Check
from fairlead.auth.access_tokens import Expected, SignedTokens
from fairlead.auth.apikey import KeyCheck
from fairlead.auth.demand import Shown
from fairlead.auth.digest_check import DigestCheck
from fairlead.auth.jwks import Keys
from fairlead.auth.resource_server import TokenCheck
from fairlead.errors import Unauthorized
from fairlead.upstream import connect
from serving.issuer import ISSUER, RESOURCE, Issuer, token

WORDS = st.sampled_from(
    [
        *(b"Bearer |Basic |Digest |key=|key|=|, |&|;|.|%|%zz|nc=|response=|nonce=|realm=|uri=|e30".split(b"|")),
        *(b'"', b"\\", b"\xff", b'qop="auth"', b"username*=UTF-8''%"),
        *(part.encode() for part in token().split(".")[:2]),
    ]
)
BYTES = st.lists(WORDS | st.binary(max_size=8), max_size=12).map(b"".join)
CHECKS: dict[str, Check] = {
    "bearer": Shown("Bearer", b"canary"),
    "digest": DigestCheck("ada", "canary"),
    "key in the header": KeyCheck("header", (("key", b"canary"),)),
    "key in the query": KeyCheck("query", (("key", b"canary"),)),
    "key in a cookie": KeyCheck("cookie", (("key", b"canary"),)),
}


def asked(text: bytes) -> Scope:
    """A request with the bytes everywhere a credential may stand."""
    headers = [(name, text) for name in (b"authorization", b"key", b"cookie")]
    return {"method": "GET", "raw_path": b"/ships", "query_string": text, "headers": headers}


@pytest.mark.parametrize("kind", CHECKS)
@settings(deadline=None)
@given(text=BYTES)
def test_a_check_refuses_what_is_no_credential(kind: str, text: bytes) -> None:
    with pytest.raises(Unauthorized) as refused:
        anyio.run(CHECKS[kind], asked(text))

    assert all(value.isascii() and value.isprintable() for _, value in refused.value.headers)


@settings(deadline=None)
@given(texts=st.lists(BYTES, min_size=1, max_size=5))
def test_a_check_of_tokens_refuses_what_is_no_token(texts: list[bytes]) -> None:
    async def refuse() -> None:
        async with connect(transport=Issuer().transport()) as upstream:
            check = TokenCheck(Expected(ISSUER, RESOURCE), RESOURCE, (), SignedTokens(Keys(ISSUER, upstream)))
            for text in texts:
                with pytest.raises(Unauthorized):
                    await check(asked(b"Bearer " + text))

    anyio.run(refuse)
