"""Every file of the tutorial loads without a word, and does what its first line says."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from serving.world import Reply, Sent, Upstream, world

from fairlead.load import load

pytestmark = pytest.mark.anyio

TUTORIAL = Path(__file__).parent.parent / "docs" / "tutorial"
FILES = {path.name: path for path in sorted(TUTORIAL.glob("*.yaml"))}
SHIP = {
    "vessel_name": "Fram",
    "registration": {"flag": "NO", "port": "Oslo"},
    "crew": [{"id": "c1", "name": "Ada"}],
    "captain_id": "c1",
}
CREW = [{"id": "c0", "name": "Bo", "phone": "1"}, {"id": "c1", "name": "Ada", "phone": "2"}]
ANSWERS: dict[str, Any] = {
    "https://registry.example/v1/ships/9074729": SHIP,
    "https://registry.example/v1/ships?flag=NO": [SHIP],
    "https://registry.example/v1/crew": CREW,
    "https://tides.example/oslo.csv": b"time,metres\n06:00,0.4\n",
    "https://berths.example/berths/B7/bookings": {"id": "booking-1"},
}
FRAM = {"name": "Fram", "flag": "NO"}
CALLS: list[tuple[str, str, dict[str, Any], Any]] = [
    ("01-mock.yaml", "greet-ship", {"ship": "Fram"}, {"message": "Welcome, Fram!"}),
    ("01-mock.yaml", "/greetings/Fram", {}, {"message": "Welcome, Fram!"}),
    ("02-first-call.yaml", "get-ship", {"imo": "9074729"}, SHIP),
    ("03-authentication.yaml", "get-ship", {"imo": "9074729"}, SHIP),
    ("04-shaping.yaml", "get-ship", {"imo": "9074729"}, {**FRAM, "crew": [{"name": "Ada"}]}),
    ("05-several-apis.yaml", "list-ships", {"flag": "NO"}, [SHIP]),
    ("05-several-apis.yaml", "get-tides", {"port": "oslo"}, [{"time": "06:00", "height": 0.4}]),
    ("06-writing.yaml", "book-berth", {"berth": "B7", "imo": "9074729", "nights": 2}, {"id": "booking-1"}),
    (
        "07-steps.yaml",
        "get-captain",
        {"imo": "9074729"},
        {"ship": "Fram", "captain": {"name": "Ada", "phone": "2"}},
    ),
    ("08-functions.yaml", "get-ship", {"imo": "9074729"}, FRAM),
    ("08-functions.yaml", "flagship", {}, FRAM),
    ("09-rest.yaml", "/fleet?flag=NO", {}, [SHIP]),
    ("09-rest.yaml", "/fleet/9074729/name", {}, {"name": "Fram"}),
    ("10-shared.yaml", "get-ship", {"imo": "9074729"}, FRAM),
    ("10-shared.yaml", "/ships/9074729", {}, FRAM),
    ("11-skill.yaml", "book-berth", {"berth": "B7", "imo": "9074729"}, {"id": "booking-1"}),
    (
        "11-skill.yaml",
        "/skills",
        {},
        {
            "count": 1,
            "skills": [
                {
                    "name": "booking",
                    "description": "How to find and book a berth for a ship",
                    "tools": ["book-berth", "choose-berth"],
                }
            ],
        },
    ),
    ("12-callers.yaml", "get-ship", {"imo": "9074729"}, SHIP),
]


def stub(sent: Sent) -> Reply:
    answer = ANSWERS[sent.url]
    return Reply(body=answer if isinstance(answer, bytes) else json.dumps(answer).encode())


@pytest.mark.parametrize("name", FILES)
async def test_a_file_of_the_tutorial_has_no_problems_and_is_listed(name: str) -> None:
    assert load(FILES[name]).problems == ()
    assert f"[{name}]({name})" in (TUTORIAL / "README.md").read_text("utf-8")
    assert name in {file for file, *_ in CALLS}


@pytest.mark.parametrize(("name", "called", "arguments", "expected"), CALLS)
async def test_the_operations_of_the_tutorial_answer(
    name: str, called: str, arguments: dict[str, Any], expected: Any
) -> None:
    upstream = Upstream(stub)
    environ = {"REGISTRY_TOKEN": SecretStr("secret"), "HARBOUR_TOKEN": SecretStr("ours")}
    async with world(FILES[name], upstream=upstream, environ=environ) as one:
        one.mcp.headers["authorization"] = "Bearer ours"
        if called.startswith("/"):
            answer = (await one.rest.get(called)).json()
        else:
            result = await one.call(called, arguments)
            assert not result.get("isError"), result
            answer = json.loads(result["content"][0]["text"])

    assert answer == expected
    wants_token = name in ("03-authentication.yaml", "10-shared.yaml", "12-callers.yaml")
    assert {sent.header("authorization") for sent in upstream.got} <= ({"Bearer secret"} if wants_token else {None})


async def test_the_booking_of_the_tutorial_leaves_out_what_is_not_given() -> None:
    upstream = Upstream(stub)
    async with world(FILES["06-writing.yaml"], upstream=upstream) as one:
        await one.call("book-berth", {"berth": "B7", "imo": "9074729"})

    assert json.loads(upstream.only.body) == {"ship": "9074729", "note": "booked for 9074729"}


async def test_nobody_calls_the_guarded_file_of_the_tutorial_without_its_token() -> None:
    environ = {"REGISTRY_TOKEN": SecretStr("secret"), "HARBOUR_TOKEN": SecretStr("ours")}
    upstream = Upstream(stub)
    async with world(FILES["12-callers.yaml"], upstream=upstream, environ=environ) as one:
        answers = [await one.mcp.post("/mcp", json={}, headers={"authorization": f"Bearer {key}"}) for key in ("", "x")]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert upstream.got == []
