"""JSONPath expressions are read as RFC 9535 has them, and as published files write them."""

import json
from pathlib import Path
from typing import Any

import pytest

from fairlead.errors import UpstreamFailed
from fairlead.jsonpath import MAX_NESTING, MAX_SEGMENTS, First, compile_path, standard

SUITE = json.loads((Path(__file__).parent / "rfc9535" / "cts.json").read_text("utf-8"))["tests"]
VALID = [case for case in SUITE if not case.get("invalid_selector")]
INVALID = [case["selector"] for case in SUITE if case.get("invalid_selector")]

FLEET = {
    "ships": [{"name": "Ada", "size": 9, "home-port": "Oslo"}, {"name": "Bea", "size": 4}, {"name": "ada", "size": 7}],
    "length": 2,
    "home port": {"city": "Oslo"},
    "weird-key": [1, 2, 3],
    "word": "north",
    "x.y": 1,
}


def find(path: str, value: Any = FLEET) -> Any:
    get = compile_path(path)
    return get(value) if get else value


@pytest.mark.parametrize("case", VALID, ids=lambda case: case["name"])
def test_a_path_of_the_compliance_suite_finds_what_the_suite_says(case: dict[str, Any]) -> None:
    get = compile_path(case["selector"])
    lists = case.get("results") or [case["result"]]
    is_definite = get is None or isinstance(get, First)
    expected = [found[0] if found else None for found in lists] if is_definite else lists

    assert find(case["selector"], case["document"]) in expected


def test_what_the_compliance_suite_refuses_is_no_standard_path() -> None:
    assert len(INVALID) == 245
    for path in INVALID:
        with pytest.raises(ValueError):
            standard.compile_path(path)


def test_three_kinds_of_paths_that_the_compliance_suite_refuses_are_understood() -> None:
    def is_understood(path: str) -> bool:
        try:
            compile_path(path)
        except ValueError:
            return False
        return True

    assert [path for path in INVALID if is_understood(path)] == [" $", "$ ", "$.1"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$", FLEET),
        ("$.", FLEET),
        ("@", FLEET),
        ("$.word", "north"),
        ("word", "north"),
        ("@.word", "north"),
        ("$.none.at.all", None),
        ("$.word.none", None),
        ("$.word[0]", None),
        ("$['x.y']", 1),
        ('$["x.y"]', 1),
        ("$.ships[0].name", "Ada"),
        ("$.ships[-1].name", "ada"),
        ("$.ships[-4]", None),
        ("$.ships[3]", None),
        ("$.ships[*].size", [9, 4, 7]),
        ("$.ships.*.size", [9, 4, 7]),
        ("$.ships[*].home-port", ["Oslo"]),
        ("$.none[*]", []),
        ("$['home port'].*", ["Oslo"]),
        ("$.ships[0,1].size", [9, 4]),
        ("$.ships[1:].size", [4, 7]),
        ("$.ships[::-1].size", [7, 4, 9]),
        ("$..size", [9, 4, 7]),
        ("$..['name','size']", ["Ada", 9, "Bea", 4, "ada", 7]),
        ("$.ships[?@.size>5].name", ["Ada", "ada"]),
        ("$.ships[?(@.size>5 && !(@.name=='Ada'))].name", ["ada"]),
        ("$.ships[?@.size<5 || @.name=='Ada'].name", ["Ada", "Bea"]),
        ("$.ships[?@['home-port']].size", [9]),
        ("$.ships[?length(@.name)==3].size", [9, 4, 7]),
        ("$.ships[?count(@.*)==2].name", ["Bea", "ada"]),
        ("$.ships[?value(@..name)=='Bea'].size", [4]),
        ("$.ships[?match(@.name, '[Aa].a')].name", ["Ada", "ada"]),
        ("$.ships[?search(@.name, 'd')].name", ["Ada", "ada"]),
        ("$.ships[?search(@.name, $.word)].name", []),
    ],
)
def test_a_path_finds_a_value_or_null_where_it_is_definite_and_else_a_list(path: str, expected: Any) -> None:
    assert find(path) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$.weird-key", [1, 2, 3]),
        ("$.weird-key[?@>1]", [2, 3]),
        ("$..home-port", ["Oslo"]),
        ("$.ships[?@.home-port=='Oslo'].size", [9]),
        ("$.ships[?@.name=='.a-b']", []),
        ("$.home port.city", "Oslo"),
        ("$.ships.`len`", 3),
        ("$.ships[0].`keys`", ["name", "size", "home-port"]),
        ('$.ships[?(@.name =~ "^[Aa]")].size', [9, 7]),
        ('$.ships[?(@.size > 5 && @.name =~ "^a")].size', [7]),
        ('$.ships[?(@.name =~ "^B" || @.size == 7)].size', [4, 7]),
        ("$.word.`sub(/n(.)/, \\\\1)`", "orth"),
        ("$.word.`split(r, 0, -1)`", "no"),
        ("$.weird-key.`sorted`", [1, 2, 3]),
    ],
)
def test_what_the_standard_does_not_have_is_found_too(path: str, expected: Any) -> None:
    assert find(path) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$.length", 2),
        ("$['length']", 2),
        ("$.ships.length", 3),
        ("$.ships['length']", None),
        ("$.word.length", None),
        ("$.ships.length()", 3),
        ("$.ships.size()", 3),
        ("$.word.length()", 5),
        ("$.length()", 6),
        ("$.ships[*].name.length()", 3),
        ("$.none.length()", None),
    ],
)
def test_a_member_named_length_wins_and_the_length_of_an_array_is_how_many_items_it_has(
    path: str, expected: Any
) -> None:
    assert find(path) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$.ships[?(@.flag in ['NO', 'SE'])].name", ["Fram", "Vasa"]),
        ("$.ships[?(@.flag nin ['NO', 'SE'])].name", ["Ada in [x]"]),
        ("$.ships[?(@.crew in [13,2] && @.flag=='NO')].name", ["Fram"]),
        ("$.ships[?(@.name =~ /^[FV]a.*$/)].name", ["Vasa"]),
        ("$.ships[?(@.name =~ /\\w+/)].name", ["Fram", "Vasa"]),
        ("$.ships[?(@.name == 'Ada in [x]')].crew", [2]),
        ("$.a-in[0]", 7),
        ("$.ships[*].crew.min()", 2),
        ("$.ships[*].crew.max()", 145),
        ("$.ships[*].crew.sum()", 160),
        ("$.a-in.avg()", 7),
        ("$.ships[0].keys()", ["name", "flag", "crew"]),
        ("$.ships[*].name.first()", "Fram"),
        ("$.ships[*].name.last()", "Ada in [x]"),
        ("$.ships[*].name.max()", None),
        ("$.none.sum()", None),
    ],
)
def test_what_the_reference_engine_writes_otherwise_is_understood(path: str, expected: Any) -> None:
    ships = [{"name": "Fram", "flag": "NO", "crew": 13}, {"name": "Vasa", "flag": "SE", "crew": 145}]
    value = {"ships": [*ships, {"name": "Ada in [x]", "flag": "DK", "crew": 2}], "a-in": [7]}

    get = compile_path(path)

    assert get
    assert get(value) == expected


@pytest.mark.parametrize("value", [[1, 2], []], ids=repr)
def test_the_length_of_an_answer_that_is_an_array_is_how_many_items_it_has(value: list[int]) -> None:
    assert find("$.length", value) == len(value)


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("", "is empty"),
        ("$.a[", "is not a JSONPath: unbalanced brackets"),
        ("$.a b c d(", "is not a JSONPath: expected '.', '..' or a bracketed selection, found 'b'"),
        ("$[?@.a==]", "is not a JSONPath: unexpected end of expression"),
        ("$.a.stddev()", "is not a JSONPath: expected '.', '..' or a bracketed selection, found '('"),
        ("$.a * 1000000000", "uses arithmetic, which is not supported"),
        ("$.a.`parent`", "uses '`parent`', which is not supported"),
        ("$|`sorted`", "uses '`sorted`' in a union, or in front of more, which is not supported"),
        ("$..a..b.`len`", "uses '..' twice beside what RFC 9535 does not have"),
        ('$[?(@.a == $.b && @.c =~ "d")]', "uses '$' in a filter beside what RFC 9535 does not have"),
        ("$" + "[0,0]" * 7 + ".`len`", "has more than 64 branches"),
        ('$[?(@.a =~ "((")]', "has a regular expression that RE2 does not take, '(('"),
        ("$" + ".a" * 1000, "is longer than 1024 characters"),
        ("$" + ".a" * (MAX_SEGMENTS + 1), "has more than 128 segments"),
        ("$" + "[?@" * (MAX_NESTING + 1) + "]" * (MAX_NESTING + 1), "is nested more than 16 deep"),
        ("$[?" + "(" * 300 + "@" + ")" * 300 + "]", "is nested more than 16 deep"),
    ],
)
def test_what_is_no_path_or_has_no_bound_is_refused_with_the_reason(path: str, fault: str) -> None:
    with pytest.raises(ValueError) as caught:
        compile_path(path)

    assert str(caught.value) == fault


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.parametrize("path", ["$..a", "$[?@..b]", "$[?@ == $.a]"])
def test_an_answer_that_is_nested_too_deeply_for_a_path_fails_the_call(path: str) -> None:
    with pytest.raises(UpstreamFailed) as caught:
        find(path, {"a": nested(100_000), "b": nested(100_000)})

    assert caught.value.detail == "the upstream's answer is nested too deeply for its output mapping"


def test_an_answer_may_be_nested_deeply_where_the_path_does_not_go() -> None:
    assert find("$.b", {"a": nested(5000), "b": 1}) == 1


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$" + "[0,0]" * 40, nested(0)),
        ("$" + "[0,0]" * 22, [[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]),
        ("$..*..*..*..*", nested(90)),
        ("$[?count($..*) > 1]", [0] * 5000),
        ("$[?search('a', @)]", [f"[^a]{{{count}}}" for count in range(999)]),
    ],
    ids=["twice-at-every-step-of-nothing", "twice-at-every-step", "descendants", "quadratic", "patterns"],
)
def test_the_work_of_a_path_has_an_end(path: str, value: Any) -> None:
    if value == 1:
        assert find(path, value) == []
        return
    with pytest.raises(UpstreamFailed) as caught:
        find(path, value)

    assert caught.value.detail == "the upstream's answer is too large for the path of its output mapping"


def test_a_search_begins_with_all_its_work() -> None:
    get = compile_path("$[?count($..*) > 1]")
    assert get

    for _ in range(3):
        assert len(get([0] * 400)) == 400


@pytest.mark.parametrize("call", ["search(@, '(a|aa)+$')", "match(@, '(a|a)*')", "@ =~ '(a|aa)+$'"])
def test_a_regular_expression_that_would_backtrack_without_end_takes_linear_time(call: str) -> None:
    assert find(f"$[?({call})]", ["a" * 100_000 + "b"]) == []


@pytest.mark.parametrize("text", ["\ud800", "\x00"])
def test_a_regular_expression_is_asked_about_any_text(text: str) -> None:
    assert find("$[?search(@, 'a')]", [text]) == []
    assert find("$[?(@ =~ 'a')]", [text]) == []
