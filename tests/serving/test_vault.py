"""Secrets of HashiCorp Vault, from a server that answers as its key-value engine does."""

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from pydantic import SecretStr

from fairlead import vault
from fairlead.binds import Environ
from fairlead.checks import checked, configured
from fairlead.load import load
from serving.sockets import private_ca

TOKEN = "hvs.synthetic"
NO_SECRET = "cannot be read: /v1/secret/data/other at VAULT_ADDR answers 404: there is no such secret"
SECRETS: dict[tuple[str, str], Any] = {
    ("", "/v1/secret/data/registry"): {"token": "t-1", "version": 1.10, "port": 8080, "more": {"a": 1}},
    ("", "/v1/team/kv/data/deep/registry"): {"token": "t-2"},
    ("harbour", "/v1/secret/data/registry"): {"token": "t-3"},
    ("", "/v1/secret/data/registry%20two"): {"token": "t-4"},
    ("", "/v1/secret/data/large"): {"token": "x" * vault.MAX_BYTES},
}


class Vault(BaseHTTPRequestHandler):
    """Answers as version 2 of the key-value engine does: metadata around data, errors without what is secret."""

    def do_GET(self) -> None:
        found = SECRETS.get((self.headers.get("x-vault-namespace", ""), self.path))
        if self.headers.get("x-vault-token") != TOKEN or self.headers.get("x-vault-request") != "true":
            return self.answer(403, {"errors": ["2 errors occurred: permission denied, invalid token"]})
        if self.path == "/v1/secret/data/version-one":
            return self.answer(200, {"data": {"token": "t-1"}})
        if self.path == "/v1/secret/data/no-json":
            return self.answer(200, None)
        if self.path == "/v1/secret/data/teapot":
            return self.answer(418, {"errors": [TOKEN]})
        if found is None:
            return self.answer(404, {"errors": []})
        metadata = {"created_time": "2026-05-19T00:00:00Z", "deletion_time": "", "destroyed": False, "version": 3}
        return self.answer(200, {"request_id": "1", "data": {"data": found, "metadata": metadata}, "mount_type": "kv"})

    def answer(self, status: int, value: Any) -> None:
        body = json.dumps(value).encode() if value else b"<html>"
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing is told."""


@contextmanager
def running(tls: ssl.SSLContext | None = None) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Vault)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with running() as url:
        yield url


def settings(address: str, **others: str) -> Environ:
    return {name: SecretStr(value) for name, value in {"VAULT_ADDR": address, "VAULT_TOKEN": TOKEN, **others}.items()}


@pytest.mark.parametrize(
    ("path", "token"),
    [
        ("secret/registry", "t-1"),
        ("secret/data/registry", "t-1"),
        ("/secret/registry/", "t-1"),
        ("team/kv/data/deep/registry", "t-2"),
        ("secret/registry two", "t-4"),
    ],
)
def test_a_secret_is_found_behind_its_mount(address: str, path: str, token: str) -> None:
    assert vault.secrets(path, settings(f"{address}/"))["token"] == token


def test_numbers_are_as_they_are_spelt(address: str) -> None:
    assert vault.secrets("secret/registry", settings(address))["version"] == "1.1"


def test_a_namespace_has_secrets_of_its_own(address: str) -> None:
    assert vault.secrets("secret/registry", settings(address, VAULT_NAMESPACE="harbour")) == {"token": "t-3"}


@pytest.mark.parametrize(
    ("path", "changed", "fault"),
    [
        ("registry", {}, "is no vault://mount/path"),
        ("secret/../registry", {}, "is no vault://mount/path"),
        ("", {}, "is no vault://mount/path"),
        ("secret/registry", {"VAULT_ADDR": ""}, "cannot be read: VAULT_ADDR is not set"),
        ("secret/registry", {"VAULT_TOKEN": ""}, "cannot be read: VAULT_TOKEN is not set"),
        (
            "secret/registry",
            {"VAULT_TOKEN": "hvs.other"},
            "cannot be read: /v1/secret/data/registry at VAULT_ADDR answers 403: VAULT_TOKEN may not read it",
        ),
        ("secret/other", {}, NO_SECRET),
        ("secret/teapot", {}, "cannot be read: /v1/secret/data/teapot at VAULT_ADDR answers 418"),
        ("secret/registry", {"VAULT_ADDR": " \n"}, "cannot be read: VAULT_ADDR is not set"),
        ("secret/registry", {"VAULT_ADDR": "vault.test:8200"}, "cannot be read: VAULT_ADDR is no http(s) URL"),
        (
            "secret/registry",
            {"VAULT_ADDR": "http://127.0.0.1:1"},
            "cannot be read: /v1/secret/data/registry at VAULT_ADDR: cannot connect to the upstream",
        ),
        (
            "secret/registry",
            {"VAULT_TOKEN": "hvs.\nother"},
            "cannot be read: VAULT_TOKEN holds line breaks or other illegal characters",
        ),
        (
            "secret/registry",
            {"VAULT_NAMESPACE": "a\nb"},
            "cannot be read: VAULT_NAMESPACE holds line breaks or other illegal characters",
        ),
        ("secret/version-one", {}, "is no secret of version 2 of the key-value engine"),
        ("secret/no-json", {}, "is no secret of version 2 of the key-value engine"),
        (
            "secret/registry",
            {"VAULT_CACERT": "/no/such.pem"},
            "cannot be read: VAULT_CACERT: '/no/such.pem' holds no PEM certificates",
        ),
    ],
)
def test_what_cannot_be_had_says_why_and_nothing_that_is_secret(
    address: str, path: str, changed: dict[str, str], fault: str
) -> None:
    with pytest.raises(ValueError, match=r"is |cannot") as caught:
        vault.secrets(path, settings(address, **changed))

    assert str(caught.value) == fault


def test_white_space_around_the_settings_does_not_count(address: str) -> None:
    settled = settings(f" {address}/\n", VAULT_TOKEN=f"{TOKEN}\r\n", VAULT_NAMESPACE="\tharbour ", VAULT_CACERT="\n")

    assert vault.secrets("secret/registry", settled) == {"token": "t-3"}


def test_an_answer_has_a_bound(address: str) -> None:
    with pytest.raises(ValueError, match="larger than"):
        vault.secrets("secret/large", settings(address))


def test_a_server_that_is_not_there_is_told() -> None:
    with pytest.raises(ValueError, match="cannot be read: "):
        vault.secrets("secret/registry", settings("http://127.0.0.1:1"))


def test_a_private_authority_is_trusted_where_it_is_named(tmp_path: Path) -> None:
    authority, tls = private_ca(tmp_path)

    with running(tls) as url:
        named = vault.secrets("secret/registry", settings(url, VAULT_CACERT=str(authority)))
        with pytest.raises(ValueError, match="cannot be read"):
            vault.secrets("secret/registry", settings(url))

    assert named["token"] == "t-1"


DOCUMENT = """\
naftiko: 1.0.0-alpha2
binds:
- {namespace: a, location: 'vault://secret/registry', keys: {TOKEN: token, PORT: port, MORE: more}}
- {namespace: b, location: 'vault://secret/other', keys: {TOKEN: token}}
capability:
  consumes:
  - namespace: harbour
    baseUri: https://harbour.example:{{a.PORT}}
    authentication: {type: basic, username: '{{a.TOKEN}}', password: '{{b.TOKEN}}'}
    resources: [{name: ships, path: /ships, operations: [{name: list}]}]
  exposes:
  - {type: mcp, namespace: m, tools: [{name: list, call: harbour.list}]}
"""


def test_binds_of_a_document_name_secrets_of_vault(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in settings(address).items():
        monkeypatch.setenv(name, value.get_secret_value())
    path = tmp_path / "harbour.yaml"
    path.write_text(DOCUMENT)

    variables, unread = configured([load(path)], None)
    _, problems, _ = checked([path], None)

    base_uri, username, _ = load(path).values()
    assert base_uri.reveal(variables) == "https://harbour.example:8080"
    assert username.reveal(variables) == "t-1"
    assert [problem.message for problem in problems] == [
        f"location 'vault://secret/other' {NO_SECRET}",
        "vault://secret/other#token is not set",
    ]
    assert [problem.place.line for problem in problems] == [4, 9]
    assert unread == problems[:1]
