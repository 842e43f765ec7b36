"""The later dialect of the format, rewritten into the earlier one before validation; every value keeps its place.

    tools: {get-ship: {display: Ship, call: registry.get-ship}}

becomes `tools: [{name: get-ship, label: Ship, call: registry.get-ship}]`. Both may be mixed in one file, whatever its
version says: there is one model for both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fairlead.errors import Problem
from fairlead.nodes import MappingNode, SequenceNode

RENAMED: Final = {"display": "label", "flows": "functions", "target": "targetName", "externalRefs": "binds"}
"""Keys of the later dialect, and what they were called before; and one of the first versions."""

Grammar = Mapping[str, Any]
"""The keys of a section under which other sections stand, each with the grammar of those."""

_CALLER: Final[Grammar] = {"inputParameters": {}, "steps": {}, "mappings": {}}
_RESOURCES: Final[Grammar] = {"operations": _CALLER, **_CALLER}
_PARTS: Final[Grammar] = {
    "binds": {},
    "consumes": {"inputParameters": {}, "resources": _RESOURCES},
    "aggregates": {"functions": _CALLER},
    "exposes": {
        "inputParameters": {},
        "resources": _RESOURCES,
        "tools": _CALLER,
        "prompts": {"arguments": {}},
        "skills": {"tools": {}},
    },
}
ROOT: Final[Grammar] = {**_PARTS, "capability": _PARTS}
LISTED: Final = frozenset({"mappings"})
"""Keys under which sections without names stand, always as a list."""

NAMED_BY: Final = dict.fromkeys(_PARTS, "namespace")
"""What the key of a section in a mapping is there; all others have it for their name."""


def rewritten(root: MappingNode) -> tuple[MappingNode, list[Problem]]:
    """The root with lists and the earlier keys, and what its writer may not expect."""
    problems: list[Problem] = []
    return _section(root, ROOT, problems), problems


def _section(node: MappingNode, grammar: Grammar, problems: list[Problem]) -> MappingNode:
    section = MappingNode(node.place)
    for key, value in node.items():
        name = _earlier(key, node)
        if value is None and name in section:
            continue  # an empty entry beside the one of its other name
        _put(section, name, _inside(name, value, grammar, problems), node, key)
    return section


def _earlier(key: str, node: MappingNode) -> str:
    """The earlier name of a key, where the section does not have that as well."""
    name = "location" if key == "from" and "import" in node else RENAMED.get(key, key)
    return key if node.get(name) is not None else name


def _put(section: MappingNode, name: str, value: Any, node: MappingNode, key: str) -> None:
    """Takes over an entry of a node under another name."""
    section[name] = value
    section.key_places[name], section.value_places[name] = node.key_places[key], node.value_places[key]


def _inside(name: str, value: Any, grammar: Grammar, problems: list[Problem]) -> Any:
    if name not in grammar:
        return value
    if name == "capability":
        return _section(value, grammar[name], problems) if isinstance(value, MappingNode) else value
    naming = NAMED_BY.get(name, "name")
    listed = _listed(value, naming, problems) if name not in LISTED and _is_named(value, naming) else value
    if not isinstance(listed, SequenceNode):
        return listed
    sections = SequenceNode(listed.place)
    sections += (_section(one, grammar[name], problems) if isinstance(one, MappingNode) else one for one in listed)
    sections.places = listed.places
    return sections


def _is_named(value: Any, naming: str) -> bool:
    """Whether it is a mapping from names to sections, and not the one section that should have been in a list."""
    if not isinstance(value, MappingNode) or not _is_section(value.get(naming)):
        return False
    return not value or any(map(_is_section, value.values()))


def _is_section(value: Any) -> bool:
    """Whether it can be a section; a name alone is an empty one."""
    return value is None or isinstance(value, MappingNode)


def _listed(node: MappingNode, naming: str, problems: list[Problem]) -> SequenceNode:
    """The sections of a mapping, each with its key for a name."""
    listed = SequenceNode(node.place)
    for name, section in node.items():
        listed.append(_called(section, naming, node, name, problems) if _is_section(section) else section)
        listed.places.append(node.key_places[name] if section is None else node.value_places[name])
    return listed


def _called(
    section: MappingNode | None, naming: str, node: MappingNode, name: str, problems: list[Problem]
) -> MappingNode:
    """A section with its key in the node for a name, in front of all else."""
    place = node.key_places[name]
    named = MappingNode(place if section is None else section.place)
    named[naming], named.key_places[naming], named.value_places[naming] = name, place, place
    if section is None:
        return named
    for key in section:
        if key != naming:
            _put(named, key, section[key], section, key)
        elif section[key] not in (None, name):
            message = f"{naming} {section[key]!r} is not used"
            problems.append(Problem(section.value_places[key], message, f"its key {name!r} is", "warning"))
    return named
