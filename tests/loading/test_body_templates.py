"""Bodies from templates stay what their type says, whatever the values hold."""

import json
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from fairlead.bodies import BodyModel, Kind, TemplateBody, as_body, compiled

TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.text("\"\\{}[]:,\n\t&<>'=+%\u2028{{a}}")
VALUES = st.recursive(
    TEXTS
    | st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
IN_XML = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]) | st.sampled_from("\"'<>&{}"))


def made(body: Any, arguments: dict[str, Any]) -> bytes:
    """The body that a template makes of arguments."""
    model = BodyModel.model_validate(as_body(body) if isinstance(body, str) else body)
    kind: Kind = model.type
    sent = TemplateBody(compiled(model.tree, lambda hole: hole), kind)(arguments)
    assert sent is not None
    assert isinstance(sent[0], bytes)
    return sent[0]


@given(a=VALUES, b=TEXTS)
def test_json_holds_any_values_and_no_more(a: Any, b: str) -> None:
    text = '{"a": {{a}}, "quoted": "{{a}}", "b": "<{{b}}>", "list": [{{a}}, "{{b}}"]}'
    data = {"a": "{{a}}", "quoted": "{{a}}", "b": "<{{b}}>", "list": ["{{a}}", "{{b}}"]}
    expected = {"a": a, "quoted": a, "b": f"<{b}>", "list": [a, b]}

    for body in (text, {"type": "json", "data": text}, {"type": "json", "data": data}):
        assert json.loads(made(body, {"a": a, "b": b})) == expected


@given(a=VALUES)
def test_json_lacks_what_is_not_given_and_is_json_all_the_same(a: Any) -> None:
    text = '{"a": {{a}}, "b": {{b}}, "c": ["{{b}}", {"d": "{{b}}"}], "e": "x{{b}}"}'

    assert json.loads(made(text, {"a": a})) == {"a": a, "c": [{}], "e": "x"}


@given(a=TEXTS, b=TEXTS)
def test_a_form_holds_any_texts_and_no_more(a: str, b: str) -> None:
    expected = [(name, value) for name, value in (("a", a), ("b", f"-{b}"))]

    for data in ("a={{a}}&b=-{{b}}", {"a": "{{a}}", "b": "-{{b}}"}):
        body = made({"type": "formUrlEncoded", "data": data}, {"a": a, "b": b})
        assert parse_qsl(body.decode(), keep_blank_values=True) == expected


@given(a=IN_XML, b=IN_XML)
def test_xml_holds_any_texts_and_no_more(a: str, b: str) -> None:
    root = ET.fromstring(made({"type": "xml", "data": '<s n="{{a}}"><t>.{{b}}</t></s>'}, {"a": a, "b": b}))  # noqa: S314

    assert [one.tag for one in root.iter()] == ["s", "t"]
    assert (root.get("n"), root.findtext("t")) == (a, f".{b}")
