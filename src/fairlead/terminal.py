"""What the command prints: plain lines, in colour on a terminal, with no control characters of a document in them."""

from __future__ import annotations

import re
from collections.abc import Iterable

import click

from fairlead.errors import Problem

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_COLOURS = {"error": "red", "warning": "yellow"}


def say(text: str, *, err: bool = False) -> None:
    """Prints text that may come from a document: what could steer a terminal is shown as its escape."""
    click.echo(_CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), text), err=err)


def report(problems: Iterable[Problem]) -> None:
    """Prints problems on stderr, their places in colour."""
    for problem in problems:
        place, line = str(problem.place), _CONTROL.sub("?", str(problem))
        click.echo(click.style(place, fg=_COLOURS[problem.severity]) + line.removeprefix(place), err=True)


def counted(number: int, noun: str) -> str:
    """`1 error`, `2 errors`; nouns in -y become -ies."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"
