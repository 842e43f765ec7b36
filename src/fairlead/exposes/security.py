"""The security schemes of an OpenAPI description: how callers of which routes authenticate."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from itertools import count
from typing import Any

from fairlead.exposes.forward import Proxy
from fairlead.exposes.rest import Route

_NAMES = {"bearer": "bearerAuth", "basic": "basicAuth", "digest": "digestAuth", "apiKey": "apiKeyAuth"}


class Security:
    """The schemes by name; routes of adapters that demand the same have the same."""

    def __init__(self, routes: Iterable[Route | Proxy]) -> None:
        self.schemes: dict[str, dict[str, Any]] = {}
        self._named: dict[Hashable, list[str]] = {}
        for route in routes:
            demand = route.adapter.authentication
            if demand and (meaning := demand.meaning(route.bindings)) not in self._named:
                self._named[meaning] = [self._add(scheme) for scheme in demand.described()]

    def _add(self, scheme: dict[str, Any]) -> str:
        """The name of a scheme, with a number where it is taken: the secret is another."""
        base = _NAMES.get(scheme.get("scheme", scheme["type"]), "oauth2Auth")
        names = (base if number == 1 else f"{base}{number}" for number in count(1))
        name = next(name for name in names if name not in self.schemes)
        self.schemes[name] = scheme
        return name

    def of(self, route: Route | Proxy) -> dict[str, Any]:
        """What the description of a route says of it."""
        demand = route.adapter.authentication
        if demand is None:
            return {}
        names = self._named[demand.meaning(route.bindings)]
        return {"security": [{name: [*self._scopes(name)] for name in names}]}

    def _scopes(self, name: str) -> Iterable[str]:
        flows = self.schemes[name].get("flows", {})
        return (scope for flow in flows.values() for scope in flow["scopes"])
