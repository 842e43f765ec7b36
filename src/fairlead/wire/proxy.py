"""Which proxy the environment names for an origin: `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`."""

from __future__ import annotations

import base64
import ipaddress
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment

from fairlead.errors import StartError
from fairlead.wire.route import Proxy


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies by scheme, and the hosts that are reached without."""

    by_scheme: dict[str, Proxy]
    exempt: tuple[str, ...]

    def of(self, scheme: str, host: str, port: int) -> Proxy | None:
        if any(_is_exempt(host.lower(), port, scheme, pattern) for pattern in self.exempt):
            return None
        return self.by_scheme.get(scheme) or self.by_scheme.get("all")


def from_environment() -> Proxies:
    """What the environment says now; raises `StartError` for a proxy of no known kind."""
    found = getproxies_environment()
    exempt = tuple(word.strip().lower() for word in found.get("no", "").split(",") if word.strip())
    if "*" in exempt:
        return Proxies({}, ())
    return Proxies({name: _proxy(found[name]) for name in ("http", "https", "all") if found.get(name)}, exempt)


def _proxy(url: str) -> Proxy:
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise StartError("the proxy that the environment names is no URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise StartError(f"the environment names a proxy of the kind {parts.scheme!r}; http and https are known")
    return Proxy(parts.hostname, port, parts.scheme == "https", basic(parts.username, parts.password))


def basic(user: str | None, password: str | None) -> str:
    """The `Basic` credentials that user and password of a URL, still encoded, amount to; empty without any."""
    if not (user or password):
        return ""
    pair = f"{unquote(user or '')}:{unquote(password or '')}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def _is_exempt(host: str, port: int, scheme: str, pattern: str) -> bool:
    """Whether an entry of `NO_PROXY` names the host: alone, or with all hosts below it."""
    only, _, name = pattern.rpartition("://")
    if only not in ("", "all", scheme):
        return False
    name, wanted = _split(name)
    if wanted is not None and wanted != port:
        return False
    if _is_address(name) or name == "localhost" or only:
        return host == name
    return host.endswith(name) if name.startswith(".") else host == name or host.endswith(f".{name}")


def _split(name: str) -> tuple[str, int | None]:
    if _is_address(name):
        return name, None
    host, _, port = name.rpartition(":")
    if host and (port.isdecimal() or not port):
        return host.strip("[]"), int(port) if port else None
    return name.strip("[]"), None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
