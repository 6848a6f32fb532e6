"""What the page says of activity."""

import re

import pytest
from pages import drawn, figure, plain
from report_log import FIRST_DAY, day

from display.formats import MISSING
from engagement import page


def test_incomplete_days_are_told_apart(tables):
    part = figure(page.section(tables), "active-users")
    pieces = drawn(part, "run")
    dotted = {row["date"] for row in pieces if not row["is_complete"]}
    # The piece begins where the whole days end.
    assert dotted == {str(day(40)), str(day(41))}
    assert "Dotted" in part.caption
    assert "6,640 on 11 Jan to 4,600 on 14 Feb" in plain(part.title)


def test_a_log_of_whole_days_has_no_dots(tables):
    for row in tables["fct_active_users"]:
        row["is_complete"] = True
    part = figure(page.section(tables), "active-users")
    assert "Dotted" not in part.caption


def test_a_month_not_yet_observed_has_no_point(tables):
    part = figure(page.section(tables), "active-users")
    monthly = [
        row for row in drawn(part, "label") if row["series"] == "monthly"
    ]
    assert {row["value"] for row in monthly} == {15_000}
    assert min(row["date"] for row in monthly) == str(day(27))


def test_gaps_between_whole_days_are_dotted_and_joined(tables):
    for row in tables["fct_active_users"]:
        row["is_complete"] = row["calendar_date"] not in {day(10), day(11)}
    part = figure(page.section(tables), "active-users")
    daily = [row for row in drawn(part, "run") if row["series"] == "daily"]
    runs = {}
    for row in daily:
        runs.setdefault(row["run"], []).append(row["date"])
    ordered = sorted(runs.values())
    assert len(ordered) == 3
    assert ordered[1] == [str(day(9)), str(day(10)), str(day(11))]
    assert ordered[2][0] == str(day(11))


def test_words_at_the_ends_of_lines_keep_their_distance(tables):
    for row in tables["fct_active_users"]:
        row["weekly_active_users"] = row["daily_active_users"]
    part = figure(page.section(tables), "active-users")
    places = sorted(row["place"] for row in drawn(part, "place"))
    assert places[1] - places[0] >= 0.07 * places[-1]


def test_the_latest_window_is_drawn(tables):
    part = figure(page.section(tables), "frequency-7")
    rows = drawn(part, "at_least")
    assert [row["days"] for row in rows] == list(range(1, 8))
    assert sum(row["exact"] for row in rows) == pytest.approx(1, abs=1e-5)
    assert rows[0]["at_least"] == 1
    assert "7 days to 14 Feb" in plain(part.caption)


def test_a_window_without_anybody_is_left_out(tables):
    for row in tables["fct_activity_frequency"]:
        if row["window_days"] == 28:
            row |= {"exact_rate": None, "at_least_rate": None}
    section = page.section(tables)
    assert figure(section, "frequency-7")
    assert figure(section, "frequency-28") is None


def test_growth_adds_up_in_words_and_in_the_table(tables):
    part = figure(page.section(tables), "growth")
    numbers = [
        int(number.replace(",", ""))
        for number in re.findall(r"[\d,]+(?= [a-z])", plain(part.title))
    ]
    assert "Week of 2 Feb" in plain(part.title)
    before, new, back, lost, active = numbers[-5:]
    assert before + new + back - lost == active
    for row in part.table.rows[1:]:
        before, new, back, lost, active, kept = (
            int(value.replace(",", "")) for value in row[1:7]
        )
        assert before + new + back - lost == active
        assert kept + new + back == active


def test_churned_users_lie_below_zero(tables):
    part = figure(page.section(tables), "growth")
    for row in drawn(part, "rank"):
        assert (row["value"] < 0) == (row["series"] == "churned")


def test_the_first_week_is_not_drawn_and_the_last_is_pale(tables):
    part = figure(page.section(tables), "growth")
    rows = drawn(part, "rank")
    assert str(FIRST_DAY) not in {row["period"] for row in rows}
    assert part.table.rows[0][0] == str(FIRST_DAY)
    assert part.table.rows[0][1] == MISSING
    pale = {row["period"] for row in rows if not row["is_complete"]}
    assert pale == {str(day(35))}


def test_a_log_of_one_day_that_is_not_whole(tables):
    del tables["fct_active_users"][1:]
    tables["fct_active_users"][0]["is_complete"] = False
    part = figure(page.section(tables), "active-users")
    assert "5 Jan, a day not observed whole: 2,000" in plain(part.title)
