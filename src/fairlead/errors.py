"""What can go wrong: problems of a document, a start that fails, failures of a call.

    Problem               one finding: where, what, and what to do about it
    LoadError             every error of a document, sorted by place
    StartError            serving cannot start as asked

    CallError             a call that cannot be answered; knows its HTTP status
    ├── ArgumentError     400   the caller's arguments are not what is declared
    ├── Unauthorized      401   the adapter's authentication does not let the caller in
    │   └── NoCredential  401   the caller shows none
    ├── Forbidden         403   a token without a scope that is needed
    ├── ForbiddenOrigin   403   a web page of another origin
    ├── NotFound          404
    ├── MethodNotAllowed  405
    ├── TooLarge          413   a body over a limit
    ├── TooMany           429   so many at a time, and no more
    ├── Misdirected       421   a Host that is not ours
    ├── Refused           501   the operation was refused when its document was loaded
    ├── UpstreamFailed    502   no connection, it broke off, or the answer cannot be used
    ├── StepFailed        502   a step of several cannot be taken; the status of its upstream where that is an error
    ├── Unconfigured      503   a secret or a base URI is missing
    ├── Stopping          503   the gateway is stopping, and the call took too long
    ├── UpstreamBusy      503   every connection of the pool is in use
    └── UpstreamTimeout   504

Messages are lower case, name the offending value by its repr and hold neither secrets nor upstream bodies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from http import HTTPStatus
from pathlib import PurePath
from typing import Any, ClassVar, Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands: the file as it was given, line and column counted from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    @property
    def short(self) -> str:
        """The line in the file, without the folders around it, for those who are not to know them."""
        return f"{PurePath(self.file).name}:{self.line}"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One finding about a document; an error refuses what stands there, a warning does not."""

    place: Place
    message: str
    hint: str = ""
    severity: Severity = "error"
    code: str = ""
    """Which advice it comes from, for what is no more than that."""

    def __str__(self) -> str:
        label = "" if self.severity == "error" else "warning: "
        code = f" [{self.code}]" if self.code else ""
        return f"{self.place}: {label}{self.message}" + (f"; {self.hint}" if self.hint else "") + code

    def as_dict(self) -> dict[str, Any]:
        """The problem as a JSON object, for scripts."""
        where = {"file": self.place.file, "line": self.place.line, "column": self.place.column}
        return {**where, "severity": self.severity, "message": self.message, "hint": self.hint, "code": self.code}


class LoadError(Exception):
    """A document that cannot be used; `problems` holds every finding, sorted by place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


class StartError(Exception):
    """Serving cannot start as asked: a port is taken, a setting is wrong."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint that names the nearest of the known words, or lists them where none is near."""
    words = sorted(set(known))
    folded = {other.casefold(): other for other in words}
    if near := get_close_matches(word.casefold(), folded, n=1, cutoff=0.6):
        return f"did you mean {folded[near[0]]!r}?"
    return f"known: {', '.join(words)}" if 0 < len(words) <= 16 else ""


class CallError(Exception):
    """A call that cannot be answered, in the terms of RFC 9457 (problem details for HTTP).

    Args:
        detail: What is wrong, for the caller.
        extra: Further members of the problem object.
        headers: What goes with the answer over HTTP.
    """

    status: int = 500
    code: ClassVar[str] = "internal-error"

    def __init__(
        self, detail: str, extra: Mapping[str, Any] | None = None, headers: Iterable[tuple[str, str]] = ()
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = dict(extra or {})
        self.headers = tuple(headers)

    def problem(self) -> dict[str, Any]:
        """The problem object, the same over REST and MCP."""
        title = HTTPStatus(self.status).phrase
        known = {"type": f"urn:fairlead:problem:{self.code}", "title": title, "status": self.status}
        return {**known, "detail": self.detail, **self.extra}

    def again(self) -> CallError:
        """The same error, without the traceback of an earlier raise."""
        return type(self)(self.detail, self.extra, self.headers)


class Unforeseen(CallError):
    def __init__(self) -> None:
        super().__init__("the request failed for a reason of our own; the log has more")


class ArgumentError(CallError):
    status = 400
    code = "invalid-arguments"

    @classmethod
    def about(cls, name: str, fault: str) -> ArgumentError:
        """The error of one argument, for a program as well as for a reader."""
        return cls(f"argument {name!r} {fault}", {"errors": [{"argument": name, "detail": fault}]})


class Unauthorized(CallError):
    status = 401
    code = "unauthorized"


class NoCredential(Unauthorized):
    pass


class Forbidden(CallError):
    status = 403
    code = "forbidden"


class ForbiddenOrigin(CallError):
    status = 403
    code = "forbidden-origin"


class NotFound(CallError):
    status = 404
    code = "not-found"


class MethodNotAllowed(CallError):
    status = 405
    code = "method-not-allowed"


class TooLarge(CallError):
    status = 413
    code = "too-large"


class TooMany(CallError):
    status = 429
    code = "too-many"


class Misdirected(CallError):
    status = 421
    code = "misdirected"


class Refused(CallError):
    status = 501
    code = "operation-refused"


class UpstreamFailed(CallError):
    status = 502
    code = "upstream-failed"


class StepFailed(CallError):
    status = 502
    code = "step-failed"

    def __init__(
        self, detail: str, extra: Mapping[str, Any] | None = None, headers: Iterable[tuple[str, str]] = ()
    ) -> None:
        super().__init__(detail, extra, headers)
        upstream = self.extra.get("upstream_status", 0)
        self.status = upstream if upstream >= 400 and upstream in _STATUSES else self.status


_STATUSES = frozenset(HTTPStatus)


class Unconfigured(CallError):
    status = 503
    code = "not-configured"


class Stopping(CallError):
    status = 503
    code = "stopping"


class UpstreamBusy(CallError):
    status = 503
    code = "upstream-busy"


class UpstreamTimeout(CallError):
    status = 504
    code = "upstream-timeout"
