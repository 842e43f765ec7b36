"""How names are compared and derived: `{batch-id}`, `batch_id` and `batchId` are one name.

Exact spelling always wins; only where it finds nothing do case and signs stop to count.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from hashlib import sha256
from itertools import count

_SIGNS = re.compile(r"[\W_]+")
_NOT_SAFE = re.compile(r"[^A-Za-z0-9_-]+")
_PROPERTY = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_NOT_PROPERTY = re.compile(r"[^A-Za-z0-9_.-]+")
MAX_NAME = 64


@lru_cache(maxsize=16384)
def canonical(name: str) -> str:
    """The name without case and signs; the name itself where nothing else would be left."""
    return _SIGNS.sub("", name).casefold() or name


def find(name: str, names: Iterable[str]) -> str | None:
    """The one of `names` that is meant: the exact one, else the only one equal but for case and signs."""
    known = tuple(names)
    if name in known:
        return name
    near = [other for other in known if canonical(other) == canonical(name)]
    return near[0] if len(near) == 1 else None


def matched(wanted: Sequence[str], known: Iterable[str]) -> dict[str, str]:
    """For each wanted name the known one that is meant, each known one for one name only.

    Exact spelling goes first; what is left is compared without case and signs, and has to be the only one both ways.
    """
    free = dict.fromkeys(known)
    found = {name: name for name in wanted if name in free}
    missing = set(wanted) - found.keys()
    if not missing:
        return found
    left = Counter(map(canonical, missing))
    near = Counter(canonical(name) for name in free if name not in found)
    spelling = {canonical(name): name for name in free if name not in found}
    for name in wanted:
        form = canonical(name)
        if name not in found and left[form] == near[form] == 1:
            found[name] = spelling[form]
    return found


@lru_cache(maxsize=16384)
def slug(text: str) -> str:
    """Lower case words joined by hyphens; the form in which resource names and paths are compared."""
    return "-".join(filter(None, _SIGNS.split(text.casefold())))


def safe_name(name: str) -> str:
    """The name within `[A-Za-z0-9_-]{1,64}`; where that loses something, with a hash of the whole name."""
    safe = _NOT_SAFE.sub("-", name).strip("-")
    if safe == name and len(safe) <= MAX_NAME:
        return safe
    digest = sha256(name.encode()).hexdigest()[:8]
    return f"{safe[: MAX_NAME - 9]}-{digest}"


def unique_names(qualified: Sequence[tuple[str, str]]) -> list[str]:
    """A safe and unique name for each (namespace, name), in order: the name, or both joined where it repeats."""
    repeated = {name for name, count in Counter(name for _, name in qualified).items() if count > 1}
    taken: dict[str, None] = {}
    for namespace, name in qualified:
        wanted = f"{namespace}_{name}" if name in repeated else name
        number, unique = 1, safe_name(wanted)
        while unique in taken:
            number += 1
            unique = safe_name(f"{wanted}_{number}")
        taken[unique] = None
    return list(taken)


def property_names(names: Iterable[str]) -> dict[str, str]:
    """For each name one within `[A-Za-z0-9_.-]{1,64}`, as MCP clients want them: the name itself where it is so."""
    listed = tuple(dict.fromkeys(names))
    given = {name: name for name in listed if _PROPERTY.fullmatch(name)}
    for name in listed:
        if name not in given:
            given[name] = free_name(_NOT_PROPERTY.sub("_", name).strip("_.") or "input", given.values())
    return given


def free_name(wanted: str, taken: Collection[str]) -> str:
    """The wanted name, shortened and numbered as far as needed."""
    numbered = (wanted[:MAX_NAME] if number == 1 else f"{wanted[: MAX_NAME - 5]}_{number}" for number in count(1))
    return next(name for name in numbered if name not in taken)
