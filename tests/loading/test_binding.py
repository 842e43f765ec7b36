"""What callers may give, and where each value goes."""

from collections.abc import Callable
from textwrap import dedent, indent

import anyio
import pytest

from fairlead.arguments import Input
from fairlead.binds import Environ, Value
from fairlead.exposed import Exposed
from fairlead.exposes.pages import pages
from fairlead.http_call import HttpCall
from fairlead.in_process import in_process
from fairlead.load import loads
from fairlead.operation import UNSET, Argument, Literal
from fairlead.sources import Filled, Inside
from fairlead.template import parse
from fairlead.upstream import Request, connect
from fairlead.wiring import Wiring

API = """\
naftiko: 1.0.0-alpha2
binds:
- {{namespace: env, keys: {{KEY: HARBOUR_KEY}}}}
- {{namespace: keys, keys: {{STAMP: HARBOUR_STAMP}}}}
capability:
  consumes:
  - namespace: harbour
    baseUri: https://harbour.example
    resources:
    - name: ship
      path: /ships/{{id}}
      operations:
      - name: read
        inputParameters:
        - {{name: depth, in: query, type: integer, description: How deep}}
        - {{name: units, in: query, type: string, required: true}}
  exposes:
{adapter}
"""


def route(operation: str, path: str = "/ships/{id}") -> Exposed:
    resource = f"{{path: '{path}', operations: [{{call: harbour.read, {operation}}}]}}"
    text = API.format(adapter=f"  - {{type: rest, namespace: r, resources: [{resource}]}}")
    return loads(text).routes[0].exposed


def tool(operation: str) -> Exposed:
    text = API.format(adapter=f"  - {{type: mcp, namespace: m, tools: [{{name: t, call: harbour.read, {operation}}}]}}")
    return loads(text).tools[0].exposed


def test_inputs_are_derived_from_the_consumed_operation() -> None:
    assert tool("").inputs.items == (
        Input("depth", "query", "integer", "How deep"),
        Input("units", "query", "string", required=True),
        Input("id", "query", "string", required=True),
    )


def test_an_input_that_stands_in_the_exposed_path_is_taken_from_there() -> None:
    assert route("").inputs.items[2] == Input("id", "path", "string", required=True)


def test_an_input_has_the_name_that_with_gives_it_and_the_nature_of_its_parameter() -> None:
    exposed = tool("with: {depth: tools.levels}")

    assert exposed.inputs.items[0] == Input("levels", "query", "integer", "How deep")
    assert exposed.binding.sources[0] == ("depth", Argument("levels"))


def test_an_input_has_the_spelling_of_the_exposed_path_or_of_its_declaration() -> None:
    exposed = route("with: {id: rest.ship_id, depth: rest.DEPTH}, inputParameters: [{name: Depth}]", "/{ship-id}")

    assert dict(exposed.binding.sources) == {
        "depth": Argument("Depth"),
        "units": Argument("units"),
        "id": Argument("ship-id"),
    }


def test_one_input_may_feed_several_parameters_and_is_required_if_one_of_them_is() -> None:
    exposed = tool("with: {id: tools.x, depth: tools.x, units: tools.x}")

    assert exposed.inputs.items == (Input("x", "query", "integer", "How deep", required=True),)


def test_constants_take_no_input_and_have_the_type_of_their_parameter() -> None:
    exposed = tool("with: {id: '7', depth: '7', units: 7}")

    assert exposed.inputs.items == ()
    assert dict(exposed.binding.sources) == {"id": Literal("7"), "depth": Literal(7), "units": Literal(7)}


def test_where_nothing_is_renamed_nothing_is_bound() -> None:
    assert tool("with: {id: tools.id}").binding.is_identity
    assert not tool("with: {id: tools.ship}").binding.is_identity


def test_text_around_holes_is_filled_and_not_given_while_a_hole_is_not() -> None:
    (source,) = (source for name, source in tool("with: {id: 'ship-{{no}}'}").binding.sources if name == "id")

    assert source == Filled(parse("ship-{{no}}"))
    assert source({"no": 7}) == "ship-7"
    assert source({}) is UNSET


@pytest.mark.parametrize("spelling", ["{{env.KEY}}", "{env.KEY}", "${KEY}", "{{KEY}}"])
def test_a_variable_that_a_bind_lists_is_no_input(spelling: str) -> None:
    exposed = tool(f"with: {{id: '{spelling}'}}")
    source = dict(exposed.binding.sources)["id"]

    assert "id" not in exposed.inputs.names
    assert isinstance(source, Value)
    assert list(source.variables.values()) == ["HARBOUR_KEY"]


@pytest.mark.parametrize("spelling", ["tools.KEY", "{{tools.KEY}}", "m.KEY", "harbour.KEY"])
def test_what_names_the_caller_is_an_input_even_where_a_bind_lists_a_variable_of_that_name(spelling: str) -> None:
    exposed = tool(f"with: {{id: '{spelling}'}}")

    assert dict(exposed.binding.sources)["id"] == Argument("KEY")


def test_text_with_both_a_variable_and_an_input_never_takes_the_variable_from_the_caller() -> None:
    exposed = tool("with: {id: '{{env.KEY}}-{{no}}'}")

    assert [name for name in exposed.inputs.names if "KEY" in name] == []


def test_a_hole_that_names_a_bind_but_none_of_its_keys_is_no_input() -> None:
    exposed = tool("with: {units: '{{keys.STMP}}'}")

    assert exposed.inputs.names == {"id", "depth"} or exposed.target is None


def test_a_variable_is_placed_where_it_stands_in_with() -> None:
    adapter = """\
    - type: mcp
      namespace: m
      tools:
      - name: t
        call: harbour.read
        with:
          depth: 1
          id: '{{env.KEY}}'
    """
    document = loads(API.format(adapter=indent(dedent(adapter), "  ")), "f.yaml")

    (value,) = (value for value in document.values() if value.variables)

    assert str(value.place) == "f.yaml:25:13"


def test_declared_inputs_leave_out_the_optional_ones_that_they_do_not_name() -> None:
    exposed = tool("inputParameters: [{name: id, description: The ship}]")

    assert exposed.inputs.items == (
        Input("units", "query", "string", required=True),
        Input("id", "query", "string", "The ship", required=True),
    )


def test_a_declared_input_of_a_tool_is_required_unless_it_says_otherwise() -> None:
    exposed = tool("inputParameters: [{name: depth}, {name: units, required: false}]")

    assert {item.name: item.required for item in exposed.inputs} == {"depth": True, "units": False, "id": True}


def test_a_declared_input_of_a_route_may_stand_elsewhere() -> None:
    exposed = route("inputParameters: [{name: units, in: header}]")

    assert {item.name: item.location for item in exposed.inputs} == {"units": "header", "id": "path"}


@pytest.mark.parametrize(
    ("adapter", "operation", "message"),
    [
        (tool, "with: {depht: 1}", "`with` gives 'depht', which GET https://harbour.example/ships/{id} does not take"),
        (tool, "with: {depth: deep}", "`with` gives 'depth' a value that must be of type integer, not \"deep\""),
        (tool, "with: {id: $.lookup.id}", "`with` gives 'id' a value that refers to a step, and there are none"),
        (route, "with: {id: rest.ship}", "nothing uses {id} of the path"),
        (tool, "with: {depth: 1, Depth: 2}", "`with` gives 'depth' twice, as 'depth' and as 'Depth'"),
    ],
)
def test_what_cannot_be_bound_is_refused(adapter: Callable[[str], Exposed], operation: str, message: str) -> None:
    exposed = adapter(operation)

    assert exposed.target is None
    assert [problem.message for problem in exposed.problems] == [message]


@pytest.mark.parametrize("text", ["ship", "params.ship", "tool.input.ship"])
def test_a_constant_that_names_an_input_which_nothing_else_takes_is_that_input(text: str) -> None:
    exposed = tool(f"inputParameters: [{{name: ship}}], with: {{id: {text}, units: m}}")

    assert dict(exposed.binding.sources)["id"] == Argument("ship")
    assert exposed.problems == ()


def test_a_constant_that_names_an_input_which_is_taken_is_a_constant() -> None:
    exposed = tool("inputParameters: [{name: units}], with: {id: si.units}")

    assert dict(exposed.binding.sources)["id"] == Literal("si.units")


def test_a_template_may_look_into_an_input_that_is_an_object() -> None:
    exposed = tool(
        "inputParameters: [{name: ship, type: object}], with: {id: '{{ship.id}}', units: 'in {{ship.unit}}'}"
    )
    id_, units = (dict(exposed.binding.sources)[name] for name in ("id", "units"))

    assert exposed.inputs.names == {"ship"}
    assert isinstance(id_, Inside)
    assert isinstance(units, Filled)
    assert [one({"ship": {"id": 7, "unit": "m"}}) for one in (id_, units)] == [7, "in m"]
    assert [one({"ship": {"id": {}}}) for one in (id_, units)] == [{}, UNSET]


@pytest.mark.parametrize("text", ["$this.m.ship", "$this.harbour.ship.read.ship"])
def test_a_reference_may_begin_with_this(text: str) -> None:
    exposed = tool(f"inputParameters: [{{name: ship}}], with: {{id: {text}}}")

    assert dict(exposed.binding.sources)["id"] == Argument("ship")


def test_a_declared_input_that_nothing_takes_is_told_and_may_be_given() -> None:
    exposed = tool("inputParameters: [{name: colour, type: string}, {name: depth, required: false}]")

    assert [str(problem.message) for problem in exposed.problems] == ["nothing uses the input 'colour'"]
    assert {item.name: item.required for item in exposed.inputs}["colour"]
    assert "colour" not in dict(exposed.binding.sources)


def test_an_input_declared_in_a_path_that_has_no_place_for_it_is_refused() -> None:
    exposed = route("inputParameters: [{name: depth, in: path}]")

    assert exposed.target is None


def call(document: str, environ: Environ | None = None) -> HttpCall:
    """The call behind the only tool of a document, built against an upstream that is never asked."""

    async def build() -> HttpCall:
        async with connect(transport=in_process(pages(never))) as upstream:
            (only,) = loads(dedent(document)).tools
            run = only.exposed.operation(Wiring(upstream, environ or {})).run
            assert isinstance(run, HttpCall)
            return run

    async def never() -> dict[str, bool]:
        return {}

    return anyio.run(build)


def test_parameters_of_one_name_in_two_places_keep_their_own_values() -> None:
    found = call("""\
        naftiko: 1.0.0-alpha2
        capability:
          consumes:
          - namespace: a
            baseUri: https://harbour.example
            resources:
            - name: ship
              path: /ships/{id}
              operations:
              - {name: read, inputParameters: [{name: id, in: path}, {name: id, in: query, value: fixed}]}
          exposes:
          - {type: mcp, namespace: m, tools: [{name: t, call: a.read}]}
        """)

    assert found.request({"id": "7"}) == Request("GET", "https://harbour.example/ships/7?id=fixed")


@pytest.mark.parametrize(
    "operation",
    [
        "with: {id: id}, inputParameters: [{name: id, type: string}]",
        "with: {id: ship}, inputParameters: [{name: ship, type: string}]",
    ],
)
def test_the_bare_name_of_an_input_that_nothing_else_takes_is_that_input(operation: str) -> None:
    exposed = tool(operation)

    (source,) = [source for name, source in exposed.binding.sources if name == "id"]
    assert source == Argument(exposed.inputs.items[-1].name)


def test_the_bare_name_of_an_input_that_is_taken_elsewhere_is_a_constant() -> None:
    exposed = tool("with: {id: tools.m, units: m}, inputParameters: [{name: m, type: string}]")

    assert dict(exposed.binding.sources)["units"] == Literal("m")


def test_a_placeholder_of_the_path_may_be_named_bare() -> None:
    assert dict(route("with: {id: ship}", "/ships/{ship}").binding.sources)["id"] == Argument("ship")
