"""Access tokens of callers: signed ones by the keys of their issuer, others by asking it."""

from __future__ import annotations

import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

import anyio
import httpx
import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm
from mcp import Client
from mcp.client.auth.extensions.client_credentials import ClientCredentialsOAuthProvider
from mcp.client.streamable_http import streamable_http_client
from pydantic import SecretStr

from fairlead.auth.access_tokens import KEPT, MAX_KEPT, MAX_LENGTH, Expected, InvalidToken, Read, Remembered
from fairlead.auth.introspection import OpaqueTokens
from fairlead.auth.jwks import LIFETIME, OUTAGE, PAUSE, Keys
from fairlead.auth.resource_server import TokenCheck
from fairlead.auth.tokens import Client as OurClient
from fairlead.errors import Unauthorized, UpstreamFailed
from fairlead.upstream import connect
from serving.issuer import ISSUER, RESOURCE, Issuer, claims, private_key, public_jwk, token
from serving.test_callers import ships
from serving.world import Exchange, World, world

pytestmark = pytest.mark.anyio

OAUTH = f"{{type: oauth2, authorizationServerUri: '{{{{ISSUER}}}}', resource: '{RESOURCE}', scopes: [ships.read]}}"
OPAQUE = OAUTH.replace("}}', ", "}}', tokenValidation: introspection, clientId: us, clientSecret: '{{SECRET}}', ")
ENVIRON = {"ISSUER": SecretStr(f"{ISSUER}/\n"), "SECRET": SecretStr("our canary")}
METADATA = "https://ships.test/.well-known/oauth-protected-resource/mcp"
CHALLENGE = f'scope="ships.read", resource_metadata="{METADATA}"'


async def asked(issuer: Issuer, given: str, authentication: str = OAUTH) -> httpx.Response:
    """The answer to a REST request with that token."""
    async with world(ships(authentication), upstream=issuer.transport(), environ=ENVIRON) as one:
        return await one.rest.get("/ships/1", headers={"authorization": f"Bearer {given}"})


def fault(answered: httpx.Response) -> str:
    """What the challenge says is wrong with the token."""
    assert answered.headers["content-type"] == "application/problem+json"
    (challenge,) = answered.headers.get_list("www-authenticate")
    start, _, rest = challenge.partition('error="invalid_token", error_description="')
    assert (start, answered.status_code) == ('Bearer realm="fairlead", ', 401)
    said, _, end = rest.partition('", ')
    assert end == CHALLENGE
    return str(said)


ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("kid", ["one", None])
async def test_a_signed_token_lets_in_and_goes_no_further(algorithm: str, kid: str | None) -> None:
    issuer = Issuer(keys=[public_jwk("ES256", "other"), public_jwk(algorithm, kid)])
    answered = await asked(issuer, token(algorithm, kid))

    assert (answered.status_code, answered.text) == (200, '{"ship":1}')
    assert len(issuer.sent) == 1
    assert "authorization" not in issuer.sent[0]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"aud": ["other", RESOURCE]}, None),
        ({"iss": f"{ISSUER}/"}, None),
        ({"scope": None, "scp": ["ships.read"]}, None),
        ({"nbf": time.time() - 5}, None),
        ({"exp": time.time() - 1}, "Token expired"),
        ({"exp": time.time() - 100_000}, "Token expired"),
        ({"exp": None}, "Token without expiry"),
        ({"exp": "tomorrow"}, "Token without expiry"),
        ({"exp": True}, "Token without expiry"),
        ({"nbf": time.time() + 100_000}, "Token not yet valid"),
        ({"nbf": "now"}, "Token not yet valid"),
        ({"iss": "https://evil.test"}, "Invalid issuer"),
        ({"iss": None}, "Invalid issuer"),
        ({"iss": [ISSUER]}, "Invalid issuer"),
        ({"aud": "https://other.test"}, "Invalid audience"),
        ({"aud": f"{RESOURCE}/more"}, "Invalid audience"),
        ({"aud": [[RESOURCE]]}, "Invalid audience"),
        ({"aud": None}, "Invalid audience"),
    ],
)
async def test_a_token_says_who_made_it_for_whom_and_for_how_long(changed: dict[str, Any], said: str | None) -> None:
    answered = await asked(Issuer(), token(**changed))

    if said is None:
        assert answered.status_code == 200
    else:
        assert fault(answered) == said
        assert answered.json()["detail"] == f"the token is not accepted: {said}"


@pytest.mark.parametrize(("ahead", "is_good"), [(30, True), (31, False)])
def test_the_clock_of_the_issuer_may_be_half_a_minute_ahead(ahead: float, is_good: bool) -> None:
    expected = Expected(ISSUER, RESOURCE, now=lambda: 1000.0)
    given = claims(nbf=1000 + ahead, exp=2000)

    if is_good:
        expected.check(given)
    else:
        with pytest.raises(InvalidToken, match="not yet valid"):
            expected.check(given)


@pytest.mark.parametrize("scope", ["", "ships", "ships.readmore ships.write", None, 5])
async def test_a_token_without_the_scope_is_forbidden(scope: Any) -> None:
    answered = await asked(Issuer(), token(scope=scope))

    assert answered.status_code == 403
    assert answered.json()["type"] == "urn:fairlead:problem:forbidden"
    assert answered.headers["www-authenticate"] == (
        'Bearer realm="fairlead", error="insufficient_scope", '
        f"error_description=\"Required scope 'ships.read' not present in token\", {CHALLENGE}"
    )


def part(value: Mapping[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def with_header(header: Mapping[str, Any], signature: str = "") -> str:
    return f"{part(header)}.{part(claims())}.{signature}"


def by_secret(secret: bytes) -> str:
    """A token that is signed with a secret which everybody knows: the public key."""
    text = f"{part({'alg': 'HS256', 'kid': 'one', 'typ': 'JWT'})}.{part(claims())}"
    signature = urlsafe_b64encode(hmac.digest(secret, text.encode(), "sha256")).rstrip(b"=").decode()
    return f"{text}.{signature}"


def public_pem() -> bytes:
    key = private_key("RS256").public_key()
    return bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def hostile() -> dict[str, str]:
    good = token()
    head, body, signature = good.split(".")
    own = rsa.generate_private_key(65537, 2048)
    embedded = {"jwk": RSAAlgorithm.to_jwk(own.public_key(), as_dict=True), "jku": "https://evil.test/keys"}
    return {
        "alg none": with_header({"alg": "none"}),
        "alg None": with_header({"alg": "None", "kid": "one"}, signature),
        "no alg": with_header({"kid": "one"}, signature),
        "alg of another type": with_header({"alg": ["RS256"], "kid": "one"}, signature),
        "HS256 with the public key": by_secret(public_pem()),
        "HS256 with the key as JSON": by_secret(json.dumps(public_jwk("RS256", "one")).encode()),
        "HS256 with nothing": by_secret(b""),
        "signed by somebody else": jwt.encode(claims(), own, "RS256", headers={"kid": "one"}),
        "with a key of its own": jwt.encode(claims(), own, "RS256", headers={"kid": "one", **embedded}),
        "unknown kid": token("RS256", "two"),
        "kid of another type": with_header({"alg": "RS256", "kid": 1}, signature),
        "kid that is a path": token("RS256", "../../../dev/null"),
        "other algorithm": with_header({"alg": "PS256", "kid": "one"}, signature),
        "of another curve": with_header({"alg": "ES256", "kid": "one"}, signature),
        "critical": jwt.encode(claims(), private_key("RS256"), "RS256", headers={"kid": "one", "crit": ["x"], "x": 1}),
        "other claims": f"{head}.{part(claims(sub='eve'))}.{signature}",
        "no signature": f"{head}.{body}.",
        "cut": good[:-5],
        "two parts": f"{head}.{body}",
        "five parts": f"{good}.{head}.{body}",
        "empty parts": "..",
        "text": "ships",
        "no base64": "!!!.???.***",
        "not JSON": f"{urlsafe_b64encode(b'[[').decode().rstrip('=')}.{body}.{signature}",
        "a list": jwt.PyJWS().encode(b"[1]", private_key("RS256"), "RS256", headers={"kid": "one"}),
        "nested": jwt.PyJWS().encode(b'{"a":' * 3000, private_key("RS256"), "RS256", headers={"kid": "one"}),
        "not a number": jwt.PyJWS().encode(
            json.dumps(claims(exp=12345)).replace("12345", "Infinity").encode(),
            private_key("RS256"),
            "RS256",
            headers={"kid": "one"},
        ),
        "huge": token(more="x" * MAX_LENGTH),
        "beyond ASCII": "é.ü.ß",
    }


@pytest.mark.parametrize("kind", hostile())
async def test_a_hostile_token_is_refused(kind: str) -> None:
    issuer = Issuer()
    async with world(ships(OAUTH), upstream=issuer.transport(), environ=ENVIRON) as one:
        headers = (("authorization", f"Bearer {hostile()[kind]}"),)
        rest = await Exchange(one.apps[8080], b"/ships/1", headers=headers).run()
        agent = await Exchange(one.apps[9090], b"/mcp", "POST", headers).run()

    assert (rest.status, agent.status) == (401, 401)
    assert rest.problem["detail"].startswith("the token is not accepted: ")
    assert issuer.sent == []


@pytest.mark.parametrize(
    "keys",
    [
        [public_jwk("RS256", "one", use="enc")],
        [public_jwk("RS256", "one", key_ops=["encrypt"])],
        [public_jwk("RS256", "one", alg="RS512")],
        [public_jwk("RS256", "one", alg="nonsense")],
        [public_jwk("ES256", "one")],
        [{"kty": "oct", "kid": "one", "k": "c2VjcmV0"}],
        [{"kty": "RSA", "kid": "one", "n": "AQAB", "e": "AQAB"}],
        [public_jwk("RS256", "one", key_ops=5), {"kty": "RSA", "kid": "one"}, {}, None, 5, "text", {"kty": ["RSA"]}],
        [],
    ],
)
async def test_keys_for_other_purposes_and_broken_ones_are_not_used(keys: list[Any]) -> None:
    answered = await asked(Issuer(keys=keys), token())

    assert fault(answered) == "Signature verification failed"


async def test_keys_are_fetched_once_for_many_callers_and_adapters() -> None:
    issuer = Issuer()
    statuses = []
    async with world(ships(OAUTH), upstream=issuer.transport(), environ=ENVIRON) as one:
        headers = {"authorization": f"Bearer {token()}"}

        async def ask() -> None:
            statuses.append((await one.rest.get("/ships/1", headers=headers)).status_code)

        async with anyio.create_task_group() as group:
            for _ in range(8):
                group.start_soon(ask)
        agent = await one.mcp.post("/mcp", headers=headers)

    assert statuses == [200] * 8
    assert agent.status_code not in (401, 403)
    assert (issuer.count("/keys"), issuer.count("/.well-known/oauth-authorization-server")) == (1, 1)


class Clock:
    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


async def test_a_new_key_works_at_once_and_made_up_ones_are_looked_for_once_a_minute() -> None:
    issuer, clock = Issuer(), Clock()
    async with connect(transport=issuer.transport()) as upstream:
        keys = Keys(ISSUER, upstream, clock)
        assert await keys.fitting("one", "RS256")
        issuer.keys = [public_jwk("RS256", "two", 2)]
        assert await keys.fitting("two", "RS256")
        assert issuer.count("/keys") == 2

        for number in range(50):
            assert not await keys.fitting(f"made-up-{number}", "RS256")
        assert issuer.count("/keys") == 2

        clock.time += PAUSE
        for number in range(50):
            assert not await keys.fitting(f"made-up-{number}", "RS256")
        assert issuer.count("/keys") == 3


async def test_a_key_that_is_withdrawn_is_good_for_five_minutes_at_most() -> None:
    issuer, clock = Issuer(), Clock()
    async with connect(transport=issuer.transport()) as upstream:
        keys = Keys(ISSUER, upstream, clock)
        await keys.fitting("one", "RS256")
        issuer.keys = []
        clock.time += LIFETIME - 1
        assert await keys.fitting("one", "RS256")
        clock.time += 1
        assert not await keys.fitting("one", "RS256")


async def test_known_keys_stay_good_while_the_server_is_down_but_not_for_ever() -> None:
    issuer, clock = Issuer(), Clock()
    async with connect(transport=issuer.transport()) as upstream:
        keys = Keys(ISSUER, upstream, clock)
        await keys.fitting("one", "RS256")
        issuer.is_down = True
        clock.time += LIFETIME
        for _ in range(5):
            assert await keys.fitting("one", "RS256")
        assert issuer.count("/keys") == 1
        with pytest.raises(UpstreamFailed, match="could not be had"):
            await keys.fitting("two", "RS256")
        clock.time += OUTAGE
        with pytest.raises(UpstreamFailed, match="could not be had"):
            await keys.fitting("one", "RS256")

        issuer.is_down = False
        clock.time += 5
        assert await keys.fitting("one", "RS256")


class Held(httpx.AsyncBaseTransport):
    """A server that answers when it is told to; `asked` is set as soon as it is."""

    def __init__(self, issuer: Issuer) -> None:
        self.behind = issuer.transport()
        self.asked, self.go_on = anyio.Event(), anyio.Event()
        self.go_on.set()

    def hold(self) -> None:
        self.asked, self.go_on = anyio.Event(), anyio.Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.set()
        await self.go_on.wait()
        return await self.behind.handle_async_request(request)


async def test_while_keys_are_fetched_only_those_wait_whose_keys_are_not_known() -> None:
    issuer, clock = Issuer(), Clock()
    held = Held(issuer)
    found: list[str] = []
    async with connect(transport=held) as upstream:
        keys = Keys(ISSUER, upstream, clock)
        await keys.fitting("one", "RS256")
        clock.time += LIFETIME
        issuer.keys.append(public_jwk("RS256", "two", 2))
        held.hold()

        async def find(name: str) -> None:
            found.extend(str(key.id) for key in await keys.fitting(name, "RS256"))

        with anyio.fail_after(10):
            async with anyio.create_task_group() as group:
                group.start_soon(find, "one")
                await held.asked.wait()
                group.start_soon(find, "two")
                group.start_soon(find, "two")
                await find("one")
                assert found == ["one"]
                held.go_on.set()

    assert found == ["one", "one", "two", "two"]
    assert issuer.count("/keys") == 2


async def test_keys_that_were_not_asked_for_in_an_hour_are_good_for_nobody_until_they_are_fetched() -> None:
    issuer, clock = Issuer(), Clock()
    held = Held(issuer)
    found: list[int] = []
    async with connect(transport=held) as upstream:
        keys = Keys(ISSUER, upstream, clock)
        await keys.fitting("one", "RS256")
        clock.time += OUTAGE + 1
        issuer.keys = []
        held.hold()

        async def find() -> None:
            found.append(len(await keys.fitting("one", "RS256")))

        with anyio.fail_after(10):
            async with anyio.create_task_group() as group:
                group.start_soon(find)
                await held.asked.wait()
                group.start_soon(find)
                held.go_on.set()

    assert found == [0, 0]


@pytest.mark.parametrize(
    "metadata",
    [
        {"jwks_uri": None},
        {"jwks_uri": 5},
        {"jwks_uri": "http://auth.test/keys"},
        {"jwks_uri": "https://["},
        {"jwks_uri": "file:///etc/passwd"},
        {"issuer": "https://evil.test"},
        {"jwks_uri": f"{ISSUER}/nothing"},
    ],
)
async def test_without_keys_the_gateway_says_that_it_cannot_tell(metadata: dict[str, Any]) -> None:
    answered = await asked(Issuer(metadata=metadata), token())

    assert answered.status_code == 502
    assert answered.json()["detail"].startswith("the keys of the authorization server could not be had: ")


async def test_the_metadata_of_openid_connect_will_do() -> None:
    issuer = Issuer(is_openid=True)

    assert (await asked(issuer, token())).status_code == 200


@pytest.mark.parametrize("said", [{}, {"aud": RESOURCE, "iss": ISSUER, "exp": time.time() + 100_000}])
async def test_a_token_of_any_kind_lets_in_where_its_issuer_says_so(said: dict[str, Any]) -> None:
    issuer = Issuer(active={"opaque": {"scope": "ships.read", **said}})
    async with world(ships(OPAQUE), upstream=issuer.transport(), environ=ENVIRON) as one:
        headers = {"authorization": "Bearer opaque"}
        answers = [await one.rest.get("/ships/1", headers=headers) for _ in range(3)]

    assert [answered.status_code for answered in answers] == [200] * 3
    assert issuer.clients == ["us:our canary"]
    assert "opaque" not in str(issuer.sent)


@pytest.mark.parametrize(
    ("said", "fault_said"),
    [
        (None, "Token is not active"),
        ({"exp": 5}, "Token expired"),
        ({"aud": "https://other.test"}, "Invalid audience"),
        ({"iss": "https://evil.test"}, "Invalid issuer"),
        ({"active": False}, "Token is not active"),
        ({"active": "true"}, "Token is not active"),
    ],
)
async def test_what_the_issuer_says_against_a_token_counts(said: dict[str, Any] | None, fault_said: str) -> None:
    issuer = Issuer(active={"opaque": {"scope": "ships.read", **said}} if said else {})
    answered = await asked(issuer, "opaque", OPAQUE)

    assert fault(answered) == fault_said


@pytest.mark.parametrize(("is_open", "status"), [(True, 200), (False, 502)])
async def test_an_issuer_is_asked_as_nobody_where_the_file_names_no_client(is_open: bool, status: int) -> None:
    issuer = Issuer(active={"opaque": {"scope": "ships.read"}}, is_open=is_open)
    nameless = OPAQUE.replace("clientId: us, clientSecret: '{{SECRET}}', ", "")

    assert (await asked(issuer, "opaque", nameless)).status_code == status
    assert issuer.clients == [""]


async def test_a_token_without_scope_is_forbidden_whoever_vouches_for_it() -> None:
    answered = await asked(Issuer(active={"opaque": {"scope": "other"}}), "opaque", OPAQUE)

    assert answered.status_code == 403


async def test_an_issuer_that_does_not_answer_lets_nobody_in() -> None:
    down = await asked(Issuer(is_down=True), "opaque", OPAQUE)
    nowhere = await asked(Issuer(metadata={"introspection_endpoint": None}), "opaque", OPAQUE)
    stranger = await asked(Issuer(), "opaque", OPAQUE.replace("clientId: us", "clientId: them"))
    huge = await asked(Issuer(), "x" * (MAX_LENGTH + 1), OPAQUE)

    assert [one.status_code for one in (down, nowhere, stranger, huge)] == [502, 502, 502, 401]
    assert "canary" not in down.text + nowhere.text + stranger.text


async def test_what_a_token_is_is_remembered_for_half_a_minute_and_not_the_token() -> None:
    issuer, clock = Issuer(active={"opaque": {}}), Clock()
    async with connect(transport=issuer.transport()) as upstream:
        read = Remembered(OpaqueTokens(OurClient("us", "our canary"), ISSUER, upstream), clock)
        assert (await read("opaque"))["active"] is True
        issuer.active.clear()
        clock.time += KEPT - 1
        assert (await read("opaque"))["active"] is True
        clock.time += 1
        assert (await read("opaque"))["active"] is False

    assert "opaque" not in repr(vars(read)["_kept"])
    assert issuer.count("/introspect") == 2


async def test_so_many_tokens_are_remembered_and_no_more() -> None:
    asked_about = []

    async def read(given: str) -> Mapping[str, Any]:
        asked_about.append(given)
        return {}

    remembered = Remembered(read)
    for number in range(MAX_KEPT + 1):
        await remembered(str(number))
    for number in (1, MAX_KEPT, 0):
        await remembered(str(number))

    assert asked_about == [*map(str, range(MAX_KEPT + 1)), "0"]


async def test_a_remembered_token_expires_all_the_same() -> None:
    clock = Clock()
    check = TokenCheck(Expected(ISSUER, RESOURCE, now=clock), RESOURCE, (), Remembered(said_to_be(exp=clock.time + 5)))
    scope = {"headers": [(b"authorization", b"Bearer x")]}

    assert await check(scope) == {"headers": []}
    clock.time += 5
    with pytest.raises(Unauthorized, match="Token expired"):
        await check(scope)


def said_to_be(**changed: Any) -> Read:
    async def read(given: str) -> Mapping[str, Any]:
        return claims(**changed)

    return read


async def described(one: World, port: int, path: str = "") -> tuple[int, Any]:
    client = one.rest if port == 8080 else one.mcp
    answered = await client.get(f"/.well-known/oauth-protected-resource{path}")
    return answered.status_code, answered.json()


async def test_everybody_may_read_what_protects_the_resource() -> None:
    said = {
        "resource": RESOURCE,
        "authorization_servers": [f"{ISSUER}/"],
        "bearer_methods_supported": ["header"],
        "scopes_supported": ["ships.read"],
    }
    async with world(ships(OAUTH), upstream=Issuer().transport(), environ=ENVIRON) as one:
        places = [(8080, ""), (8080, "/mcp"), (9090, ""), (9090, "/mcp"), (9090, "/mcp/mcp")]
        listed = [await described(one, port, path) for port, path in places]
        other = await described(one, 9090, "/other")
        posted = await one.mcp.post("/.well-known/oauth-protected-resource")

    assert listed == [(200, said)] * 5
    assert other[0] == 401
    assert posted.status_code == 405


async def test_a_caller_without_a_token_is_told_where_to_get_one() -> None:
    async with world(ships(OAUTH), upstream=Issuer().transport(), environ=ENVIRON) as one:
        answers = [await one.rest.get("/ships/1"), await one.mcp.post("/mcp"), await one.mcp.post("/mcp/mcp")]

    assert {answered.status_code for answered in answers} == {401}
    assert {answered.headers["www-authenticate"] for answered in answers} == {f'Bearer realm="fairlead", {CHALLENGE}'}


@pytest.mark.parametrize("resource", ["ships", "urn:ships", "https://["])
async def test_an_audience_that_is_no_url_has_no_metadata(resource: str) -> None:
    async with world(ships(OAUTH.replace(RESOURCE, resource)), upstream=Issuer().transport(), environ=ENVIRON) as one:
        answered = await one.rest.get("/ships/1")

    assert answered.headers["www-authenticate"] == 'Bearer realm="fairlead", scope="ships.read"'


@pytest.mark.parametrize("issuer", ["auth.test", "https://", "https://[", "file:///etc", "https://{auth}", " "])
async def test_an_issuer_that_is_no_url_shuts_the_adapter(issuer: str) -> None:
    environ = {"ISSUER": SecretStr(issuer)}
    async with world(ships(OAUTH), upstream=Issuer().transport(), environ=environ) as one:
        answered = await one.rest.get("/ships/1", headers={"authorization": f"Bearer {token()}"})

    assert answered.status_code == 503
    assert "ISSUER is blank, or no http(s) URL" in answered.json()["detail"]


async def test_the_audience_counts_where_there_is_one() -> None:
    named = OAUTH.replace("scopes", "audience: ours, scopes")

    assert (await asked(Issuer(), token(aud="ours"), named)).status_code == 200
    assert fault(await asked(Issuer(), token(), named)) == "Invalid audience"


class Kept:
    """Where the SDK's client keeps its tokens."""

    tokens: Any = None
    client: Any = None

    async def get_tokens(self) -> Any:
        return self.tokens

    async def set_tokens(self, tokens: Any) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> Any:
        return self.client

    async def set_client_info(self, client_info: Any) -> None:
        self.client = client_info


@pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])
async def test_the_official_client_finds_its_way_from_the_first_refusal_to_the_answer(mode: str) -> None:
    resource = "http://localhost:9090/mcp/mcp"
    issuer = Issuer()
    oauth = OAUTH.replace(RESOURCE, resource)
    environ = {**ENVIRON, "ISSUER": SecretStr(ISSUER)}
    async with world(ships(oauth), upstream=issuer.transport(), environ=environ) as one:
        everywhere = Anywhere(httpx2.ASGITransport(one.apps[9090]), issuer)
        provider = ClientCredentialsOAuthProvider(
            server_url=resource, storage=Kept(), client_id="agent", client_secret="s", scope="ships.read", issuer=ISSUER
        )
        async with (
            httpx2.AsyncClient(transport=everywhere, auth=provider) as http,
            Client(streamable_http_client(resource, http_client=http), mode=mode) as client,
        ):
            tools = await client.list_tools()
            called = await client.call_tool("get", {"id": "1"})

    assert [tool.name for tool in tools.tools] == ["get"]
    assert called.structured_content == {"ship": 1}
    assert "/.well-known/oauth-protected-resource/mcp/mcp" in everywhere.paths
    assert issuer.count("/token") == 1


class Anywhere(httpx2.AsyncBaseTransport):
    """Sends requests to the gateway, or to the authorization server, by their host."""

    def __init__(self, gateway: httpx2.AsyncBaseTransport, issuer: Issuer) -> None:
        self._gateway = gateway
        self._issuer = issuer.transport()
        self.paths: list[str] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.host == "localhost":
            self.paths.append(request.url.path)
            return await self._gateway.handle_async_request(request)
        content = await request.aread()
        sent = httpx.Request(request.method, str(request.url), headers=request.headers.raw, content=content)
        got = await self._issuer.handle_async_request(sent)
        return httpx2.Response(got.status_code, headers=got.headers.raw, content=await got.aread())


async def test_the_key_of_one_adapter_is_not_shown_to_the_authorization_server_of_another() -> None:
    issuer = Issuer()
    keyed = ships("{type: bearer, token: '{{OTHER}}'}").replace("naftiko", "# another\nnaftiko", 1)
    environ = {**ENVIRON, "OTHER": SecretStr("b-canary")}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    headers = {"authorization": "Bearer b-canary", "accept": "application/json, text/event-stream"}
    async with world(ships(OPAQUE), keyed, upstream=issuer.transport(), environ=environ) as one:
        listed = await one.mcp.post("/mcp", json=call, headers=headers)
        nothing = await one.rest.get("/nothing", headers=headers)

    assert (listed.status_code, nothing.status_code) == (200, 404)
    assert issuer.paths == []
