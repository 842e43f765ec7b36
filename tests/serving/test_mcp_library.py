"""Resources and prompts of MCP adapters, through the SDK's own client."""

from pathlib import Path

import pytest
from mcp import MCPError

from fairlead.load import load, loads
from serving.world import Reply, Upstream, world

pytestmark = pytest.mark.anyio

DOCUMENT = """\
naftiko: 1.0.0-alpha2
capability:
  consumes:
  - namespace: registry
    baseUri: https://registry.example
    resources:
    - path: /ships/{imo}
      operations: [{name: get-ship}]
    - path: /flags/{flag}.png
      operations: [{name: get-flag, outputRawFormat: binary}]
  exposes:
  - type: mcp
    namespace: m
    tools: []
    ttlMs: 5000
    cacheScope: public
    resources:
    - name: ship
      label: Ship
      description: One ship
      uri: ships://{imo}
      call: registry.get-ship
      outputParameters: [{type: object, properties: {name: {type: string, mapping: $.vessel}}}]
    - {name: flag, uri: 'flags://{flag}', mimeType: image/png, call: registry.get-flag}
    - {name: hello, uri: 'words://hello', mimeType: text/plain, outputParameters: [{type: string, value: Ahoy}]}
    - name: steps
      uri: steps://{imo}
      steps: [{type: call, name: one, call: registry.get-ship}]
      mappings: [{targetName: name, value: $.one.vessel}]
    - name: typed
      uri: typed://{imo}
      call: registry.get-ship
      inputParameters: [{name: imo, type: integer, pattern: '^[0-9]+$'}]
    - {name: all, uri: 'ships://all', outputParameters: [{type: string, value: all of them}]}
    - {name: manuals, uri: 'manuals://all', description: Manuals, location: 'file:///./manuals'}
    prompts:
    - name: describe
      label: Describe
      description: Describes a ship
      arguments: [{name: imo, description: IMO number}, {name: tone, required: false}]
      template:
      - {role: user, content: 'Describe {{imo}} {{tone}}, not {{this}}.'}
      - {role: assistant, content: 'About {{imo}}:'}
    - {name: filed, location: 'file://prompt.txt', arguments: [{name: what}]}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    manuals = tmp_path / "manuals" / "deep"
    manuals.mkdir(parents=True)
    (tmp_path / "manuals" / "a b.md").write_text("# Hello")
    (manuals / "flag.png").write_bytes(b"\x89PNG")
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "manuals" / ".env").write_text("KEY=secret")
    (tmp_path / "manuals" / ".git").mkdir()
    (tmp_path / "manuals" / ".git" / "config").write_text("secret")
    (tmp_path / "manuals" / "link.txt").symlink_to(tmp_path / "secret.txt")
    (tmp_path / "prompt.txt").write_text("Say {{what}}")
    (tmp_path / "main.yaml").write_text(DOCUMENT)
    return tmp_path / "main.yaml"


def answers(status: int = 200) -> Upstream:
    image = Reply(status, b"\x89PNG", (("content-type", "image/png"),))
    return Upstream(lambda sent: image if sent.url.endswith(".png") else Reply(status, b'{"vessel":"Fram"}'))


@pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])
async def test_resources_are_listed_by_their_uris_and_those_with_placeholders_as_templates(
    file: Path, mode: str
) -> None:
    document = load(file)
    assert document.problems == ()
    async with world(document, upstream=answers()) as one, one.client(mode) as client:
        listed = (await client.list_resources()).resources
        templates = (await client.list_resource_templates()).resource_templates

    assert [(one.uri, one.name, one.mime_type) for one in listed] == [
        ("words://hello", "hello", "text/plain"),
        ("ships://all", "all", "application/json"),
        ("manuals://all/a%20b.md", "a b.md", "text/markdown"),
        ("manuals://all/deep/flag.png", "flag.png", "image/png"),
    ]
    assert [(one.uri_template, one.title, one.mime_type) for one in templates] == [
        ("ships://{imo}", "Ship", "application/json"),
        ("flags://{flag}", None, "image/png"),
        ("steps://{imo}", None, "application/json"),
        ("typed://{imo}", None, "application/json"),
    ]


@pytest.mark.parametrize(
    ("uri", "mime_type", "text", "blob"),
    [
        ("ships://9074729", "application/json", '{"name":"Fram"}', None),
        ("steps://9074729", "application/json", '{"name":"Fram"}', None),
        ("flags://no", "image/png", None, "iVBORw=="),
        ("words://hello", "text/plain", '"Ahoy"', None),
        ("ships://all", "application/json", '"all of them"', None),
        ("typed://9074729", "application/json", '{"vessel":"Fram"}', None),
        ("manuals://all/a%20b.md", "text/markdown", "# Hello", None),
        ("manuals://all/deep/flag.png", "image/png", None, "iVBORw=="),
    ],
)
async def test_a_resource_is_read(file: Path, uri: str, mime_type: str, text: str | None, blob: str | None) -> None:
    async with world(load(file), upstream=answers()) as one, one.client() as client:
        (content,) = (await client.read_resource(uri)).contents

    said = content.model_dump()
    assert (said["uri"], said["mime_type"]) == (uri, mime_type)
    assert (said.get("text"), said.get("blob")) == (text, blob)


async def test_the_value_of_a_placeholder_is_one_segment_decoded(file: Path) -> None:
    upstream = answers()
    async with world(load(file), upstream=upstream) as one, one.client() as client:
        await client.read_resource("ships://a%2Fb")
        with pytest.raises(MCPError, match="unknown resource 'ships://a/b'"):
            await client.read_resource("ships://a/b")

    assert upstream.only.url == "https://registry.example/ships/a%2Fb"


@pytest.mark.parametrize(
    "uri",
    [
        "manuals://all/link.txt",
        "manuals://all/../secret.txt",
        "manuals://all/%2e%2e/secret.txt",
        "manuals://all/",
        "manuals://all/.env",
        "manuals://all/.git/config",
    ],
)
async def test_no_uri_leads_out_of_a_folder(file: Path, uri: str) -> None:
    async with world(load(file), upstream=answers()) as one, one.client() as client:
        with pytest.raises(MCPError, match="unknown resource"):
            await client.read_resource(uri)


@pytest.mark.parametrize(
    ("uri", "message"),
    [("typed://abc", "argument 'imo'"), ("ships://%ff", "the URI is not percent-encoded UTF-8 text")],
)
async def test_a_uri_with_a_value_of_no_use_says_so(file: Path, uri: str, message: str) -> None:
    upstream = answers()
    async with world(load(file), upstream=upstream) as one, one.client() as client:
        with pytest.raises(MCPError, match=message):
            await client.read_resource(uri)

    assert upstream.got == []


async def test_an_upstreams_error_is_no_content(file: Path) -> None:
    async with world(load(file), upstream=answers(404)) as one, one.client() as client:
        with pytest.raises(MCPError, match="the upstream answered HTTP 404 Not Found"):
            await client.read_resource("ships://1")


@pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])
async def test_prompts_are_listed_and_filled_once(file: Path, mode: str) -> None:
    async with world(load(file), upstream=answers()) as one, one.client(mode) as client:
        listed = (await client.list_prompts()).prompts
        filled = await client.get_prompt("describe", {"imo": "{{tone}}"})
        filed = await client.get_prompt("filed", {"what": "ahoy"})

    assert [(one.name, one.title, one.description) for one in listed] == [
        ("describe", "Describe", "Describes a ship"),
        ("filed", None, None),
    ]
    assert [(one.name, one.required) for one in listed[0].arguments or ()] == [("imo", True), ("tone", False)]
    said = [(one.role, one.content.model_dump()["text"]) for one in filled.messages]
    assert said == [("user", "Describe {{tone}} , not {{this}}."), ("assistant", "About {{tone}}:")]
    assert filed.messages[0].content.model_dump()["text"] == "Say ahoy"


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("describe", {}, "argument 'imo' is required"),
        ("describe", {"imo": "1", "colour": "red"}, "argument 'colour' is not declared"),
        ("descibe", {}, "unknown prompt 'descibe'; did you mean 'describe'?"),
    ],
)
async def test_a_prompt_that_cannot_be_filled_says_why(
    file: Path, name: str, given: dict[str, str], message: str
) -> None:
    async with world(load(file), upstream=answers()) as one, one.client() as client:
        with pytest.raises(MCPError) as error:
            await client.get_prompt(name, given)

    assert message in str(error.value)


async def test_clients_are_told_how_long_they_may_keep_what_they_read(file: Path) -> None:
    async with world(load(file), upstream=answers()) as one, one.client() as client:
        listed = await client.list_prompts()

    assert (listed.ttl_ms, listed.cache_scope) == (5000, "public")


async def test_an_adapter_without_resources_and_prompts_does_not_announce_any() -> None:
    text = "naftiko: 1.0.0-alpha2\ncapability: {exposes: [{type: mcp, namespace: m, tools: []}]}\n"
    async with world(text) as one, one.client("legacy") as client:
        assert (client.server_capabilities.resources, client.server_capabilities.prompts) == (None, None)


BROKEN = """\
naftiko: 1.0.0-alpha2
capability:
  consumes:
  - {namespace: r, baseUri: 'https://r.example', resources: [{path: '/ships/{imo}', operations: [{name: get-ship}]}]}
  exposes:
  - type: mcp
    namespace: m
    tools: []
    resources:
    - {name: lacks, uri: 'ships://all', call: r.get-ship}
    - {name: more, uri: 'ships://{imo}/{port}', call: r.get-ship}
    - {name: twice, uri: 'twice://{imo}/{imo}', call: r.get-ship}
    - {name: nothing, uri: 'nothing://x'}
    - {name: gone, uri: 'gone://x', location: 'file:///./gone'}
    - {name: web, uri: 'web://x', location: 'https://x.example'}
    prompts:
    - {name: empty}
    - {name: gone, location: 'file:///./gone.txt'}
"""


def test_what_cannot_be_served_is_told() -> None:
    assert [problem.message for problem in loads(BROKEN).problems] == [
        "the URI 'ships://all' does not say 'imo', which is needed",
        "nothing uses {port} of the URI",
        "the URI 'twice://{imo}/{imo}' has 'imo' twice",
        "'nothing' has no `call`",
        "there is nothing at the location 'file:///./gone'",
        "the location 'https://x.example' is no file:// path",
        "the prompt 'empty' has neither `template` nor `location`",
        "there is no file at the location 'file:///./gone.txt'",
    ]


def test_a_mistake_in_one_part_of_an_adapter_refuses_that_part_alone() -> None:
    text = """\
naftiko: 1.0.0-alpha2
capability:
  exposes:
  - type: mcp
    namespace: m
    tools:
    - {name: good, outputParameters: [{name: a, value: b}]}
    - {name: bad, outputParameters: [{name: a, value: b}], bogus: 1}
    resources:
    - {name: good, uri: 'a://b', outputParameters: [{name: a, value: b}]}
    - {name: bad, uri: 'a://c', outputParameters: [{name: a, value: b}], bogus: 1}
    prompts:
    - {name: good, template: [{content: hello}]}
    - {name: bad, template: [{content: hello}], bogus: 1}
"""
    document = loads(text)

    assert [bool(tool.exposed.target) for tool in document.tools] == [True, False]
    assert [resource.is_served for resource in document.resources] == [True, False]
    assert [prompt.problems == () for prompt in document.prompts] == [True, False]
