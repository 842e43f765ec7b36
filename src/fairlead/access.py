"""Who may call: what adapters demand of their callers, in front of everything they serve.

    exposes:
    - {type: mcp, namespace: tools, authentication: {type: bearer, token: '{{env.TOKEN}}'}, tools: [...]}

What is of one adapter is behind its check. What shows things of several (`/mcp`, `/docs`, `/openapi.json`) shows each
caller those of the adapters that let him in. Where nothing is served, everybody is told so who may call anything else.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from fairlead.auth import Check
from fairlead.auth.demand import Closed, admitted, joined
from fairlead.auth.resource_server import WELL_KNOWN, TokenCheck
from fairlead.errors import CallError, MethodNotAllowed, NoCredential, Refused, Unconfigured
from fairlead.exposes.adapter import Adapter
from fairlead.exposes.http import send_json
from fairlead.jsontext import dumps
from fairlead.listeners import Listener, Occupant
from fairlead.wiring import Wiring


class Access:
    """The check of every adapter that has one; those that demand the same share it."""

    def __init__(self, listeners: Iterable[Listener], wiring: Wiring) -> None:
        self._wiring = wiring
        self._by_meaning: dict[Hashable, Check] = {}
        occupants = (occupant for listener in listeners for occupant in listener.occupants)
        self._checks = {id(one.adapter): self._check(one) for one in occupants}

    def of(self, adapter: Adapter) -> Check | None:
        """What callers of the adapter, which is an occupant of a listener, have to pass, if anything."""
        return self._checks[id(adapter)]

    def every(self, adapters: Iterable[Adapter]) -> tuple[Check, ...]:
        """All checks of the adapters, each once; those that ask others about a credential come last."""
        checks = {id(check): check for one in adapters if (check := self.of(one))}
        return tuple(sorted(checks.values(), key=lambda check: isinstance(check, TokenCheck) and check.asks))

    def _check(self, one: Occupant) -> Check | None:
        if faults := one.adapter.authentication_faults:
            reasons = "; ".join(f"{problem.message} ({problem.place.short})" for problem in faults)
            return Closed(Refused(f"nobody can be let in: {reasons}"))
        demand = one.adapter.authentication
        if demand is None:
            return None
        meaning = demand.meaning(one.bindings)
        if meaning not in self._by_meaning:
            environ, upstream = self._wiring.environ, self._wiring.upstream
            self._by_meaning[meaning] = demand.checker(one.bindings, environ, upstream)
        return self._by_meaning[meaning]

    def divided(self, adapters: Iterable[Adapter], app: Callable[[tuple[Adapter, ...]], ASGIApp]) -> ASGIApp:
        """An application made of adapters, as each caller may see it: `app` makes it of some of them."""
        listed = tuple(adapters)
        free = tuple(one for one in listed if self.of(one) is None)
        choices = [
            Choice(check, app(tuple(one for one in listed if self.of(one) in (None, check))))
            for check in self.every(listed)
        ]
        if free == listed:
            return app(listed)
        return ByCaller(tuple(choices), app(free) if free else None)


@dataclass(frozen=True, slots=True)
class Guarded:
    """An application behind checks, of which a caller has to pass one; `besides` may begin the paths that are open."""

    app: ASGIApp
    checks: tuple[Check, ...]
    besides: str = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_open = self.besides != "" and scope["path"].startswith(self.besides)
        await self.app(scope if is_open else await admitted(scope, self.checks), receive, send)


@dataclass(frozen=True, slots=True)
class Choice:
    """An application for the callers that a check lets in."""

    check: Check
    app: ASGIApp


@dataclass(frozen=True, slots=True)
class ByCaller:
    """The application of the first check that lets the caller in; another for those who show no credential at all."""

    choices: tuple[Choice, ...]
    free: ASGIApp | None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app, rest = await self._chosen(scope)
        await app(rest, receive, send)

    async def _chosen(self, scope: Scope) -> tuple[ASGIApp, Scope]:
        errors: list[CallError] = []
        for choice in self.choices:
            try:
                return choice.app, await choice.check(scope)
            except CallError as error:
                errors.append(error)
        if self.free and all(isinstance(error, NoCredential | Unconfigured | Refused) for error in errors):
            return self.free, scope
        raise joined(errors)


@dataclass(frozen=True, slots=True)
class Metadata:
    """What protects a resource, for everybody (RFC 9728)."""

    body: bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            raise MethodNotAllowed("this is only read", headers=(("allow", "GET, HEAD"),))
        await send_json(self.body, send)


def metadata(listener: Listener, access: Access) -> Iterator[tuple[str, Metadata]]:
    """The applications that describe the protected resources of a listener, by their paths."""
    checks = access.every(occupant.adapter for occupant in listener.occupants)
    described = [check for check in checks if isinstance(check, TokenCheck) and check.resource]
    for check in described:
        page = Metadata(dumps(check.metadata))
        if len(described) == 1:
            yield WELL_KNOWN, page
        for tools in listener.tool_sets():
            if all(access.of(adapter) is check for adapter in tools.adapters):
                yield f"{WELL_KNOWN}{tools.path}", page
        yield check.metadata_path, page
