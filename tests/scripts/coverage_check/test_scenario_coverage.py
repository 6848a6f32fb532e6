"""Intervals of scenarios hold the truth as often as they say."""

import pytest
from cases import listed

from coverage_check.scenarios import BOUNDS, coverage_rows


def test_rows_say_what_was_counted():
    rows = coverage_rows(20)
    assert len(rows) == 8
    assert len({row["name"] for row in rows}) == 8
    for row in rows:
        assert set(row) == listed("name nominal found low high replicates")
        assert row["low"] <= row["found"] <= row["high"]
        assert row["replicates"] == 20
        assert row["nominal"] in {nominal for nominal, *_ in BOUNDS.values()}
    assert coverage_rows(20) == rows
    with pytest.raises(ValueError, match="seeds must be at least 1, got 0"):
        coverage_rows(0)


@pytest.mark.slow
def test_intervals_cover_at_their_nominal_rate():
    for row in coverage_rows(1_500):
        assert row["low"] - 0.01 <= row["nominal"] <= row["high"] + 0.01, row
