"""Generates folders of capability files in the style in which they are published: up to four operations a file.

Names of operations repeat (`get`, `post`) and adapters declare no inputs, so that reading a file is the same work as
with a real one. The same operations as an OpenAPI document are for the peers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Tree = dict[str, Any]

KEY = "BENCHMARK_API_KEY"
UPSTREAM = "BENCHMARK_UPSTREAM"
IDENTITY: Tree = {"type": "object", "mapping": "$."}


@dataclass(frozen=True)
class Operation:
    """One of the four operations that every unit has."""

    method: str
    path: str
    verb: str

    @property
    def input(self) -> Tree | None:
        if "{id}" in self.path:
            return {"name": "id", "in": "path", "type": "string", "required": True}
        return {"name": "body", "in": "body", "type": "object", "required": True} if self.method == "POST" else None

    def description(self, unit: str) -> str:
        return f"{self.verb.capitalize()} batch jobs of unit {unit}"

    def tool(self, unit: str) -> str:
        return f"{self.verb}-batch-jobs-of-unit-{unit}"


OPERATIONS = (
    Operation("GET", "/batches", "list"),
    Operation("POST", "/batches", "create"),
    Operation("GET", "/batches/{id}", "get"),
    Operation("POST", "/batches/{id}/cancel", "cancel"),
)


def last_path(operations: int) -> str:
    """The path that gets one batch job of the last unit, where so many operations make whole units."""
    return f"/v1/units/{_unit(operations // len(OPERATIONS) - 1)}/batches/b-1"


def last_tool(operations: int) -> str:
    """The tool that gets one batch job of the last unit, where so many operations make whole units."""
    return OPERATIONS[2].tool(_unit(operations // len(OPERATIONS) - 1))


def generate(folder: Path, operations: int) -> Path:
    """The folder, with files of so many operations in it if it was not there yet."""
    if not folder.exists():
        folder.mkdir(parents=True)
        for unit, had in _units(operations):
            text = yaml.dump(_capability(unit, had), Dumper=_Dumper, sort_keys=False)
            (folder / f"unit-{unit}.yaml").write_text(text, encoding="utf-8")
    return folder


def openapi(operations: int) -> Tree:
    """So many operations in one document."""
    paths: Tree = {}
    for unit, had in _units(operations):
        for operation in had:
            resource = paths.setdefault(f"/v1/units/{unit}{operation.path}", {})
            resource[operation.method.lower()] = _described(operation, unit)
    return {"openapi": "3.1.0", "info": {"title": "Units", "version": "1"}, "paths": paths}


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Writes what stands in several places anew, as people do, and not as an alias."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _unit(number: int) -> str:
    return f"{number:04}"


def _units(operations: int) -> Iterator[tuple[str, Sequence[Operation]]]:
    """Units of four operations each, and what is left in the last one."""
    for number, first in enumerate(range(0, operations, len(OPERATIONS))):
        yield _unit(number), OPERATIONS[: operations - first]


def _capability(unit: str, had: Sequence[Operation]) -> Tree:
    info = {
        "label": f"Unit {unit}",
        "description": f"Unit {unit}. {len(had)} operations. Lead operation: {had[0].description(unit)}.",
        "tags": ["Units"],
        "created": "2026-05-19",
        "modified": "2026-05-19",
    }
    return {
        "naftiko": "1.0.0-alpha2",
        "info": info,
        "binds": [{"namespace": "env", "keys": {KEY: KEY, UPSTREAM: UPSTREAM}}],
        "capability": {"consumes": [_consumes(unit, had)], "exposes": [_rest(unit, had), _mcp(unit, had)]},
    }


def _consumes(unit: str, had: Sequence[Operation]) -> Tree:
    return {
        "type": "http",
        "namespace": f"unit-{unit}",
        "baseUri": f"http://{{{{env.{UPSTREAM}}}}}/v1/units/{unit}",
        "description": f"The batch jobs of unit {unit}.",
        "resources": [_resource(path, path, [_consumed(one, unit) for one in at]) for path, at in _by_path(had)],
        "authentication": {"type": "bearer", "token": f"{{{{env.{KEY}}}}}"},
    }


def _consumed(operation: Operation, unit: str) -> Tree:
    consumed = {
        "name": operation.method.lower(),
        "method": operation.method,
        "description": operation.description(unit),
        "outputRawFormat": "json",
        "outputParameters": [{"name": "result", "type": "object", "value": "$."}],
    }
    return consumed | ({"inputParameters": [operation.input]} if operation.input else {})


def _rest(unit: str, had: Sequence[Operation]) -> Tree:
    routes = {
        path: [{"method": one.method, "name": one.method.lower(), **_called(one, unit, "rest")} for one in at]
        for path, at in _by_path(had)
    }
    return {
        "type": "rest",
        "namespace": f"unit-{unit}-rest",
        "port": 8080,
        "description": f"REST adapter of unit {unit}.",
        "resources": [_resource(path, f"/v1/units/{unit}{path}", one) for path, one in routes.items()],
    }


def _mcp(unit: str, had: Sequence[Operation]) -> Tree:
    return {
        "type": "mcp",
        "namespace": f"unit-{unit}-mcp",
        "port": 9090,
        "transport": "http",
        "description": f"MCP adapter of unit {unit}.",
        "tools": [{"name": one.tool(unit), **_hints(one), **_called(one, unit, "tools")} for one in had],
    }


def _hints(operation: Operation) -> Tree:
    reads = operation.method == "GET"
    return {"hints": {"readOnly": reads, "destructive": False, "idempotent": reads}}


def _called(operation: Operation, unit: str, source: str) -> Tree:
    name = operation.input["name"] if operation.input else None
    return {
        "description": operation.description(unit),
        "call": f"unit-{unit}.{operation.method.lower()}",
        **({"with": {name: f"{source}.{name}"}} if name else {}),
        "outputParameters": [IDENTITY],
    }


def _resource(path: str, exposed: str, operations: list[Tree]) -> Tree:
    name = path.strip("/").translate(str.maketrans("/", "-", "{}"))
    return {"path": exposed, "name": name, "operations": operations}


def _by_path(had: Sequence[Operation]) -> Iterator[tuple[str, list[Operation]]]:
    for path in dict.fromkeys(operation.path for operation in had):
        yield path, [operation for operation in had if operation.path == path]


def _described(operation: Operation, unit: str) -> Tree:
    answer = {"description": "OK", "content": {"application/json": {"schema": {"type": "object"}}}}
    described: Tree = {
        "operationId": operation.tool(unit).replace("-", "_"),
        "summary": operation.description(unit),
        "responses": {"200": answer},
    }
    match operation.input:
        case {"in": "path", "name": name}:
            described["parameters"] = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}}]
        case {"in": "body"}:
            content = {"application/json": {"schema": {"type": "object"}}}
            described["requestBody"] = {"required": True, "content": content}
    return described
