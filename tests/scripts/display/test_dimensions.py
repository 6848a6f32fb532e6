"""Which dimensions a page breaks numbers down by."""

from display.dimensions import (
    Dimension,
    broken_down,
    lone_values,
    not_broken_down,
)
from display.parts import Note


def test_lone_values_are_found():
    rows = [
        {"dimension": "platform", "dimension_value": "unknown"},
        {"dimension": "country", "dimension_value": "DE"},
        {"dimension": "country", "dimension_value": "FR"},
    ]
    each = [
        Dimension(name, name.capitalize())
        for name in ("platform", "country", "channel")
    ]
    assert lone_values(rows, each) == {"platform": "unknown", "channel": None}
    assert not_broken_down({}) is None


def test_dimensions_beyond_the_bound_are_named():
    each = [Dimension(f"d{number}", f"D{number}") for number in range(8)]
    drawn = Note("Chart", "drawn")
    parts = broken_down([(one, drawn) for one in each], "marts.fct_any")
    assert len(parts) == 7
    assert parts[-1].text == "Not drawn, but in marts.fct_any: by d6 and d7."
    assert broken_down([(each[0], None)], "marts.fct_any") == []
