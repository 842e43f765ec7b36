"""The OpenAPI 3.1 description of a listener's routes, as exact as the documents are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from fairlead import __version__
from fairlead.arguments import Input, Inputs
from fairlead.auth.resource_server import ResourceServer
from fairlead.encodings import ENCODINGS
from fairlead.exposed import Exposed
from fairlead.exposes.forward import Proxy
from fairlead.exposes.request import first_name
from fairlead.exposes.rest import Route
from fairlead.exposes.security import Security
from fairlead.template import Hole, Template, parse

_PROBLEM = {
    "type": "object",
    "description": "RFC 9457 problem details",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["argument", "detail"],
                "properties": {"argument": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
_RESPONSES = {
    "Unauthorized": "The caller shows no credential, or one that is not accepted",
    "Forbidden": "The caller's token lacks a scope",
    "InvalidArguments": "An argument is undeclared, missing or of another type",
    "UpstreamFailed": "The upstream cannot be reached, or the connection to it broke off",
    "NotConfigured": "A secret or a base URI is not set, or all connections are in use",
    "UpstreamTimeout": "The upstream did not answer in time",
    "Refused": "The operation was refused when its capability was loaded",
}
_BY_STATUS = {
    "400": "InvalidArguments",
    "502": "UpstreamFailed",
    "503": "NotConfigured",
    "504": "UpstreamTimeout",
}


def description(routes: Iterable[Route], forwards: Iterable[Proxy] = ()) -> dict[str, Any]:
    """The document at `/openapi.json`."""
    listed, proxies = tuple(routes), tuple(forwards)
    ids = _operation_ids(listed)
    security = Security((*listed, *proxies))
    paths: dict[str, dict[str, Any]] = {}
    first: dict[str, Route] = {}
    for route in listed:
        path = _path(first.setdefault(route.shape, route))
        operation = _operation(_renamed(route, first), ids[id(route)])
        paths.setdefault(path, {})[route.method.lower()] = operation | security.of(route)
    taken = set(ids.values())
    for proxy in proxies:
        path = _path(first[proxy.path.shape]) if proxy.path.shape in first else _without_spans(proxy.path)
        for method, operation in _passing(proxy, parse(path).holes, taken):
            paths.setdefault(path, {}).setdefault(method, operation | security.of(proxy))
    return {
        "openapi": "3.1.0",
        "info": {"title": "Fairlead", "version": __version__, "description": "The REST routes of this gateway."},
        "servers": [{"url": "/"}],
        "tags": [{"name": label} for label in _labels(listed, proxies)],
        "paths": paths,
        "components": {
            "schemas": {"Problem": _PROBLEM},
            "responses": {name: _problem_response(text) for name, text in _RESPONSES.items()},
            **({"securitySchemes": security.schemes} if security.schemes else {}),
        },
    }


def _labels(routes: tuple[Route, ...], proxies: tuple[Proxy, ...]) -> Iterable[str]:
    labels = [route.capability for route in routes] + [proxy.bindings.capability for proxy in proxies]
    return dict.fromkeys(labels)


def _path(route: Route) -> str:
    return _without_spans(parse(route.path))


def _without_spans(path: Template) -> str:
    """The path with placeholders as OpenAPI has them."""
    return "".join(f"{{{part.name}}}" if isinstance(part, Hole) else part for part in path.parts)


def _passing(proxy: Proxy, holes: tuple[str, ...], taken: set[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a forward takes, by the methods that OpenAPI knows."""
    namespace = proxy.forward.target_namespace
    responses: dict[str, Any] = {"default": {"description": f"The answer of `{namespace}`, as it came"}}
    for status, name in _BY_STATUS.items() if proxy.target else [("501", "Refused")]:
        responses[status] = {"$ref": f"#/components/responses/{name}"}
    for method in ("get", "head", "post", "put", "patch", "delete", "options"):
        operation: dict[str, Any] = {
            "operationId": _free(f"{proxy.adapter.namespace} {proxy.resource.name or 'forward'} {method}", taken),
            "tags": [proxy.bindings.capability],
            "summary": f"Goes on to `{namespace}`",
            "parameters": [
                {"name": hole, "in": "path", "required": True, "schema": {"type": "string"}} for hole in holes
            ],
            "responses": responses,
        }
        yield method, operation


def _renamed(route: Route, first: Mapping[str, Route]) -> Route:
    """The route with the placeholders of the first of its shape: to OpenAPI, two spellings of a path are one path."""
    template = first[route.shape].path
    names = dict(zip(parse(route.path).holes, parse(template).holes, strict=True))
    items = tuple(
        replace(item, name=names.get(item.name, item.name)) if item.location == "path" else item
        for item in route.exposed.inputs
    )
    exposed = replace(route.exposed, binding=replace(route.exposed.binding, inputs=Inputs(items)))
    return replace(route, path=template, exposed=exposed)


def _problem_response(text: str) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": text, "content": content}


def _operation_ids(routes: tuple[Route, ...]) -> dict[int, str]:
    """A unique id for each route: namespace, resource and name as words."""
    ids: dict[int, str] = {}
    taken: set[str] = set()
    for route in routes:
        ids[id(route)] = _free(f"{route.namespace} {route.resource} {route.exposed.name or route.method}", taken)
    return ids


def _free(text: str, taken: set[str]) -> str:
    """The words as an id that is not yet taken, and is from now on."""
    base = unique = "_".join(filter(None, re.split(r"[\W_]+", text.lower())))
    number = 1
    while unique in taken:
        number += 1
        unique = f"{base}_{number}"
    taken.add(unique)
    return unique


def _operation(route: Route, operation_id: str) -> dict[str, Any]:
    exposed = route.exposed
    operation: dict[str, Any] = {"operationId": operation_id, "tags": [route.capability]}
    summary = exposed.title or exposed.description.partition("\n")[0]
    operation |= {"summary": summary} if summary else {}
    operation |= {"description": exposed.description} if exposed.description else {}
    if parameters := [_parameter(item) for item in exposed.inputs if item.location not in ("body", "member")]:
        operation["parameters"] = parameters
    if body := _body([item for item in exposed.inputs if item.location in ("body", "member")]):
        operation["requestBody"] = body
    return operation | {"responses": dict(_responses(route))}


def _parameter(item: Input) -> dict[str, Any]:
    schema = {key: value for key, value in item.schema.items() if key != "description"}
    parameter = {"name": item.given_as, "in": item.location, "required": item.required, "schema": schema}
    return parameter | ({"description": item.description} if item.description else {})


def _body(items: list[Input]) -> dict[str, Any] | None:
    if not items:
        return None
    required = list(dict.fromkeys(filter(None, (_member(item) for item in items if item.required))))
    if items[0].location == "body":
        schema = items[0].schema
    else:
        named = [item for item in items if _member(item)]
        schema = {"type": "object", "properties": {_member(item): _member_schema(item) for item in named}}
        schema |= {"required": required} if required else {}
        schema |= {} if any(item.found_at for item in items) else {"additionalProperties": False}
        schema = schema if named else {}
    needed = any(item.required for item in items)
    return {"required": needed, "content": {"application/json": {"schema": schema}}}


def _answer(exposed: Exposed) -> str:
    if exposed.consumed is None:
        return "What its steps or its function make of the upstreams' answers"
    return f"{'The mapped answer' if exposed.shape else 'The answer'} of `{exposed.consumed}`"


def _member(item: Input) -> str:
    """The member of the body that an input is, or is found in."""
    return first_name(item.found_at) if item.found_at else item.given_as


def _member_schema(item: Input) -> dict[str, Any]:
    return {} if item.found_at else item.schema


def _responses(route: Route) -> Iterator[tuple[str, Any]]:
    exposed = route.exposed
    if demand := route.adapter.authentication:
        yield "401", {"$ref": "#/components/responses/Unauthorized"}
        if isinstance(demand, ResourceServer):
            yield "403", {"$ref": "#/components/responses/Forbidden"}
    if exposed.target is None:
        yield "501", {"$ref": "#/components/responses/Refused"}
        return
    media = exposed.media_type or (ENCODINGS[exposed.encoding].media if exposed.encoding else "application/json")
    content = {media: {"schema": exposed.schema} if media == "application/json" else {}}
    if exposed.is_mock:
        yield "200", {"description": "The answer, as the document has it", "content": content}
        yield "400", {"$ref": f"#/components/responses/{_BY_STATUS['400']}"}
        return
    yield "2XX", {"description": _answer(exposed), "content": content}
    for status, name in _BY_STATUS.items():
        yield status, {"$ref": f"#/components/responses/{name}"}
    yield "default", {"description": "Any other answer of the upstream, as it came"}
