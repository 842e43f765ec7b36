"""YAML text becomes mappings and lists that know their places, or a list of problems; never anything else."""

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.errors import LoadError, Place
from fairlead.nodes import MappingNode
from fairlead.source import parse, read


def parsed(text: str) -> MappingNode:
    return parse(dedent(text).encode(), "f.yaml")


def problems(data: bytes) -> list[str]:
    with pytest.raises(LoadError) as caught:
        parse(data, "f.yaml")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    "word", "on off yes no On NO y n 2026-05-19 2026-05-19T10:00:00Z 12:30:45 1_000 .inf .nan".split()
)
def test_words_that_yaml_1_1_would_convert_stay_text(word: str) -> None:
    assert parsed(f"a: {word}") == {"a": word}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("null", None),
        ("~", None),
        ("", None),
        ("true", True),
        ("FALSE", False),
        ("12", 12),
        ("-7", -7),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("'1'", "1"),
        ('"true"', "true"),
        ("!!str 1", "1"),
        ("1.0.0", "1.0.0"),
    ],
)
def test_scalars_have_the_values_of_the_yaml_1_2_core_schema(text: str, value: Any) -> None:
    found = parsed(f"a: {text}")["a"]

    assert found == value
    assert isinstance(found, type(value))


@pytest.mark.parametrize("text", ["007", "1.10", "+5", "1e3", "0.0"])
def test_numbers_keep_their_spelling(text: str) -> None:
    assert parsed(f"a: {text}")["a"].text == text


def test_a_number_of_absurd_length_stays_text() -> None:
    assert parsed(f"a: {'9' * 100_000}") == {"a": "9" * 100_000}


@pytest.mark.parametrize("key", ["on", "1", "null", "true", "2026-05-19", "1.10"])
def test_keys_are_always_text_as_written(key: str) -> None:
    assert parsed(f"{key}: 1") == {key: 1}


def test_keys_values_and_items_know_their_places() -> None:
    root = parsed("""\
        a: 1
        b:
          é😀: {x: [yes, 'no']}
        """)
    inner = root["b"]["é😀"]

    assert root.place == Place("f.yaml", 1, 1)
    assert root.key_places == {"a": Place("f.yaml", 1, 1), "b": Place("f.yaml", 2, 1)}
    assert root.value_places == {"a": Place("f.yaml", 1, 4), "b": Place("f.yaml", 3, 3)}
    assert inner.place == Place("f.yaml", 3, 7)
    assert inner.value_places == {"x": Place("f.yaml", 3, 11)}
    assert inner["x"].places == [Place("f.yaml", 3, 12), Place("f.yaml", 3, 17)]


def test_an_alias_is_the_value_of_its_anchor() -> None:
    root = parsed("a: &x {b: [1]}\nc: *x\n")

    assert root == {"a": {"b": [1]}, "c": {"b": [1]}}
    assert root.value_places["c"] == Place("f.yaml", 2, 4)


def test_every_duplicate_key_is_refused_with_the_line_of_the_first() -> None:
    assert problems(b"a: 1\nb: 2\na: 3\nc: {d: 1, d: 2}\n") == [
        "f.yaml:3:1: duplicate key 'a'; it already stands at line 1",
        "f.yaml:4:11: duplicate key 'd'; it already stands at line 4",
    ]


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert parse(b"\xef\xbb\xbfa: 1\n", "f.yaml") == {"a": 1}


@pytest.mark.parametrize("data", [b"a: 1\nb: \xff\n", b"a: 1\nb: \xed\xa0\x80\n", b"a: 1\nb: caf\xe9\n"])
def test_text_that_is_not_utf_8_is_refused_with_its_line(data: bytes) -> None:
    assert problems(data) == ["f.yaml:2:1: is not UTF-8 text"]


def test_utf_16_is_read_where_it_has_a_byte_order_mark() -> None:
    assert parse("a: caf\u00e9\n".encode("utf-16"), "f.yaml") == {"a": "caf\u00e9"}
    assert problems("a: caf\u00e9\n".encode("utf-16-le")) == ["f.yaml:1:1: is not UTF-8 text"]


def test_an_empty_document_after_the_last_line_is_nothing() -> None:
    assert parse(b"a: 1\n---\n# the end\n", "f.yaml") == {"a": 1}


def test_merge_keys_take_over_what_a_mapping_does_not_have_itself() -> None:
    root = parse(b"one: &one {a: 1, b: 2}\ntwo: &two {c: 3}\nall:\n  <<: [*one, *two]\n  b: 5\n", "f.yaml")

    assert root["all"] == {"b": 5, "a": 1, "c": 3}
    assert str(root["all"].value_places["c"]) == "f.yaml:2:15"
    assert parse(b"a: &a {b: 1}\n'<<': *a\nc: {<<: 5}\n", "f.yaml") == {"a": {"b": 1}, "<<": {"b": 1}, "c": {"<<": 5}}


@pytest.mark.parametrize("char", ["\x00", "\x01", "\x1b", "\x7f", "\ufffe"])
def test_a_control_character_is_refused_with_its_line(char: str) -> None:
    expected = f"f.yaml:2:1: control character {char!r} is not allowed"

    assert problems(f"a: 1\nb: {char}\nc: 1\n\n\n".encode()) == [expected]


def test_the_line_of_a_control_character_is_right_after_text_that_is_not_ascii() -> None:
    assert problems(f"a: {'é' * 40}\nb: \x01\n{'#' * 5}\n\n\n\n\n\n\n".encode()) == [
        "f.yaml:2:1: control character '\\x01' is not allowed"
    ]


@pytest.mark.parametrize("text", ["{", "a: [", "'", '"a', "a: 'b", "? - :\n- ", "&"])
def test_text_that_breaks_off_is_a_problem_like_any_other(text: str) -> None:
    (problem,) = problems(text.encode())

    assert "is not valid YAML" in problem


@pytest.mark.parametrize("line_break", ["\x85", "\u2028", "\r"])
def test_a_syntax_error_after_an_unusual_line_break_is_a_problem_like_any_other(line_break: str) -> None:
    (problem,) = problems(f"a: b{line_break}{line_break}\t!.c: ]".encode())

    assert "is not valid YAML" in problem


def test_indenting_with_a_tab_is_refused_with_a_hint() -> None:
    (problem,) = problems(b"a:\n\tb: 1\n")

    assert problem.startswith("f.yaml:2:1: is not valid YAML")
    assert problem.endswith("; indent with spaces, not tabs")


def test_a_file_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"

    with pytest.raises(LoadError) as caught:
        read(path)

    assert str(caught.value) == f"{path}:1:1: cannot be read: No such file or directory"


def test_characters_beyond_ascii_are_text_like_any_other() -> None:
    assert parsed("é: '😀 日本'") == {"é": "😀 日本"}


SIGNS = st.text(alphabet=list("ab:-?[]{},&*!|>'\"%@`#\t\n\r \x85\u2028\ufeff\x00\x01é€😀~.0<="), max_size=25)


@settings(deadline=None)
@given(st.binary(max_size=40) | st.text().map(str.encode) | SIGNS.map(str.encode))
def test_any_bytes_are_a_mapping_or_a_load_error_with_problems(data: bytes) -> None:
    found = outcome(data)

    assert isinstance(found, MappingNode) or len(found.problems) > 0


def outcome(data: bytes) -> MappingNode | LoadError:
    try:
        return parse(data, "f.yaml")
    except LoadError as error:
        return error


SCALARS = st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text()
DATA = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=20
)


@settings(deadline=None)
@given(st.dictionaries(st.text(), DATA, max_size=4), st.sampled_from([None, True, False]))
def test_what_a_yaml_writer_wrote_is_read_back(data: dict[str, Any], flow: bool | None) -> None:
    """A writer of YAML 1.1 quotes whatever 1.1 or 1.2 would convert, so text stays text."""
    text = yaml.safe_dump(data, default_flow_style=flow)

    assert parse(text.encode(), "f.yaml") == data


@settings(deadline=None)
@given(st.floats(-1e90, 1e90).filter(lambda number: abs(number) > 1e-90) | st.just(0.0))
def test_decimal_numbers_are_read_back(number: float) -> None:
    assert parse(f"a: {number!r}".encode(), "f.yaml") == {"a": number}


@settings(deadline=None)
@given(st.lists(st.text(alphabet="abc", min_size=1), unique=True, min_size=1), st.integers(0, 5))
def test_every_key_stands_where_its_place_says(keys: list[str], indent: int) -> None:
    lines = ["root:", *(f"{' ' * (indent + 1)}{key}: 1" for key in keys)]
    node = parse("\n".join(lines).encode(), "f.yaml")["root"]

    for key, place in node.key_places.items():
        assert lines[place.line - 1][place.column - 1 :].startswith(f"{key}: ")
