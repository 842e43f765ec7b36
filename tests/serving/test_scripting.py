"""What a control adapter tells of scripts, and what its operator changes while they run."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from fairlead.document import Document, Loading
from fairlead.load import AS_IT_IS, load
from fairlead.settings import Settings
from serving.test_control import operator
from serving.world import KEYS, Upstream, world

pytestmark = pytest.mark.anyio

SCRIPTED = """\
naftiko: 1.0.0-alpha2
capability:
  exposes:
  - type: mcp
    namespace: m
    tools:
    - name: greet
      inputParameters: [{name: who, type: string, description: Whom}]
      steps: [{type: script, name: s, file: greet.py, with: {who: tools.who}}]
  - {type: control, management: {scripting: SCRIPTING}}
"""


GREETING = "result = {'text': 'hello ' + context['who']}"


def scripted(
    folder: Path, scripting: str, loading: Loading = AS_IT_IS, text: str = SCRIPTED, script: str = GREETING
) -> Document:
    (folder / "greet.py").write_text(script)
    path = folder / "scripted.yaml"
    path.write_text(text.replace("SCRIPTING", scripting))
    return load(path, loading)


PERMITTED = "{defaultLanguage: python, defaultLocation: 'file:///./', allowedLanguages: [python]}"


async def test_scripts_run_where_it_permits_them_and_are_counted(tmp_path: Path) -> None:
    async with world(scripted(tmp_path, PERMITTED), upstream=Upstream()) as one, operator(one) as client:
        before = (await client.get("/scripting")).json()
        answer = await one.call("greet", {"who": "you"})
        after = (await client.get("/scripting")).json()

    assert answer["structuredContent"] == {"text": "hello you"}
    assert before == {
        "enabled": True,
        "defaultLocation": "file:///./",
        "defaultLanguage": "python",
        "timeout": 60000,
        "allowedLanguages": ["python"],
        "stats": {"totalExecutions": 0, "totalErrors": 0, "averageDurationMs": 0.0},
    }
    assert (after["stats"]["totalExecutions"], after["stats"]["totalErrors"]) == (1, 0)
    assert "lastExecutionAt" in after["stats"]


@pytest.mark.parametrize(
    ("scripting", "loading"),
    [
        (PERMITTED.replace("{", "{enabled: false, ", 1), Loading()),
        (PERMITTED.replace("{", "{timeout: never, ", 1), Loading()),
        (PERMITTED, Loading(scripts=False)),
    ],
)
def test_scripts_do_not_run_where_it_is_off_or_has_a_fault(tmp_path: Path, scripting: str, loading: Loading) -> None:
    document = scripted(tmp_path, scripting, loading)

    assert document.tools[0].exposed.target is None


LIMITED = "{defaultLanguage: python, defaultLocation: 'file:///./', timeout: 500, statementLimit: 9}"


AS_LOADED = "counts when the file is loaded, and cannot be changed"


async def put(client: httpx.AsyncClient, **changes: Any) -> tuple[int, dict[str, Any]]:
    answer = await client.put("/scripting", json=changes)
    return answer.status_code, answer.json()


async def test_its_limits_are_changed_by_put_and_the_rest_stays_as_it_is(tmp_path: Path) -> None:
    async with world(scripted(tmp_path, LIMITED), upstream=Upstream()) as one, operator(one) as client:
        status, changed = await put(client, timeout=700, allowedLanguages=["python"])
        again = (await client.get("/scripting")).json()
        head = await client.head("/scripting")
        unlimited = await put(client, statementLimit=None)
        same = await put(client, **again)

    assert status == 200
    assert changed == again
    assert {key: value for key, value in again.items() if key != "stats"} == {
        "enabled": True,
        "defaultLocation": "file:///./",
        "defaultLanguage": "python",
        "timeout": 700,
        "statementLimit": 9,
        "allowedLanguages": ["python"],
    }
    assert (head.status_code, head.content) == (200, b"")
    assert unlimited == (200, {key: value for key, value in again.items() if key != "statementLimit"})
    assert same == (200, again)


async def test_a_script_keeps_to_the_limits_that_hold_now(tmp_path: Path) -> None:
    document = scripted(tmp_path, LIMITED, script="while context['who'] == 'you':\n    pass\nresult = {}")
    async with world(document, upstream=Upstream()) as one, operator(one) as client:
        await put(client, timeout=50)
        ended = await one.call("greet", {"who": "you"})

    assert "exceeded the time limit of 0.05 seconds" in ended["structuredContent"]["detail"]


@pytest.mark.parametrize("change", [{"enabled": False}, {"allowedLanguages": ["javascript"]}])
async def test_scripts_are_switched_off_and_on(tmp_path: Path, change: dict[str, Any]) -> None:
    back = {"enabled": True, "allowedLanguages": ["python"]}
    async with world(scripted(tmp_path, LIMITED), upstream=Upstream()) as one, operator(one) as client:
        await put(client, **change)
        off = await one.call("greet", {"who": "you"})
        await put(client, **back)
        on = await one.call("greet", {"who": "you"})

    problem = off["structuredContent"]
    assert (problem["status"], problem["step"]) == (503, "s")
    assert problem["detail"] == "step 's': scripts in 'python' are switched off at the control adapter"
    assert on["structuredContent"] == {"text": "hello you"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"timeout": 0}, "argument 'timeout' must be an integer from 1 to 86400000"),
        ({"timeout": True}, "argument 'timeout' must be an integer from 1 to 86400000"),
        ({"timeout": 86_400_001}, "argument 'timeout' must be an integer from 1 to 86400000"),
        ({"statementLimit": "9"}, "argument 'statementLimit' must be an integer greater than or equal to 1, or null"),
        ({"enabled": 1}, "argument 'enabled' must be true or false"),
        ({"allowedLanguages": "python"}, "argument 'allowedLanguages' must be an array of languages, at least one"),
        ({"allowedLanguages": []}, "argument 'allowedLanguages' must be an array of languages, at least one"),
        ({"allowedLanguages": ["groovy"]}, "argument 'allowedLanguages' has 'groovy', which the file does not allow"),
        ({"timout": 5}, "argument 'timout' is unknown; did you mean 'timeout'?"),
        ({"defaultLocation": "file:///etc"}, f"argument 'defaultLocation' {AS_LOADED}"),
        ({"defaultLanguage": ""}, f"argument 'defaultLanguage' {AS_LOADED}"),
    ],
)
async def test_a_change_that_cannot_be_made_changes_nothing(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    async with world(scripted(tmp_path, LIMITED), upstream=Upstream()) as one, operator(one) as client:
        before = (await client.get("/scripting")).json()
        status, problem = await put(client, **{"enabled": False, **change})
        after = (await client.get("/scripting")).json()

    assert (status, problem["detail"]) == (400, said)
    assert before == after


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"null"])
async def test_a_change_is_a_json_object(tmp_path: Path, body: bytes) -> None:
    async with world(scripted(tmp_path, LIMITED), upstream=Upstream()) as one, operator(one) as client:
        answer = await client.put("/scripting", content=body)
        other = await client.post("/scripting", content=body)

    assert (answer.status_code, answer.json()["detail"]) == (400, "the body is no JSON object")
    assert (other.status_code, other.headers["allow"]) == (405, "GET, HEAD, PUT")


NARROW = LIMITED.replace("{", "{allowedLanguages: [python], ", 1)


async def test_no_change_goes_beyond_what_the_file_allows(tmp_path: Path) -> None:
    async with world(scripted(tmp_path, NARROW), upstream=Upstream()) as one, operator(one) as client:
        status, problem = await put(client, allowedLanguages=["python", "javascript"])

    assert (status, problem["detail"]) == (
        400,
        "argument 'allowedLanguages' has 'javascript', which the file does not allow",
    )


@pytest.mark.parametrize(
    ("scripting", "loading"),
    [(LIMITED.replace("{", "{enabled: false, ", 1), AS_IT_IS), (LIMITED, Loading(scripts=False))],
)
async def test_scripts_that_were_not_permitted_stay_off(tmp_path: Path, scripting: str, loading: Loading) -> None:
    document = scripted(tmp_path, scripting, loading)
    async with world(document, upstream=Upstream()) as one, operator(one) as client:
        told = (await client.get("/scripting")).json()
        answer = await client.put("/scripting", json={"enabled": True})

    assert told["enabled"] is False
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    detail = "scripting cannot be changed: its file, or --no-scripts, permits no scripts"
    assert answer.json()["detail"] == detail


OPEN = "whoever reaches this port could; add `authentication` to the control adapter"
GUARDED = SCRIPTED.replace("{type: control,", "{type: control, authentication: {type: bearer, token: '{{OPERATOR}}'},")


@pytest.mark.parametrize(
    ("text", "settings", "reason"),
    [
        (SCRIPTED, Settings(host="0.0.0.0"), OPEN),
        (SCRIPTED, Settings(workers=2), "each worker would have to be told; serve with one"),
        (SCRIPTED, Settings(host="::1"), ""),
        (GUARDED, Settings(host="0.0.0.0"), ""),
    ],
)
async def test_only_those_change_anything_who_may(tmp_path: Path, text: str, settings: Settings, reason: str) -> None:
    document = scripted(tmp_path, LIMITED, text=text)
    environ = {**KEYS, "OPERATOR": SecretStr("right")}
    headers = {"authorization": "Bearer right"}
    async with world(document, upstream=Upstream(), environ=environ, settings=settings) as one, operator(one) as client:
        answer = await client.put("/scripting", json={"timeout": 7}, headers=headers)
        now = (await client.get("/scripting", headers=headers)).json()["timeout"]

    assert (answer.status_code, now) == ((405, 500) if reason else (200, 7))
    assert not reason or answer.json()["detail"] == f"scripting cannot be changed: {reason}"


async def test_a_stranger_changes_nothing(tmp_path: Path) -> None:
    document = scripted(tmp_path, LIMITED, text=GUARDED)
    environ = {**KEYS, "OPERATOR": SecretStr("right")}
    async with world(document, upstream=Upstream(), environ=environ) as one, operator(one) as client:
        status, _ = await put(client, enabled=False)
        greeted = await one.call("greet", {"who": "you"})

    assert (status, greeted["structuredContent"]) == (401, {"text": "hello you"})
