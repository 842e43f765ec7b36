"""Text with holes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.template import Hole, Template, parse


@pytest.mark.parametrize("text", ["/ships/{id}/log", "/ships/{{id}}/log", "/ships/{ id }/log", "/ships/{{ id }}/log"])
def test_one_brace_or_two_make_the_same_hole(text: str) -> None:
    assert parse(text) == Template(("/ships/", Hole("id"), "/log"))


def test_a_dollar_sign_belongs_to_the_hole_behind_it() -> None:
    assert parse("https://${HOST}/$a") == Template(("https://", Hole("HOST"), "/$a"))


def test_single_braces_are_text_where_only_double_ones_are_holes() -> None:
    assert parse("{a}-{{b}}", single=False) == Template(("{a}-", Hole("b")))


@pytest.mark.parametrize("text", ["", "abc", "{}", "{{}}", "{ }", "{a", "a}", "}{", "{{a"])
def test_what_is_no_hole_is_text(text: str) -> None:
    assert parse(text) == Template((text,) if text else ())


@pytest.mark.parametrize("name", ["batch-id", "a.b", "env.TOKEN", "ü"])
def test_a_hole_may_have_any_name_without_braces(name: str) -> None:
    assert parse(f"{{{name}}}").holes == (name,)


def test_a_hole_with_a_plus_spans_segments_under_its_name_alone() -> None:
    assert parse("/{key+}") == Template(("/", Hole("key", spans=True)))


def test_holes_are_named_once_and_in_order() -> None:
    assert parse("{b}{a}-{b}").holes == ("b", "a")


def test_every_hole_is_filled() -> None:
    assert parse("{a}/{{b}}{a}").fill({"a": "1", "b": "{a}"}.__getitem__) == "1/{a}1"


@given(st.lists(st.text(alphabet="abc/ -") | st.sampled_from("xyz").map(Hole), max_size=8))
def test_a_template_fills_what_was_written_around_its_holes(parts: list[str | Hole]) -> None:
    text = "".join(part if isinstance(part, str) else f"{{{part.name}}}" for part in parts)

    expected = "".join(part if isinstance(part, str) else f"<{part.name}>" for part in parts)

    assert parse(text).fill(lambda name: f"<{name}>") == expected


@given(st.text(alphabet="{}$a ", max_size=12))
def test_filling_holes_with_their_own_spelling_gives_the_same_template(text: str) -> None:
    template = parse(text)

    assert parse(template.fill(lambda name: f"{{{name}}}")).holes == template.holes
