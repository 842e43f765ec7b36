"""What a capability exposes, one module a kind.

exposes:
- {type: rest, namespace: batches-rest, port: 8080, resources: [...]}
- {type: mcp, namespace: batches-mcp, port: 9090, tools: [...]}
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Tag

from fairlead.exposes.adapter import OtherExposes
from fairlead.exposes.mcp import McpExposes
from fairlead.exposes.rest import RestExposes


def _kind(data: Any) -> str:
    return f"<{data.get('type', '')}>" if isinstance(data, dict) else ""


Exposes = Annotated[
    Annotated[RestExposes, Tag("<rest>")]
    | Annotated[RestExposes, Tag("<api>")]
    | Annotated[McpExposes, Tag("<mcp>")]
    | Annotated[OtherExposes, Tag("<skill>")]
    | Annotated[OtherExposes, Tag("<agent-skill>")]
    | Annotated[OtherExposes, Tag("<control>")],
    Discriminator(_kind),
]

__all__ = ["Exposes", "McpExposes", "OtherExposes", "RestExposes"]
