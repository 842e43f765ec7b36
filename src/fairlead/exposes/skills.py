"""The skills of a listener as an ASGI application: what they are, and the files that they are made of.

/skills, /skills/{name}, /skills/{name}/contents, /skills/{name}/contents/{file...}, /skills/{name}/download
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any, Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from anyio import to_thread
from starlette.types import ASGIApp, Receive, Scope, Send

from fairlead.errors import ArgumentError, MethodNotAllowed, NotFound, Refused, TooLarge
from fairlead.exposes.folder import MAX_FILES, bounded, inside, kind, names
from fairlead.exposes.pages import SKILLS
from fairlead.exposes.skill import PlannedSkill, PlannedTool
from fairlead.jsontext import dumps

MAX_DOWNLOAD: Final = 32 * 1024 * 1024
"""Bytes of all files of a skill that are packed together."""
_SEGMENT = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._-]+")
_READABLE: Final = 0o644 << 16


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered, and under which name it is saved."""

    body: bytes
    media: str = "application/json"
    file: str = ""


@dataclass(frozen=True, slots=True)
class Below:
    """Hands a path and all below to an application, and all others on."""

    path: str
    theirs: ASGIApp
    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        is_theirs = scope["type"] == "http" and (path == self.path or path.startswith(f"{self.path}/"))
        await (self.theirs if is_theirs else self.app)(scope, receive, send)


class SkillPages:
    """Answers what is asked of skills; of two of one name the first is meant."""

    def __init__(self, skills: Iterable[PlannedSkill]) -> None:
        self._skills = {skill.name: skill for skill in reversed([*skills])}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            raise MethodNotAllowed("skills are only read", headers=(("allow", "GET, HEAD"),))
        answer = await self._answer(scope["path"])
        headers = [(b"content-type", answer.media.encode()), (b"content-length", str(len(answer.body)).encode())]
        if answer.file:
            headers.append((b"content-disposition", f'attachment; filename="{answer.file}"'.encode()))
        headers.append((b"x-content-type-options", b"nosniff"))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})

    async def _answer(self, path: str) -> Answer:
        match path.removeprefix(SKILLS).removeprefix("/").split("/"):
            case [""]:
                return Answer(dumps(self._listed()))
            case [name] | [name, ""]:
                return Answer(dumps(_described(self._skill(name))))
            case [name, "contents"] | [name, "contents", ""]:
                return await to_thread.run_sync(_contents, self._skill(name))
            case [name, "contents", *segments]:
                return await to_thread.run_sync(_file, self._skill(name), segments)
            case [name, "download"]:
                return await to_thread.run_sync(_packed, self._skill(name))
            case _:
                raise NotFound(f"nothing is served at {path!r}")

    def _listed(self) -> dict[str, Any]:
        served = [skill for skill in reversed(self._skills.values()) if not skill.problems]
        return {"count": len(served), "skills": [_summary(skill) for skill in served]}

    def _skill(self, name: str) -> PlannedSkill:
        skill = self._skills.get(name)
        if skill is None:
            raise NotFound(f"Skill not found: {name}")
        if skill.problems:
            reasons = "; ".join(f"{problem.message} ({problem.place.short})" for problem in skill.problems)
            raise Refused(f"skill {name!r} was refused when its capability was loaded: {reasons}")
        return skill


def _summary(skill: PlannedSkill) -> dict[str, Any]:
    written = skill.written
    said = {"name": written.name, "description": written.description}
    said |= {"license": written.license} if written.license else {}
    return {**said, "tools": [tool.written.name for tool in _told(skill)]}


def _described(skill: PlannedSkill) -> dict[str, Any]:
    said = skill.written.model_dump(by_alias=True, exclude={"name", "description", "label", "location", "tools"})
    given = {key: value for key, value in said.items() if value not in ("", None, {})}
    first = {"name": skill.name, "description": skill.written.description}
    return {**first, **given, "tools": [_tool(tool) for tool in _told(skill)]}


def _told(skill: PlannedSkill) -> list[PlannedTool]:
    return [tool for tool in skill.tools if not tool.problems]


def _tool(tool: PlannedTool) -> dict[str, Any]:
    said = {"name": tool.written.name, "description": tool.written.description}
    if tool.calls is None:
        return {**said, "type": "instruction", "instruction": tool.written.instruction}
    sibling = tool.calls.sibling
    reference = {"targetNamespace": sibling.namespace, "action": tool.calls.action, "mode": sibling.mode}
    return {**said, "type": "derived", "invocationRef": reference}


def _root(skill: PlannedSkill) -> Path:
    if skill.folder is None:
        raise NotFound(f"No location configured for skill: {skill.name}")
    if not skill.folder.is_dir():
        raise NotFound(f"Location directory not found for skill: {skill.name}")
    return skill.folder.resolve()


def _paths(skill: PlannedSkill) -> list[tuple[str, Path]]:
    """The files of a skill that can be asked for, sorted by their path."""
    root = _root(skill)
    plain = (name for name in names(root) if all(map(_SEGMENT.fullmatch, name.split("/"))))
    found = [(name, path) for name in islice(plain, MAX_FILES + 1) if (path := inside(root, name))]
    if len(found) > MAX_FILES:
        raise TooLarge(f"skill {skill.name!r} has more than {MAX_FILES} files")
    return sorted(found)


def _contents(skill: PlannedSkill) -> Answer:
    files = [{"path": name, "size": path.stat().st_size, "type": kind(path)} for name, path in _paths(skill)]
    return Answer(dumps({"name": skill.name, "files": files}))


def _file(skill: PlannedSkill, segments: list[str]) -> Answer:
    name = "/".join(segments)
    if not all(map(_SEGMENT.fullmatch, segments)):
        raise ArgumentError(f"{name!r} is no path of a file: only letters, digits, '.', '_' and '-' stand in one")
    path = inside(_root(skill), name)
    if path is None:
        raise NotFound(f"File not found: {name}")
    return Answer(bounded(path), kind(path))


def _packed(skill: PlannedSkill) -> Answer:
    """All files in one archive, the same for the same files."""
    listed = _paths(skill)
    if sum(path.stat().st_size for _, path in listed) > MAX_DOWNLOAD:
        raise TooLarge(f"the files of skill {skill.name!r} are larger than {MAX_DOWNLOAD} bytes")
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        for name, path in listed:
            entry = ZipInfo(name)
            entry.external_attr, entry.compress_type = _READABLE, ZIP_DEFLATED
            archive.writestr(entry, bounded(path))
    return Answer(packed.getvalue(), "application/zip", f"{skill.name}.zip")
