"""The other shapes of consumed operations: body templates, odd paths, constants, several keys."""

import json
from textwrap import dedent, indent
from typing import Any

import pytest
from pydantic import SecretStr

from serving.world import Upstream, world

pytestmark = pytest.mark.anyio


def document(operation: str, *, path: str = "/ships", section: str = "", route: str = "/ships") -> str:
    """A capability with one consumed operation, exposed as a route and as a tool without any input of its own."""
    return f"""\
naftiko: 1.0.0-alpha2
capability:
  consumes:
  - namespace: harbour
    baseUri: https://harbour.example/api
{indent(dedent(section), "    ")}
    resources:
    - name: ships
      path: {path}
      operations:
      - name: add
{indent(dedent(operation), "        ")}
  exposes:
  - {{type: rest, namespace: r, resources: [{{path: '{route}', operations: [{{method: POST, call: harbour.add}}]}}]}}
  - {{type: mcp, namespace: m, tools: [{{name: add, call: harbour.add}}]}}
"""


JSON_BODY = """\
method: POST
body:
  type: json
  data: {name: '{{tools.name}}', size: {length: '{{length}}', unit: m}, tags: ['{{tag}}', fixed], note: 'by {{name}}'}
"""
FORM_BODY = "method: POST\nbody: {type: formUrlEncoded, data: {name: '{{name}}', tags: '{{tags}}', fixed: 'a b'}}"


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (
            {"name": 'a "b" \\', "length": 7, "tag": "x"},
            {"name": 'a "b" \\', "size": {"length": 7, "unit": "m"}, "tags": ["x", "fixed"], "note": 'by a "b" \\'},
        ),
        (
            {"name": "{{length}}"},
            {"name": "{{length}}", "size": {"unit": "m"}, "tags": ["fixed"], "note": "by {{length}}"},
        ),
    ],
    ids=["hostile-text", "only-what-is-required"],
)
async def test_a_json_template_is_filled_as_a_tree(given: dict[str, Any], sent: dict[str, Any]) -> None:
    async with world(document(JSON_BODY), upstream=(upstream := Upstream())) as one:
        await one.rest.post("/ships", json=given)
        await one.call("add", given)

    assert [json.loads(request.body) for request in upstream.got] == [sent, sent]
    assert {request.header("content-type") for request in upstream.got} == {"application/json"}


async def test_what_a_template_needs_inside_a_text_is_required() -> None:
    async with world(document(JSON_BODY), upstream=(upstream := Upstream())) as one:
        result = await one.call("add", {"length": 7})

    assert (result["structuredContent"]["detail"], upstream.got) == ("argument 'name' is required", [])


async def test_a_form_template_is_sent_form_encoded() -> None:
    async with world(document(FORM_BODY), upstream=(upstream := Upstream())) as one:
        await one.call("add", {"name": "a&b=c", "tags": ["x", "y z"]})

    assert upstream.only.body == b"name=a%26b%3Dc&tags=x&tags=y+z&fixed=a+b"
    assert upstream.only.header("content-type") == "application/x-www-form-urlencoded"


async def test_a_text_template_is_sent_as_text() -> None:
    operation = "method: POST\nbody: {type: raw, data: 'ship {{name}}'}"
    async with world(document(operation), upstream=(upstream := Upstream())) as one:
        await one.call("add", {"name": "Ä"})

    assert upstream.only.body == "ship Ä".encode()
    assert upstream.only.header("content-type") == "text/plain; charset=utf-8"


async def test_a_json_text_with_bare_holes_stays_json() -> None:
    operation = """method: POST\nbody: {type: json, data: '{"n": {{n}}, "s": "{{s}}", "t": "x {{t}}"}'}"""
    async with world(document(operation), upstream=(upstream := Upstream())) as one:
        await one.call("add", {"n": 5, "s": '"', "t": "\\"})

    assert json.loads(upstream.only.body) == {"n": 5, "s": '"', "t": "x \\"}


@pytest.mark.parametrize(
    ("path", "arguments", "url"),
    [
        ("/{key+}", {"key+": "a/b c/d"}, "/a/b%20c/d"),
        ("/ships('{id}')/name", {"id": "a'b/c"}, "/ships('a%27b%2Fc')/name"),
        ("/ships/{id}:cancel", {"id": "7:8"}, "/ships/7%3A8:cancel"),
        ("/ships/{id}?full=yes#part", {"id": "7"}, "/ships/7?full=yes"),
        ("/ships/${id}/$count", {"id": "7"}, "/ships/7/$count"),
        ("/{a}/{{b}}", {"a": "1", "b": "2"}, "/1/2"),
    ],
)
async def test_a_path_goes_out_as_written_with_its_holes_filled(path: str, arguments: dict[str, Any], url: str) -> None:
    async with world(document("method: POST", path=path), upstream=(upstream := Upstream())) as one:
        names = {item.replace("+", ""): value for item, value in arguments.items()}
        await one.call("add", names)

    assert upstream.only.url == f"https://harbour.example/api{url}"


async def test_a_path_argument_that_may_hold_slashes_cannot_climb() -> None:
    async with world(document("method: POST", path="/{key+}"), upstream=(upstream := Upstream())) as one:
        result = await one.call("add", {"key": "a/../b"})

    assert (result["isError"], upstream.got) == (True, [])


async def test_input_names_that_clients_refuse_are_mapped_back_exactly() -> None:
    operation = (
        "method: POST\ninputParameters: [{name: $select, in: query}, {name: 'fields[]', in: query, type: array}]"
    )
    async with world(document(operation), upstream=(upstream := Upstream())) as one:
        listed = await one.rpc("tools/list", {})
        await one.call("add", {"select": "a", "fields": ["b"]})

    assert list(listed["result"]["tools"][0]["inputSchema"]["properties"]) == ["select", "fields"]
    assert upstream.only.url == "https://harbour.example/api/ships?%24select=a&fields%5B%5D=b"


async def test_several_keys_go_out_as_headers_and_none_from_the_caller() -> None:
    section = "authentication: {type: apikey, headers: {X-Api: '{{env.A}}', X-App: '{{env.B}}'}}"
    operation = "method: POST\ninputParameters: [{name: X-Api, in: header}]"
    keys = {"A": SecretStr("one"), "B": SecretStr("two")}
    text = document(operation, section=section)
    async with world(text, upstream=(upstream := Upstream()), environ=keys) as one:
        await one.rest.post("/ships", headers={"x-api": "caller", "x-app": "caller"})

    assert (upstream.only.header("x-api"), upstream.only.header("x-app")) == ("one", "two")


@pytest.mark.parametrize("name", ["key", "fixed", "plain"])
async def test_no_member_that_a_caller_chooses_stands_in_for_what_the_document_decides(name: str) -> None:
    section = "authentication: {type: apikey, key: key, value: secret, placement: query}"
    operation = """\
    method: POST
    inputParameters:
    - {name: filter, in: query, type: object}
    - {name: fixed, in: query, value: ours}
    - {name: plain, in: query}
    """
    async with world(document(operation, section=section), upstream=(upstream := Upstream())) as one:
        result = await one.call("add", {"filter": {name: "theirs"}})

    assert (result["isError"], upstream.got) == (True, [])


async def test_variables_in_a_path_and_in_a_body_never_come_from_the_caller() -> None:
    operation = "method: POST\nbody: {type: json, data: {key: '{{env.KEY}}', id: '{{tools.batch-id}}'}}"
    text = document(f"{operation}\ninputParameters: [{{name: batch_id, in: body}}]", path="/{{env.ACCOUNT}}/ships")
    keys = {"KEY": SecretStr("secret"), "ACCOUNT": SecretStr("a/b")}
    async with world(text, upstream=(upstream := Upstream()), environ=keys) as one:
        listed = await one.rpc("tools/list", {})
        await one.call("add", {"batch_id": "7"})

    assert list(listed["result"]["tools"][0]["inputSchema"]["properties"]) == ["batch_id"]
    assert upstream.only.url == "https://harbour.example/api/a%2Fb/ships"
    assert json.loads(upstream.only.body) == {"key": "secret", "id": "7"}


async def test_a_constant_header_that_a_secret_would_break_is_not_the_callers_fault() -> None:
    operation = "method: POST\ninputParameters: [{name: X-T, in: header, value: '{{env.KEY}}'}]"
    async with world(document(operation), upstream=Upstream(), environ={"KEY": SecretStr("a\nb")}) as one:
        response = await one.rest.post("/ships")

    assert (response.status_code, response.json()["type"]) == (503, "urn:fairlead:problem:not-configured")


async def test_a_cookie_argument_cannot_bring_another_cookie() -> None:
    operation = "method: POST\ninputParameters: [{name: x, in: cookie, type: object}]"
    async with world(document(operation), upstream=(upstream := Upstream())) as one:
        await one.call("add", {"x": {"a=1; admin": "1"}})

    assert upstream.only.header("cookie") == "a%3D1%3B%20admin=1"


async def test_an_argument_and_a_body_constant_of_one_name_keep_their_places() -> None:
    operation = "method: POST\ninputParameters: [{name: v, in: body, value: fixed}, {name: v, in: query}]"
    async with world(document(operation), upstream=(upstream := Upstream())) as one:
        await one.call("add", {"v": "caller"})

    assert upstream.only.url == "https://harbour.example/api/ships?v=caller"
    assert upstream.only.body == b'"fixed"'


async def test_half_a_character_in_a_name_is_named_and_refused() -> None:
    operation = "method: POST\ninputParameters: [{name: a, in: body, type: string}]"
    async with world(document(operation), upstream=(upstream := Upstream())) as one:
        response = await one.rest.post("/ships", content=rb'{"\ud800":1}', headers={"content-type": "application/json"})

    assert (response.status_code, upstream.got) == (400, [])


async def test_what_is_no_scalar_stays_under_its_own_name_in_a_form() -> None:
    operation = """\
    method: POST
    body: {type: formUrlEncoded}
    inputParameters:
    - {name: a, in: body, type: string}
    - {name: o, in: body, type: object}
    - {name: k, in: body, value: K}
    """
    async with world(document(operation), upstream=(upstream := Upstream())) as one:
        await one.call("add", {"a": "x", "o": {"k": "EVIL", "a": "EVIL"}})

    assert upstream.only.body == b"a=x&o=%7B%22k%22%3A%22EVIL%22%2C%22a%22%3A%22EVIL%22%7D&k=K"


@pytest.mark.parametrize(
    ("target", "key"), [("/files/a/b%20c/d", "a/b%20c/d"), ("/files/a%2Fb", "a/b"), ("/files/x", "x")]
)
async def test_a_placeholder_with_a_plus_takes_the_rest_of_the_path(target: str, key: str) -> None:
    text = document("method: POST", path="/o/{key+}", route="/files/{key+}")
    async with world(text, upstream=(upstream := Upstream())) as one:
        await one.rest.post(target)
        missing = await one.rest.post("/files/")

    assert upstream.only.url == f"https://harbour.example/api/o/{key}"
    assert missing.status_code == 404


@pytest.mark.parametrize("value", [" lead", "trail ", "\tx"])
async def test_a_header_argument_with_space_around_it_is_the_callers_fault(value: str) -> None:
    operation = "method: POST\ninputParameters: [{name: X-Custom, in: header}]"
    async with world(document(operation), upstream=(upstream := Upstream())) as one:
        result = await one.call("add", {"X-Custom": value})

    assert (result["structuredContent"]["status"], upstream.got) == (400, [])


@pytest.mark.parametrize("name", ["KEY", "key[]", "Fixed"])
async def test_other_spellings_of_a_reserved_name_are_reserved_too(name: str) -> None:
    section = "authentication: {type: apikey, key: key, value: secret, placement: query}"
    operation = (
        "method: POST\ninputParameters: [{name: f, in: query, type: object}, {name: fixed, in: query, value: v}]"
    )
    async with world(document(operation, section=section), upstream=(upstream := Upstream())) as one:
        result = await one.call("add", {"f": {name: "theirs"}})

    assert (result["isError"], upstream.got) == (True, [])


async def test_a_form_with_files_is_sent_in_parts() -> None:
    operation = """\
    method: POST
    body:
      type: multipart
      data:
      - {name: file, value: '{{content}}', filename: '{{name}}', contentType: text/csv}
      - {name: purpose, value: batch}
      - {name: note, value: '{{note}}'}
    """
    async with world(document(operation), upstream=(upstream := Upstream())) as one:
        await one.call("add", {"content": "a,b\r\n1,2", "name": 'x"y\r\n.csv'})

    media, _, boundary = upstream.only.header("content-type").partition("; boundary=")  # type: ignore[union-attr]
    assert media == "multipart/form-data"
    assert upstream.only.body.decode() == (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="x%22y%0D%0A.csv"\r\n'
        f"Content-Type: text/csv\r\n\r\na,b\r\n1,2\r\n"
        f'--{boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--{boundary}--\r\n'
    )


NEAR = """\
method: GET
inputParameters: [{name: ship_id, in: path}, {name: shipId, in: query}, {name: Ship-Id, in: header}]
"""


async def test_names_that_differ_by_signs_alone_keep_their_own_values() -> None:
    text = document(NEAR, path="/ships/{ship_id}", route="/ships/{ship-id}")
    async with world(text, upstream=(upstream := Upstream())) as one:
        await one.rest.post("/ships/1")
        await one.rest.post("/ships/1?shipId=2", headers={"ship-id": "3"})
        await one.call("add", {"ship_id": "1", "shipId": "2", "Ship-Id": "3"})

    sent = [(request.url, request.header("ship-id")) for request in upstream.got]
    both = ("https://harbour.example/api/ships/1?shipId=2", "3")
    assert sent == [("https://harbour.example/api/ships/1", None), both, both]


async def test_a_header_that_no_caller_may_set_can_be_set_by_the_document() -> None:
    text = document("method: GET\ninputParameters: [{name: Authorization, in: header}]")
    given = text.replace("call: harbour.add}", "call: harbour.add, with: {Authorization: 'Key {{HARBOUR_KEY}}'}}")
    async with world(
        given, upstream=(upstream := Upstream()), environ={"HARBOUR_KEY": SecretStr("of-the-document")}
    ) as one:
        await one.rest.post("/ships", headers={"authorization": "of-the-caller"})
        await one.call("add")

    assert [request.header("authorization") for request in upstream.got] == ["Key of-the-document"] * 2


async def test_the_body_of_a_request_may_be_a_part_of_what_is_sent() -> None:
    text = document("method: POST\nbody: {type: json, data: {input: '{{tools.input}}', note: 'by {{by}}'}}")
    given = text.replace("call: harbour.add}]}", "call: harbour.add, with: {input: rest.body, by: rest.by}}]}", 1)
    async with world(given, upstream=(upstream := Upstream())) as one:
        await one.rest.post("/ships?by=me", json={"a": [1]})
        refused = await one.rest.post("/ships?by=me", content=b"a=1", headers={"content-type": "text/plain"})

    assert json.loads(upstream.only.body) == {"input": {"a": [1]}, "note": "by me"}
    assert (refused.status_code, "text/plain" in refused.json()["detail"]) == (400, True)


async def test_a_route_without_a_body_takes_members_from_the_query() -> None:
    text = document("method: POST\ninputParameters: [{name: size, in: body, type: integer}, {name: name, in: body}]")
    async with world(text.replace("method: POST, call", "method: GET, call"), upstream=(upstream := Upstream())) as one:
        await one.rest.get("/ships?size=3&name=x")

    assert json.loads(upstream.only.body) == {"size": 3, "name": "x"}


@pytest.mark.parametrize(("points", "sent"), [("1.5,-2", "/points/1.5,-2"), ("1,2,3", None)])
async def test_a_merged_placeholder_is_taken_apart_where_there_is_but_one_way(points: str, sent: str | None) -> None:
    text = document("method: GET", path="/points/{lat},{lon}", route="/points/{lat-lon}")
    async with world(text, upstream=(upstream := Upstream())) as one:
        response = await one.rest.post(f"/points/{points}")

    assert [request.url.removeprefix("https://harbour.example/api") for request in upstream.got] == [sent] * bool(sent)
    assert sent or "can be taken apart in more than one way" in response.json()["detail"]


async def test_a_placeholder_that_stands_in_a_path_twice_has_one_value() -> None:
    text = document("method: GET", path="/a/{id}/b/{id}", route="/a/{id}/b/{id}")
    async with world(text, upstream=(upstream := Upstream())) as one:
        await one.rest.post("/a/1/b/1")
        refused = await one.rest.post("/a/1/b/2")

    assert upstream.only.url.endswith("/a/1/b/1")
    assert (refused.status_code, refused.json()["detail"]) == (400, "the path gives 'id' twice, as '1' and as '2'")


async def test_names_of_the_document_are_understood_beside_those_that_are_listed() -> None:
    text = document("method: GET\ninputParameters: [{name: $select, in: query}]").replace(
        "name: add, c", "name: a b, c"
    )
    async with world(text, upstream=(upstream := Upstream())) as one:
        (tool,) = (await one.rpc("tools/list", {}))["result"]["tools"]
        await one.call("a b", {"$select": "x"})
        await one.call(tool["name"], {"select": "x"})

    assert [request.url.partition("?")[2] for request in upstream.got] == ["%24select=x"] * 2
    assert (tool["name"] != "a b", list(tool["inputSchema"]["properties"])) == (True, ["select"])


async def test_a_refusal_comes_before_all_that_may_be_wrong_with_arguments() -> None:
    text = document("method: GET").replace("call: harbour.add", "call: harbour.ad")
    async with world(text) as one:
        response = await one.rest.post("/ships?whatever=1", content=b"{", headers={"content-type": "text/plain"})
        result = await one.call("add", {"whatever": 1})

    assert response.status_code == result["structuredContent"]["status"] == 501
    assert "call to unknown operation 'ad'" in response.json()["detail"]


async def test_a_body_of_which_nothing_more_is_said_is_what_the_caller_gives() -> None:
    text = document("method: POST\nbody: {type: json}")
    named = text.replace("call: harbour.add}]}", "call: harbour.add, with: {size: rest.size}}]}", 1)
    async with world(text, upstream=(upstream := Upstream())) as one:
        await one.rest.post("/ships", json={"a": 1})
        await one.call("add", {"body": [1]})
    async with world(named, upstream=upstream) as one:
        await one.rest.post("/ships", json={"size": 3})
        refused = await one.rest.post("/ships", json={"other": 3})

    assert [json.loads(request.body) for request in upstream.got] == [{"a": 1}, [1], {"size": 3}]
    assert refused.status_code == 400


async def test_a_query_of_an_operation_follows_its_resource_without_a_slash() -> None:
    async with world(document("method: GET\npath: '?type=a'"), upstream=(upstream := Upstream())) as one:
        await one.call("add")

    assert upstream.only.url == "https://harbour.example/api/ships?type=a"


async def test_what_cannot_stand_in_a_url_is_encoded_where_the_document_has_it() -> None:
    text = document("method: GET", path="/Líne Items/{id}", route="/ships/{id}")
    async with world(text, upstream=(upstream := Upstream())) as one:
        await one.rest.post("/ships/a%20b")

    assert upstream.only.url == "https://harbour.example/api/L%C3%ADne%20Items/a%20b"


async def test_a_number_in_a_query_goes_on_as_it_was_spelt() -> None:
    text = document("method: GET\ninputParameters: [{name: v, in: query, type: number}, {name: n, type: integer}]")
    async with world(text, upstream=(upstream := Upstream())) as one:
        await one.rest.post("/ships?v=1.10&n=-0")

    assert upstream.only.url == "https://harbour.example/api/ships?v=1.10&n=-0"


@pytest.mark.parametrize("name", ["X-\u00c9", "X Y", "a:b"])
async def test_a_header_that_cannot_be_one_is_left_out_or_refuses_what_needs_it(name: str) -> None:
    optional = document(f"method: GET\ninputParameters: [{{name: '{name}', in: header}}]")
    needed = document(f"method: GET\ninputParameters: [{{name: '{name}', in: header, required: true}}]")
    async with world(optional, needed.replace("/ships", "/boats"), upstream=(upstream := Upstream())) as one:
        await one.rest.post("/ships")
        refused = await one.rest.post("/boats")

    assert (upstream.only.url, refused.status_code) == ("https://harbour.example/api/ships", 501)


@pytest.mark.parametrize("value", ["{{tools.user}}", "{{user}}"])
async def test_a_constant_never_takes_a_variable_that_nobody_named(value: str) -> None:
    own = document(f"method: GET\ninputParameters: [{{name: user, in: query, value: '{value}'}}]")
    other = document(f"method: GET\ninputParameters: [{{name: id, in: query, value: '{value}'}}]")
    secrets = {"user": SecretStr("of-the-environment")}
    async with world(own, other.replace("/ships", "/boats"), upstream=(upstream := Upstream()), environ=secrets) as one:
        await one.rest.post("/ships?user=of-the-caller")
        await one.rest.post("/boats")
        await one.rest.post("/boats?user=of-the-caller")

    asked = [sent.url.removeprefix("https://harbour.example/api") for sent in upstream.got]
    assert asked == ["/ships?user=of-the-caller", "/boats", "/boats?id=of-the-caller"]
