"""Who is answered at all: known hosts and origins; and what is said when something fails that nobody foresaw."""

from __future__ import annotations

import pytest

from fairlead.settings import Settings
from serving.world import BATCHES, Exchange, Reply, Sent, Upstream, world

pytestmark = pytest.mark.anyio

SETTING = "--allowed-host (FAIRLEAD_ALLOWED_HOSTS)"


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:8080", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:8080", "[::1]", "[::1]:8080", "localhost."],
)
async def test_loopback_names_are_answered_on_any_port(host: str) -> None:
    async with world(BATCHES, upstream=Upstream()) as one:
        response = await one.rest.get("/v1/batches", headers={"host": host})

    assert response.status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.test", "evil.test:8080", "localhost.evil.test", "evil-localhost", "127.0.0.2", "[::2]:8080", "", "[", "@"],
)
@pytest.mark.parametrize("port", [8080, 9090])
async def test_another_host_is_misdirected_and_told_the_setting(host: str, port: int) -> None:
    async with world(BATCHES, upstream=(upstream := Upstream())) as one:
        client = one.rest if port == 8080 else one.mcp
        response = await client.post("/mcp", json={}, headers={"host": host})

    assert (response.status_code, response.headers["content-type"]) == (421, "application/problem+json")
    assert response.json() == {
        "type": "urn:fairlead:problem:misdirected",
        "title": "Misdirected Request",
        "status": 421,
        "detail": f"host {host!r} is not served here; allow it with {SETTING}",
    }
    assert upstream.got == []


@pytest.mark.parametrize("hosts", [(), ("localhost", "evil.test"), ("localhost", "localhost")])
async def test_a_request_names_exactly_one_host(hosts: tuple[str, ...]) -> None:
    async with world(BATCHES, upstream=(upstream := Upstream())) as one:
        exchange = Exchange(one.apps[8080], b"/v1/batches", headers=tuple(("host", host) for host in hosts), host=None)
        answered = await exchange.run()

    assert (answered.status, upstream.got) == (421, [])


@pytest.mark.parametrize("origin", ["http://localhost:3000", "https://localhost", "http://127.0.0.1", "http://[::1]:1"])
async def test_a_page_of_this_machine_is_answered(origin: str) -> None:
    async with world(BATCHES, upstream=Upstream()) as one:
        response = await one.rest.get("/v1/batches", headers={"origin": origin})

    assert (response.status_code, "access-control-allow-origin" in response.headers) == (200, False)


@pytest.mark.parametrize(
    "origin", ["http://evil.test", "https://localhost.evil.test", "null", "http://evil.test@localhost", "http://[", "x"]
)
async def test_a_page_of_another_origin_is_forbidden_and_told_the_setting(origin: str) -> None:
    async with world(BATCHES, upstream=(upstream := Upstream())) as one:
        response = await one.rest.get("/v1/batches", headers={"origin": origin})

    detail = f"origin {origin!r} is not allowed; allow its host with {SETTING}"
    assert (response.status_code, response.json()["detail"], upstream.got) == (403, detail, [])


@pytest.mark.parametrize(
    ("settings", "host"),
    [
        (Settings(allowed_hosts=("gateway.test",)), "gateway.test"),
        (Settings(allowed_hosts=("Gateway.test",)), "gateway.test:8080"),
        (Settings(allowed_hosts=("gateway.test:8080",)), "gateway.test:8080"),
        (Settings(allowed_hosts=("*",)), "anything.test"),
        (Settings(allowed_hosts=("*",)), ""),
        (Settings(host="192.0.2.7"), "192.0.2.7:8080"),
        (Settings(host="2001:db8::7"), "[2001:db8::7]:8080"),
        (Settings(allowed_hosts=("2001:db8::7",)), "[2001:db8::7]:8080"),
        (Settings(allowed_hosts=("[2001:db8::7]",)), "[2001:db8::7]:8080"),
    ],
)
async def test_one_setting_opens_for_other_hosts(settings: Settings, host: str) -> None:
    async with world(BATCHES, upstream=Upstream(), settings=settings) as one:
        by_host = await one.rest.get("/v1/batches", headers={"host": host})
        by_origin = await one.rest.get("/v1/batches", headers={"origin": f"http://{host or 'x'}"})

    assert (by_host.status_code, by_origin.status_code) == (200, 200)


async def test_a_host_allowed_with_its_port_is_allowed_with_no_other() -> None:
    settings = Settings(allowed_hosts=("gateway.test:8080",))
    async with world(BATCHES, upstream=Upstream(), settings=settings) as one:
        response = await one.rest.get("/v1/batches", headers={"host": "gateway.test:8081"})

    assert response.status_code == 421


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
@pytest.mark.parametrize("port", [8080, 9090])
async def test_health_is_answered_for_everybody(path: str, port: int) -> None:
    async with world(BATCHES, upstream=Upstream()) as one:
        client = one.rest if port == 8080 else one.mcp
        response = await client.get(path, headers={"host": "10.1.2.3:8080", "origin": "http://evil.test"})

    assert response.status_code == 200


@pytest.mark.parametrize("path", ["/health/other", "/health/", "/health/live/x", "/docs", "/openapi.json"])
async def test_nothing_but_health_is(path: str) -> None:
    async with world(BATCHES, upstream=Upstream()) as one:
        response = await one.rest.get(path, headers={"host": "10.1.2.3:8080"})

    assert response.status_code == 421


def broken(sent: Sent) -> Reply:
    raise RuntimeError("secret detail")


async def test_a_failure_nobody_foresaw_is_a_problem_that_tells_nothing_of_itself(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with world(BATCHES, upstream=Upstream(broken)) as one:
        response = await one.rest.get("/v1/batches")

    assert (response.status_code, response.headers["content-type"]) == (500, "application/problem+json")
    assert response.json() == {
        "type": "urn:fairlead:problem:internal-error",
        "title": "Internal Server Error",
        "status": 500,
        "detail": "the request failed for a reason of our own; the log has more",
    }
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert (record.name, record.getMessage()) == ("fairlead", "GET /v1/batches failed")
    assert record.exc_info


async def test_a_line_break_in_a_path_cannot_forge_a_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async with world(BATCHES, upstream=Upstream(broken)) as one:
        answered = await Exchange(one.apps[8080], b"/v1/batches/a%E2%80%A8b").run()

    assert answered.status == 500
    assert [len(record.getMessage().splitlines()) for record in caplog.records if record.name == "fairlead"] == [1]
