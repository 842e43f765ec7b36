"""The routes of a runtime by origin, each made once."""

from __future__ import annotations

import ssl

from fairlead.wire.proxy import Proxies
from fairlead.wire.route import Route

MAX_ROUTES = 1024


class Routes:
    """Knows the proxies of the environment and the TLS that all origins share."""

    def __init__(self, tls: ssl.SSLContext, proxies: Proxies) -> None:
        self._tls = tls
        self._proxies = proxies
        self._made: dict[tuple[str, str, int, str, ssl.SSLContext | None], Route] = {}

    def to(
        self, scheme: str, host: str, port: int, *, authorization: str = "", tls: ssl.SSLContext | None = None
    ) -> Route:
        """The route to an origin; the same object for the same origin."""
        key = (scheme, host, port, authorization, tls)
        if key not in self._made:
            if len(self._made) >= MAX_ROUTES:
                self._made.clear()  # connections of the old ones are given up when they have been idle
            self._made[key] = self._new(*key)
        return self._made[key]

    def _new(self, scheme: str, host: str, port: int, authorization: str, tls: ssl.SSLContext | None) -> Route:
        proxy = self._proxies.of(scheme, host, port)
        own = (tls or self._tls) if scheme == "https" else None
        proxy_tls = self._tls if proxy and proxy.is_tls else None
        return Route(host, port, _authority(scheme, host, port), own, proxy, proxy_tls, authorization)


def _authority(scheme: str, host: str, port: int) -> str:
    name = f"[{host}]" if ":" in host else host
    return name if port == (443 if scheme == "https" else 80) else f"{name}:{port}"
