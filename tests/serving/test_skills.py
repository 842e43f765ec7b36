"""Skills: what they are for, what they use, and their files, none of which lies outside of their folder."""

from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from pydantic import SecretStr

from fairlead.banner import banner
from fairlead.document import Document
from fairlead.exposes.folder import MAX_FILE, MAX_FILES
from fairlead.exposes.skills import MAX_DOWNLOAD
from fairlead.listeners import arrange
from fairlead.load import load
from fairlead.settings import Settings
from serving.world import KEYS, Exchange, Upstream, World, world

pytestmark = pytest.mark.anyio

CAPABILITY = """\
naftiko: 1.0.0-alpha2
info: {label: Ships}
capability:
  consumes:
  - namespace: registry
    baseUri: https://registry.example
    resources: [{path: /ships, operations: [{name: list-ships}]}]
  exposes:
  - type: rest
    namespace: ships
    resources: [{path: /ships, operations: [{name: list, call: registry.list-ships}]}]
  - {type: mcp, namespace: agents, tools: [{name: list-all, call: registry.list-ships}]}
  - type: skill
    namespace: skills
    port: 8080
    skills:
    - name: order-ships
      description: How to order a ship
      license: Apache-2.0
      compatibility: Any agent
      argument-hint: '[ship]'
      allowed-tools: list list-all
      user-invocable: false
      metadata: {author: Ada, version: 1.0}
      location: 'file:///./order'
      tools:
      - {name: list, description: All ships, from: {sourceNamespace: ships, action: list}}
      - {name: list-all, description: All for agents, from: {sourceNamespace: agents, action: list-all}}
      - {name: paint, description: Choose a colour, instruction: paint.md}
    - {name: bare, description: Nothing but words}
    - {name: gone, description: No folder, location: 'file:///./nowhere'}
"""


def ships(folder: Path, text: str = CAPABILITY) -> Document:
    """The document in a folder with its files, and one beside them that is nobody's business."""
    (folder / "secret.txt").write_text("secret")
    order = folder / "order"
    (order / "sub").mkdir(parents=True, exist_ok=True)
    (order / "SKILL.md").write_text("# Order")
    (order / "paint.md").write_text("Blue")
    (order / "sub" / "data.json").write_text("{}")
    (order / "with blank.md").write_text("cannot be asked for")
    path = folder / "ships.yaml"
    path.write_text(text)
    return load(path)


async def raw(one: World, target: str) -> Exchange:
    return await Exchange(one.apps[8080], target.encode()).run()


async def test_all_skills_are_listed(tmp_path: Path) -> None:
    async with world(ships(tmp_path), upstream=Upstream()) as one:
        listed = (await one.rest.get("/skills")).json()
        again = (await one.rest.get("/skills/")).json()

    assert (
        listed
        == again
        == {
            "count": 3,
            "skills": [
                {
                    "name": "order-ships",
                    "description": "How to order a ship",
                    "license": "Apache-2.0",
                    "tools": ["list", "list-all", "paint"],
                },
                {"name": "bare", "description": "Nothing but words", "tools": []},
                {"name": "gone", "description": "No folder", "tools": []},
            ],
        }
    )


async def test_a_skill_tells_what_is_written_of_it_and_what_its_tools_call(tmp_path: Path) -> None:
    async with world(ships(tmp_path), upstream=Upstream()) as one:
        skill, bare = [(await one.rest.get(f"/skills/{name}")).json() for name in ("order-ships", "bare")]

    assert skill == {
        "name": "order-ships",
        "description": "How to order a ship",
        "license": "Apache-2.0",
        "compatibility": "Any agent",
        "argument-hint": "[ship]",
        "allowed-tools": "list list-all",
        "user-invocable": False,
        "metadata": {"author": "Ada", "version": "1.0"},
        "tools": [
            {
                "name": "list",
                "description": "All ships",
                "type": "derived",
                "invocationRef": {"targetNamespace": "ships", "action": "list", "mode": "rest"},
            },
            {
                "name": "list-all",
                "description": "All for agents",
                "type": "derived",
                "invocationRef": {"targetNamespace": "agents", "action": "list-all", "mode": "mcp"},
            },
            {"name": "paint", "description": "Choose a colour", "type": "instruction", "instruction": "paint.md"},
        ],
    }
    assert bare == {"name": "bare", "description": "Nothing but words", "tools": []}


async def test_its_files_are_listed_and_read(tmp_path: Path) -> None:
    async with world(ships(tmp_path), upstream=Upstream()) as one:
        listed = (await one.rest.get("/skills/order-ships/contents")).json()
        markdown = await one.rest.get("/skills/order-ships/contents/SKILL.md")
        data = await one.rest.get("/skills/order-ships/contents/sub/data.json")
        head = await one.rest.head("/skills/order-ships/contents/SKILL.md")

    assert listed == {
        "name": "order-ships",
        "files": [
            {"path": "SKILL.md", "size": 7, "type": "text/markdown"},
            {"path": "paint.md", "size": 4, "type": "text/markdown"},
            {"path": "sub/data.json", "size": 2, "type": "application/json"},
        ],
    }
    assert (markdown.text, markdown.headers["content-type"]) == ("# Order", "text/markdown")
    assert (data.text, data.headers["content-type"]) == ("{}", "application/json")
    assert (head.content, head.headers["content-length"]) == (b"", "7")


async def test_its_archive_holds_all_files_and_is_always_the_same(tmp_path: Path) -> None:
    async with world(ships(tmp_path), upstream=Upstream()) as one:
        first = await one.rest.get("/skills/order-ships/download")
        second = await one.rest.get("/skills/order-ships/download")

    archive = ZipFile(BytesIO(first.content))
    assert archive.namelist() == ["SKILL.md", "paint.md", "sub/data.json"]
    assert archive.read("paint.md") == b"Blue"
    assert first.content == second.content
    assert first.headers["content-type"] == "application/zip"
    assert first.headers["content-disposition"] == 'attachment; filename="order-ships.zip"'


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("/skills/other", 404, "Skill not found: other"),
        ("/skills/other/contents", 404, "Skill not found: other"),
        ("/skills/bare/contents", 404, "No location configured for skill: bare"),
        ("/skills/bare/contents/SKILL.md", 404, "No location configured for skill: bare"),
        ("/skills/gone/contents", 404, "Location directory not found for skill: gone"),
        ("/skills/gone/download", 404, "Location directory not found for skill: gone"),
        ("/skills/order-ships/contents/none.md", 404, "File not found: none.md"),
        ("/skills/order-ships/contents/sub", 404, "File not found: sub"),
        ("/skills/order-ships/files", 404, "nothing is served at '/skills/order-ships/files'"),
    ],
)
async def test_what_is_not_there_is_told(tmp_path: Path, path: str, status: int, detail: str) -> None:
    async with world(ships(tmp_path), upstream=Upstream()) as one:
        answer = await one.rest.get(path)

    assert (answer.status_code, answer.json()["detail"]) == (status, detail)


@pytest.mark.parametrize(
    "file",
    [
        "../secret.txt",
        "%2e%2e/secret.txt",
        "sub/../../secret.txt",
        "..%2fsecret.txt",
        "./SKILL.md",
        "sub//data.json",
        "with%20blank.md",
        "..%5csecret.txt",
        "SKILL.md%00",
        "//etc/passwd",
    ],
)
async def test_no_path_leads_out_of_the_folder(tmp_path: Path, file: str) -> None:
    async with world(ships(tmp_path), upstream=Upstream()) as one:
        answer = await raw(one, f"/skills/order-ships/contents/{file}")

    assert answer.status == 400
    assert b"secret" not in answer.text.replace(b"secret.txt", b"")


async def test_no_link_leads_out_of_the_folder(tmp_path: Path) -> None:
    document = ships(tmp_path)
    (tmp_path / "order" / "link.txt").symlink_to(tmp_path / "secret.txt")
    (tmp_path / "order" / "up").symlink_to(tmp_path)
    (tmp_path / "order" / "same.md").symlink_to(tmp_path / "order" / "paint.md")
    async with world(document, upstream=Upstream()) as one:
        listed = (await one.rest.get("/skills/order-ships/contents")).json()["files"]
        archive = ZipFile(BytesIO((await one.rest.get("/skills/order-ships/download")).content))
        links = [await one.rest.get(f"/skills/order-ships/contents/{name}") for name in ("link.txt", "up/secret.txt")]

    names = ["SKILL.md", "paint.md", "same.md", "sub/data.json"]
    assert [file["path"] for file in listed] == archive.namelist() == names
    assert [answer.status_code for answer in links] == [404, 404]


async def test_files_have_bounds(tmp_path: Path) -> None:
    document = ships(tmp_path)
    sizes = {"large.bin": MAX_FILE + 1, **{f"{number}.bin": MAX_FILE for number in range(MAX_DOWNLOAD // MAX_FILE)}}
    for name, size in sizes.items():
        with (tmp_path / "order" / name).open("wb") as file:
            file.truncate(size)
    async with world(document, upstream=Upstream()) as one:
        large = await one.rest.get("/skills/order-ships/contents/large.bin")
        packed = await one.rest.get("/skills/order-ships/download")
        for number in range(MAX_FILES):
            (tmp_path / "order" / f"{number}.txt").touch()
        many = await one.rest.get("/skills/order-ships/contents")

    assert [answer.status_code for answer in (large, packed, many)] == [413, 413, 413]


async def test_skills_are_only_read(tmp_path: Path) -> None:
    async with world(ships(tmp_path), upstream=Upstream()) as one:
        answer = await one.rest.post("/skills")

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


async def test_routes_share_the_port(tmp_path: Path) -> None:
    async with world(ships(tmp_path), upstream=Upstream()) as one:
        assert (await one.rest.get("/ships")).status_code == 200
        assert (await one.rest.get("/skillset")).status_code == 404
        assert (await one.rest.get("/health/live")).status_code == 200


async def test_callers_see_the_skills_of_the_adapters_that_let_them_in(tmp_path: Path) -> None:
    guarded = """\
  - type: agent-skill
    port: 8080
    authentication: {type: bearer, token: '{{TOKEN}}'}
    skills: [{name: hidden, description: For some}]
"""
    keys = {**KEYS, "TOKEN": SecretStr("right")}
    async with world(ships(tmp_path, CAPABILITY + guarded), upstream=Upstream(), environ=keys) as one:
        let_in = {"authorization": "Bearer right"}
        everybody, some = await one.rest.get("/skills"), await one.rest.get("/skills", headers=let_in)
        wrong = await one.rest.get("/skills", headers={"authorization": "Bearer wrong"})
        hidden = await one.rest.get("/skills/hidden")

    assert [skill["name"] for skill in everybody.json()["skills"]] == ["order-ships", "bare", "gone"]
    assert [skill["name"] for skill in some.json()["skills"]] == ["order-ships", "bare", "gone", "hidden"]
    assert (wrong.status_code, hidden.status_code) == (401, 404)


async def test_what_is_refused_says_why_and_is_not_listed(tmp_path: Path) -> None:
    broken = CAPABILITY.replace("license: Apache-2.0", "licence: Apache-2.0").replace("action: list}", "action: lst}")
    async with world(ships(tmp_path, broken), upstream=Upstream()) as one:
        listed = (await one.rest.get("/skills")).json()
        answer = await one.rest.get("/skills/order-ships")

    assert [skill["name"] for skill in listed["skills"]] == ["bare", "gone"]
    assert (answer.status_code, "unknown key 'licence'" in answer.json()["detail"]) == (501, True)


async def test_a_tool_of_nothing_is_left_out(tmp_path: Path) -> None:
    broken = CAPABILITY.replace("action: list}", "action: lst}")
    async with world(ships(tmp_path, broken), upstream=Upstream()) as one:
        tools = (await one.rest.get("/skills/order-ships")).json()["tools"]

    assert [tool["name"] for tool in tools] == ["list-all", "paint"]


def test_what_the_later_dialect_writes_is_the_same(tmp_path: Path) -> None:
    text = """\
ikanos: 1.0.0-beta4
capability:
  exposes:
  - type: skill
    port: 8080
    skills:
      greet:
        display: Greet
        description: How to greet
        location: 'file:///./order'
        tools: {paint: {description: Choose a colour, instruction: paint.md}}
"""
    document = ships(tmp_path, text)

    (skill,) = document.skills
    assert (skill.name, [tool.written.name for tool in skill.tools], document.problems) == ("greet", ["paint"], ())


HIDDEN = "resources: [{path: '/skills/{name}', operations: [{name: list,"


def test_clashes_are_told(tmp_path: Path) -> None:
    again = CAPABILITY + "  - {type: skill, port: 8080, skills: [{name: bare, description: Again}]}\n"
    hidden = again.replace("resources: [{path: /ships, operations: [{name: list,", HIDDEN)
    document = ships(tmp_path, hidden)

    listeners, problems = arrange([document], Settings())

    assert [problem.message.partition(" the ")[0] for problem in problems] == [
        "GET /skills/{name} cannot be reached",
        f"the skill at {tmp_path}/ships.yaml:30:7 has",
    ]
    lines = list(banner((document,), listeners, Settings(), [], sandbox=False))
    assert "  http://127.0.0.1:8080/skills  4 skills" in lines
