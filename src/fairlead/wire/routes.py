"""From an absolute URL to the route that it takes and the target that it asks for; each route is made once."""

from __future__ import annotations

import re
import ssl
from typing import Final

import httpx

from fairlead.errors import ArgumentError, UpstreamFailed
from fairlead.wire.proxy import Proxies, basic
from fairlead.wire.route import Route

MAX_ORIGINS: Final = 1024
_ORIGIN = re.compile(r"https?://[^/?#@\\]+")
_PLAIN = re.compile(r"/(?:[\w\-~!$&()*+,;=:@?][\w\-.~!$&()*+,;=:@?]*+|%[0-9A-Fa-f]{2}|/)*+", re.ASCII)
"""A path that needs neither encoding nor tidying up."""
Key = tuple[str, str, int, str, ssl.SSLContext | None]


class Routes:
    """Knows the proxies of the environment and the TLS that all origins share."""

    def __init__(self, tls: ssl.SSLContext, proxies: Proxies) -> None:
        self._tls = tls
        self._proxies = proxies
        self._made: dict[Key, Route] = {}
        self._by_origin: dict[tuple[str, ssl.SSLContext | None], Route] = {}

    def find(self, url: str, tls: ssl.SSLContext | None = None) -> tuple[Route, str]:
        """The route to the origin of the URL, and its path with the query."""
        origin, path = _split(url)
        route = self._by_origin.get((origin, tls))
        if route and _PLAIN.fullmatch(path):
            return route, path
        route, path = self._parsed(url, tls)
        if _ORIGIN.fullmatch(origin):
            if len(self._by_origin) >= MAX_ORIGINS:
                self._by_origin.clear()
            self._by_origin[origin, tls] = route
        return route, path

    def to(
        self, scheme: str, host: str, port: int, *, authorization: str = "", tls: ssl.SSLContext | None = None
    ) -> Route:
        """The route to an origin; the same object for the same origin."""
        key = (scheme, host, port, authorization, tls)
        if key not in self._made:
            if len(self._made) >= MAX_ORIGINS:
                self._made.clear()  # connections of the old ones are given up when they have been idle
                self._by_origin.clear()
            self._made[key] = self._new(*key)
        return self._made[key]

    def _parsed(self, text: str, tls: ssl.SSLContext | None) -> tuple[Route, str]:
        try:
            url = httpx.URL(text)
        except httpx.InvalidURL:
            raise ArgumentError("the arguments make no URL that could be sent") from None
        host = url.raw_host.decode().strip("[]")
        if url.scheme not in ("http", "https") or not host:
            raise UpstreamFailed("cannot connect to the upstream")
        port = url.port or (443 if url.scheme == "https" else 80)
        own = basic(*(url.userinfo.decode().partition(":")[::2]))
        route = self.to(url.scheme, host, port, authorization=own, tls=tls)
        return route, url.raw_path.decode()

    def _new(self, scheme: str, host: str, port: int, authorization: str, tls: ssl.SSLContext | None) -> Route:
        proxy = self._proxies.of(scheme, host, port)
        own = (tls or self._tls) if scheme == "https" else None
        proxy_tls = self._tls if proxy and proxy.is_tls else None
        return Route(host, port, _authority(scheme, host, port), own, proxy, proxy_tls, authorization)


def _split(url: str) -> tuple[str, str]:
    start = url.find("/", len("https://"))
    return (url[:start], url[start:]) if start > 0 else (url, "")


def _authority(scheme: str, host: str, port: int) -> str:
    name = f"[{host}]" if ":" in host else host
    return name if port == (443 if scheme == "https" else 80) else f"{name}:{port}"
