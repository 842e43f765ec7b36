"""How the scripts of a document run, to read and to change while the process runs: `GET` and `PUT /scripting`.

    PUT /scripting
    {"timeout": 2000, "statementLimit": 50000}

What is changed holds until the files are read again. It never goes beyond what the file allows: scripts that were not
permitted when it was loaded stay off, and so do other languages and places.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.types import Receive, Scope, Send

from fairlead.errors import ArgumentError, did_you_mean
from fairlead.exposes.changes import changes
from fairlead.exposes.http import send_json
from fairlead.jsontext import dumps
from fairlead.script_runs import ScriptRuns
from fairlead.scripts import LANGUAGES
from fairlead.steps import MAX_TIMEOUT, Scripting

_STATS: Final = "stats"
_AS_LOADED: Final = frozenset({"defaultLocation", "defaultLanguage"})


@dataclass(frozen=True, slots=True)
class ScriptingPage:
    """What a control adapter says of scripts, with what holds now, and how many ran.

    `permitted` is how the scripts of the document run by its file and the operator, None where they do not; `fixed`
    says why that cannot be changed, where that is so.
    """

    said: Scripting | None
    permitted: Scripting | None
    runs: ScriptRuns
    fixed: str = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = await changes(scope, receive, "scripting", self._reason)
        if given is not None and self.permitted:
            self.runs.change(self.permitted, self._changed(given, self.permitted))
        await send_json(dumps({**self._told(), _STATS: self._stats()}), send, head=scope["method"] == "HEAD")

    @property
    def _reason(self) -> str:
        """Why nothing can be changed; empty where it can."""
        if self.permitted is None or not self.permitted.enabled:
            return "its file, or --no-scripts, permits no scripts"
        return self.fixed

    def _told(self) -> dict[str, Any]:
        now = self.runs.now(self.permitted) if self.permitted else None
        shown = now or (self.said or Scripting()).model_copy(update={"enabled": False})
        written = shown.model_dump(by_alias=True, exclude_none=True, mode="json")
        return {key: value for key, value in written.items() if value not in ("", [])}

    def _stats(self) -> dict[str, Any]:
        runs = self.runs
        average = 1000 * runs.seconds / runs.total if runs.total else 0.0
        last = {"lastExecutionAt": runs.last.isoformat()} if runs.last else {}
        counts = {"totalExecutions": runs.total, "totalErrors": runs.failed}
        return {**counts, "averageDurationMs": round(average, 2), **last}

    def _changed(self, given: Mapping[str, Any], permitted: Scripting) -> Scripting:
        told = self._told()
        for key in _AS_LOADED & given.keys():
            if given[key] != told.get(key):
                raise ArgumentError.about(key, "counts when the file is loaded, and cannot be changed")
        changed = {key: value for key, value in given.items() if key not in (_STATS, *_AS_LOADED)}
        for key, value in changed.items():
            _check(key, value, permitted.allowed_languages or LANGUAGES)
        update = {_FIELDS[key]: tuple(value) if isinstance(value, list) else value for key, value in changed.items()}
        return self.runs.now(permitted).model_copy(update=update)


def _check(key: str, value: Any, allowed: Collection[str]) -> None:
    """Raises `ArgumentError` for what cannot be changed, or not to that."""
    if key not in _KINDS:
        raise ArgumentError.about(key, f"is unknown; {did_you_mean(key, _KINDS)}")
    kind, is_one = _KINDS[key]
    if not is_one(value):
        raise ArgumentError.about(key, f"must be {kind}")
    if key == "allowedLanguages" and (beyond := sorted(set(value) - set(allowed))):
        raise ArgumentError.about(key, f"has {beyond[0]!r}, which the file does not allow")


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_time(value: Any) -> bool:
    return _is_count(value) and value <= MAX_TIMEOUT


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 0 and all(isinstance(name, str) for name in value)


_KINDS: Final[Mapping[str, tuple[str, Callable[[Any], bool]]]] = {
    "enabled": ("true or false", lambda value: isinstance(value, bool)),
    "timeout": (f"an integer from 1 to {MAX_TIMEOUT}", _is_time),
    "statementLimit": ("an integer greater than or equal to 1, or null", lambda one: one is None or _is_count(one)),
    "allowedLanguages": ("an array of languages, at least one", _are_names),
}
_FIELDS: Final = {field.alias: name for name, field in Scripting.model_fields.items()}
"""The attribute of each key."""
