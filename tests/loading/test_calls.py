"""Which operation a call means: always the one its author meant, or none; never another."""

import json
from functools import cache
from itertools import permutations
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.document import Document
from fairlead.load import load, loads

CAPABILITIES = Path(__file__).parents[2] / "capabilities"
GROQ, BATCHES, TUNING = FILES = tuple(
    CAPABILITIES / f"{name}.yaml" for name in ("groq-batch", "together-ai-batches", "together-ai-fine-tuning")
)

TARGETS = {
    GROQ: [
        ("POST /v1/openai/v1/batches", "creates-and-executes-batch-uploaded", "POST /openai/v1/batches"),
        ("GET /v1/openai/v1/batches", "list-your-organization-s-batches", "GET /openai/v1/batches"),
        ("GET /v1/openai/v1/batches/{batch-id}", "retrieves-batch", "GET /openai/v1/batches/{batch_id}"),
        ("POST /v1/openai/v1/batches/{batch-id}/cancel", "cancels-batch", "POST /openai/v1/batches/{batch_id}/cancel"),
    ],
    BATCHES: [
        ("GET /v1/batches", "list-batch-jobs", "GET /batches"),
        ("POST /v1/batches", "create-batch-job", "POST /batches"),
        ("GET /v1/batches/{id}", "get-batch-job", "GET /batches/{id}"),
        ("POST /v1/batches/{id}/cancel", "cancel-batch-job", "POST /batches/{id}/cancel"),
    ],
    TUNING: [
        ("POST /v1/fine-tunes", "create-job", "POST /fine-tunes"),
        ("GET /v1/fine-tunes", "list-all-jobs", "GET /fine-tunes"),
        ("POST /v1/fine-tunes/estimate-price", "estimate-price", "POST /fine-tunes/estimate-price"),
        ("GET /v1/fine-tunes/models/limits", "get-model-limits", "GET /fine-tunes/models/limits"),
        ("GET /v1/fine-tunes/models/supported", "list-supported-models", "GET /fine-tunes/models/supported"),
        ("GET /v1/fine-tunes/{id}", "list-job", "GET /fine-tunes/{id}"),
        ("DELETE /v1/fine-tunes/{id}", "delete-fine-tune-job", "DELETE /fine-tunes/{id}"),
        ("POST /v1/fine-tunes/{id}/cancel", "cancel-job", "POST /fine-tunes/{id}/cancel"),
        ("GET /v1/fine-tunes/{id}/checkpoints", "list-checkpoints", "GET /fine-tunes/{id}/checkpoints"),
        ("GET /v1/fine-tunes/{id}/events", "list-job-events", "GET /fine-tunes/{id}/events"),
        ("GET /v1/fine-tunes/{id}/metrics", "get-metrics", "GET /fine-tunes/{id}/metrics"),
        ("GET /v1/finetune/download", "download-model", "GET /finetune/download"),
    ],
}
"""Every route and tool of the three files, in order, and the request that both of them mean."""


def test_every_route_and_tool_of_the_real_files_reaches_the_request_that_its_author_meant() -> None:
    documents = {path: load(path) for path in FILES}

    assert {path: rows(document) for path, document in documents.items()} == TARGETS
    assert [problem for document in documents.values() for problem in document.problems] == []


def rows(document: Document) -> list[tuple[str, str, str]]:
    both = zip(document.routes, document.tools, strict=True)
    targets = [(str(route), tool.name, {request(route.exposed), request(tool.exposed)}) for route, tool in both]
    return [(route, tool, requests.pop()) for route, tool, requests in targets if len(requests) == 1]


def request(exposed: Any) -> str:
    consumed = exposed.target.consumed
    return f"{consumed.operation.method} {consumed.path}"


def test_every_call_of_the_real_files_reaches_the_operation_of_the_same_description() -> None:
    exposed = [one for path in FILES for one in load(path).exposed]

    assert len(exposed) == 40
    for one in exposed:
        assert one.consumed is not None
        assert one.consumed.operation.description == one.description != ""


def test_thirty_of_the_forty_calls_are_ambiguous_and_none_of_those_rests_on_a_single_kind_of_evidence() -> None:
    evidence = [one.target.evidence for path in FILES for one in load(path).exposed if one.target]

    ambiguous = [kinds for kinds in evidence if kinds != ("name",)]

    assert len(ambiguous) == 30
    assert set(ambiguous) == {("description", "path", "resource", "position"), ("description", "position")}


@cache
def as_json(path: Path) -> str:
    """A real file as JSON, which is YAML as well, with one REST operation in each resource."""
    data = yaml.safe_load(path.read_text("utf-8"))
    rest, _ = data["capability"]["exposes"]
    rest["resources"] = [{**one, "operations": [inner]} for one in rest["resources"] for inner in one["operations"]]
    return json.dumps(data, ensure_ascii=False)


def copy(path: Path) -> Any:
    return json.loads(as_json(path))


def resources(data: Any) -> Any:
    return data["capability"]["exposes"][0]["resources"]


def tools(data: Any) -> Any:
    return data["capability"]["exposes"][1]["tools"]


def callers(data: Any) -> list[Any]:
    return [*(resource["operations"][0] for resource in resources(data)), *tools(data)]


def rivals(data: Any, caller: Any) -> list[tuple[str, str]]:
    """Path and description of every operation that the name in a call fits, besides the one that is meant."""
    (section,) = data["capability"]["consumes"]
    return [
        (resource["path"], operation["description"])
        for resource in section["resources"]
        for operation in resource["operations"]
        if caller["call"] == f"{section['namespace']}.{operation['name']}"
        and caller["description"] != operation["description"]
    ]


def found(data: Any) -> dict[str, str]:
    """The request of every route and tool by its title, which is no evidence; nothing for a refused one."""
    document = loads(json.dumps(data, ensure_ascii=False), "mutated.yaml")
    return {one.title: request(one) if one.target else "" for one in document.exposed}


def titled(path: Path) -> Any:
    data = copy(path)
    for number, caller in enumerate(callers(data)):
        caller["label"] = f"caller {number}"
    return data


@cache
def meant(path: Path) -> dict[str, str]:
    return {f"caller {number}": request(one) for number, one in enumerate(load(path).exposed)}


def is_refused(path: Path, data: Any, index: int) -> bool:
    """Whether one caller is refused; fails where it or any other means anything but what its author meant."""
    now = found(data)
    assert {title: target for title, target in now.items() if target not in ("", meant(path)[title])} == {}
    return not now[f"caller {index}"]


def test_a_description_taken_from_another_candidate_never_leads_to_it() -> None:
    refused = []
    for path in FILES:
        for index, caller in enumerate(callers(copy(path))):
            for _, description in rivals(copy(path), caller):
                data = titled(path)
                callers(data)[index]["description"] = description
                refused.append(is_refused(path, data, index))

    assert (len(refused), refused.count(True)) == (132, 132)


def test_a_path_taken_from_another_candidate_never_leads_to_it() -> None:
    refused = []
    for path in FILES:
        for index, resource in enumerate(resources(copy(path))):
            for other, _ in rivals(copy(path), resource["operations"][0]):
                data = titled(path)
                resources(data)[index]["path"] = f"/v1{other}"
                refused.append(is_refused(path, data, index))

    assert (len(refused), refused.count(True)) == (66, 66)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_adapter_that_lacks_a_tool_keeps_all_others_right(path: Path) -> None:
    for removed in range(len(tools(copy(path)))):
        data = titled(path)
        title = tools(data).pop(removed)["label"]

        assert found(data) == {name: target for name, target in meant(path).items() if name != title}


@settings(deadline=None, max_examples=30)
@given(st.data())
def test_tools_in_another_order_are_still_right(choices: st.DataObject) -> None:
    path = choices.draw(st.sampled_from(FILES))
    data = titled(path)
    data["capability"]["exposes"][1]["tools"] = choices.draw(st.permutations(tools(data)))

    assert found(data) == meant(path)


def test_tools_that_only_their_order_tells_apart_are_right_or_refused_in_any_order() -> None:
    """Without descriptions, what `with` gives still shows that the order is another."""
    refused = []
    for order in permutations(range(4)):
        data = titled(BATCHES)
        shuffled = [tools(data)[index] for index in order]
        for tool in shuffled:
            del tool["description"]
        data["capability"]["exposes"][1]["tools"] = shuffled
        refused += [is_refused(BATCHES, data, index) for index in range(4, 8)]

    assert (len(refused), refused.count(False)) == (96, 4)


def test_a_header_that_no_caller_may_set_does_not_stand_against_the_position() -> None:
    """`with` may name what the consumed operation declares, even where it is never sent."""
    operation = "{name: get, inputParameters: [{name: Content-Type, in: header}]}"
    data = f"""
    naftiko: 1.0.0-alpha2
    capability:
      consumes:
      - namespace: harbour
        baseUri: https://harbour.example
        resources:
        - {{name: ships, path: /ships, operations: [{operation}]}}
        - {{name: berths, path: /berths, operations: [{operation}]}}
      exposes:
      - type: mcp
        namespace: m
        tools:
        - {{name: a, call: harbour.get, with: {{Content-Type: tools.Content-Type}}}}
        - {{name: b, call: harbour.get, with: {{Content-Type: tools.Content-Type}}}}
    """
    found = [(str(exposed.consumed), exposed.target) for exposed in loads(dedent(data)).exposed]

    assert [(request, target.evidence) for request, target in found if target] == [
        ("GET https://harbour.example/ships", ("position",)),
        ("GET https://harbour.example/berths", ("position",)),
    ]
