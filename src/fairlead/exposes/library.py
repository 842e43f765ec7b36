"""What an MCP endpoint has besides tools: resources to read, and prompts to fill, in the SDK's words."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import quote, unquote

import mcp_types as types
from anyio import to_thread
from mcp.shared.exceptions import MCPError

from fairlead.errors import ArgumentError, CallError, Refused, did_you_mean
from fairlead.exposes.folder import MAX_FILES, bounded, inside, kind, names
from fairlead.exposes.prompts import NamedPrompt, Prompt
from fairlead.exposes.resources import Resource
from fairlead.operation import Operation
from fairlead.response import Whole
from fairlead.styles import from_text

_TEXTUAL: Final = ("text/", "application/json", "application/yaml", "application/xml", "application/javascript")


class Library:
    """The resources and prompts of one endpoint; what was refused is not listed, and reading it says why."""

    def __init__(self, resources: Iterable[tuple[Resource, Operation]], prompts: Iterable[NamedPrompt]) -> None:
        self._resources = tuple(sorted(resources, key=lambda pair: bool(pair[0].holes)))  # literal ones first
        self._prompts = {one.name: one.prompt for one in prompts}

    @property
    def has_resources(self) -> bool:
        return bool(self._resources)

    @property
    def has_prompts(self) -> bool:
        return bool(self._prompts)

    async def resources(self) -> types.ListResourcesResult:
        """All resources whose URI is known, those of folders as they are now."""
        listed: list[types.Resource] = []
        for resource, _ in self._resources:
            if resource.folder:
                listed += await to_thread.run_sync(_files_of, resource)
            elif resource.is_served and not resource.holes:
                listed.append(_described(resource, resource.uri, resource.written.name, _declared(resource)))
        return types.ListResourcesResult(resources=listed)

    def templates(self) -> types.ListResourceTemplatesResult:
        """The resources whose URI has placeholders."""
        return types.ListResourceTemplatesResult(
            resource_templates=[
                types.ResourceTemplate(
                    uri_template=resource.uri,
                    name=resource.written.name or resource.uri,
                    title=resource.title or None,
                    description=resource.written.description or None,
                    mime_type=_declared(resource),
                )
                for resource, _ in self._resources
                if resource.is_served and resource.holes
            ]
        )

    async def read(self, uri: str) -> types.ReadResourceResult:
        """The content of the first resource that has the URI."""
        for resource, operation in self._resources:
            if resource.folder and (path := _inside(resource, uri)):
                data = await to_thread.run_sync(bounded, path)
                return _read(uri, data, resource.written.mime_type or kind(path), binary=resource.written.binary)
            if resource.folder is None and (values := resource.values(uri)) is not None:
                result = await operation(_typed(operation, values))
                return _answered(uri, resource, await result.whole())
        hint = did_you_mean(uri, [resource.uri for resource, _ in self._resources])
        raise MCPError(types.INVALID_PARAMS, f"unknown resource {uri!r}" + (f"; {hint}" if hint else ""))

    def prompts(self) -> types.ListPromptsResult:
        """All prompts that can be filled."""
        served = ((name, one) for name, one in self._prompts.items() if not one.problems)
        return types.ListPromptsResult(prompts=[_prompt(name, one) for name, one in served])

    async def prompt(self, name: str, given: dict[str, str]) -> types.GetPromptResult:
        """The messages of a prompt with the arguments in their places."""
        prompt = self._prompts.get(name)
        if prompt is None:
            hint = did_you_mean(name, self._prompts)
            raise MCPError(types.INVALID_PARAMS, f"unknown prompt {name!r}" + (f"; {hint}" if hint else ""))
        if prompt.problems:
            raise Refused("; ".join(f"{problem.message} ({problem.place.short})" for problem in prompt.problems))
        prompt.check(given)
        messages = [(one.role, one.content) for one in prompt.written.template]
        if prompt.file:
            messages = [("user", _text(await to_thread.run_sync(bounded, prompt.file)))]
        return types.GetPromptResult(
            description=prompt.written.description or None,
            messages=[
                types.PromptMessage(role=role, content=types.TextContent(text=prompt.filled(text, given)))
                for role, text in messages
            ],
        )


def _typed(operation: Operation, values: Mapping[str, str]) -> dict[str, Any]:
    """The texts of a URI as the types that are declared for them."""
    types_of = {item.name: item.type for item in operation.inputs}
    typed: dict[str, Any] = {}
    for name, text in values.items():
        try:
            typed[name] = from_text(types_of.get(name), text)
        except ValueError as error:
            raise ArgumentError.about(name, str(error)) from None
    return typed


def as_error(error: CallError) -> MCPError:
    """What went wrong as a JSON-RPC error, with the problem as its data."""
    code = types.INVALID_PARAMS if 400 <= error.status < 500 else types.INTERNAL_ERROR
    return MCPError(code, error.detail, error.problem())


def _declared(resource: Resource) -> str | None:
    return resource.written.mime_type or (None if resource.folder else "application/json")


def _described(resource: Resource, uri: str, name: str, mime_type: str | None) -> types.Resource:
    return types.Resource(
        uri=uri,
        name=name or uri,
        title=resource.title or None,
        description=resource.written.description or None,
        mime_type=mime_type,
    )


def _files_of(resource: Resource) -> list[types.Resource]:
    """The files of a location, each below the URI; links that lead out of it are none of them."""
    assert resource.folder is not None
    root = resource.folder.resolve()
    if root.is_file():
        return [_described(resource, resource.uri, resource.written.name, _mime(resource, root))]
    base = resource.uri.rstrip("/")
    return [
        _described(resource, f"{base}/{quote(name)}", PurePosixPath(name).name, _mime(resource, root / name))
        for name in sorted(islice(names(root), MAX_FILES))
    ]


def _inside(resource: Resource, uri: str) -> Path | None:
    """The file that a URI means, None where it is not of this resource or leads out of it."""
    assert resource.folder is not None
    root = resource.folder.resolve()
    if root.is_file():
        return root if uri == resource.uri else None
    base = f"{resource.uri.rstrip('/')}/"
    if not uri.startswith(base):
        return None
    return inside(root, unquote(uri.removeprefix(base)))


def _mime(resource: Resource, path: Path) -> str:
    return resource.written.mime_type or kind(path)


def _text(data: bytes) -> str:
    return data.decode(errors="replace")


def _read(uri: str, data: bytes, mime_type: str, *, binary: bool) -> types.ReadResourceResult:
    """The content as text where it is text, and else in base64."""
    content: types.TextResourceContents | types.BlobResourceContents
    kind = mime_type.partition(";")[0].strip().lower()
    is_text = not binary and (kind.startswith(_TEXTUAL) or kind.endswith(("+json", "+xml")))
    try:
        content = types.TextResourceContents(uri=uri, mime_type=mime_type, text=data.decode() if is_text else "")
    except UnicodeDecodeError:
        is_text = False
    if not is_text:
        content = types.BlobResourceContents(uri=uri, mime_type=mime_type, blob=b64encode(data).decode())
    return types.ReadResourceResult(contents=[content])


def _answered(uri: str, resource: Resource, answer: Whole) -> types.ReadResourceResult:
    """The content that an answer is; an upstream's error is none."""
    if not answer.is_success:
        extra = {"status": answer.status, "answer": _text(answer.data[:8000])[:2000]}
        code = types.INVALID_PARAMS if 400 <= answer.status < 500 else types.INTERNAL_ERROR
        raise MCPError(code, f"the upstream answered {answer.status_text}", extra)
    mime_type = resource.written.mime_type or answer.media_type or "application/json"
    return _read(uri, answer.data, mime_type, binary=resource.written.binary)


def _prompt(name: str, prompt: Prompt) -> types.Prompt:
    arguments = [
        types.PromptArgument(
            name=one.name,
            title=one.label or None,
            description=one.description or None,
            required=one.required,
        )
        for one in prompt.written.arguments
    ]
    description = prompt.written.description or None
    return types.Prompt(name=name, title=prompt.title or None, description=description, arguments=arguments or None)
