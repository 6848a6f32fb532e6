"""What the page says of sessions and of genres played."""

import pytest
from pages import drawn, figure, plain, table

from display.formats import MISSING
from playback import page


def test_sessions_are_told_by_their_quantiles(tables):
    section = page.section(tables)
    part = figure(section, "session-bands")
    assert "20 min or less, one in ten lasts 1.5 h or more" in plain(part.title)
    assert "345,678" in part.caption
    platforms = figure(section, "session-lengths-platform")
    assert "16 min (android)" in plain(platforms.title)
    for row in drawn(platforms, "median"):
        assert row["p25"] <= row["median"] <= row["p75"] <= row["p95"]


def test_equal_medians_are_not_ranked(tables):
    for row in tables["fct_session_lengths"]:
        row["median_seconds"] = 600
    part = figure(page.section(tables), "session-lengths-platform")
    assert "10 min, whatever the platform" in plain(part.title)


@pytest.mark.parametrize(
    ("tenth", "said"),
    [(0, "At least nine in ten"), (60, "At least half of the sessions")],
)
def test_sessions_of_a_moment_have_no_length(tables, tenth, said):
    for row in tables["fct_session_lengths"]:
        row |= {"p25_seconds": 0, "median_seconds": 0, "p90_seconds": tenth}
    section = page.section(tables)
    assert figure(section, "session-bands").title.startswith(said)
    assert figure(section, "session-lengths-platform") is None
    assert figure(section, "session-lengths-genre") is None


def test_a_log_without_skips_has_no_skip_rate(tables):
    for row in tables["fct_genre_performance"]:
        row["skip_rate"] = 0.0
    part = table(page.section(tables))
    assert {row[6] for row in part.rows} == {MISSING}
    assert "knows no skips" in part.note


def test_genres_show_completers_with_their_interval(tables):
    part = table(page.section(tables))
    assert "differs by genre: 40.0 % (documentary)" in plain(part.title)
    complete = part.rows[0][5]
    assert plain(complete.text) == "60.0 %"
    assert " to " in complete.note


def test_titles_without_lengths_are_not_called_never_completed(tables):
    for row in tables["fct_genre_performance"]:
        row |= {"completer_users": 0, "completer_rate": 0.0}
    part = table(page.section(tables))
    assert all(row[4:6] == [MISSING, MISSING] for row in part.rows)
    assert "differ" not in part.title
    assert "no title's length is known" in part.note


def test_a_genre_never_followed_by_another_is_a_known_zero(tables):
    part = figure(page.section(tables), "genre-transitions")
    cells = {
        (row["row"], row["column"]): row["rate"]
        for row in drawn(part, "column")
    }
    assert len(cells) == 25
    assert cells["drama", "documentary"] == 0
    assert cells["drama", "drama"] == 0.6


def test_a_genre_that_nothing_follows_has_no_cells(tables):
    """Nobody went on from it, so its shares are not known: they are not 0."""
    tables["fct_genre_transitions"] = [
        row
        for row in tables["fct_genre_transitions"]
        if row["from_genre_name"] != "kids"
    ]
    part = figure(page.section(tables), "genre-transitions")
    rows = drawn(part, "column")
    assert not [row for row in rows if row["row"] == "kids"]
    assert [row for row in rows if row["column"] == "kids"]
