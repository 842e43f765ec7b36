"""What a capability exposes, one module a kind.

exposes:
- {type: rest, namespace: batches-rest, port: 8080, resources: [...]}
- {type: mcp, namespace: batches-mcp, port: 9090, tools: [...]}
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Tag

from fairlead.exposes.mcp import McpExposes
from fairlead.exposes.rest import RestExposes


def _kind(data: Any) -> str:
    return f"<{data.get('type', '')}>" if isinstance(data, dict) else ""


Exposes = Annotated[Annotated[RestExposes, Tag("<rest>")] | Annotated[McpExposes, Tag("<mcp>")], Discriminator(_kind)]

__all__ = ["Exposes", "McpExposes", "RestExposes"]
