"""What a capability exposes, one module a kind.

exposes:
- {type: rest, namespace: batches-rest, port: 8080, resources: [...]}
- {type: mcp, namespace: batches-mcp, port: 9090, tools: [...]}
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Tag

from fairlead.exposes.adapter import OtherExposes
from fairlead.exposes.control import ControlExposes
from fairlead.exposes.mcp import McpExposes
from fairlead.exposes.rest import RestExposes
from fairlead.exposes.skill import SkillExposes
from fairlead.imported import Imported, is_import

KINDS = ("rest", "api", "mcp", "control", "skill", "agent-skill")


def _kind(data: Any) -> str:
    if is_import(data):
        return "<import>"
    if not isinstance(data, dict):
        return ""
    return f"<{data['type']}>" if data.get("type") in KINDS else "<other>"


Exposes = Annotated[
    Annotated[RestExposes, Tag("<rest>")]
    | Annotated[RestExposes, Tag("<api>")]
    | Annotated[McpExposes, Tag("<mcp>")]
    | Annotated[ControlExposes, Tag("<control>")]
    | Annotated[SkillExposes, Tag("<skill>")]
    | Annotated[SkillExposes, Tag("<agent-skill>")]
    | Annotated[OtherExposes, Tag("<other>")]
    | Annotated[Imported, Tag("<import>")],
    Discriminator(_kind),
]

__all__ = ["KINDS", "ControlExposes", "Exposes", "McpExposes", "OtherExposes", "RestExposes", "SkillExposes"]
