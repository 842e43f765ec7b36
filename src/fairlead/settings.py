"""What an operator decides, as opposed to what a document says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fairlead.document import Loading
from fairlead.exposes.request import Reading
from fairlead.upstream import Limits

DEFAULT_REST_PORT = 8080
DEFAULT_MCP_PORT = 9090
DEFAULT_CONTROL_PORT = 9091


def bracketed(host: str) -> str:
    """The host as it stands in a URL: an IPv6 address in brackets."""
    return f"[{host}]" if host.count(":") > 1 and not host.startswith("[") else host


def local_url(host: str, port: int) -> str:
    """The address of a listener as a caller on this machine uses it."""
    return f"http://{bracketed({'0.0.0.0': '127.0.0.1', '::': '::1'}.get(host, host))}:{port}"  # noqa: S104


@dataclass(frozen=True)
class Settings:
    """All settings of `fairlead serve`; `docs/settings.md` lists them with their flags and variables."""

    host: str = "127.0.0.1"
    rest_port: int | None = None
    mcp_port: int | None = None
    loading: Loading = Loading()
    strict: bool = False
    allowed_hosts: tuple[str, ...] = ()
    base_uris: Mapping[str, str] = field(default_factory=dict)
    ca_file: Path | None = None
    limits: Limits = Limits()
    reading: Reading = Reading()
    access_log: bool = False
    workers: int = 1
    grace: float = 20.0
    """Seconds that running calls have to finish when the gateway stops."""
