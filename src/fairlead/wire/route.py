"""The way to an origin: straight, through a proxy that forwards, or through a tunnel of one."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where a proxy listens, and what it wants to see."""

    host: str
    port: int
    is_tls: bool = False
    authorization: str = field(default="", repr=False)


@dataclass(frozen=True, eq=False, slots=True)
class Route:
    """How to connect and how to address; connections are shared by the requests of the same route."""

    host: str
    port: int
    authority: str
    """As the `Host` header has it."""
    tls: ssl.SSLContext | None = None
    proxy: Proxy | None = None
    proxy_tls: ssl.SSLContext | None = None
    authorization: str = field(default="", repr=False)
    """What user and password in the base URI amount to."""

    @property
    def is_tunnel(self) -> bool:
        return self.proxy is not None and self.tls is not None

    def target(self, path: str) -> str:
        """The request target: a forwarding proxy is told the whole URL."""
        return f"http://{self.authority}{path}" if self.proxy and not self.tls else path
