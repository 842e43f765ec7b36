"""How lists and objects are written in a query upstream, in each style that OpenAPI knows there."""

from __future__ import annotations

from typing import Any

import pytest

from serving.world import Upstream, document, world

pytestmark = pytest.mark.anyio

STYLED = """
naftiko: 1.0.0-alpha2
capability:
  consumes:
  - {namespace: api, baseUri: 'https://api.test', resources: [{name: jobs, path: /jobs, operations: [
      {name: find, method: GET, inputParameters: [{name: given, in: query, type: TYPE, STYLE}]}]}]}
  exposes:
  - {type: mcp, namespace: jobs, tools: [{name: find, call: api.find}]}
"""
LIST = ["a,b", "c d", "é"]
OBJECT = {"x": "1&2", "y": 3}


@pytest.mark.parametrize(
    ("style", "value", "sent"),
    [
        ("required: false", LIST, "given=a%2Cb&given=c%20d&given=%C3%A9"),
        ("style: form, explode: true", LIST, "given=a%2Cb&given=c%20d&given=%C3%A9"),
        ("explode: false", LIST, "given=a%2Cb,c%20d,%C3%A9"),
        ("style: spaceDelimited", LIST, "given=a%2Cb%20c%20d%20%C3%A9"),
        ("style: pipeDelimited", LIST, "given=a%2Cb%7Cc%20d%7C%C3%A9"),
        ("style: pipeDelimited, explode: true", LIST, "given=a%2Cb&given=c%20d&given=%C3%A9"),
        ("required: false", OBJECT, "x=1%262&y=3"),
        ("style: form, explode: false", OBJECT, "given=x,1%262,y,3"),
        ("style: pipeDelimited", OBJECT, "given=x%7C1%262%7Cy%7C3"),
        ("style: deepObject", OBJECT, "given%5Bx%5D=1%262&given%5By%5D=3"),
    ],
)
async def test_a_value_is_written_in_the_style_that_is_declared(style: str, value: Any, sent: str) -> None:
    text = STYLED.replace("STYLE", style).replace("TYPE", "array" if isinstance(value, list) else "object")
    async with world(text, upstream=(upstream := Upstream())) as one:
        await one.rpc("tools/call", {"name": "find", "arguments": {"given": value}})

    assert upstream.only.url == f"https://api.test/jobs?{sent}"


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("in: query, style: simple", "'simple' is no style of a query"),
        ("in: header, style: form", "'form' is no style of a header"),
        ("in: header, explode: true", "nothing is exploded in a header"),
    ],
)
def test_a_style_that_there_is_not_in_a_place_refuses_the_operation(place: str, said: str) -> None:
    found = document(STYLED.replace("in: query, type: TYPE, STYLE", f"{place}, type: array"))

    (tool,) = found.tools
    assert [problem.message for problem in tool.exposed.problems] == [said]


def test_a_style_where_callers_give_a_value_is_told_to_be_in_the_wrong_place() -> None:
    exposed = "{name: find, call: api.find, inputParameters: [{name: given, type: array, style: pipeDelimited}]}"
    text = STYLED.replace("STYLE", "required: false").replace("TYPE", "array")
    found = document(text.replace("{name: find, call: api.find}", exposed))

    assert any("how an API is called" in problem.message for problem in found.problems)
