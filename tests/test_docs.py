"""The documentation lists exactly what the code has."""

import re
from pathlib import Path

import click

from fairlead import headers
from fairlead.cli import main, serve, stdio

ROOT = Path(__file__).parent.parent


def _rows(page: str) -> list[list[str]]:
    lines = (ROOT / "docs" / page).read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]


def _words(cells: list[str]) -> set[str]:
    return {word for cell in cells for word in re.findall(r"`([a-z0-9-]+)`", cell)}


def test_the_settings_page_lists_every_flag_with_its_variable_and_default() -> None:
    listed = {row[0].strip("`"): (row[1].strip("`"), row[2].strip("`")) for row in _rows("settings.md")}
    flags = {option.opts[0]: option for option in serve.params if isinstance(option, click.Option)}

    assert set(listed) - {"PATHS"} == set(flags) - {"--help"}
    for name, option in flags.items():
        variable, default = listed[name]
        assert variable == (option.envvar or "")
        if isinstance(option.default, str | int | float) and not isinstance(option.default, bool):
            assert default == str(option.default)


def test_the_flags_of_stdio_are_those_of_serve_and_on_the_settings_page() -> None:
    flags = {option.opts[0]: option for option in stdio.params if isinstance(option, click.Option)}
    shared = {option.opts[0]: option for option in serve.params if isinstance(option, click.Option)}
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")

    assert flags.keys() - shared.keys() == {"--include"}
    assert all(flags[name].default == shared[name].default for name in flags.keys() & shared.keys())
    assert "`--include PATTERN` (`FAIRLEAD_INCLUDE`)" in page


def test_the_headers_page_lists_what_goes_upstream() -> None:
    page = (ROOT / "docs/headers.md").read_text(encoding="utf-8")
    upstream = page.partition("## From the upstream")[0]

    assert _words([row[0] for row in _rows("headers.md") if f"| {row[0]} |" in upstream]) == headers.TO_UPSTREAM


def test_the_headers_page_lists_what_does_not_reach_the_caller() -> None:
    page = (ROOT / "docs/headers.md").read_text(encoding="utf-8")
    back = page.partition("## From the upstream")[2]

    assert _words([row[0] for row in _rows("headers.md") if f"| {row[0]} |" in back]) == headers.NOT_TO_CALLER


def test_every_command_has_a_help_text() -> None:
    assert all(command.help for command in main.commands.values())


def test_the_architecture_page_names_every_module() -> None:
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    modules = {path.stem for path in (ROOT / "src/fairlead").glob("*.py")} - {"__init__"}
    table = page.partition("## The modules")[2]

    assert modules <= set(re.findall(r"`([a-z_]+)`", table))
