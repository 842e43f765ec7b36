"""Mutual TLS: a server that wants a certificate of its private authority, and gets it from either form of file."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)
from pydantic import SecretStr

from fairlead.settings import Settings
from serving.sockets import Connection, head, listening, private_ca
from serving.world import world

pytestmark = pytest.mark.anyio

API = """
naftiko: 1.0.0-alpha2
info: {label: Jobs}
capability:
  consumes:
  - namespace: api
    authentication: {type: certificate, certPath: '{{CERT}}', certPassword: '{{PASSWORD}}'}
    resources: [{name: jobs, path: /jobs, operations: [{name: list, method: GET}]}]
  - namespace: plain
    resources: [{name: jobs, path: /jobs, operations: [{name: list, method: GET}]}]
  exposes:
  - {type: rest, namespace: rest, resources: [
      {path: /jobs, operations: [{method: GET, call: api.list}]},
      {path: /plain, operations: [{method: GET, call: plain.list}]}]}
"""
PASSWORD = "canary-password"


def written(folder: Path, form: str) -> Path:
    """The client's certificate and key in a file of that form."""
    data = (folder / "client.pem").read_bytes()
    key, certificate = load_pem_private_key(data, None), x509.load_pem_x509_certificate(data)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    locked, file = BestAvailableEncryption(PASSWORD.encode()), folder / "client"
    match form:
        case "pem":
            pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            file.write_bytes(pem + certificate.public_bytes(Encoding.PEM))
        case "locked pem":
            pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked)
            file.write_bytes(certificate.public_bytes(Encoding.PEM) + pem)
        case "pkcs12":
            file.write_bytes(pkcs12.serialize_key_and_certificates(b"me", key, certificate, None, locked))
    return file


def demanding(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """The authority, and the TLS of a server that lets in only whom it vouches for."""
    ca_file, tls = private_ca(folder)
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_verify_locations(ca_file)
    return ca_file, tls


@pytest.mark.parametrize("form", ["pem", "locked pem", "pkcs12"])
async def test_the_certificate_is_shown_to_the_api_that_needs_it_and_to_no_other(form: str, tmp_path: Path) -> None:
    subjects = []

    async def answer(connection: Connection) -> None:
        shown = connection.writer.get_extra_info("peercert")
        subjects.append(dict(pair for (pair,) in shown["subject"])["commonName"])
        await connection.send(head("content-length: 2"), b"{}")

    ca_file, tls = demanding(tmp_path)
    environ = {"CERT": SecretStr(str(written(tmp_path, form))), "PASSWORD": SecretStr(PASSWORD)}
    async with listening(answer, tls) as port:
        base = f"https://127.0.0.1:{port}"
        settings = Settings(base_uris={"api": base, "plain": base}, ca_file=ca_file)
        async with world(API, environ=environ, settings=settings) as one:
            shown, not_shown = await one.rest.get("/jobs"), await one.rest.get("/plain")

    assert (shown.status_code, shown.content, not_shown.status_code, subjects) == (200, b"{}", 502, ["client"])


@pytest.mark.parametrize("form", ["locked pem", "pkcs12"])
async def test_a_server_of_an_unknown_authority_is_not_trusted_with_it(form: str, tmp_path: Path) -> None:
    async def answer(connection: Connection) -> None:
        raise AssertionError

    _, tls = demanding(tmp_path)
    environ = {"CERT": SecretStr(str(written(tmp_path, form))), "PASSWORD": SecretStr(PASSWORD)}
    async with listening(answer, tls) as port:
        settings = Settings(base_uris={"api": f"https://127.0.0.1:{port}"})
        async with world(API, environ=environ, settings=settings) as one:
            answered = await one.rest.get("/jobs")

    assert (answered.status_code, answered.json()["detail"]) == (502, "cannot connect to the upstream")


@pytest.mark.parametrize(
    ("form", "password", "why"),
    [
        ("locked pem", "wrong", "holds no certificate with its private key, or its password is wrong"),
        ("pkcs12", "wrong", "holds neither PEM nor PKCS#12 that could be read, or its password is wrong"),
        ("none", "wrong", "names no file that could be read"),
    ],
)
async def test_a_file_of_no_use_is_told_without_what_is_in_it(
    form: str, password: str, why: str, tmp_path: Path
) -> None:
    private_ca(tmp_path)
    file = written(tmp_path, form)
    environ = {"CERT": SecretStr(str(file)), "PASSWORD": SecretStr(password)}
    async with world(API, environ=environ, settings=Settings(base_uris={"api": "https://127.0.0.1:9"})) as one:
        answered = await one.rest.get("/jobs")

    detail = f"CERT, PASSWORD {why}; 'Jobs' needs it (some.yaml:7)"
    assert (answered.status_code, answered.json()["detail"]) == (503, detail)
