"""Which adapters answer on which port, and what of them clashes."""

from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.document import Document, Loading
from fairlead.listeners import Listener, arrange
from fairlead.load import loads
from fairlead.settings import Settings

API = """\
naftiko: 1.0.0-alpha2
binds:
- {namespace: env, keys: {KEY: HARBOUR_KEY}}
capability:
  consumes:
  - namespace: harbour
    baseUri: https://harbour.example
    authentication: {type: bearer, token: '{{env.KEY}}'}
    resources:
    - name: ships
      path: /ships/{id}
      operations: [{name: read, inputParameters: [{name: depth, type: integer}]}, {name: other, method: PUT}]
  exposes:
"""


def rest(*operations: str, path: str = "/ships/{id}", more: str = "", file: str = "a.yaml") -> Document:
    resource = f"{{path: '{path}', operations: [{', '.join(operations)}]}}"
    return loads(f"{API}  - {{type: rest, namespace: r{more}, resources: [{resource}]}}\n", file)


def mcp(namespace: str, *tools: str, more: str = "", file: str = "a.yaml") -> Document:
    listed = ", ".join(f"{{name: {tool}, call: harbour.read}}" for tool in tools)
    return loads(f"{API}  - {{type: mcp, namespace: {namespace}{more}, tools: [{listed}]}}\n", file)


def ports(*documents: Document, settings: Settings | None = None) -> list[int]:
    listeners, _ = arrange(documents, settings or Settings())
    return [listener.port for listener in listeners]


def problems(*documents: Document) -> list[str]:
    _, found = arrange(documents, Settings())
    return [str(problem) for problem in found]


def only(*documents: Document) -> Listener:
    (listener,), _ = arrange(documents, Settings())
    return listener


READ = "{name: read, call: harbour.read}"


def test_adapters_without_a_port_share_the_default_ones() -> None:
    assert ports(rest(READ), mcp("m", "t"), mcp("n", "t")) == [8080, 9090]


def test_adapters_answer_on_the_ports_of_their_documents_unless_a_setting_says_otherwise() -> None:
    documents = rest(READ, more=", port: 8001"), mcp("m", "t", more=", port: 8002")

    assert ports(*documents) == [8001, 8002]
    assert ports(*documents, settings=Settings(rest_port=1, mcp_port=2)) == [1, 2]
    assert ports(*documents, settings=Settings(rest_port=1, mcp_port=1)) == [1]


def test_the_same_route_of_two_documents_is_one_route_and_a_warning_with_both_places() -> None:
    renamed = "{name: read, call: harbour.read, with: {id: rest.ship}}"
    documents = rest(READ), rest(renamed, path="/ships/{ship}", file="b.yaml")

    assert [str(route) for route in only(*documents).routes] == ["GET /ships/{id}"]
    assert problems(*documents) == [
        "b.yaml:14:81: warning: GET /ships/{ship} is the same as at a.yaml:14:79; they are served as one"
    ]


def clash(second: Document) -> list[str]:
    """What is wrong with a route beside the first of the same method and path."""
    return problems(rest(READ), second)


CLASH = (
    "b.yaml:14:79: GET /ships/{id} clashes with another route on port 8080; "
    "a.yaml:14:79 has it too, and neither is served; keep one, or serve with --rest-prefix namespace"
)


def test_a_route_with_another_target_clashes_and_both_places_are_named() -> None:
    assert clash(rest("{name: read, method: GET, call: harbour.other}", file="b.yaml")) == [CLASH]


def test_a_route_with_another_mapping_clashes() -> None:
    mapped = "{name: read, call: harbour.read, outputParameters: [{mapping: $.name}]}"

    assert clash(rest(mapped, file="b.yaml")) == [CLASH]


def test_a_route_with_another_constant_clashes() -> None:
    assert clash(rest("{name: read, call: harbour.read, with: {depth: 3}}", file="b.yaml")) == [CLASH]


def test_a_route_with_another_credential_clashes() -> None:
    text = f"{API}  - {{type: rest, namespace: r, resources: [{{path: '/ships/{{id}}', operations: [{READ}]}}]}}\n"

    assert clash(loads(text.replace("{type: bearer, token: ", "{type: apikey, key: k, value: "), "b.yaml")) == [CLASH]


def test_a_route_whose_credential_is_another_variable_of_the_same_name_clashes() -> None:
    text = f"{API}  - {{type: rest, namespace: r, resources: [{{path: '/ships/{{id}}', operations: [{READ}]}}]}}\n"

    assert clash(loads(text.replace("HARBOUR_KEY", "OTHER_KEY"), "b.yaml")) == [CLASH]


def test_routes_of_other_ports_methods_or_paths_do_not_clash() -> None:
    others = (
        rest("{name: read, call: harbour.other}", more=", port: 8001", file="b.yaml"),
        rest("{name: read, method: PUT, call: harbour.other}", file="c.yaml"),
        rest("{name: read, call: harbour.other, with: {id: x}}", path="/ships/all", file="d.yaml"),
    )

    assert problems(rest(READ), *others) == []


def test_with_a_prefix_no_two_namespaces_clash() -> None:
    text = (
        f"{API}  - {{type: rest, namespace: NAME, resources: [{{path: '/ships/{{id}}', operations: [OPERATION]}}]}}\n"
    )
    one = text.replace("NAME", "one").replace("OPERATION", READ)
    two = text.replace("NAME", "two").replace("OPERATION", "{name: read, method: GET, call: harbour.other}")
    prefixed = Loading(rest_prefix=True)
    documents = [loads(one, "a.yaml", prefixed), loads(two, "b.yaml", prefixed)]

    assert [str(route) for route in only(*documents).routes] == ["GET /one/ships/{id}", "GET /two/ships/{id}"]
    assert problems(*documents) == []


def test_each_adapter_has_its_own_endpoint_and_one_has_the_tools_of_all() -> None:
    sets = {one.path: [tool.name for tool in one.tools] for one in only(mcp("m", "a", "b"), mcp("n", "c")).tool_sets()}

    assert sets == {"/m/mcp": ["a", "b"], "/n/mcp": ["c"], "/mcp": ["a", "b", "c"]}


def test_tools_of_one_name_are_qualified_where_they_meet_and_that_is_said() -> None:
    documents = mcp("m", "read"), mcp("n", "read", file="b.yaml")

    sets = {one.path: [tool.name for tool in one.tools] for one in only(*documents).tool_sets()}

    assert sets == {"/m/mcp": ["read"], "/n/mcp": ["read"], "/mcp": ["m_read", "n_read"]}
    assert problems(*documents) == [
        "a.yaml:14:39: warning: tool 'read' is called 'm_read' at /mcp",
        "b.yaml:14:39: warning: tool 'read' is called 'n_read' at /mcp",
    ]


def test_a_namespace_that_two_mcp_adapters_want_is_numbered_and_told_with_both_places() -> None:
    documents = mcp("m", "a"), mcp("m", "b", file="b.yaml")

    assert [one.path for one in only(*documents).tool_sets()] == ["/m/mcp", "/m-2/mcp", "/mcp"]
    assert problems(*documents) == [
        "b.yaml:14:28: warning: MCP namespace 'm' is taken; a.yaml:14:5 has it; its tools are at /m-2/mcp"
    ]


def test_an_adapter_without_a_namespace_has_its_type_for_one() -> None:
    assert [one.path for one in only(mcp("null", "a")).tool_sets()] == ["/mcp/mcp", "/mcp"]


def test_a_tool_whose_name_no_client_would_take_gets_one_that_it_does() -> None:
    document = mcp("m", "'read a ship'")
    (renamed,) = problems(document)[:1]

    assert renamed.startswith("a.yaml:14:39: warning: tool 'read a ship' is called 'read-a-ship-")


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=4, unique=True), st.integers(1, 3))
def test_aliases_do_not_depend_on_anything_but_the_documents(tools: list[str], count: int) -> None:
    documents = [mcp(f"n{number}", *tools, file=f"{number}.yaml") for number in range(count)]

    names = [tool.name for one in only(*documents).tool_sets() if one.path == "/mcp" for tool in one.tools]

    qualified = [f"n{number}_{tool}" for number in range(count) for tool in tools]
    assert names == (tools if count == 1 else qualified)


def test_a_route_that_an_mcp_endpoint_would_hide_is_a_problem() -> None:
    """Both would answer at the same path of the same port."""
    route = "{path: /m/mcp, operations: [{name: read, call: harbour.read, with: {id: x}}]}"
    both = f"  - {{type: rest, namespace: r, port: 9090, resources: [{route}]}}\n  - {{type: mcp, namespace: m}}\n"

    assert any("/m/mcp" in problem for problem in problems(loads(API + both, "a.yaml")))
