"""Paths of RFC 9535, by `jsonpath-rfc9535`, with an end to their work: `$..ships[?@.flag == 'NO']`.

Answers of an upstream are not to be trusted with the time that a path takes: every value that is looked at counts, and
regular expressions, of which some may stand in the answer, run in linear time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from iregexp_check import check
from jsonpath_rfc9535 import JSONPathEnvironment, JSONPathError, JSONPathQuery, JSONPathRecursionError
from jsonpath_rfc9535.function_extensions import ExpressionType, FilterFunction
from jsonpath_rfc9535.node import JSONPathNode
from jsonpath_rfc9535.parse import Parser
from jsonpath_rfc9535.segments import JSONPathChildSegment, JSONPathRecursiveDescentSegment, JSONPathSegment
from jsonpath_rfc9535.selectors import IndexSelector, NameSelector
from jsonpath_rfc9535.tokens import TokenStream

from fairlead.errors import UpstreamFailed
from fairlead.jsonpath.base import QUOTED, PathError, too_deep
from fairlead.jsonpath.regexes import MAX_PATTERN, compile_regex

MAX_WORK = 500_000
MAX_DEPTH = 100
_STEPS_OF_A_PATTERN = 5_000
_CHARACTERS_A_STEP = 50
_HYPHENATED = re.compile(QUOTED + r"|\.(?P<dot>\.?)(?P<name>[^\W\d]\w*-[\w-]*)", re.DOTALL)


class Work:
    """What a search may still do."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self.left = MAX_WORK
        self.patterns: set[str] = set()

    def spend(self, steps: int) -> None:
        self.left -= steps
        if self.left < 0:
            raise UpstreamFailed("the upstream's answer is too large for the path of its output mapping")

    def match(self, pattern: str, text: str) -> None:
        """Spends what a match costs, and what a pattern does that was not seen before in this search."""
        if pattern not in self.patterns:
            self.patterns.add(pattern)
            self.spend(_STEPS_OF_A_PATTERN)
        self.spend(1 + len(text) // _CHARACTERS_A_STEP)


class _Matching(FilterFunction):
    """`match` and `search`, by RE2."""

    arg_types = [ExpressionType.VALUE, ExpressionType.VALUE]  # noqa: RUF012 - as the library declares it
    return_type = ExpressionType.LOGICAL

    def __init__(self, work: Work, *, whole: bool) -> None:
        self.work = work
        self.whole = whole

    def __call__(self, text: object, pattern: object) -> bool:
        if not isinstance(text, str) or not isinstance(pattern, str):
            return False
        if len(pattern) > MAX_PATTERN:
            return False
        self.work.match(pattern, text)
        try:
            if not check(pattern):
                return False
            regex = compile_regex(_without_line_ends(pattern))
            return bool(regex.fullmatch(text) if self.whole else regex.search(text))
        except ValueError:
            return False


def _without_line_ends(pattern: str) -> str:
    """The pattern with every dot that stands for a character as RFC 9485 has it: any but the ends of lines."""
    return "".join(r"[^\n\r]" if part == "." else part for part in _parts(pattern))


def _parts(pattern: str) -> Iterator[str]:
    """Its characters, but escapes and classes whole."""
    start = 0
    while start < len(pattern):
        end = start + 1
        if pattern[start] == "\\":
            end += 1
        elif pattern[start] == "[":
            while end < len(pattern) and pattern[end] != "]":
                end += 2 if pattern[end] == "\\" else 1
            end += 1
        yield pattern[start:end]
        start = end


class _Environment(JSONPathEnvironment):
    max_recursion_depth = MAX_DEPTH

    def __init__(self, work: Work) -> None:
        self.work = work
        super().__init__()
        self.parser = _Parser(env=self)

    def setup_function_extensions(self) -> None:
        super().setup_function_extensions()
        self.function_extensions["match"] = _Matching(self.work, whole=True)
        self.function_extensions["search"] = _Matching(self.work, whole=False)


class _Parser(Parser):
    """Makes segments that count, also those of queries in filters."""

    def __init__(self, *, env: _Environment) -> None:
        super().__init__(env=env)
        self.work = env.work

    def parse_query(self, stream: TokenStream, *, in_filter: bool = False) -> Iterable[JSONPathSegment]:
        for segment in super().parse_query(stream, in_filter=in_filter):
            kind = _Descendants if isinstance(segment, JSONPathRecursiveDescentSegment) else _Children
            yield kind(segment, self.work)


class _Children(JSONPathChildSegment):
    def __init__(self, segment: JSONPathSegment, work: Work) -> None:
        super().__init__(env=segment.env, token=segment.token, selectors=segment.selectors)
        self.work = work

    def resolve(self, nodes: Iterable[JSONPathNode]) -> Iterable[JSONPathNode]:
        return _selected(self, self.work, nodes)


class _Descendants(JSONPathRecursiveDescentSegment):
    def __init__(self, segment: JSONPathSegment, work: Work) -> None:
        super().__init__(env=segment.env, token=segment.token, selectors=segment.selectors)
        self.work = work

    def resolve(self, nodes: Iterable[JSONPathNode]) -> Iterable[JSONPathNode]:
        return _selected(self, self.work, chain.from_iterable(map(self._visit, nodes)))


def _selected(segment: JSONPathSegment, work: Work, nodes: Iterable[JSONPathNode]) -> Iterator[JSONPathNode]:
    for node in nodes:
        for selector in segment.selectors:
            is_one = isinstance(selector, (NameSelector, IndexSelector))
            work.spend(1 if is_one or not isinstance(node.value, (dict, list)) else 1 + len(node.value))
            yield from selector.resolve(node)


@dataclass(frozen=True, slots=True)
class StandardPath:
    """A query of RFC 9535."""

    query: JSONPathQuery
    work: Work

    @property
    def is_definite(self) -> bool:
        return self.query.singular_query()

    def find(self, value: Any) -> list[Any]:
        self.work.begin()
        try:
            return [node.value for node in self.query.finditer(value)]
        except (JSONPathRecursionError, RecursionError):
            raise too_deep() from None


def compile_path(text: str) -> StandardPath:
    """The path, also with hyphens in names; raises `PathError` that says what is wrong with it."""
    work = Work()
    try:
        return StandardPath(_Environment(work).compile(_HYPHENATED.sub(_quoted, text)), work)
    except JSONPathError as error:
        raise PathError(f"is not a JSONPath: {error.args[0]}") from None
    except (RecursionError, ValueError):
        raise PathError("is not a JSONPath: it cannot be read") from None


def _quoted(found: re.Match[str]) -> str:
    """A name with its quotes; a text that has them already as it is."""
    return f"{found['dot'] and '..'}['{found['name']}']" if found["name"] else found[0]
