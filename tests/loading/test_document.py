"""Files and folders become documents; one that is bad never takes the good ones with it."""

from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.document import Document
from fairlead.errors import LoadError
from fairlead.load import files, load, load_all, loads

GOOD = "naftiko: 1.0.0-alpha2\ncapability: {}\n"
BAD = "naftiko: 1.0.0-alpha2\nbind: {}\n"
API = """\
naftiko: 1.0.0-alpha2
consumes:
- namespace: harbour
  baseUri: https://harbour.example
  resources: [{name: ships, path: /ships, operations: [{name: list}]}]
"""


def refusal(*paths: Path) -> list[str]:
    with pytest.raises(LoadError) as caught:
        files(paths)
    return [str(problem) for problem in caught.value.problems]


def test_a_folder_stands_for_the_yaml_files_in_it_sorted(tmp_path: Path) -> None:
    for name in ("b.yml", "a.yaml", "c.yaml.txt", "d.json"):
        (tmp_path / name).write_text(GOOD)

    assert files([tmp_path]) == [tmp_path / "a.yaml", tmp_path / "b.yml"]


def test_a_file_that_is_meant_twice_is_loaded_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)

    assert files([tmp_path / "a.yaml", tmp_path, tmp_path / "a.yaml"]) == [tmp_path / "a.yaml"]


def test_every_path_that_is_not_there_is_a_problem_with_the_nearest_one(tmp_path: Path) -> None:
    (tmp_path / "ships.yaml").write_text(GOOD)

    assert refusal(tmp_path / "ship.yaml", tmp_path / "fleet.yml") == [
        f"{tmp_path}/fleet.yml:1:1: does not exist; did you mean '{tmp_path}/ships.yaml'?",
        f"{tmp_path}/ship.yaml:1:1: does not exist; did you mean '{tmp_path}/ships.yaml'?",
    ]


def test_a_folder_without_files_is_a_problem(tmp_path: Path) -> None:
    assert refusal(tmp_path) == [f"{tmp_path}:1:1: holds no capability files; they end in .yaml or .yml"]


def test_good_files_are_kept_when_one_is_bad(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    (tmp_path / "b.yaml").write_text(BAD)
    (tmp_path / "c.yaml").write_bytes(b"\xff")
    (tmp_path / "d.yaml").write_text(GOOD)

    documents, problems = load_all([tmp_path])

    assert [document.file for document in documents] == [str(tmp_path / "a.yaml"), str(tmp_path / "d.yaml")]
    assert [str(problem) for problem in problems] == [
        f"{tmp_path}/b.yaml:1:1: holds neither a `capability` nor parts for others to import",
        f"{tmp_path}/b.yaml:2:1: warning: unknown key 'bind'; did you mean 'binds'?",
        f"{tmp_path}/c.yaml:1:1: is not UTF-8 text",
    ]


def test_a_folder_with_the_name_of_a_file_is_a_problem_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    (tmp_path / "b.yaml").mkdir()

    documents, problems = load_all([tmp_path])

    assert len(documents) == 1
    assert [str(problem) for problem in problems] == [f"{tmp_path}/b.yaml:1:1: cannot be read: Is a directory"]


def test_a_capability_is_called_by_its_label_or_else_by_its_file() -> None:
    texts = ["info: {label: One, display: Two}", "info: {display: Two, title: Three}", "info: {name: Four}", "x-a: 1"]

    assert [loads(f"{GOOD}{text}\n", "folder/ships.yaml").label for text in texts] == ["One", "Two", "Four", "ships"]


@pytest.mark.parametrize("text", ["1.10", "007", "+5", "1e3", "true", "2026-05-19", "0x1F", "0o17"])
def test_a_number_or_a_boolean_where_text_is_meant_is_read_as_it_is_spelt(text: str) -> None:
    assert loads(f"{GOOD}info: {{label: {text}}}\n").label == text


def test_one_operation_that_cannot_be_meant_leaves_the_others_usable() -> None:
    document = loads(
        dedent("""\
            naftiko: 1.0.0-alpha2
            capability:
              consumes:
              - {namespace: a, baseUri: https://a.example, resources: [{name: b, path: /b, operations: [{name: get}]}]}
              exposes:
              - {type: mcp, namespace: m, tools: [{name: one, call: a.got}, {name: two, call: a.get}]}
            """),
        "f.yaml",
    )

    assert [(tool.name, tool.exposed.target is not None) for tool in document.tools] == [("one", False), ("two", True)]
    assert [str(problem) for problem in document.problems] == [
        "f.yaml:6:57: call to unknown operation 'got' of 'a'; did you mean 'get'?"
    ]


def test_what_the_environment_must_hold_is_known_from_every_place_that_refers_to_it() -> None:
    document = loads(
        dedent("""\
            naftiko: 1.0.0-alpha2
            binds:
            - {namespace: env, keys: {HOST: A, TOKEN: B, VERSION: C, STAMP: D}}
            capability:
              consumes:
              - namespace: a
                baseUri: https://{{env.HOST}}
                authentication: {type: bearer, token: '{{env.TOKEN}}'}
                resources:
                - name: b
                  path: /b
                  operations:
                  - {name: get, inputParameters: [{name: v, value: '{{env.VERSION}}'}, {name: stamp}]}
              exposes:
              - {type: mcp, namespace: m, tools: [{name: one, call: a.get, with: {stamp: '{{env.STAMP}}'}}]}
            """)
    )

    variables = {name for value in document.values() for name in value.variables.values()}

    assert variables == {"A", "B", "C", "D"}


def test_an_api_is_imported_from_another_file_of_the_folder_under_another_name(tmp_path: Path) -> None:
    (tmp_path / "apis").mkdir()
    (tmp_path / "apis" / "harbour.yaml").write_text(API)
    (tmp_path / "main.yaml").write_text(
        dedent("""\
            naftiko: 1.0.0-alpha2
            capability:
              consumes: [{import: harbour, location: apis/harbour.yaml, as: ships}]
              exposes: [{type: mcp, namespace: m, tools: [{name: list, call: ships.list}]}]
            """)
    )

    document = load(tmp_path / "main.yaml")

    assert document.problems == ()
    assert [str(tool.exposed.consumed) for tool in document.tools if tool.exposed.consumed] == [
        "GET https://harbour.example/ships"
    ]


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("{import: harbour, location: none.yaml}", "3:42: there is no file 'none.yaml' to import from"),
        ("{import: harbor, location: apis.yaml}", "3:23: 'apis.yaml' consumes no 'harbor'; did you mean 'harbour'?"),
        ("{import: harbour, location: ../apis.yaml}", "3:42: an import needs a file inside the folder of the document"),
        ("{import: harbour, location: /apis.yaml}", "3:42: an import needs a file inside the folder of the document"),
        ("{import: harbour}", "3:14: an import needs a file inside the folder of the document"),
    ],
)
def test_an_import_that_leads_nowhere_is_a_problem(tmp_path: Path, entry: str, problem: str) -> None:
    (tmp_path / "apis.yaml").write_text(API)
    path = tmp_path / "main.yaml"
    path.write_text(f"naftiko: 1.0.0-alpha2\ncapability:\n  consumes: [{entry}]\n")

    assert [str(found) for found in load(path).problems] == [f"{path}:{problem}"]


KEYS = st.sampled_from(
    """naftiko ikanos capability info binds consumes exposes namespace keys baseUri resources operations name path
    method inputParameters in type call with outputParameters mapping authentication token tools port value body data
    properties items import location from as description display flows target steps mappings
    externalRefs x-y unknown""".split()
)
WORDS = st.sampled_from(
    "1.0.0-alpha2 harbour harbour.list rest mcp http path body {id} {{id}} $. rest.id /a/{id}".split()
)
VALUES = WORDS.map("'{}'".format) | st.sampled_from(["null", "5", "true", "1.5", "''", "https://a.example"])
NODES = st.recursive(
    VALUES,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(KEYS, inner, max_size=5).map(
            lambda pairs: f"{{{', '.join(f'{key}: {value}' for key, value in pairs.items())}}}"
        )
    ),
    max_leaves=25,
)


@settings(deadline=None, max_examples=200)
@given(st.dictionaries(KEYS, NODES, max_size=5))
def test_any_tree_of_known_words_is_a_document_or_a_load_error_with_problems(pairs: dict[str, str]) -> None:
    text = "\n".join(f"{key}: {value}" for key, value in ({"naftiko": "1.0.0-alpha2"} | pairs).items())

    found = loaded(text)

    assert isinstance(found, Document) or len(found.problems) > 0


def loaded(text: str) -> Document | LoadError:
    try:
        return loads(text)
    except LoadError as error:
        return error


def test_an_imported_api_has_the_secrets_that_its_own_file_names(tmp_path: Path) -> None:
    """Both files call their token TOKEN; each means another variable of the environment."""
    binds = "binds: [{{namespace: env, keys: {{TOKEN: {0}}}}}]\n"
    secret = "{{type: bearer, token: '{{{{env.TOKEN}}}}'}}"
    api = f"{{{{namespace: {{0}}, baseUri: 'https://{{0}}.example', authentication: {secret}}}}}"
    (tmp_path / "b.yaml").write_text(
        f"naftiko: 1.0.0-alpha2\n{binds.format('B_TOKEN')}consumes: [{api.format('b')}]\n", encoding="utf-8"
    )
    (tmp_path / "a.yaml").write_text(
        f"naftiko: 1.0.0-alpha2\n{binds.format('A_TOKEN')}"
        f"capability: {{consumes: [{api.format('a')}, {{import: b, location: b.yaml}}]}}\n",
        encoding="utf-8",
    )

    document = load(tmp_path / "a.yaml")

    tokens = [(api.section.namespace, api.bindings.variable("env.TOKEN")) for api in document.apis]
    assert tokens == [("a", "A_TOKEN"), ("b", "B_TOKEN")]
    assert [list(value.variables.values()) for value in document.values() if value.variables] == [
        ["A_TOKEN"],
        ["B_TOKEN"],
    ]
