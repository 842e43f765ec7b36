"""Made-up answers in which every path of some outputs finds a value."""

from typing import Any

import pytest

from fairlead.parameters import OutputParameter
from fairlead.samples import sample
from fairlead.shape import Context, members


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ([], None),
        ([{"name": "all", "mapping": "$."}], None),
        (
            [{"name": "imo", "mapping": "$.ship.imo"}, {"name": "n", "type": "integer", "mapping": "$.ship.n"}],
            {"ship": {"imo": "imo", "n": 1}},
        ),
        (
            [{"name": "first", "mapping": "$.data[0].id"}, {"name": "x", "mapping": "$.data[*]['a b']"}],
            {"data": [{"id": "first", "a b": "x"}]},
        ),
        (
            [
                {
                    "name": "crew",
                    "type": "array",
                    "mapping": "$.crew",
                    "items": {"properties": {"name": {"name": "name", "mapping": "$.who"}}},
                }
            ],
            {"crew": [{"who": "name"}]},
        ),
        ([{"name": "some", "mapping": "$.ships[?@.x == 1]"}], None),
        ([{"name": "ids", "mapping": "$[*].id"}], [{"id": "ids"}]),
    ],
)
def test_every_path_finds_a_value(outputs: list[dict[str, Any]], expected: Any) -> None:
    listed = tuple(map(OutputParameter.model_validate, outputs))

    assert sample(listed) == expected
    if expected is not None:
        assert None not in members(listed, Context(str))(expected, {}).values()


def test_a_long_word_before_a_filter_takes_no_time() -> None:
    output = OutputParameter(name="id", mapping="$.organizationalInformationRecordsOfAllShips[?@.x].id")

    assert sample([output]) is None
