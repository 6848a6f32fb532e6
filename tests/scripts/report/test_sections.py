"""What the sections of the report say of numbers that the test has chosen."""

import copy
import datetime
import random
import re

import numpy as np
import pytest
import vl_convert
from report_log import FIRST_DAY, day, make_tables, wilson

import engagement.page
import funnels.page
import playback.page
from display import findings
from display.charts import theme
from display.dimensions import (
    Dimension,
    broken_down,
    lone_values,
    not_broken_down,
)
from display.findings import Estimate
from display.formats import MISSING, NO_BREAK
from display.parts import Cards, Figure, Note, Table
from genres.page import effects
from report import page
from retention.page import lifetimes, returns

RATES = ("rate", "ci_low", "ci_high", "cohort_ci_low", "cohort_ci_high")
NEW_MARTS = (
    "fct_retention_summary",
    "fct_retention_triangle",
    "fct_retention_curve",
    "fct_survival",
    "fct_tenure",
    "fct_active_users",
    "fct_activity_frequency",
    "fct_growth_accounting",
    "fct_session_lengths",
    "fct_session_length_bands",
    "fct_genre_performance",
    "fct_genre_transitions",
    "fct_onboarding_funnel",
)


@pytest.fixture
def tables():
    return make_tables()


def plain(text):
    return " ".join(text.replace(NO_BREAK, " ").split())


def figure(section, name):
    """Find a figure of a section; None if it is left out."""
    return next(
        (
            part
            for part in section.parts
            if isinstance(part, Figure) and part.name == name
        ),
        None,
    )


def texts(section):
    """Collect all that a section says outside its tables."""
    said = [section.title, section.lead]
    for part in section.parts:
        match part:
            case Figure(title=title, caption=caption):
                said += [title, caption]
            case Table(title=title, note=note):
                said += [title, note]
            case Note(text=text):
                said.append(text)
            case Cards(cards=cards):
                said += [card.note for card in cards]
    return plain(" ".join(said))


def drawn(part, key):
    """Return the rows of a chart that have a key."""
    return next(
        rows
        for rows in part.spec["datasets"].values()
        if rows and key in rows[0]
    )


def cell(value):
    return plain(value if isinstance(value, str) else value.text)


# ---- What may be said of numbers


@pytest.mark.parametrize(
    ("first", "last", "word"),
    [
        ((0.2, 0.18, 0.22), (0.1, 0.08, 0.12), "falls"),
        ((0.1, 0.08, 0.12), (0.2, 0.18, 0.22), "rises"),
        ((0.2, 0.15, 0.25), (0.18, 0.14, 0.23), "does not change clearly"),
        ((0.2, 0.2, 0.2), (0.2, 0.2, 0.2), "does not change clearly"),
        # Without intervals nothing is clear.
        ((0.2, None, None), (0.1, None, None), "does not change clearly"),
    ],
)
def test_a_course_is_told_beyond_its_intervals_only(first, last, word):
    said = findings.course(
        "D", Estimate(*first), "first", Estimate(*last), "last"
    )
    assert f"D {word}" in said


def test_intervals_that_touch_are_no_difference():
    assert not findings.is_apart(
        Estimate(0.1, 0.05, 0.15), Estimate(0.2, 0.15, 0.25)
    )


def test_a_value_of_few_users_does_not_hide_a_difference_of_others():
    named = [
        ("big", Estimate(*wilson(1_000, 10_000))),
        ("other", Estimate(*wilson(2_000, 10_000))),
        ("tiny", Estimate(*wilson(1, 2))),
    ]
    said = findings.contrast("D7", "country", named)
    assert said.startswith("D7 differs by country")
    assert "(big)" in said
    assert "(other)" in said


def test_a_value_of_few_users_makes_no_difference_of_its_own():
    named = [
        ("big", Estimate(*wilson(1_000, 10_000))),
        ("tiny", Estimate(*wilson(1, 2))),
    ]
    assert "not differ clearly" in findings.contrast("D7", "country", named)


@pytest.mark.parametrize("values", [2, 4, 15])
def test_equal_values_are_seldom_called_different(values):
    """In at most 5 % of logs, however many values are compared."""
    source = np.random.default_rng(20260105)
    logs, called = 2_000, 0
    for _ in range(logs):
        named = [
            (str(number), Estimate(*wilson(int(retained), 300)))
            for number, retained in enumerate(source.binomial(300, 0.3, values))
        ]
        called += "differs" in findings.contrast("D7", "country", named)
    assert called <= 0.05 * logs


def test_a_single_value_is_not_compared():
    said = findings.contrast("D7", "country", [("DE", Estimate(0.1, 0, 0.2))])
    assert "differ" not in said


@pytest.mark.parametrize(
    ("first", "last", "word"),
    [(100, 80, "fall"), (80, 100, "rise"), (1000, 1005, "hold steady")],
)
def test_counts_move_as_they_do(first, last, word):
    said = findings.movement("Users", first, "then", last, "now")
    assert f"Users {word}" in said


def test_a_count_that_was_nought_rises():
    assert "rise" in findings.movement("Users", 0, "then", 5, "now")
    assert "steady" in findings.movement("Users", 0, "then", 0, "now")


# ---- Retention


def put(row, successes, trials, names=("rate", "ci_low", "ci_high")):
    """Give a row a rate with its interval."""
    row.update(zip(names, wilson(successes, trials), strict=True))


def lose(row, *names):
    """Make columns of a row unknown."""
    row.update(dict.fromkeys(names))


def test_the_curve_says_that_retention_falls(tables):
    part = figure(returns.section(tables), "retention-curve")
    assert "Retention falls from 26.0 % on day 1" in plain(part.title)


def test_the_curve_says_that_retention_rises(tables):
    rows = tables["fct_retention_curve"]
    by_day = {(row["cohort_set"], row["day_number"]): dict(row) for row in rows}
    for row in rows:
        other = by_day.get((row["cohort_set"], 31 - row["day_number"]))
        if other:
            row |= {
                name: other[name]
                for name in (
                    "rate",
                    "ci_low",
                    "ci_high",
                    "cohort_ci_low",
                    "cohort_ci_high",
                )
            }
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


# ---- Dimensions that a log lacks


def only_platform(tables, keep):
    """Leave one platform, or none, in every mart."""
    for name in NEW_MARTS:
        tables[name] = [
            row
            for row in tables[name]
            if row.get("dimension") != "platform"
            or row["dimension_value"] == keep
        ]
    return tables


@pytest.mark.parametrize(
    ("build", "name"),
    [
        (returns.section, "by-platform"),
        (lifetimes.section, "survival-by-platform"),
        (playback.page.section, "session-lengths-platform"),
        (funnels.page.section, "step-by-platform"),
    ],
)
def test_a_single_platform_is_a_sentence_not_a_chart(tables, build, name):
    tables["dim_dimensions"] = [
        row
        for row in tables["dim_dimensions"]
        if row["dimension"] == "platform"
    ]
    assert figure(build(tables), name)
    assert "Not broken down" not in texts(build(tables))
    only_platform(tables, "tv")
    assert figure(build(tables), name) is None
    assert "the only platform is tv" in texts(build(tables))
    only_platform(tables, None)
    assert figure(build(tables), name) is None
    assert "no platform is known" in texts(build(tables))


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


def test_dimensions_beyond_the_bound_are_named(tables):
    each = [Dimension(f"d{number}", f"D{number}") for number in range(8)]
    drawn = figure(returns.section(tables), "by-platform")
    parts = broken_down([(one, drawn) for one in each], "marts.fct_any")
    assert len(parts) == 7
    assert parts[-1].text == "Not drawn, but in marts.fct_any: by d6 and d7."
    assert broken_down([(each[0], None)], "marts.fct_any") == []


# ---- Ways of counting, survival, tenure


def test_windows_stand_side_by_side(tables):
    table = next(
        part
        for part in lifetimes.section(tables).parts
        if isinstance(part, Table)
    )
    assert "9.8 % come back on day 7 itself, 19.7 %" in plain(table.title)
    rows = {row[0]: row[1:] for row in table.rows}
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
    table = next(
        part
        for part in lifetimes.section(tables).parts
        if isinstance(part, Table)
    )
    rows = {row[0]: [cell(value) for value in row[1:]] for row in table.rows}
    assert rows["on day 30"] == ["not yet", MISSING, "0", "not yet", "0"]
    assert "Ways of counting" in table.title


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


# ---- Activity


def test_incomplete_days_are_told_apart(tables):
    part = figure(engagement.page.section(tables), "active-users")
    pieces = drawn(part, "run")
    dotted = {row["date"] for row in pieces if not row["is_complete"]}
    # The piece begins where the whole days end.
    assert dotted == {str(day(40)), str(day(41))}
    assert "Dotted" in part.caption
    assert "6,640 on 11 Jan to 4,600 on 14 Feb" in plain(part.title)


def test_a_log_of_whole_days_has_no_dots(tables):
    for row in tables["fct_active_users"]:
        row["is_complete"] = True
    part = figure(engagement.page.section(tables), "active-users")
    assert "Dotted" not in part.caption


def test_a_month_not_yet_observed_has_no_point(tables):
    part = figure(engagement.page.section(tables), "active-users")
    monthly = [
        row for row in drawn(part, "label") if row["series"] == "monthly"
    ]
    assert {row["value"] for row in monthly} == {15_000}
    assert min(row["date"] for row in monthly) == str(day(27))


def test_gaps_between_whole_days_are_dotted_and_joined(tables):
    for row in tables["fct_active_users"]:
        row["is_complete"] = row["calendar_date"] not in {day(10), day(11)}
    part = figure(engagement.page.section(tables), "active-users")
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
    part = figure(engagement.page.section(tables), "active-users")
    places = sorted(row["place"] for row in drawn(part, "place"))
    assert places[1] - places[0] >= 0.07 * places[-1]


def test_the_latest_window_is_drawn(tables):
    part = figure(engagement.page.section(tables), "frequency-7")
    rows = drawn(part, "at_least")
    assert [row["days"] for row in rows] == list(range(1, 8))
    assert sum(row["exact"] for row in rows) == pytest.approx(1, abs=1e-5)
    assert rows[0]["at_least"] == 1
    assert "7 days to 14 Feb" in plain(part.caption)


def test_a_window_without_anybody_is_left_out(tables):
    for row in tables["fct_activity_frequency"]:
        if row["window_days"] == 28:
            row |= {"exact_rate": None, "at_least_rate": None}
    section = engagement.page.section(tables)
    assert figure(section, "frequency-7")
    assert figure(section, "frequency-28") is None


def test_growth_adds_up_in_words_and_in_the_table(tables):
    part = figure(engagement.page.section(tables), "growth")
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
    part = figure(engagement.page.section(tables), "growth")
    for row in drawn(part, "rank"):
        assert (row["value"] < 0) == (row["series"] == "churned")


def test_the_first_week_is_not_drawn_and_the_last_is_pale(tables):
    part = figure(engagement.page.section(tables), "growth")
    rows = drawn(part, "rank")
    assert str(FIRST_DAY) not in {row["period"] for row in rows}
    assert part.table.rows[0][0] == str(FIRST_DAY)
    assert part.table.rows[0][1] == MISSING
    pale = {row["period"] for row in rows if not row["is_complete"]}
    assert pale == {str(day(35))}


# ---- Visits


def test_sessions_are_told_by_their_quantiles(tables):
    section = playback.page.section(tables)
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
    part = figure(playback.page.section(tables), "session-lengths-platform")
    assert "10 min, whatever the platform" in plain(part.title)


@pytest.mark.parametrize(
    ("tenth", "said"),
    [(0, "At least nine in ten"), (60, "At least half of the sessions")],
)
def test_sessions_of_a_moment_have_no_length(tables, tenth, said):
    for row in tables["fct_session_lengths"]:
        row |= {"p25_seconds": 0, "median_seconds": 0, "p90_seconds": tenth}
    section = playback.page.section(tables)
    assert figure(section, "session-bands").title.startswith(said)
    assert figure(section, "session-lengths-platform") is None
    assert figure(section, "session-lengths-genre") is None


def test_a_log_without_skips_has_no_skip_rate(tables):
    for row in tables["fct_genre_performance"]:
        row["skip_rate"] = 0.0
    table = next(
        part
        for part in playback.page.section(tables).parts
        if isinstance(part, Table)
    )
    assert {row[6] for row in table.rows} == {MISSING}
    assert "knows no skips" in table.note


def test_genres_show_completers_with_their_interval(tables):
    table = next(
        part
        for part in playback.page.section(tables).parts
        if isinstance(part, Table)
    )
    assert "differs by genre: 40.0 % (documentary)" in plain(table.title)
    complete = table.rows[0][5]
    assert plain(complete.text) == "60.0 %"
    assert " to " in complete.note


def test_titles_without_lengths_are_not_called_never_completed(tables):
    for row in tables["fct_genre_performance"]:
        row |= {"completer_users": 0, "completer_rate": 0.0}
    table = next(
        part
        for part in playback.page.section(tables).parts
        if isinstance(part, Table)
    )
    assert all(row[4:6] == [MISSING, MISSING] for row in table.rows)
    assert "differ" not in table.title
    assert "no title's length is known" in table.note


def test_a_genre_never_followed_by_another_is_a_known_zero(tables):
    part = figure(playback.page.section(tables), "genre-transitions")
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
    part = figure(playback.page.section(tables), "genre-transitions")
    rows = drawn(part, "column")
    assert not [row for row in rows if row["row"] == "kids"]
    assert [row for row in rows if row["column"] == "kids"]


# ---- First steps


def test_the_funnel_splits_all_who_took_the_step_before(tables):
    part = figure(funnels.page.section(tables), "funnel")
    steps = {}
    for row in drawn(part, "rank"):
        steps.setdefault(row["step"], {})[row["series"]] = row["value"]
    reached = [step["reached"] for step in steps.values()]
    entered = [sum(step.values()) for step in steps.values()]
    assert entered[1:] == reached[:-1]
    assert "the hardest step, taken by 30.0 %" in plain(part.title)


def test_pending_users_are_stated(tables):
    section = funnels.page.section(tables)
    assert "For 400 of 24,042 that time has not passed" in plain(section.lead)
    pending = sum(
        row["pending_users"]
        for row in tables["fct_onboarding_funnel"]
        if row["dimension"] == "all"
    )
    assert f"{pending} of them are pending" in plain(section.lead)


def test_rates_stand_with_the_number_that_they_rest_on(tables):
    part = figure(funnels.page.section(tables), "funnel")
    second = next(row for row in drawn(part, "heading") if row["step"] == 2)
    assert "of 23,642" in plain(second["heading"])
    assert "after 2.1 h" in plain(second["heading"])


def test_a_funnel_without_a_hardest_step_names_none(tables):
    for row in tables["fct_onboarding_funnel"]:
        if row["step_number"] > 1:
            put(row, 70, 100, ("step_rate", "ci_low", "ci_high"))
    part = figure(funnels.page.section(tables), "funnel")
    assert "hardest" not in part.title


def test_a_log_that_is_too_young_for_rates_has_counts(tables):
    for row in tables["fct_onboarding_funnel"]:
        lose(row, "step_rate", "total_rate", "ci_low", "ci_high")
        lose(row, "median_seconds")
        row |= {"mature_entered_users": 0, "mature_reached_users": 0}
    section = funnels.page.section(tables)
    part = figure(section, "funnel")
    assert plain(part.title) == "24,042 users sign up"
    assert "nan" not in texts(section)
    assert figure(section, "step-by-platform") is None


# ---- Logs that lack much


@pytest.mark.parametrize("mart", NEW_MARTS)
def test_each_mart_may_be_empty(tables, mart):
    tables[mart] = []
    assert page.render(tables, "")


def test_a_page_of_empty_marts_says_what_is_lacking():
    tables = make_tables(has_genres=False, has_experiments=False)
    for mart in NEW_MARTS:
        tables[mart] = []
    tables["fct_observation"][0]["title_count"] = 0
    said = " ".join(texts(section) for section in page.sections_of(tables))
    for words in (
        "No new user of this log is old enough",
        "too short to tell how long users stay",
        "Nobody is active in this log",
        "This log has no sessions",
        "names no titles",
        "No sign-up on an observed day",
        "has no genres",
        "has no experiments",
    ):
        assert words in said
    assert not [
        part
        for section in page.sections_of(tables)
        for part in section.parts
        if isinstance(part, Figure)
        and part.name != "genres-explored"
        and not part.name.startswith("scenario")
    ]


def test_a_log_without_sign_ups_has_a_funnel_of_zeros(tables):
    for row in tables["fct_onboarding_funnel"]:
        for name, value in row.items():
            if name.endswith("_users"):
                row[name] = 0
            elif isinstance(value, float):
                row[name] = None
    section = funnels.page.section(tables)
    assert not section.parts
    assert "No sign-up" in section.lead


def one_day(tables):
    """Leave what the marts have of a log of a single day."""
    young = {"eligible_users": 0, "retained_users": 0, "is_mature": False}
    for row in tables["fct_retention_summary"]:
        lose(row, *RATES, "design_effect")
        row.update(young)
    tables["fct_retention_summary"] = [
        row
        for row in tables["fct_retention_summary"]
        if row["dimension"] != "cohort" or row["dimension_value"] == str(day(0))
    ]
    tables["fct_retention_triangle"] = [
        row
        if row["period_number"] == 0
        else row | young | dict.fromkeys(("rate", "ci_low", "ci_high"))
        for row in tables["fct_retention_triangle"]
        if row["cohort_date"] == day(0)
    ]
    tables["fct_retention_curve"] = [
        row
        for row in tables["fct_retention_curve"]
        if row["day_number"] == 0 and row["cohort_set"] == "eligible"
    ]
    tables["fct_survival"] = []
    tables["fct_tenure"] = [
        row | {"is_complete": False}
        for row in tables["fct_tenure"]
        if row["week_start_date"] == day(0)
    ]
    tables["fct_active_users"] = tables["fct_active_users"][:1]
    tables["fct_activity_frequency"] = []
    tables["fct_growth_accounting"] = [
        row for row in tables["fct_growth_accounting"] if row["is_first_period"]
    ]
    return tables


def test_a_log_of_one_day_builds_a_page(tables):
    text = plain(page.render(one_day(tables), ""))
    assert "No new user of this log is old enough" in text
    assert "Daily active users on 5 Jan: 2,000" in text
    assert "this log has one week" in text
    assert "need a whole month" in text


def test_a_log_of_one_day_that_is_not_whole(tables):
    one_day(tables)["fct_active_users"][0]["is_complete"] = False
    part = figure(engagement.page.section(tables), "active-users")
    assert "5 Jan, a day not observed whole: 2,000" in plain(part.title)


# ---- The page


def test_the_order_of_rows_changes_nothing(tables):
    text = page.render(copy.deepcopy(tables), "")
    for seed in range(3):
        for mart in NEW_MARTS:
            random.Random(seed).shuffle(tables[mart])  # noqa: S311
        assert page.render(tables, "") == text


def test_every_figure_has_its_numbers_and_a_place_in_the_warehouse(tables):
    for section in page.sections_of(tables):
        assert section.link
        for part in section.parts:
            if isinstance(part, Figure):
                assert part.table.rows
                assert part.table.source.startswith(("marts.", "results."))
                widths = {len(row) for row in part.table.rows}
                assert widths == {len(part.table.columns)}


def test_charts_of_one_point_compile(tables):
    """Where there is least to draw, no axis and no band is undefined."""
    one_day(tables)
    for part in page.figures_of(page.sections_of(tables)):
        spec = {**part.spec, "config": theme.CONFIG, "width": 340}
        svg = vl_convert.vegalite_to_svg(spec, format_locale=page.LOCALE)
        assert not re.search("NaN|undefined|null|Infinity", svg), part.name


# ---- Genres explored


def titled(section, name):
    return plain(figure(section, name).title)


def table_of(section, caption):
    return next(
        part
        for part in section.parts
        if isinstance(part, Table) and part.caption == caption
    )


def test_the_gap_is_told_beside_what_remains_of_it(tables):
    section = effects.section(tables)
    assert titled(section, "genre-effects") == (
        "Of a plain gap of +4.2 points, +2.0 points remain among equally"
        " active users"
    )
    marks = drawn(figure(section, "genre-effects"), "series")
    assert [mark["series"] for mark in marks].count("association") == 3
    assert "Test of a trend" in texts(section)


def test_a_remainder_that_chance_could_give_is_called_so(tables):
    for row in tables["genre_effects"]:
        if row["is_headline"]:
            row["ci_low"] = -0.001
    section = effects.section(tables)
    assert "which chance alone could give" in titled(section, "genre-effects")


def test_doses_are_told_as_a_difference_with_its_interval(tables):
    section = effects.section(tables)
    assert titled(section, "genre-doses") == (
        "Among equally active users, four or more genres go with +2.5 points"
        " of D7 against one (+1.5 to +3.5 points)"
    )


@pytest.mark.parametrize(
    ("p_value", "words"),
    [(0.71, "does not differ clearly"), (0.001, "effect differs between")],
)
def test_thirds_differ_only_where_a_test_says_so(tables, p_value, words):
    for row in tables["genre_checks"]:
        if row["check_name"] == "activity_thirds":
            row["p_value"] = p_value
    section = effects.section(tables)
    assert words in titled(section, "genre-thirds")


def test_balance_names_the_largest_difference_of_all(tables):
    section = effects.section(tables)
    assert "alike: the largest difference goes from 0.229 to 0.004" in titled(
        section, "genre-balance"
    )
    tables["genre_balance"][0]["difference_after"] = 0.3
    section = effects.section(tables)
    assert "others unlike" in titled(section, "genre-balance")


def test_overlap_counts_who_is_left_out(tables):
    section = effects.section(tables)
    assert titled(section, "genre-overlap").startswith("99.9 %")


def test_a_limit_of_one_needs_nothing_to_be_explained(tables):
    table = table_of(effects.section(tables), "E-values")
    assert "for its interval 1." in table.title
    for row in tables["genre_effects"]:
        if row["is_headline"]:
            row["e_value_limit"] = 1.0
    table = table_of(effects.section(tables), "E-values")
    assert "its interval needs none" in table.title


def test_controls_that_find_something_are_named_first(tables):
    name = "Checks of the adjusted effect"
    table = table_of(effects.section(tables), name)
    assert table.title == "All 2 controls that must find nothing find nothing"
    tables["genre_checks"][0]["verdict"] = "failed"
    table = table_of(effects.section(tables), name)
    assert table.title.startswith("1 of 2 controls")


def test_the_landmark_counts_everybody(tables):
    table = table_of(
        effects.section(tables), "New users at the end of the window"
    )
    assert table.title == "16,000 of 24,000 new users can be compared on D7"
    assert cell(table.rows[0][2]) == "66.7 %"


def test_each_table_on_exploring_may_be_empty(tables):
    names = [name for name in tables if name.startswith("diversity_")]
    for name in [*names, "fct_genre_landmark"]:
        assert effects.section(tables | {name: []}).parts
