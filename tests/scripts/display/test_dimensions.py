"""Which dimensions a page breaks numbers down by."""

from display.dimensions import Dimension, broken_down, not_broken_down
from display.parts import Note


def test_lone_values_are_named():
    rows = [
        {"dimension": "platform", "dimension_value": "unknown"},
        {"dimension": "country", "dimension_value": "DE"},
        {"dimension": "country", "dimension_value": "FR"},
    ]
    each = [
        Dimension(name, name.capitalize())
        for name in ("platform", "country", "channel")
    ]
    assert not_broken_down(rows, each).text == (
        "Not broken down by platform or channel: the only platform is unknown"
        " and no channel is known."
    )
    assert not_broken_down(rows, each[1:2]) is None
    assert not_broken_down([], each) is None


def test_dimensions_beyond_the_bound_are_named():
    each = [Dimension(f"d{number}", f"D{number}") for number in range(8)]
    drawn = Note("Chart", "drawn")
    parts = broken_down(each, lambda _: drawn, "marts.fct_any")
    assert len(parts) == 7
    assert parts[-1].text == "Not drawn, but in marts.fct_any: by d6 and d7."
    assert broken_down(each[:1], lambda _: None, "marts.fct_any") == []
