"""What `fairlead check --report` tells of many files: one row each, and why what is refused is refused.

file              operations  tools  told by                 refused
batches.yaml               4      4  name 6, description 2         0
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from fairlead.document import Document
from fairlead.errors import Problem
from fairlead.explain import as_json as explained
from fairlead.terminal import counted

_HEAD = ("file", "operations", "tools", "told by", "refused")


def table(documents: Sequence[Document], problems: Iterable[Problem]) -> Iterator[str]:
    """The lines to print: a row a file, all together, and what is refused with its reasons."""
    lost = _not_loaded(documents, problems)
    rows = [_HEAD, *map(_row, documents), *((file, "-", "-", "not loaded", "-") for file in lost)]
    rows.append(_totals(documents, len(lost)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    for file, operations, tools, told, refused in rows:
        numbers = f"{operations:>{widths[1]}}  {tools:>{widths[2]}}"
        yield f"{file:<{widths[0]}}  {numbers}  {told:<{widths[3]}}  {refused:>{widths[4]}}"
    reasons = [*_refusals(documents), *(f"{problem}" for found in lost.values() for problem in found)]
    if reasons:
        yield from ("", "refused", *(f"  {reason}" for reason in reasons))


def as_json(documents: Sequence[Document], problems: Iterable[Problem]) -> dict[str, Any]:
    """The same for scripts: every operation and tool with its evidence, files that are not loaded, and sums."""
    lost = _not_loaded(documents, problems)
    listed = explained(documents)
    _, operations, tools, _, refused = _totals(documents, len(lost))
    return {
        "files": [
            {**one, "evidence": dict(_evidence([document]))} for one, document in zip(listed, documents, strict=True)
        ],
        "not_loaded": [
            {"file": file, "problems": [problem.as_dict() for problem in found]} for file, found in lost.items()
        ],
        "totals": {
            "files": len(documents) + len(lost),
            "operations": int(operations),
            "tools": int(tools),
            "evidence": dict(_evidence(documents)),
            "refused": int(refused),
        },
    }


def _not_loaded(documents: Sequence[Document], problems: Iterable[Problem]) -> dict[str, list[Problem]]:
    """The files that are no document, and the errors for which they are none."""
    loaded = {document.file for document in documents}
    lost: dict[str, list[Problem]] = {}
    for problem in problems:
        if problem.severity == "error" and problem.place.file not in loaded:
            lost.setdefault(problem.place.file, []).append(problem)
    return lost


def _row(document: Document) -> tuple[str, str, str, str, str]:
    told = _told([document])
    return document.file, str(len(document.routes)), str(len(document.tools)), told, str(document.refused)


def _totals(documents: Sequence[Document], lost: int) -> tuple[str, str, str, str, str]:
    refused = sum(document.refused for document in documents)
    operations = sum(len(document.routes) for document in documents)
    tools = sum(len(document.tools) for document in documents)
    files = counted(len(documents) + lost, "file")
    return files, str(operations), str(tools), _told(documents), str(refused)


def _told(documents: Iterable[Document]) -> str:
    return ", ".join(f"{evidence} {number}" for evidence, number in _evidence(documents).most_common())


def _evidence(documents: Iterable[Document]) -> Counter[str]:
    """How often which evidence told the operation that is meant."""
    exposed = (one for document in documents for one in document.exposed)
    return Counter("+".join(one.target.evidence) for one in exposed if one.target)


def _refusals(documents: Iterable[Document]) -> Iterator[str]:
    for document in documents:
        yield from (f"{proxy}: {problem}" for proxy in document.forwards for problem in proxy.problems)
        yield from (f"skill {one.name}: {problem}" for one in document.skills for problem in one.problems)
        named = [*((str(route), route.exposed) for route in document.routes)]
        named += ((f"tool {tool.name}", tool.exposed) for tool in document.tools)
        named += ((f"resource {one.uri}", one.exposed) for one in document.resources if not one.is_served)
        for name, exposed in named:
            if exposed.target is None:
                yield from (f"{name}: {problem}" for problem in exposed.problems)
