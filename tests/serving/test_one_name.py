"""One name in two places of a request, and values that stand in the path already."""

import pytest

from serving.world import Upstream, world

pytestmark = pytest.mark.anyio

DOCUMENT = """\
naftiko: 1.0.0-alpha2
capability:
  consumes:
  - namespace: harbour
    baseUri: https://harbour.example
    resources:
    - path: /ships/{id}
      operations:
      - name: read
        inputParameters: [{name: id, in: query}, {name: id, in: path, required: true}, {name: id, in: header}]
      - {name: change, method: PUT, inputParameters: [{name: id, in: body, type: string}, {name: flag, in: body}]}
    - path: /flags/{flag_id}
      operations: [{name: flag, inputParameters: [{name: flag_id, in: path}, {name: flag-id, in: query}]}]
    - path: /ports?list-type=2
      operations:
      - {name: ports, inputParameters: [{name: list-type, in: query, type: string}, {name: prefix, in: query}]}
    - path: /berths?kind={kind}
      operations: [{name: berths, inputParameters: [{name: kind, in: query, type: string}]}]
  exposes:
  - type: rest
    namespace: r
    resources:
    - path: /ships/{id}
      operations:
      - {method: GET, call: harbour.read, with: {id: rest.id}}
      - {method: PUT, call: harbour.change}
    - path: /flags/{flag-id}
      operations:
      - {method: GET, call: harbour.flag, with: {flag_id: rest.flag_id, flag-id: rest.flag-id}}
    - path: /ports
      operations: [{method: GET, call: harbour.ports, with: {list-type: rest.list-type, prefix: rest.prefix}}]
    - path: /berths
      operations: [{method: GET, call: harbour.berths}]
  - {type: mcp, namespace: m, tools: [{name: read, call: harbour.read}, {name: change, call: harbour.change}]}
"""


async def test_rest_callers_give_each_where_it_is() -> None:
    upstream = Upstream()
    async with world(DOCUMENT, upstream=upstream) as one:
        await one.rest.get("/ships/7", params={"id": "8"}, headers={"id": "9"})
        await one.rest.get("/ships/7")
        await one.rest.put("/ships/7", json={"id": "8", "flag": "NO"})

    assert [sent.url for sent in upstream.got] == [
        "https://harbour.example/ships/7?id=8",
        "https://harbour.example/ships/7",
        "https://harbour.example/ships/7",
    ]
    assert [sent.header("id") for sent in upstream.got] == ["9", None, None]
    assert upstream.got[2].body == b'{"id":"8","flag":"NO"}'


async def test_names_that_differ_only_in_their_signs_are_told_apart_by_their_place() -> None:
    upstream = Upstream()
    async with world(DOCUMENT, upstream=upstream) as one:
        await one.rest.get("/flags/7", params={"flag-id": "8"})
        await one.rest.get("/flags/7")

    assert [sent.url for sent in upstream.got] == [
        "https://harbour.example/flags/7?flag-id=8",
        "https://harbour.example/flags/7",
    ]


async def test_tools_have_the_place_in_the_name_of_all_but_the_first() -> None:
    upstream = Upstream()
    async with world(DOCUMENT, upstream=upstream) as one:
        await one.call("read", {"id": "7", "id_query": "8", "id_header": "9"})
        await one.call("change", {"id": "7", "id_body": "8"})

    assert [(sent.url, sent.header("id")) for sent in upstream.got] == [
        ("https://harbour.example/ships/7?id=8", "9"),
        ("https://harbour.example/ships/7", None),
    ]
    assert upstream.got[1].body == b'{"id":"8"}'


@pytest.mark.parametrize(
    ("query", "sent"),
    [
        ("", ["https://harbour.example/ports?list-type=2"]),
        ("?list-type=2&prefix=a", ["https://harbour.example/ports?list-type=2&prefix=a"]),
        ("?list-type=1", []),
    ],
)
async def test_callers_may_repeat_a_value_of_the_path_and_not_change_it(query: str, sent: list[str]) -> None:
    upstream = Upstream()
    async with world(DOCUMENT, upstream=upstream) as one:
        answer = await one.rest.get(f"/ports{query}")

    assert [one.url for one in upstream.got] == sent
    assert (answer.status_code == 200) is bool(sent)


async def test_a_query_in_the_path_takes_the_parameter_of_its_name() -> None:
    upstream = Upstream()
    async with world(DOCUMENT, upstream=upstream) as one:
        await one.rest.get("/berths", params={"kind": "dry"})

    assert upstream.only.url == "https://harbour.example/berths?kind=dry"
