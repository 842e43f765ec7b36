"""What an agent gets from a call: an upstream's answer as text or a file, with structure where it is plain JSON.

An upstream's error and a failure of our own are answers too, marked as errors.
"""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass

import mcp_types as types

from fairlead.errors import CallError
from fairlead.jsontext import is_plain
from fairlead.response import Whole


@dataclass(frozen=True, slots=True)
class Answer:
    """One block of content, and the JSON text of the structure that says the same, if there is one."""

    content: types.ContentBlock
    structure: bytes | None = None
    is_error: bool = False


def failure(error: CallError) -> Answer:
    """The answer to a call that failed on our side."""
    text = json.dumps(error.problem(), ensure_ascii=False, default=str)
    data = text.encode(errors="replace")  # it may quote half a character from the arguments
    return Answer(_text_block(data.decode()), data, is_error=True)


def empty(whole: Whole, structure: bytes | None) -> Answer:
    """The answer to a call whose upstream answered nothing, with the structure that stands for it, if there is one."""
    return Answer(_text_block(whole.status_text), structure)


def answer(whole: Whole, tool: str, any_json: bool, *, is_file: bool = False) -> Answer:
    """The answer that an upstream's is; structure is an object, or `any_json` where the revision has that.

    One that `is_file` is never taken for text.
    """
    data = whole.data
    charset = whole.charset.lower() or "utf-8"
    if not whole.is_success:
        told = f"{whole.status_text}\n\n{_text(whole.media_type, charset, data) or ''}".rstrip()
        return Answer(_text_block(told), is_error=True)
    text = None if is_file else _text(whole.media_type, charset, data)
    if text is None:
        return Answer(_file(whole.media_type, data, tool))
    return Answer(_text_block(text), _structure(data if charset == "utf-8" else text.encode(), any_json))


def _text_block(text: str) -> types.TextContent:
    return types.TextContent(text=text)


def _text(media_type: str, charset: str, data: bytes) -> str | None:
    """The body as text, None where it is none."""
    if media_type.startswith(("image/", "audio/", "video/")):
        return None
    try:
        text = data.decode(charset)
        if charset != "utf-8":
            text.encode()  # some charsets can name half a character, which is no text
    except (UnicodeError, LookupError):
        return None
    return text


def _structure(data: bytes, any_json: bool) -> bytes | None:
    """The text as it is, where it is plain JSON of a kind that is wanted; null says nothing."""
    kind = data.lstrip()[:1]
    wanted = kind == b"{" or (any_json and kind != b"n")
    return data if wanted and is_plain(data) else None


def _file(media_type: str, data: bytes, tool: str) -> types.ContentBlock:
    encoded = b64encode(data).decode()
    if media_type.startswith("image/"):
        return types.ImageContent(data=encoded, mime_type=media_type)
    if media_type.startswith("audio/"):
        return types.AudioContent(data=encoded, mime_type=media_type)
    kind = media_type or "application/octet-stream"
    resource = types.BlobResourceContents(uri=f"urn:fairlead:result:{tool}", mime_type=kind, blob=encoded)
    return types.EmbeddedResource(resource=resource)
