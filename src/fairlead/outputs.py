"""Where each output of a call is found, as a path into the upstream's answer.

consumed:  outputParameters: [{name: imo, type: string, value: $.imo_number}]
exposed:   outputParameters: [{name: imo, type: string}, {name: owner, type: string, mapping: $.owner.name}]

A path starts at the answer, unless its first name is that of a consumed output: `$.imo` is `$.imo_number` here. An
output that says no path takes the consumed output of its name, or else the member of its name. `$.` is always the
whole answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from fairlead.conversion import CONVERSIONS
from fairlead.parameters import OutputParameter

_FIRST_NAME = re.compile(r"(?:\$\.)?([\w-]+)((?:[.\[].*)?)", re.DOTALL)
_PLAIN_NAME = re.compile(r"[A-Za-z_][\w-]*")
_IDENTITY = ("$", "$.")

_Named = Mapping[str, OutputParameter]


def located(outputs: Iterable[OutputParameter], consumed: Iterable[OutputParameter]) -> tuple[OutputParameter, ...]:
    """The outputs with a path for each that has no constant, no path of its own and no members with paths."""
    named = {output.name: output for output in consumed if output.name}
    return tuple(_located(output, output.name, named) for output in outputs)


def _located(output: OutputParameter, name: str, named: _Named) -> OutputParameter:
    if output.value is not None and output.path is None:
        return output
    if output.path is not None:
        output = output.model_copy(update={"mapping": _through(output.path, named), "value": None})
    elif name and not _says_where(output):
        output = _by_name(output, name, named)
    inner = named if output.mapping is None else {}
    properties = {key: _located(member, key, inner) for key, member in output.properties.items()}
    items = output.items and _in_item(_located(output.items, "", {}), output.mapping or "")
    values = output.values and _located(output.values, "", {})
    return output.model_copy(update={"properties": properties, "items": items, "values": values})


def _in_item(item: OutputParameter, around: str) -> OutputParameter:
    """The item of the list that is found `around` it, with the paths of single values in it starting at the item.

    Some authors spell them from the answer on, as `$.ships[*].name`, where no single value could ever be.
    """
    start = f"{around.strip().removesuffix('[*]')}[*]"
    if item.mapping and item.type in CONVERSIONS and item.mapping.startswith(start):
        return item.model_copy(update={"mapping": f"${item.mapping.removeprefix(start)}"})
    if item.mapping is not None or item.items:
        return item
    return item.model_copy(update={"properties": {key: _in_item(one, around) for key, one in item.properties.items()}})


def _says_where(output: OutputParameter) -> bool:
    """Whether any member says where it is found; the object around it then only groups."""
    members = output.properties.values()
    return any(one.path is not None or one.value is not None or _says_where(one) for one in members)


def _through(path: str, named: _Named) -> str:
    """The path, from the answer on; consumed outputs that are all of the answer are no part of it."""
    match = _FIRST_NAME.fullmatch(path.strip())
    meant = named[match[1]].path if match and match[1] in named else None
    return meant + match[2] if match and meant and meant.strip() not in _IDENTITY else path


def _by_name(output: OutputParameter, name: str, named: _Named) -> OutputParameter:
    meant = named.get(name, output)
    if meant.path is None and meant.value is not None:
        return output.model_copy(update={"value": meant.value})
    return output.model_copy(update={"mapping": meant.path if meant.path is not None else _member(name)})


def _member(name: str) -> str:
    return f"$.{name}" if _PLAIN_NAME.fullmatch(name) else f"$[{json.dumps(name, ensure_ascii=False)}]"
