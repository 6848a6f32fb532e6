"""What the page says of who comes back, and for how long."""

import datetime

import pytest
from pages import cell, drawn, figure, lose, plain, put, table, texts
from report_log import day

from display.formats import MISSING
from retention.page import lifetimes, returns

RATES = ("rate", "ci_low", "ci_high", "cohort_ci_low", "cohort_ci_high")


def test_the_curve_says_that_retention_falls(tables):
    part = figure(returns.section(tables), "retention-curve")
    assert "Retention falls from 26.0 % on day 1" in plain(part.title)


def test_the_curve_says_that_retention_rises(tables):
    rows = tables["fct_retention_curve"]
    by_day = {(row["cohort_set"], row["day_number"]): dict(row) for row in rows}
    for row in rows:
        other = by_day.get((row["cohort_set"], 31 - row["day_number"]))
        if other:
            row |= {name: other[name] for name in RATES}
    part = figure(returns.section(tables), "retention-curve")
    assert plain(part.title).startswith("Retention rises from 4.7 %")


def test_a_flat_curve_is_called_flat(tables):
    for row in tables["fct_retention_curve"]:
        put(row, 200, 1_000)
        lose(row, "cohort_ci_low", "cohort_ci_high")
    part = figure(returns.section(tables), "retention-curve")
    assert "does not change clearly" in part.title


def test_both_sets_of_cohorts_are_drawn_where_they_differ(tables):
    part = figure(returns.section(tables), "retention-curve")
    series = {row["series"] for row in drawn(part, "series")}
    assert series == set(returns.COHORT_SETS.values())
    assert "Dashed: the 23,000 users" in plain(part.caption)
    assert "between cohorts" in part.caption
    assert "Wilson" in part.caption


def test_sets_of_the_same_users_are_one_line(tables):
    tables["fct_retention_curve"] = [
        row | {"cohort_set": name}
        for row in tables["fct_retention_curve"]
        if row["cohort_set"] == "eligible"
        for name in ("eligible", "fixed")
        if name == "eligible" or row["day_number"] <= 20
    ]
    part = figure(returns.section(tables), "retention-curve")
    assert {row["series"] for row in drawn(part, "series")} == {
        "all who are old enough"
    }
    assert "the same 24,042 users" in plain(part.caption)


def test_one_cohort_has_wilsons_band_and_says_so(tables):
    for row in tables["fct_retention_curve"]:
        row |= {"cohort_ci_low": None, "cohort_ci_high": None}
    part = figure(returns.section(tables), "retention-curve")
    assert "Bands are Wilson intervals" in part.caption
    band = drawn(part, "low")
    assert all(row["low"] is not None for row in band)


@pytest.mark.parametrize("grain", ["day", "week"])
def test_every_cell_is_known_or_marked_unknown(tables, grain):
    """Never both, never neither, and none that is unknown has a rate."""
    part = figure(returns.section(tables), f"triangle-{grain}")
    known = {
        (row["cohort"], row["period"]): row["rate"]
        for row in drawn(part, "period")
    }
    unknown = {
        (row["cohort"], number)
        for row in drawn(part, "first")
        for number in range(row["first"], row["last"] + 1)
    }
    rows = {
        (str(row["cohort_date"]), row["period_number"]): row
        for row in tables["fct_retention_triangle"]
        if row["cohort_grain"] == grain and row["period_number"]
    }
    last = max(number for _, number in known)
    assert not known.keys() & unknown
    assert known.keys() | unknown == {key for key in rows if key[1] <= last}
    assert all(rows[key]["is_mature"] for key in known)
    assert not any(rows[key]["is_mature"] for key in unknown)
    assert "not zero" in part.caption


def test_a_cohort_of_which_a_part_is_old_enough_is_unknown(tables):
    """Its rate is of the older part: lower weeks would look like a fall."""
    rows = [
        row
        for row in tables["fct_retention_triangle"]
        if row["cohort_grain"] == "week"
    ]
    partly = {
        (str(row["cohort_date"]), row["period_number"])
        for row in rows
        if row["rate"] is not None and not row["is_mature"]
    }
    assert partly
    part = figure(returns.section(tables), "triangle-week")
    assert not partly & {
        (row["cohort"], row["period"]) for row in drawn(part, "period")
    }


def test_a_true_zero_is_drawn_and_an_unknown_is_not(tables):
    zero = next(
        row
        for row in tables["fct_retention_triangle"]
        if row["cohort_grain"] == "day"
        and row["period_number"] == 5
        and row["is_mature"]
    )
    zero |= {"rate": 0.0, "retained_users": 0, "ci_low": 0.0, "ci_high": 0.01}
    part = figure(returns.section(tables), "triangle-day")
    rates_drawn = [row["rate"] for row in drawn(part, "period")]
    assert rates_drawn.count(0) == 1


def test_tables_of_cohorts_say_not_yet(tables):
    part = figure(returns.section(tables), "triangle-day")
    by_cohort = {row[0]: row[2:] for row in part.table.rows}
    numbers = [int(name[1:]) for name in part.table.columns[2:]]
    shown = by_cohort[str(day(11))]
    assert [value == "not yet" for value in shown] == [
        day(11 + number) > datetime.date(2026, 2, 14) for number in numbers
    ]


def test_cohorts_not_observed_whole_are_named(tables):
    part = figure(returns.section(tables), "triangle-week")
    assert "smaller: 12 Jan" in plain(part.caption)


def test_small_cells_are_counted(tables):
    for row in tables["fct_retention_summary"]:
        if row["dimension_value"] == "FR":
            row["is_small_cell"] = True
    part = figure(returns.section(tables), "by-country")
    assert "3 of them rest" in part.caption


def test_cohorts_of_few_users_make_no_title(tables):
    for row in tables["fct_retention_summary"]:
        if row["dimension_value"] == str(day(3)):
            put(row, 0, 3)
            row["is_small_cell"] = True
    part = figure(returns.section(tables), "cohorts")
    assert "across 11 cohorts" in part.title
    assert " 0.0 %" not in plain(part.title)
    assert len(part.table.rows) == 12


def test_cohorts_all_of_few_users_are_not_drawn(tables):
    for name in ("fct_retention_summary", "fct_retention_triangle"):
        for row in tables[name]:
            row["is_small_cell"] = row.get("dimension") != "all"
    section = returns.section(tables)
    assert figure(section, "cohorts") is None
    assert figure(section, "triangle-day") is None
    assert "12 cohorts of a day are all too small" in texts(section)
    week = figure(section, "triangle-week")
    assert "none of enough users" in week.title
    assert all(row["short"][0] == "(" for row in drawn(week, "short"))
    assert "Numbers in brackets rest on few users" in week.caption


def test_equal_platforms_are_not_called_different(tables):
    for row in tables["fct_retention_summary"]:
        if row["dimension"] == "platform":
            put(row, 90, 1_000)
    part = figure(returns.section(tables), "by-platform")
    assert "does not differ clearly by platform" in part.title


def test_different_platforms_are_called_different(tables):
    part = figure(returns.section(tables), "by-platform")
    assert "D7 differs by platform: 8.9 % (android), 10.9 % (web)" in plain(
        part.title
    )


def test_a_country_of_few_users_makes_no_title(tables):
    for row in tables["fct_retention_summary"]:
        if row["dimension_value"] == "FR":
            put(row, 2, 2)
            row["is_small_cell"] = True
    part = figure(returns.section(tables), "by-country")
    assert "FR" not in part.title
    assert any(row["category"].startswith("FR") for row in drawn(part, "short"))


def test_windows_stand_side_by_side(tables):
    part = table(lifetimes.section(tables))
    assert "9.8 % come back on day 7 itself, 19.7 %" in plain(part.title)
    rows = {row[0]: row[1:] for row in part.rows}
    assert list(rows)[:5] == [
        "on day 1",
        "on day 7",
        "on day 14",
        "on day 30",
        "on any of days 1 to 7",
    ]
    assert cell(rows["on day 7"][0]) == "9.8 %"
    assert cell(rows["on day 7"][3]) == "9.9 %"
    assert "on day 7 or after, to day 30" in rows


def test_a_window_that_has_not_passed_is_not_zero(tables):
    for row in tables["fct_retention_summary"]:
        if row["to_day_number"] == 30:
            lose(row, *RATES)
            row["eligible_users"] = 0
    part = table(lifetimes.section(tables))
    rows = {row[0]: [cell(value) for value in row[1:]] for row in part.rows}
    assert rows["on day 30"] == ["not yet", MISSING, "0", "not yet", "0"]
    assert "Ways of counting" in part.title


def test_survival_is_told_at_the_half_and_at_the_end(tables):
    part = figure(lifetimes.section(tables), "survival")
    told = plain(part.title)
    assert told.startswith("Half of new users stay for no more than 7 days")
    assert told.endswith("for more than 26 days")
    assert "24,042 users followed at the start" in plain(part.caption)


def test_survival_above_the_half_does_not_speak_of_it(tables):
    for row in tables["fct_survival"]:
        row["survival_rate"] = 0.9
    part = figure(lifetimes.section(tables), "survival")
    assert "Half" not in part.title
    assert "90.0 %" in plain(part.title)


def test_an_interval_that_is_not_known_is_no_band(tables):
    for row in tables["fct_survival"]:
        row |= {"ci_low": None, "ci_high": None}
    part = figure(lifetimes.section(tables), "survival-by-platform")
    for rows in part.spec["datasets"].values():
        assert not any("low" in row and "rate" not in row for row in rows)
    assert "does not differ clearly" in part.title


def test_a_platform_of_few_users_has_no_survival_curve(tables):
    """Its band would lie over all others."""
    for row in tables["fct_retention_summary"]:
        if row["dimension_value"] == "tv":
            row["is_small_cell"] = True
    part = figure(lifetimes.section(tables), "survival-by-platform")
    assert {row["series"] for row in drawn(part, "series")} == {
        "android",
        "ios",
        "web",
    }
    assert "3 largest of 4" in part.caption


def test_bands_of_tenure_without_users_are_not_named(tables):
    for row in tables["fct_tenure"]:
        if row["tenure_band"] == "established":
            row["active_users"] = 0
    part = figure(lifetimes.section(tables), "tenure")
    assert "established" not in {row["series"] for row in drawn(part, "rank")}


def test_tenure_stacks_established_first_and_the_newest_last(tables):
    part = figure(lifetimes.section(tables), "tenure")
    ranks = {row["series"]: row["rank"] for row in drawn(part, "rank")}
    assert sorted(ranks, key=ranks.get) == [
        "established",
        "30+ days",
        "14-29 days",
        "7-13 days",
        "0-6 days",
    ]
    last = [row for row in drawn(part, "rank") if not row["is_complete"]]
    assert {row["period"] for row in last} == {str(day(35))}
    assert "week of 2 Feb" in plain(part.title)
    assert "Pale weeks" in part.caption


def test_more_bands_of_tenure_than_colours_are_drawn(tables):
    extra = [
        row | {"tenure_band": f"{row['band_number'] + 60}+ days"}
        for row in tables["fct_tenure"]
        if row["band_number"] == 4
    ]
    for number, row in enumerate(extra):
        row["band_number"] = 10 + number
        row["tenure_band"] = f"{100 + number}+ days"
    tables["fct_tenure"] += extra
    assert figure(lifetimes.section(tables), "tenure")
