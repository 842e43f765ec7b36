"""How TLS ended: asyncio tells a connection that was cut off and one that was closed in the same words."""

from __future__ import annotations

import asyncio
import ssl


def is_cut_off(transport: asyncio.Transport | None) -> bool:
    """Whether TCP has ended inside of TLS that did not (RFC 8446, 6.1); False where there is no TLS."""
    tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object") if transport else None
    if tls is None:
        return False
    try:
        return tls.read(1) != b""
    except ssl.SSLError:
        return True
