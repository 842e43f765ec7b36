"""Operations of several steps, and functions that operations and tools share."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import anyio
import httpx
import pytest

from serving.world import JSON, Reply, Sent, Upstream, document, world

pytestmark = pytest.mark.anyio

FLEET = """\
naftiko: 1.0.0-alpha2
capability:
  consumes:
  - namespace: registry
    baseUri: https://registry.example
    resources:
    - path: /ships
      operations: [{name: list-ships, inputParameters: [{name: status, in: query}]}]
    - path: '/ships/{{imo}}'
      operations:
      - name: get-ship
        outputParameters:
        - {name: imo, type: string, value: $.imo_number}
        - {name: captain, type: string, value: $.crew.captain}
    - path: /crew
      operations:
      - {name: list-crew}
      - {name: sign-on, method: POST, body: {type: json, data: {name: '{{name}}', ship: '{{ship}}'}}}
%s
"""

SHIP = {"imo_number": 9074729, "crew": {"captain": "c2"}, "flag": "NO"}
CREW = [{"id": "c1", "name": "Bo", "rank": "mate"}, {"id": "c2", "name": "Ada", "rank": "captain"}]


def harbour(sent: Sent) -> Reply:
    """Answers as the registry does."""
    path = sent.url.removeprefix("https://registry.example")
    if sent.method == "POST":
        return Reply(201, json.dumps({"signed": json.loads(sent.body)}).encode())
    known: dict[str, Any] = {"/ships/9074729": SHIP, "/crew": CREW, "/ships": [{"imo": "1"}, {"imo": "2"}]}
    if path not in known:
        return Reply(404, b'{"error":"no such ship"}')
    return Reply(body=json.dumps(known[path]).encode())


def tool(text: str) -> str:
    lines = "\n".join(f"      {line}" for line in text.splitlines())
    return FLEET % f"  exposes:\n  - type: mcp\n    namespace: m\n    tools:\n    - name: t\n{lines}"


async def result(text: str, arguments: Any, answer: Reply | Callable[[Sent], Reply] = harbour) -> tuple[Any, Upstream]:
    """The result of the tool, and what the upstream got."""
    assert document(text).problems == ()
    upstream = Upstream(answer)
    async with world(text, upstream=upstream) as one:
        return await one.call("t", arguments), upstream


async def value(text: str, arguments: Any) -> Any:
    answer, _ = await result(text, arguments)
    assert not answer.get("isError"), answer
    return json.loads(answer["content"][0]["text"])


STEPS = """\
inputParameters: [{name: imo, type: string}]
steps:
- {type: call, name: get-ship, call: registry.get-ship, with: {imo: m.imo}}
- {type: call, name: crew, call: registry.list-crew}
- type: lookup
  name: captain
  index: crew
  match: id
  lookupValue: $.get-ship.captain
  outputParameters: [name, rank]
"""


async def test_mappings_make_one_object_of_the_results_of_all_steps() -> None:
    text = tool(
        STEPS
        + """\
mappings:
- {targetName: ship.imo, value: $.get-ship.imo}
- {targetName: ship.flag, value: $.get-ship.flag}
- {targetName: captain, value: $.captain}
- {targetName: mate, value: '$.crew[?@.rank == "mate"].name'}
- {targetName: none, value: $.get-ship.nothing.there}
- {targetName: asked, value: 'for {{imo}} of {{captain.name}}'}
"""
    )

    assert await value(text, {"imo": "9074729"}) == {
        "ship": {"imo": "9074729", "flag": "NO"},
        "captain": {"name": "Ada", "rank": "captain"},
        "mate": ["Bo"],
        "none": None,
        "asked": "for 9074729 of Ada",
    }


async def test_outputs_take_the_step_of_their_name_and_the_types_they_declare() -> None:
    outputs = """\
outputParameters:
- {name: captain, type: object, properties: {name: {type: string}}}
- {name: number, type: integer, mapping: $.get-ship.imo}
- {name: rank, type: string}
"""

    assert await value(tool(STEPS + outputs), {"imo": "9074729"}) == {
        "captain": {"name": "Ada"},
        "number": 9074729,
        "rank": "captain",
    }


async def test_members_of_an_output_without_a_name_are_the_answer() -> None:
    text = tool("""\
steps: [{type: call, name: ship, call: registry.get-ship}, {type: call, name: crew, call: registry.list-crew}]
outputParameters: [{type: object, properties: {first: {type: string, mapping: '$[0].name'}}}]
""")
    found, _ = await result(text, {"imo": "9074729"})

    assert found["structuredContent"] == {"first": "Bo"}


async def test_the_output_schema_of_steps_is_published_and_true() -> None:
    outputs = "outputParameters: [{name: captain, type: object, properties: {name: {type: string}}}]\n"
    async with world(tool(STEPS + outputs), upstream=Upstream(harbour)) as one, one.client() as client:
        (listed,) = (await client.list_tools()).tools
        called = await client.call_tool("t", {"imo": "9074729"})

    assert listed.output_schema is not None
    assert listed.output_schema["properties"]["captain"]["properties"] == {"name": {"type": ["string", "null"]}}
    assert called.structured_content == {"captain": {"name": "Ada"}}


async def test_without_mappings_the_answer_is_that_of_the_last_step_as_it_came() -> None:
    text = (
        FLEET
        % """\
  exposes:
  - type: rest
    namespace: r
    resources:
    - path: /ships/{imo}/crew
      operations:
      - method: POST
        name: sign-on
        steps:
        - {type: call, name: ship, call: registry.get-ship}
        - {type: call, name: add, call: registry.sign-on, with: {name: '{{name}}', ship: '{{ship.imo}}'}}
"""
    )
    upstream = Upstream(harbour)
    async with world(text, upstream=upstream) as one:
        answer = await one.rest.post("/ships/9074729/crew", json={"name": "Cy"}, headers={"idempotency-key": "k"})

    assert (answer.status_code, answer.json()) == (201, {"signed": {"name": "Cy", "ship": "9074729"}})
    assert [(sent.method, sent.header("idempotency-key")) for sent in upstream.got] == [("GET", None), ("POST", "k")]


async def test_the_with_around_steps_gives_values_that_every_step_takes_by_name() -> None:
    text = tool("with: {imo: m.number}\nsteps:\n- {type: call, name: get-ship, call: registry.get-ship}\n")

    assert await value(text, {"number": "9074729"}) == SHIP


async def test_a_failing_step_ends_all_with_its_name_and_what_the_upstream_answered() -> None:
    answer, _ = await result(tool(STEPS), {"imo": "7"})

    problem = answer["structuredContent"]
    assert answer["isError"]
    assert problem["detail"] == "step 'get-ship': the upstream answered HTTP 404 Not Found"
    assert (problem["status"], problem["step"], problem["upstream_status"]) == (404, "get-ship", 404)
    assert problem["upstream_answer"] == '{"error":"no such ship"}'


async def test_a_lookup_of_several_values_gives_the_items_found_in_their_order() -> None:
    lookup = "- {type: lookup, name: found, index: crew, match: id, lookupValue: $.who.ids, outputParameters: [name]}"
    text = tool(f"""\
steps:
- {{type: call, name: crew, call: registry.list-crew}}
- {{type: call, name: who, call: registry.list-ships}}
{lookup}
""")

    def answers(sent: Sent) -> Reply:
        return harbour(sent) if "/crew" in sent.url else Reply(body=b'{"ids":["c2","none","c1"]}')

    answer, _ = await result(text, {}, answers)

    assert json.loads(answer["content"][0]["text"]) == [{"name": "Ada"}, {"name": "Bo"}]


async def test_a_lookup_that_finds_nothing_is_null_and_a_step_that_needs_it_says_so() -> None:
    lookup = "- {type: lookup, name: one, index: crew, match: id, lookupValue: '{{id}}', outputParameters: [ship]}\n"
    crew = "steps:\n- {type: call, name: crew, call: registry.list-crew}\n"

    assert await value(tool(crew + lookup), {"id": "c9"}) is None

    needs = "- {type: call, name: get-ship, call: registry.get-ship, with: {imo: $.one.ship}}"
    answer, upstream = await result(tool(crew + lookup + needs), {"id": "c9"})

    detail = "step 'get-ship': no earlier step found a value for 'imo', which it needs"
    assert answer["structuredContent"]["detail"] == detail
    assert len(upstream.got) == 1


class Meeting(httpx.AsyncBaseTransport):
    """An upstream of which two calls have to be there before either is answered."""

    def __init__(self) -> None:
        self.waiting = 0
        self.both = anyio.Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.waiting += 1
        if self.waiting == 2:
            self.both.set()
        await self.both.wait()
        return httpx.Response(200, headers=[JSON], stream=httpx.ByteStream(b"[]"))


async def test_steps_that_need_nothing_of_each_other_run_at_once() -> None:
    steps = "steps: [{type: call, name: a, call: registry.list-crew}, {type: call, name: b, call: registry.list-ships}]"
    with anyio.fail_after(5):
        async with world(tool(steps), upstream=Meeting()) as one:
            assert (await one.call("t"))["content"][0]["text"] == "[]"


async def test_a_step_that_writes_waits_for_all_before_it_and_all_after_it_wait_for_it() -> None:
    steps = """\
steps:
- {type: call, name: a, call: registry.list-crew}
- {type: call, name: b, call: registry.sign-on, with: {name: Cy, ship: '1'}}
- {type: call, name: c, call: registry.list-ships}
"""
    _, upstream = await result(tool(steps), {})

    assert [sent.url.rpartition("/")[2] for sent in upstream.got] == ["crew", "crew", "ships"]


async def test_arguments_cannot_pose_as_results_of_steps() -> None:
    answer, upstream = await result(tool(STEPS), {"imo": "9074729", "$.get-ship.captain": "c1"})

    assert (answer["isError"], upstream.got) == (True, [])


FUNCTIONS = (
    FLEET
    % """\
  aggregates:
  - label: Fleet
    namespace: fleet
    functions:
    - name: captain-of
      description: The captain of a ship
      semantics: {safe: true, idempotent: true}
      inputParameters: [{name: imo, type: string, pattern: '^[0-9]+$', description: IMO number}]
      steps:
      - {type: call, name: ship, call: registry.get-ship, with: {imo: fleet.imo}}
      mappings: [{targetName: captain, value: $.ship.captain}]
    - name: ship
      description: A ship
      call: registry.get-ship
      with: {imo: fleet.imo}
    - name: hello
      description: A greeting
      outputParameters: [{name: message, type: string, value: 'Hello {{name}}'}]
  exposes:
  - type: rest
    namespace: r
    resources:
    - path: /ships/{number}/captain
      operations: [{method: GET, ref: fleet.captain-of, with: {imo: r.number}}]
    - {path: /hello, operations: [{method: GET, ref: fleet.hello}]}
  - type: mcp
    namespace: m
    tools:
    - {ref: fleet.captain-of}
    - {name: of, ref: fleet.captain-of, description: other, hints: {readOnly: false}, with: {imo: m.ship}}
    - {name: flag, ref: fleet.ship, outputParameters: [{type: string, mapping: $.flag}]}
"""
)


async def test_tools_and_routes_share_functions_and_override_what_they_say() -> None:
    assert document(FUNCTIONS).problems == ()
    async with world(FUNCTIONS, upstream=Upstream(harbour)) as one, one.client() as client:
        listed = {one.name: one for one in (await client.list_tools()).tools}
        called = [
            await client.call_tool("captain-of", {"imo": "9074729"}),
            await client.call_tool("of", {"ship": "9074729"}),
        ]
        flag = await client.call_tool("flag", {"imo": "9074729"})
        rest = await one.rest.get("/ships/9074729/captain")
        hello = await one.rest.get("/hello", params={"name": "Ada"})

    first, second = listed["captain-of"], listed["of"]
    assert (first.description, second.description) == ("The captain of a ship", "other")
    assert first.annotations is not None
    assert second.annotations is not None
    assert (first.annotations.read_only_hint, first.annotations.destructive_hint) == (True, False)
    assert (second.annotations.read_only_hint, second.annotations.idempotent_hint) == (False, True)
    assert (set(first.input_schema["properties"]), set(second.input_schema["properties"])) == ({"imo"}, {"ship"})
    assert [one.structured_content for one in called] == [{"captain": "c2"}, {"captain": "c2"}]
    assert (rest.json(), hello.json()) == ({"captain": "c2"}, {"message": "Hello Ada"})
    assert flag.content[0].model_dump()["text"] == '"NO"'


async def test_a_function_checks_what_its_callers_give_it() -> None:
    upstream = Upstream(harbour)
    async with world(FUNCTIONS, upstream=upstream) as one:
        answer = await one.rest.get("/ships/abc/captain")

    assert (answer.status_code, upstream.got) == (400, [])


GZIP = (JSON, ("content-encoding", "gzip"), ("etag", '"1"'))


def zipped(status: int, value: Any, headers: Any = GZIP) -> Reply:
    return Reply(status, gzip.compress(json.dumps(value).encode()), headers)


async def test_the_answer_of_the_last_step_has_the_headers_of_the_body_that_is_sent() -> None:
    text = (
        FLEET
        % """\
  exposes:
  - type: rest
    namespace: r
    resources:
    - path: /crew
      operations: [{method: GET, name: crew, steps: [{type: call, name: all, call: registry.list-crew}], RAW}]
"""
    )
    async with world(text.replace(", RAW", ""), upstream=Upstream(zipped(200, CREW))) as one:
        plain = await one.rest.get("/crew")
    async with world(text.replace("RAW", "outputRawFormat: csv"), upstream=Upstream(zipped(200, CREW))) as one:
        table = await one.rest.get("/crew")

    assert (plain.json(), plain.headers.get("content-encoding"), plain.headers.get("etag")) == (CREW, None, None)
    assert table.text.splitlines()[0] == "id,name,rank"
    assert (table.headers.get("content-encoding"), table.headers.get("etag")) == (None, None)


async def test_what_nobody_looks_into_need_not_be_json() -> None:
    steps = "steps:\n- {type: call, name: all, call: registry.list-crew}\n"
    answer, _ = await result(tool(steps), {}, Reply(body=b"plain", headers=(("content-type", "text/plain"),)))

    assert answer["content"][0]["text"] == "plain"


async def test_half_a_character_in_an_answer_is_the_upstreams_fault() -> None:
    steps = "steps:\n- {type: call, name: all, call: registry.list-crew}\nmappings: [{targetName: n, value: $.all.n}]\n"
    answer, _ = await result(tool(steps), {}, Reply(body=b'{"n":"\\ud800"}'))

    assert answer["structuredContent"]["status"] == 502


async def test_when_to_come_back_is_told_of_a_step_too() -> None:
    text = tool("steps:\n- {type: call, name: all, call: registry.list-crew}\n")
    rest = (
        text.partition("  exposes:")[0]
        + """\
  exposes:
  - type: rest
    namespace: r
    resources: [{path: /crew, operations: [{method: GET, steps: [{type: call, call: registry.list-crew}]}]}]
"""
    )
    async with world(rest, upstream=Upstream(Reply(429, b"", (("retry-after", "7"),)))) as one:
        answer = await one.rest.get("/crew")

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")


FORMATS = (
    FLEET
    % """\
  aggregates:
  - namespace: fleet
    functions:
    - {name: table, description: As a table, outputRawFormat: csv, call: registry.list-crew}
    - {name: typed, description: With a type, outputMediaType: text/x-crew, call: registry.list-crew}
    - {name: loop, ref: fleet.table}
  exposes:
  - type: rest
    namespace: r
    resources:
    - {path: /table, operations: [{method: GET, ref: fleet.table}]}
    - {path: /typed, operations: [{method: GET, ref: fleet.typed}]}
    - {path: /yaml, operations: [{method: GET, ref: fleet.table, outputRawFormat: yaml}]}
"""
)


async def test_a_function_answers_in_its_format_unless_what_refers_to_it_has_one() -> None:
    async with world(FORMATS, upstream=Upstream(harbour)) as one:
        answers = [await one.rest.get(path) for path in ("/table", "/typed", "/yaml")]

    assert [answer.headers["content-type"] for answer in answers] == [
        "text/csv; charset=utf-8",
        "text/x-crew",
        "application/yaml",
    ]
    assert answers[0].text.startswith("id,name,rank")
    assert answers[2].text.startswith("- id: c1")


def test_a_function_cannot_refer_to_a_function() -> None:
    assert [problem.message for problem in document(FORMATS).problems] == ["a function cannot refer to a function"]
