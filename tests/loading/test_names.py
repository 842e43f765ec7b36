"""How names are compared and derived."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.names import canonical, find, property_names, safe_name, slug, unique_names

SAFE = re.compile(r"[A-Za-z0-9_-]{1,64}")


@pytest.mark.parametrize("name", ["batch-id", "batch_id", "batchId", "BATCH.ID", "batch id", "_batch_id_"])
def test_case_and_signs_do_not_tell_names_apart(name: str) -> None:
    assert canonical(name) == "batchid"
    assert find(name, ["other", "batch_id"]) == "batch_id"


def test_the_exact_spelling_wins() -> None:
    assert find("batch_id", ["batch-id", "batchId", "batch_id"]) == "batch_id"


def test_two_names_that_are_equally_near_are_none() -> None:
    assert find("batchId", ["batch-id", "batch_id"]) is None


def test_names_of_signs_only_are_told_apart_by_their_signs() -> None:
    assert find("--", ["__", "--"]) == "--"
    assert find("+", ["-"]) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Ships in Port", "ships-in-port"), ("ships_in__port", "ships-in-port"), ("/ships/{id}", "ships-id"), ("", "")],
)
def test_a_slug_is_lower_case_words_joined_by_hyphens(text: str, expected: str) -> None:
    assert slug(text) == expected


def test_a_name_within_the_limits_is_kept() -> None:
    assert safe_name("list-Ships_2") == "list-Ships_2"
    assert safe_name("x" * 64) == "x" * 64


def test_a_name_that_loses_something_gets_a_hash_of_all_of_it() -> None:
    assert safe_name("list ships") == "list-ships-237f274c"
    assert safe_name("list/ships") != safe_name("list ships")
    assert safe_name("x" * 65) == f"{'x' * 55}-9537c5fd"


@given(st.text(min_size=1))
def test_every_name_is_made_safe_and_always_in_the_same_way(name: str) -> None:
    assert SAFE.fullmatch(safe_name(name))
    assert safe_name(name) == safe_name(name)


def test_only_names_that_repeat_are_qualified() -> None:
    tools = [("ships", "list"), ("berths", "list"), ("berths", "read")]

    assert unique_names(tools) == ["ships_list", "berths_list", "read"]


def test_a_qualified_name_that_is_taken_is_numbered() -> None:
    assert unique_names([("a", "b"), ("a", "b"), ("c", "a_b")]) == ["a_b", "a_b_2", "a_b_3"]


NAMES = st.sampled_from(["a", "b", "a_b", "a_b_2", "a b", "é", "x" * 70])


@settings(deadline=None)
@given(st.lists(st.tuples(NAMES, NAMES), max_size=12))
def test_the_names_of_one_endpoint_are_safe_and_unique(qualified: list[tuple[str, str]]) -> None:
    names = unique_names(qualified)

    assert len(names) == len(qualified) == len(set(names))
    assert [name for name in names if not SAFE.fullmatch(name)] == []


def test_an_input_of_a_tool_keeps_its_name_where_clients_allow_it() -> None:
    assert property_names(["a.b", "a-b", "a_b"]) == {"a.b": "a.b", "a-b": "a-b", "a_b": "a_b"}


def test_an_input_of_a_tool_gets_the_nearest_free_name_where_clients_do_not_allow_its_own() -> None:
    assert property_names(["key+", "key", "$filter", "??", "a b", "a/b"]) == {
        "key": "key",
        "key+": "key_2",
        "$filter": "filter",
        "??": "input",
        "a b": "a_b",
        "a/b": "a_b_2",
    }


@given(st.lists(st.text(min_size=1) | NAMES, max_size=8))
def test_the_inputs_of_a_tool_are_unique_within_what_clients_allow(names: list[str]) -> None:
    given_names = property_names(names)

    assert given_names.keys() == set(names)
    assert len(set(given_names.values())) == len(given_names)
    assert [name for name in given_names.values() if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", name)] == []
