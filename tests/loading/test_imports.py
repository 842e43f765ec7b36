"""Every module imports only what stands above it in one list, so that there is never a cycle."""

import ast
from collections.abc import Iterator
from pathlib import Path

import fairlead

PACKAGE = Path(fairlead.__file__).parent
ORDER = """
    fairlead errors names template headers jsontext decoding nodes source model validation parameters
    formats.base formats.plain formats.delimited formats.xml formats.html formats.markdown
    formats.extras formats.avro formats.protobuf formats
    styles conversion arguments response operation mapped encodings
    jsonpath.base jsonpath.plain jsonpath.regexes jsonpath.standard jsonpath.extended jsonpath.jayway jsonpath outputs
    binds
    wire wire.limits wire.grammar wire.chunked wire.parse wire.compose wire.upload wire.tls wire.connection wire.route
    wire.addresses wire.dial wire.pool wire.client wire.proxy wire.routes wire.transport underway in_process upstream
    trace_buffer tracing
    vault locations
    auth.scheme auth.base auth.presented auth.demand auth.places auth.keys auth.metadata auth.tokens
    auth.digests auth.digest_check auth.jwks auth.access_tokens auth.introspection
    auth.bearer auth.apikey auth.basic auth.digest auth.oauth1 auth.oauth2 auth.resource_server auth.sigv4 auth.query
    auth.certificate auth.hmac auth wanted multipart bodies binary shape structs direct schema
    http_call imported consumes declared consumed steps script_runs wiring
    calls scope sources declarations binding mocks
    caller aggregates
    scripts.base scripts.packages scripts.wasi scripts.wasm scripts.javascript scripts.python scripts
    sequence results flow scripting orchestration exposed planning
    exposes.adapter exposes.rest exposes.forward exposes.resources exposes.prompts exposes.mcp exposes.control
    exposes.skill exposes
    exposes.http relay exposes.routing exposes.upload exposes.learned exposes.given exposes.request exposes.pages
    exposes.security exposes.openapi exposes.shortcut exposes.proxy exposes.gateway
    exposes.toolbox exposes.folder exposes.library exposes.answers exposes.hotpath exposes.toolcall exposes.tools
    metrics log_lines exposes.changes exposes.scripting exposes.logs exposes.traces exposes.management exposes.skills
    dialect capability imports document findings memory load
    settings clashes toolsets listeners observed access guard runtime exchange protocol server samples sandbox
    explain lint checks terminal overview banner supervisor stdio start file_schema starter options cli
""".split()


def modules() -> dict[str, Path]:
    return {name(path): path for path in PACKAGE.rglob("*.py")}


def name(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__") or "fairlead"


def imported(path: Path) -> Iterator[str]:
    """The full names of everything a module imports, also inside of functions."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own(full_name: str, known: frozenset[str]) -> str | None:
    """The module of ours that an imported name is, or stands in."""
    first, _, rest = full_name.partition(".")
    if first != "fairlead":
        return None
    while rest and rest not in known:
        rest = rest.rpartition(".")[0]
    return rest or "fairlead"


def test_the_list_has_every_module_once() -> None:
    assert sorted(ORDER) == sorted(modules())


def test_every_module_imports_only_what_stands_above_it() -> None:
    known = frozenset(ORDER)
    edges = {
        (module, target)
        for module, path in modules().items()
        for full_name in imported(path)
        if (target := own(full_name, known))
    }

    assert len(edges) > 100
    assert [edge for edge in sorted(edges) if ORDER.index(edge[1]) >= ORDER.index(edge[0])] == []


def test_what_is_left_of_httpx_is_its_urls_its_transports_and_a_check_of_our_own_listeners() -> None:
    importers = {
        module
        for module, path in modules().items()
        for full_name in imported(path)
        if full_name.partition(".")[0] in ("httpx", "httpx2", "httpcore", "aiohttp", "requests", "urllib3")
    }

    assert importers == {"in_process", "upstream", "wire.routes", "wire.transport"}


def test_the_wire_is_reached_through_one_door() -> None:
    known = frozenset(ORDER)
    importers = {
        module
        for module, path in modules().items()
        for full_name in imported(path)
        if (own(full_name, known) or "").partition(".")[0] == "wire" and module.partition(".")[0] != "wire"
    }

    assert importers == {"in_process", "underway", "upstream"}


def test_nothing_of_ours_reads_yaml_but_the_source() -> None:
    importers = {
        module
        for module, path in modules().items()
        for full_name in imported(path)
        if full_name.partition(".")[0] == "yaml"
    }

    assert importers == {"source", "encodings", "starter"}  # the latter two only write it
