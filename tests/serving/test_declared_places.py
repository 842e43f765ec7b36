"""Where callers give what is declared, whichever place the API takes it in, and inputs that have a value."""

from typing import Any

import pytest
from pydantic import SecretStr

from fairlead.load import loads
from serving.world import Sent, Upstream, world

pytestmark = pytest.mark.anyio

DOCUMENT = """\
naftiko: 1.0.0-alpha2
binds: [{namespace: env, keys: {REGION: REGION}}]
capability:
  consumes:
  - namespace: harbour
    baseUri: https://harbour.example
    resources:
    - path: /ships
      operations:
      - {name: find, method: POST, inputParameters: [{name: name, in: query}, {name: X-User, in: header}]}
      - {name: list, method: GET, inputParameters: [{name: name, in: query}, {name: region, in: query}]}
      - {name: rename, method: POST, body: '{"name": "{{name}}"}'}
  exposes:
  - type: rest
    namespace: r
    resources:
    - path: /find
      operations:
      - method: POST
        call: harbour.find
        with: {X-User: r.user}
        inputParameters: [{name: name, in: body, type: string}, {name: user, in: cookie, type: string}]
    - path: /rename
      operations:
      - {method: POST, call: harbour.rename, inputParameters: [{name: name, in: query, type: string}]}
    - path: /mine
      operations:
      - method: GET
        call: harbour.list
        with: {region: r.REGION}
        inputParameters:
        - {name: name, in: query, type: string, value: Fram}
        - {name: REGION, in: environment, type: string}
        outputParameters: [{type: string, value: 'all {{name}}'}]
    - path: /notes
      operations:
      - {method: POST, outputParameters: [{name: note, type: string, value: '{{text}}'}]}
    - path: /greeting
      operations:
      - method: GET
        inputParameters: [{name: word, in: query, type: string, value: Ahoy}]
        outputParameters: [{name: text, type: string, value: '{{word}}!'}]
"""
ENVIRON = {"REGION": SecretStr("north")}


async def asked(method: str, path: str, **rest: Any) -> tuple[Any, list[Sent]]:
    upstream = Upstream()
    async with world(DOCUMENT, upstream=upstream, environ=ENVIRON) as one:
        answer = await one.rest.request(method, path, **rest)
    assert answer.status_code == 200, answer.text
    return answer.json(), upstream.got


async def test_an_input_declared_in_the_body_goes_into_the_query() -> None:
    _, (got,) = await asked("POST", "/find", json={"name": "a b"}, headers={"cookie": "user=ada"})
    assert (got.url, got.body) == ("https://harbour.example/ships?name=a%20b", b"")
    assert got.header("x-user") == "ada"


async def test_an_input_declared_in_the_query_goes_into_the_body() -> None:
    _, (got,) = await asked("POST", "/rename?name=a%22b")
    assert got.body == b'{"name":"a\\"b"}'


@pytest.mark.parametrize("query", ["", "?name=other"])
async def test_an_input_with_a_value_has_it_whatever_is_given(query: str) -> None:
    answer, (got,) = await asked("GET", f"/mine{query}")
    assert got.url == "https://harbour.example/ships?name=Fram&region=north"
    assert answer == "all Fram"


async def test_the_value_of_an_input_is_published_nowhere() -> None:
    async with world(DOCUMENT, upstream=Upstream(), environ=ENVIRON) as one:
        described = (await one.rest.get("/openapi.json")).text
    assert "word" in described
    assert "Ahoy" not in described


async def test_an_input_in_the_environment_is_no_caller_s() -> None:
    async with world(DOCUMENT, upstream=Upstream(), environ=ENVIRON) as one:
        assert (await one.rest.get("/mine?REGION=south")).status_code == 400


async def test_mocks_take_what_they_need_from_a_body_and_have_constants() -> None:
    assert await asked("POST", "/notes", json={"text": 'a "b"'}) == ({"note": 'a "b"'}, [])
    assert await asked("GET", "/greeting?word=Hello") == ({"text": "Ahoy!"}, [])


TYPED = """\
naftiko: 1.0.0-alpha2
capability:
  exposes:
  - type: mcp
    namespace: m
    tools: [{name: ship, description: d, outputParameters: [{name: name, type: string}, {name: crew, type: array}]}]
  - type: rest
    namespace: r
    resources: [{path: /ship, operations: [{method: GET, outputParameters: [{name: name, type: string}]}]}]
"""


async def test_a_tool_of_which_only_types_are_known_answers_what_they_say_and_tells() -> None:
    async with world(TYPED) as one:
        assert (await one.call("ship"))["structuredContent"] == {"crew": []}
    message = "'ship' has no `call`, and none of its outputs has a `value`"
    assert message in [problem.message for problem in loads(TYPED).problems if problem.severity == "warning"]


def test_a_route_of_which_only_types_are_known_is_refused() -> None:
    (route,) = loads(TYPED).routes
    assert route.exposed.target is None


FILES = """\
naftiko: 1.0.0-alpha2
capability:
  consumes:
  - namespace: files
    baseUri: https://files.example
    resources: [{path: '/{{path}}', operations: [{name: read, method: GET}]}]
  exposes:
  - type: rest
    namespace: r
    resources: [{path: '/files/{{path}}', operations: [{method: GET, call: files.read}]}]
"""


async def test_a_placeholder_called_path_spans_the_rest_of_the_path_and_stays_one_value() -> None:
    async with world(FILES, upstream=(upstream := Upstream())) as one:
        answers = [await one.rest.get(f"/files/{path}") for path in ("a/b.txt", "a", "")]

    assert [answer.status_code for answer in answers] == [200, 200, 404]
    assert [sent.url for sent in upstream.got] == ["https://files.example/a%2Fb.txt", "https://files.example/a"]
