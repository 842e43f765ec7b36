"""Requests that go on to an API as they are: which of their parts, and that they keep their place in its URL."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import parse_qsl, quote, unquote

from starlette.types import Scope

from fairlead.arguments import Opaque
from fairlead.bodies import NoBody, Sent
from fairlead.errors import ArgumentError, Refused
from fairlead.exposes.forward import Proxy
from fairlead.exposes.request import headers_of, passed, query_of
from fairlead.exposes.upload import Upload
from fairlead.headers import OF_BODY, also_to_upstream
from fairlead.http_call import HttpCall
from fairlead.names import canonical
from fairlead.operation import NOTHING, Failing, Forwarded, Run
from fairlead.response import Arguments, Result
from fairlead.template import Template
from fairlead.wiring import Wiring, wired

METHODS: Final = """GET HEAD POST PUT PATCH DELETE OPTIONS
    COPY LOCK MKCOL MOVE PROPFIND PROPPATCH REPORT SEARCH UNLOCK""".split()
"""What goes on; `TRACE` would show the caller our credential, and `CONNECT` is no request for a path."""
_IN_PATHS = "%/:@!$&'()*+,;=~"
_IN_QUERIES = f"{_IN_PATHS}?"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DECODED: Final = 4
"""How many times a segment may be encoded in all; more layers are refused, for nobody can tell what they hold."""


@dataclass(frozen=True)
class Passing:
    """Takes of a request what goes on: the method, the target below the base URI, the headers and the body."""

    proxy: Proxy

    def streams(self, scope: Scope) -> bool:
        """Whether it has a body, which then goes on while it comes in."""
        return any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])

    def arguments(self, path: Mapping[str, str], scope: Scope, body: bytes | Upload) -> tuple[Arguments, Forwarded]:
        """The parts as arguments, and the headers; raises `ArgumentError` where they would not keep their place."""
        media = next((value for name, value in headers_of(scope) if name == "content-type"), "")
        given = {"method": scope["method"], "target": self._rest(scope["raw_path"], path) + self._query(scope)}
        extra = also_to_upstream(scope["headers"], (self.proxy.trusted | OF_BODY) if body else self.proxy.trusted)
        always = tuple(pair for pair in passed(scope) if pair[0] not in self.proxy.trusted)
        return given | ({"body": Opaque(body, media)} if body else {}), Forwarded((*always, *extra))

    def _rest(self, raw_path: bytes, path: Mapping[str, str]) -> str:
        """What of the path is below that of the forward, as the caller encoded it."""
        if not path:
            return ""
        rest = raw_path.split(b"/", self.proxy.before.count("/"))[-1].decode("latin-1")
        _ensure_it_stays(rest)
        return "/" + quote(rest, safe=_IN_PATHS, encoding="latin-1")

    def _query(self, scope: Scope) -> str:
        query = scope["query_string"].decode("latin-1")
        if not query:
            return ""
        names = {*query_of(scope), *(name for name, _ in parse_qsl(query.replace(";", "&"), keep_blank_values=True))}
        for name in sorted(names):
            if canonical(name) in self.proxy.reserved:
                raise ArgumentError.about(name, "is reserved: no caller may add it")
        return "?" + quote(query, safe=_IN_QUERIES, encoding="latin-1")


def _ensure_it_stays(rest: str) -> None:
    """Refuses what an upstream could take for a step upwards, however often it decodes it."""
    for _ in range(_DECODED):
        if _CONTROL.search(rest):
            raise ArgumentError("the path holds control characters")
        if any(segment.partition(";")[0] in (".", "..") for segment in re.split(r"[/\\]", rest)):
            raise ArgumentError("the path holds '.' or '..', which lead out of what is forwarded")
        if (decoded := unquote(rest, encoding="latin-1")) == rest:
            return
        rest = decoded
    raise ArgumentError(f"the path is percent-encoded more than {_DECODED - 1} times")


@dataclass(frozen=True, slots=True)
class AsItIs:
    """The body of one request, with its media type."""

    body: Opaque

    def __call__(self, arguments: Arguments) -> Sent:
        return self.body.data, self.body.media


@dataclass(frozen=True)
class Forwarding:
    """Sends on what `Passing` took of a request, with what the API wants of every request."""

    run: Run

    def ensure_it_can_run(self) -> None:
        """Raises why it never can."""
        if isinstance(self.run, Failing):
            raise self.run.error.again()

    async def __call__(self, arguments: Arguments, forwarded: Forwarded = NOTHING) -> Result:
        self.ensure_it_can_run()
        assert isinstance(self.run, HttpCall)
        method, target = str(arguments["method"]), str(arguments["target"])
        body = AsItIs(arguments["body"]) if "body" in arguments else NoBody()
        call = replace(self.run, method=method, path=Template((target,)), body=body)
        return await call({}, forwarded)


def forwarding(proxy: Proxy, wiring: Wiring) -> Forwarding:
    """What is behind the plan."""
    if proxy.target is None:
        reasons = "; ".join(f"{problem.message} ({problem.place.short})" for problem in proxy.problems)
        return Forwarding(Failing(Refused(f"the forward was refused when its capability was loaded: {reasons}")))
    return Forwarding(wired(proxy.target, wiring))
