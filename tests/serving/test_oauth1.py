"""OAuth 1.0a: a library's server side verifies what is sent, the body's hash is checked by its draft."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs12,
)
from oauthlib.oauth1 import RequestValidator, ResourceEndpoint
from oauthlib.oauth1.rfc5849 import signature
from pydantic import SecretStr

from serving.world import Sent, Upstream, world

pytestmark = pytest.mark.anyio

API = """
naftiko: 1.0.0-alpha2
info: {label: Payments}
capability:
  consumes:
  - namespace: api
    baseUri: https://api.test
    authentication: {type: OAuth1, consumerKey: '{{CONSUMER_KEY}}', signingKey: '{{SIGNING_KEY}}'PASSWORD}
    resources: [{name: payments, path: '/payments/{id}', operations: [
      {name: find, method: GET, inputParameters: [{name: text, in: query}, {name: ids, in: query, type: array}]},
      {name: send, method: POST, inputParameters: [{name: body, in: body, type: object}]},
      {name: fill, method: PUT, body: {type: formUrlEncoded}, inputParameters: [{name: a, in: body, type: string}]}]}]
  exposes:
  - {type: rest, namespace: rest, resources: [{path: '/payments/{id}', operations: [
      {method: GET, call: api.find}, {method: POST, call: api.send}, {method: PUT, call: api.fill}]}]}
"""
KEY = rsa.generate_private_key(65537, 2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def api(password: str = "") -> str:
    return API.replace("PASSWORD", f", keyPassword: {password}" if password else "")


def environ(key: str) -> dict[str, SecretStr]:
    return {"CONSUMER_KEY": SecretStr("consumer/key!1"), "SIGNING_KEY": SecretStr(key)}


def oauth(sent: Sent) -> dict[str, str]:
    header = sent.header("authorization") or ""
    assert header.startswith("OAuth ")
    return {name: unquote(value) for name, value in re.findall(r'(\w+)="([^"]*)"', header)}


def is_verified(sent: Sent) -> bool:
    """Whether a server that knows the public key and the specifications takes the request."""
    own = oauth(sent)
    proof = own.pop("oauth_signature")
    parameters = [*signature.collect_parameters(uri_query=urlsplit(sent.url).query), *own.items()]
    request = SimpleNamespace(http_method=sent.method, uri=sent.url, params=parameters, signature=proof)
    has_hash = own["oauth_body_hash"] == b64encode(sha256(sent.body).digest()).decode()
    return has_hash and signature.verify_rsa_sha256(request, PUBLIC)


@pytest.mark.parametrize(
    ("method", "target", "json"),
    [
        ("GET", "/payments/1", None),
        ("GET", "/payments/a%2Fb%20c?text=a+b%26c%3D%C3%A9~&ids=2&ids=10&ids=1", None),
        ("GET", "/payments/1?text=", None),
        ("POST", "/payments/1", {"amount": 1.5, "name": "Zoë"}),
        ("PUT", "/payments/1", {"a": "b c&d"}),
    ],
)
async def test_a_server_can_verify_every_request(method: str, target: str, json: object) -> None:
    async with world(api(), upstream=(upstream := Upstream()), environ=environ(PEM)) as one:
        answered = await one.rest.request(method, target, json=json)

    assert answered.status_code == 200, answered.text
    assert is_verified(upstream.only)
    own = oauth(upstream.only)
    assert (own["oauth_consumer_key"], own["oauth_signature_method"]) == ("consumer/key!1", "RSA-SHA256")


async def test_what_was_changed_on_the_way_is_not_verified() -> None:
    async with world(api(), upstream=(upstream := Upstream()), environ=environ(PEM)) as one:
        await one.rest.post("/payments/1", json={"amount": 1})

    sent = upstream.only
    assert not is_verified(Sent(sent.method, sent.url, sent.headers, b'{"amount": 2}'))
    assert not is_verified(Sent(sent.method, sent.url + "?a=1", sent.headers, sent.body))
    assert not is_verified(Sent("PUT", sent.url, sent.headers, sent.body))


async def test_no_nonce_is_used_twice() -> None:
    async with world(api(), upstream=(upstream := Upstream()), environ=environ(PEM)) as one:
        for _ in range(3):
            await one.rest.get("/payments/1")

    assert len({oauth(sent)["oauth_nonce"] for sent in upstream.got}) == 3


@pytest.mark.parametrize("form", ["pem file", "escaped text", "pkcs12", "locked pem"])
async def test_the_key_is_a_text_or_a_file_in_either_form(form: str, tmp_path: Path) -> None:
    file, password = tmp_path / "key", ""
    match form:
        case "pem file":
            file.write_text(PEM)
        case "pkcs12":
            password = "changeit"
            locked = BestAvailableEncryption(password.encode())
            file.write_bytes(pkcs12.serialize_key_and_certificates(b"alias", KEY, None, None, locked))
        case "locked pem":
            password = "changeit"
            locked = BestAvailableEncryption(password.encode())
            file.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked))
    key = PEM.replace("\n", "\\n") if form == "escaped text" else str(file)
    async with world(api(password), upstream=(upstream := Upstream()), environ=environ(key)) as one:
        answered = await one.rest.get("/payments/1")

    assert answered.status_code == 200, answered.text
    assert is_verified(upstream.only)


ELLIPTIC = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("no-such-file.pem", "names no file that could be read"),
        ("canary\x00", "names no file that could be read"),
        ("-----BEGIN PRIVATE KEY-----\ncanary", "holds no private key that could be read, or its password is wrong"),
        (ELLIPTIC.decode(), "holds a private key that is not of RSA"),
    ],
)
async def test_a_key_of_no_use_is_told_without_what_is_in_it(key: str, why: str) -> None:
    async with world(api(), upstream=(upstream := Upstream()), environ=environ(key)) as one:
        answered = await one.rest.get("/payments/1")

    assert (answered.status_code, upstream.got) == (503, [])
    detail = f"CONSUMER_KEY, SIGNING_KEY {why}; 'Payments' needs it (some.yaml:8)"
    assert answered.json()["detail"] == detail


async def test_a_file_that_holds_no_key_is_told_without_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"canary")
    async with world(api("canary"), upstream=Upstream(), environ=environ(str(tmp_path / "key"))) as one:
        answered = await one.rest.get("/payments/1")

    assert answered.status_code == 503
    assert "holds neither PEM nor PKCS#12 that could be read, or its password is wrong" in answered.json()["detail"]
    assert "canary" not in answered.text


SECRETS = {name: SecretStr(f"{name.lower()}&/+ %") for name in ("KEY", "SECRET", "TOKEN", "TOKEN_SECRET")}
WITH_TOKEN = "token: '{{TOKEN}}', tokenSecret: '{{TOKEN_SECRET}}'"


def by_hmac(more: str = "") -> str:
    rsa_keys = "consumerKey: '{{CONSUMER_KEY}}', signingKey: '{{SIGNING_KEY}}'PASSWORD"
    return API.replace(rsa_keys, f"consumerKey: '{{{{KEY}}}}', consumerSecret: '{{{{SECRET}}}}'{more}")


class Server(RequestValidator):
    """A server that knows one client and one token, and takes every nonce once."""

    enforce_ssl = True

    def __init__(self) -> None:
        self.nonces: set[str] = set()

    @property
    def safe_characters(self) -> set[str]:
        return {chr(code) for code in range(32, 127)}

    client_key_length = access_token_length = nonce_length = (1, 100)

    @property
    def dummy_client(self) -> str:
        return "nobody"

    @property
    def dummy_access_token(self) -> str:
        return "none"

    def validate_timestamp_and_nonce(self, client_key: str, timestamp: int, nonce: str, *_: Any, **__: Any) -> bool:
        is_new = nonce not in self.nonces
        self.nonces.add(nonce)
        return is_new

    def validate_client_key(self, client_key: str, request: Any) -> bool:
        return client_key == SECRETS["KEY"].get_secret_value()

    def validate_access_token(self, client_key: str, token: str, request: Any) -> bool:
        return token == SECRETS["TOKEN"].get_secret_value()

    def validate_realms(self, *_: Any, **__: Any) -> bool:
        return True

    def get_client_secret(self, client_key: str, request: Any) -> str:
        return SECRETS["SECRET"].get_secret_value()

    def get_access_token_secret(self, client_key: str, token: str, request: Any) -> str:
        return SECRETS["TOKEN_SECRET"].get_secret_value()


def is_taken(server: Server, sent: Sent, body: bytes | None = None) -> bool:
    """Whether a server of the library takes the request."""
    content = (sent.body if body is None else body).decode()
    headers = {"Authorization": sent.header("authorization"), "Content-Type": sent.header("content-type") or ""}
    endpoint = ResourceEndpoint(server)
    is_valid, _ = endpoint.validate_protected_resource_request(sent.url, sent.method, content, headers)
    return bool(is_valid)


@pytest.mark.parametrize(("more", "name"), [("", "SHA1"), (", signatureMethod: HMAC-SHA256", "SHA256")])
@pytest.mark.parametrize(
    ("method", "target", "json"),
    [
        ("GET", "/payments/1", None),
        ("GET", "/payments/a%2Fb%20c?text=a+b%26c%3D%C3%A9~&ids=2&ids=10&ids=1", None),
        ("POST", "/payments/1", {"amount": 1.5, "name": "Zoë"}),
        ("PUT", "/payments/1", {"a": "b c&d=é+"}),
    ],
)
async def test_a_server_that_shares_the_secrets_takes_every_request_once(
    method: str, target: str, json: object, more: str, name: str
) -> None:
    source = by_hmac(f", {WITH_TOKEN}{more}")
    async with world(source, upstream=(upstream := Upstream()), environ=SECRETS) as one:
        answered = await one.rest.request(method, target, json=json)

    assert answered.status_code == 200, answered.text
    server = Server()
    assert is_taken(server, upstream.only)
    assert not is_taken(server, upstream.only)
    assert oauth(upstream.only)["oauth_signature_method"] == f"HMAC-{name}"
    has_hash = "oauth_body_hash" in oauth(upstream.only)
    assert has_hash == (method == "POST")
    if has_hash:
        digest = hashlib.new(name.lower(), upstream.only.body).digest()
        assert oauth(upstream.only)["oauth_body_hash"] == b64encode(digest).decode()


async def test_a_form_that_was_changed_on_the_way_is_not_taken() -> None:
    async with world(by_hmac(f", {WITH_TOKEN}"), upstream=(upstream := Upstream()), environ=SECRETS) as one:
        await one.rest.put("/payments/1", json={"a": "b"})

    assert not is_taken(Server(), upstream.only, b"a=c")
    assert is_taken(Server(), upstream.only, b"a=b")


async def test_without_a_token_the_consumer_alone_signs_and_a_realm_is_only_said() -> None:
    async with world(by_hmac(", realm: '12 34'"), upstream=(upstream := Upstream()), environ=SECRETS) as one:
        await one.rest.get("/payments/1")

    own = oauth(upstream.only)
    assert (own.pop("realm"), "oauth_token" in own) == ("12 34", False)
    proof = own.pop("oauth_signature")
    request: Any = SimpleNamespace(http_method="GET", uri=upstream.only.url, params=[*own.items()], signature=proof)
    assert signature.verify_hmac_sha1(request, SECRETS["SECRET"].get_secret_value(), "")


async def test_a_secret_that_is_not_set_is_named_and_nothing_is_sent() -> None:
    environ = {name: value for name, value in SECRETS.items() if name != "TOKEN_SECRET"}
    async with world(by_hmac(f", {WITH_TOKEN}"), upstream=(upstream := Upstream()), environ=environ) as one:
        answered = await one.rest.get("/payments/1")

    assert (answered.status_code, upstream.got) == (503, [])
    assert answered.json()["variable"] == "TOKEN_SECRET"
