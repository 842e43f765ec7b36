"""The description of the routes: valid, as exact as the files, and browsable without any other host."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from fairlead.settings import Settings
from serving.world import BATCHES, THREE_FILES, Upstream, document, world

pytestmark = pytest.mark.anyio


async def described(*sources: Any, settings: Settings | None = None) -> Any:
    async with world(*sources, upstream=Upstream(), settings=settings) as one:
        return (await one.rest.get("/openapi.json")).json()


async def test_the_description_is_valid() -> None:
    validate(await described(*THREE_FILES), cls=OpenAPIV31SpecValidator)


async def test_every_route_is_described_with_exactly_its_inputs() -> None:
    openapi = await described(*THREE_FILES)

    routes = [route for path in THREE_FILES for route in document(path).routes]
    operations = {(m.upper(), path): op for path, ops in openapi["paths"].items() for m, op in ops.items()}
    assert set(operations) == {(route.method, route.path) for route in routes}
    for route in routes:
        operation = operations[route.method, route.path]
        inputs = {(item.name, item.location, item.required) for item in route.exposed.inputs}
        in_url = {(one["name"], one["in"], one["required"]) for one in operation.get("parameters", ())}
        body = operation.get("requestBody")
        in_body = {("body", "body", body["required"])} if body else set()
        assert in_url | in_body == inputs
        assert (operation["summary"], operation["tags"]) == (route.exposed.description, [route.capability])


async def test_ids_are_unique_and_tell_where_an_operation_comes_from() -> None:
    openapi = await described(*THREE_FILES)

    ids = [operation["operationId"] for methods in openapi["paths"].values() for operation in methods.values()]
    assert len(ids) == len(set(ids)) == 20
    assert all(re.fullmatch(r"[a-z0-9_]+", one) for one in ids)
    assert "together_ai_batches_rest_batches_id_cancel_post" in ids


async def test_an_operation_is_described_whole() -> None:
    openapi = await described(*THREE_FILES)

    assert openapi["paths"]["/v1/fine-tunes/{id}"]["delete"] == {
        "operationId": "together_ai_fine_tuning_rest_fine_tunes_id_delete",
        "tags": ["Together APIs — Fine-tuning"],
        "summary": "Delete a fine-tune job",
        "description": "Delete a fine-tune job",
        "parameters": [
            {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
            {"name": "force", "in": "query", "required": False, "schema": {"type": "boolean"}},
        ],
        "responses": {
            "2XX": {
                "description": "The answer of `DELETE https://api.together.ai/v1/fine-tunes/{id}`",
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
            "400": {"$ref": "#/components/responses/InvalidArguments"},
            "502": {"$ref": "#/components/responses/UpstreamFailed"},
            "503": {"$ref": "#/components/responses/NotConfigured"},
            "504": {"$ref": "#/components/responses/UpstreamTimeout"},
            "default": {"description": "Any other answer of the upstream, as it came"},
        },
    }


ODD = """
naftiko: 1.0.0-alpha2
capability:
  consumes:
  - {namespace: api, baseUri: 'https://api.test', resources: [
      {name: file, path: '/files/{file-id}', operations: [
        {name: put, method: PUT, inputParameters: [
          {name: tags, in: body, type: array}, {name: title, in: body, type: string, required: true},
          {name: X-Org, in: header}, {name: kinds, in: query, type: array}, {name: s, in: cookie}]},
        {name: put, method: DELETE, description: other}]},
      {name: two, path: /two, operations: [{name: put, method: PUT}]}]}
  exposes:
  - {type: rest, namespace: files, resources: [
      {path: '/files/{{file_id}}', operations: [{method: PUT, name: Write it!, call: api.file.put}]},
      {path: /zero, operations: [{method: GET, call: api.put}]}]}
"""


async def test_headers_cookies_lists_members_and_refused_operations_are_described_too() -> None:
    openapi = await described(ODD.replace("\n        {name: put, method: DELETE, description: other}]},", "]},"))

    validate(openapi, cls=OpenAPIV31SpecValidator)
    write = openapi["paths"]["/files/{file_id}"]["put"]
    assert {(one["name"], one["in"]) for one in write["parameters"]} == {
        ("file_id", "path"),
        ("X-Org", "header"),
        ("kinds", "query"),
        ("s", "cookie"),
    }
    assert write["requestBody"]["content"]["application/json"]["schema"] == {
        "type": "object",
        "properties": {"tags": {"type": "array", "items": {}}, "title": {"type": "string"}},
        "required": ["title"],
        "additionalProperties": False,
    }
    assert openapi["paths"]["/zero"]["get"]["responses"] == {"501": {"$ref": "#/components/responses/Refused"}}


async def test_the_pages_load_everything_from_this_server() -> None:
    async with world(BATCHES, upstream=Upstream()) as one:
        page = await one.rest.get("/docs")
        links = re.findall(r"""(?:href|src)="([^"]+)"|url: '([^']+)'""", page.text)
        urls = [urljoin("http://localhost:8080/docs", first or second) for first, second in links]
        assets = {url: await one.rest.get(url) for url in urls}

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert {"/openapi.json"} < {url.removeprefix("http://localhost:8080") for url in urls}
    assert {url for url in urls if not url.startswith("http://localhost:8080/")} == set()
    assert {url: asset.status_code for url, asset in assets.items()} == dict.fromkeys(urls, 200)
    assert not re.findall(r"https?://(?!localhost)[^\s\"'<]+", page.text)


async def test_a_listener_without_routes_has_no_description() -> None:
    async with world(BATCHES, upstream=Upstream()) as one:
        answers = [(await one.mcp.get(path)).status_code for path in ("/openapi.json", "/docs", "/redoc")]

    assert answers == [404] * 3
