"""A small log as the marts and the analysis tell it, for tests of the page.

Written by hand, without a build: what a page says of numbers is tested where
the numbers can be chosen.
"""

import datetime
import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import declared
import duckdb
import stand_ins

import analyze
import warehouse
from report.page import MARTS
from stats.observed.e_values import e_value
from warehouse.duckdb_file import DuckDBFile

FIRST_DAY = datetime.date(2026, 1, 5)
COHORTS = 12
WATERMARK = FIRST_DAY + datetime.timedelta(days=40)
VERSION = "0123456789abcdef0123456789abcdef"
PLATFORMS = ("android", "ios", "tv", "web")
GENRES = ("drama", "comedy", "thriller", "kids", "documentary")
TITLES = 2_000
ALL = {"dimension": "all", "dimension_value": "all"}


def table(columns, *rows):
    """Rows of literals under the names of their columns."""
    return [dict(zip(columns.split(), row, strict=True)) for row in rows]


def day(number):
    return FIRST_DAY + datetime.timedelta(days=number)


def expected_rate(number):
    return min(1.0, 0.26 * number**-0.5) if number else 1.0


def wilson(successes, trials):
    """Return the rate and its interval, nulls when nobody counts."""
    if not trials:
        return None, None, None
    share, z = successes / trials, 1.96
    centre = share + z * z / (2 * trials)
    reach = z * math.sqrt(
        share * (1 - share) / trials + z * z / (4 * trials**2)
    )
    scale = 1 + z * z / trials
    return (
        share,
        max((centre - reach) / scale, 0.0),
        min((centre + reach) / scale, 1.0),
    )


def without(row, *names):
    return {name: row[name] for name in row if name not in names}


def retention(cohort_size, eligible, rate):
    """Return the measures of retention, nulls when nobody is old enough."""
    retained = min(eligible, round(eligible * rate))
    share, low, high = wilson(retained, eligible)
    return {
        "cohort_size": cohort_size,
        "eligible_users": eligible,
        "retained_users": retained,
        "rate": share,
        "ci_low": low,
        "ci_high": high,
        "is_mature": 0 < eligible == cohort_size,
        "is_small_cell": 0 < eligible < 30,
    }


def between(row, stretch=1.4):
    """Add an interval between cohorts, wider than Wilson's."""
    rate = row["rate"]
    if rate is None:
        return row
    return row | {
        "design_effect": stretch**2,
        "cohort_ci_low": rate - stretch * (rate - row["ci_low"]),
        "cohort_ci_high": rate + stretch * (row["ci_high"] - rate),
    }


def dimensions(users):
    """Yield dimension, value, users and a factor on rates."""
    yield "all", "all", users, 1.0
    for place, platform in enumerate(PLATFORMS):
        yield "platform", platform, users // 4, 0.9 + 0.07 * place


def groups_of(country, last_day_number):
    """Yield values and cohorts, each with size, eligible users and factor."""
    for dimension, value, size, factor in dimensions(24_042):
        yield dimension, value, size, size, factor
    for place, value in enumerate([country, "US", "FR", "IN", "BR"]):
        size = 24_042 // 5
        yield "country", value, size, size, 0.95 + 0.03 * place
    for index in range(COHORTS):
        size = 1800 + 37 * index
        eligible = size * (day(index + last_day_number) <= WATERMARK)
        factor = 1 + 0.05 * math.sin(index)
        yield "cohort", str(day(index)), size, eligible, factor


def summary_rows(country):
    rows = []
    windows = [("on_day", n, n) for n in (1, 7, 14, 30)]
    windows += [("bracket", 1, 7), ("bracket", 8, 14)]
    windows += [("on_or_after", n, 30) for n in (1, 7, 14)]
    for (kind, first, last), mode in product(windows, ("calendar", "elapsed")):
        for dimension, value, size, eligible, factor in groups_of(
            country, last
        ):
            rate = expected_rate(first) * factor
            rate *= (2 if kind != "on_day" else 1) * (
                1.01 if mode == "elapsed" else 1
            )
            row = retention(size, eligible, min(rate, 1))
            rows.append(
                (row if dimension == "cohort" else between(row))
                | {
                    "dimension": dimension,
                    "dimension_value": value,
                    "retention_type": kind,
                    "day_mode": mode,
                    "from_day_number": first,
                    "to_day_number": last,
                }
            )
    return rows


def triangle_rows():
    rows = []
    for index in range(COHORTS):
        size = 1800 + 37 * index
        for number in range(61):
            is_old = day(index + number) <= WATERMARK
            rate = expected_rate(number) * (1 + 0.02 * math.sin(index + number))
            rows.append(
                {
                    "cohort_grain": "day",
                    "cohort_date": day(index),
                    "period_number": number,
                    "is_cohort_complete": True,
                }
                | retention(size, size * is_old, rate)
            )
    for week in range(2):
        size = (13_377, 10_665)[week]
        for number in range(9):
            last = day(7 * (week + number) + 6)
            rate = 1.6 * expected_rate(5 * number) if number else 1.0
            # Half of a cohort is old enough a week before all of it is.
            old = (last <= WATERMARK) + (
                last - datetime.timedelta(days=3) <= WATERMARK
            )
            rows.append(
                {
                    "cohort_grain": "week",
                    "cohort_date": day(7 * week),
                    "period_number": number,
                    "is_cohort_complete": week == 0,
                }
                | retention(size, size * old // 2, min(rate, 1.0))
            )
    return rows


def curve_rows():
    rows = []
    for number in range(41):
        old = sum(
            1800 + 37 * index
            for index in range(COHORTS)
            if day(index + number) <= WATERMARK
        )
        for name, users in (("eligible", old), ("fixed", 23_000)):
            if name == "fixed" and number > 30:
                continue
            row = between(retention(users, users, expected_rate(number)))
            extra = "cohort_size is_mature is_small_cell design_effect"
            rows.append(
                without(row, *extra.split())
                | ALL
                | {"cohort_set": name, "day_number": number}
            )
    return rows


def survival_rows():
    rows = []
    for dimension, value, size, factor in dimensions(24_042):
        for number in range(27):
            stay = 0.6 * math.exp(-0.03 * number / factor) if number else 1.0
            reach = 1 / math.sqrt(size) if number else None
            rows.append(
                {
                    "dimension": dimension,
                    "dimension_value": value,
                    "day_number": number,
                    "at_risk_users": round(size * stay),
                    "churned_users": round(size * 0.02 * stay),
                    "censored_users": 3 * (number > 20),
                    "survival_rate": stay,
                    "hazard_rate": 0.02,
                    "ci_low": stay - reach if reach else None,
                    "ci_high": stay + reach if reach else None,
                }
            )
    return rows


def tenure_rows():
    bands = ("0-6 days", "7-13 days", "14-29 days", "30+ days", "established")
    rows = []
    for week in range(6):
        for number, name in enumerate(bands, start=1):
            users = max(0, 4_000 - 700 * abs(week - number))
            if number < 5 and number > week + 1:
                continue
            rows.append(
                {
                    "week_start_date": day(7 * week),
                    "band_number": number,
                    "tenure_band": name,
                    "is_complete": week < 5,
                    "active_users": users,
                    "play_count": 9 * users,
                    "watched_seconds": 14_400 * users,
                }
            )
    return rows


def active_rows():
    rows = []
    for number in range(42):
        weekly = 7_000 - 60 * number
        daily = 2_000 - 20 * number + 300 * (number % 7 > 4)
        mean = 1_800.5 - number
        month = {
            "monthly_active_users": 15_000,
            "mean_daily_active_users": mean,
            "stickiness_rate": mean / 15_000,
        }
        rows.append(
            {
                **ALL,
                "calendar_date": day(number),
                "is_complete": day(number) <= WATERMARK,
                "daily_active_users": daily,
                "weekly_active_users": weekly if number >= 6 else None,
            }
            | (month if number >= 27 else {})
        )
    return rows


def frequency_rows():
    rows = []
    for window, ends in ((7, (34, 40)), (28, (40,))):
        for end in ends:
            users = [round(3_000 * 0.7**number) for number in range(window)]
            for number, count in enumerate(users, start=1):
                at_least = sum(users[number - 1 :])
                rows.append(
                    {
                        "window_days": window,
                        "window_end_date": day(end),
                        "active_day_count": number,
                        "user_count": count,
                        "user_count_at_least": at_least,
                        "window_user_count": sum(users),
                        "exact_rate": count / sum(users),
                        "at_least_rate": at_least / sum(users),
                    }
                )
    return rows


def growth_rows():
    rows = []
    for grain, length in (("day", 1), ("week", 7)):
        before = None
        for place in range(6):
            new, back, lost = 900 - 100 * place, 60 * place, 500 - 40 * place
            row = {
                **ALL,
                "period_grain": grain,
                "period_start_date": day(length * place),
                "is_complete": place < 5,
                "is_first_period": before is None,
                "active_users": 4_900,
                "new_users": new,
            }
            if before is not None:
                row |= {
                    "active_users": before + new + back - lost,
                    "previous_active_users": before,
                    "retained_users": before - lost,
                    "resurrected_users": back,
                    "churned_users": lost,
                    "quick_ratio": (new + back) / lost,
                }
            rows.append(row)
            before = row["active_users"]
    return rows


def length_rows(genres):
    values = [("all", "all", 1.0)]
    values += [("platform", p, 0.8 + 0.1 * i) for i, p in enumerate(PLATFORMS)]
    values += [("genre", g, 0.9 + 0.05 * i) for i, g in enumerate(genres)]
    (seconds,) = table(
        "mean p25 median p75 p90 p95 longest",
        (2_100.0, 300.0, 1_200.0, 2_900.0, 5_400.0, 7_300.0, 33_000.0),
    )
    lengths, bands = [], []
    for dimension, value, factor in values:
        sessions = 345_678 if dimension == "all" else round(90_000 * factor)
        lengths.append(
            {
                "dimension": dimension,
                "dimension_value": value,
                "session_count": sessions,
                "user_count": sessions // 13,
                "sessions_per_user": 13.2,
            }
            | {
                f"{name}_seconds": factor * each
                for name, each in seconds.items()
            }
        )
        names = ("under 1 min", "1 to 10 min", "10 to 60 min", "over 1 h")
        for number, (name, share) in enumerate(
            zip(names, (0.1, 0.3, 0.45, 0.15), strict=True), start=1
        ):
            bands.append(
                {
                    "dimension": dimension,
                    "dimension_value": value,
                    "band_number": number,
                    "band_name": name,
                    "session_count": round(sessions * share),
                    "session_rate": share,
                }
            )
    return lengths, bands


def genre_rows(genres):
    performance, transitions = [], []
    for place, name in enumerate(genres):
        starters = 20_000 - 2_500 * place
        completers = round(starters * (0.6 - 0.05 * place))
        rate, low, high = wilson(completers, starters)
        performance.append(
            {
                "genre_name": name,
                "title_count": 400 - 10 * place,
                "play_count": 10 * starters,
                "starter_users": starters,
                "completer_users": completers,
                "completer_rate": rate,
                "completer_ci_low": low,
                "completer_ci_high": high,
                "skip_rate": 0.1 + 0.01 * place,
                "watched_seconds": 3_000 * starters,
            }
        )
        for other_place, other in enumerate(genres):
            # One pair never happens, and has no row.
            if (place, other_place) == (0, 4):
                continue
            share = 0.6 if place == other_place else 0.1
            transitions.append(
                {
                    "from_genre_name": name,
                    "to_genre_name": other,
                    "transition_count": round(starters * share),
                    "user_count": round(starters * share / 2),
                    "transition_rate": share,
                }
            )
    return performance, transitions


def funnel_rows():
    """Return a funnel in which 400 of all still have time."""
    names = ("signed_up", "first_valid_play", "second_genre", "day_1_return")
    rows = []
    for dimension, value, size, factor in dimensions(24_042):
        entered, old = size, size - size // 60
        mature = old
        for number, name in enumerate(names, start=1):
            reached, mature_reached, pending, later = entered, mature, 0, {}
            if number > 1:
                share = min((0.9, 0.8, 0.3)[number - 2] * factor, 0.98)
                pending = (entered - mature) // 4
                mature_reached = round(mature * share)
                reached = mature_reached + (entered - mature) // 2
                rate, low, high = wilson(mature_reached, mature)
                later = {"step_rate": rate, "ci_low": low, "ci_high": high}
                later["median_seconds"] = 3_700.0 * number
            rows.append(
                {
                    "dimension": dimension,
                    "dimension_value": value,
                    "step_number": number,
                    "step_name": name,
                    "entered_users": entered,
                    "reached_users": reached,
                    "pending_users": pending,
                    "dropped_users": entered - pending - reached,
                    "mature_entered_users": mature,
                    "mature_reached_users": mature_reached,
                    "total_rate": mature_reached / old,
                }
                | later
            )
            entered, mature = reached, mature_reached
    return rows


@dataclass(frozen=True)
class Log:
    """What of the small log a test may choose."""

    country: str = "DE"
    genre: str = "drama"
    variant: str = "B"
    log_name: str = "demo"
    has_claims: bool = True
    has_genres: bool = True
    has_experiments: bool = True


def mart_rows(log):
    """Make the rows of a small log, by mart."""
    names = (log.genre, *GENRES[1:]) if log.has_genres else ()
    lengths, bands = length_rows(names)
    performance, transitions = genre_rows(names)
    explored = [("1", 0.064), ("2", 0.081), ("3", 0.103), ("4+", 0.124)]
    by_genres = [
        {**ALL, "genres_explored": number, "day_number": 7}
        | without(retention(users, users, rate), "is_small_cell")
        for number, rate, users in (
            [(number, rate, 6_000) for number, rate in explored]
            if log.has_genres
            else [("0", 0.09, 24_042)]
        )
    ]
    arms = table(
        "experiment_id experiment_name variant is_control expected_share"
        " assigned_users mixed_users reached_users",
        ("push", "Push reminders", "A", True, 0.5, 2003, 11, 0),
        ("push", "Push reminders", "B", False, 0.5, 1997, 9, 1760),
        ("skewed", "Skewed split", "A", True, 0.5, 3000, 0, 0),
        ("skewed", "Skewed split", "B", False, 0.5, 2500, 0, 0),
    )
    return {
        "fct_observation": [
            {
                "observed_from_date": FIRST_DAY,
                "last_event_at": datetime.datetime(2026, 2, 15, 6, 0),
                "watermark_date": WATERMARK,
                "time_zone": "UTC",
                "user_count": 29_000,
                "new_user_count": 24_042,
                "established_user_count": 4_000,
                "never_active_user_count": 958,
                "title_count": TITLES,
                "untagged_title_count": 0 if log.has_genres else TITLES,
                "event_count": 1_234_567,
                "session_count": 345_678,
                "play_count": 987_654,
                "session_gap_seconds": 1800,
                "valid_play_seconds": 30,
            }
        ],
        "dim_dimensions": [
            row | {"is_pair": False, "folded_value_count": 0}
            for row in table(
                "dimension_number dimension label dimension_unit is_bounded"
                " folded_user_count",
                (1, "platform", "Platform", "user", True, 0),
                (2, "country", "Country", "user", True, 0),
                (3, "channel", "Channel", "user", True, 0),
                (4, "cohort", "Cohort", "new_user", False, 0),
                (5, "device", "Device", "play", True, 0),
                (6, "genre", "Genre", "title", True, 0),
            )
        ],
        "dim_event_types": table(
            "label is_active", ("Play", True), ("Pause", False)
        ),
        "fct_reconciliation": table(
            "table_name raw_rows malformed_rows rejected_rows duplicate_rows"
            " canonical_rows unknown_type_rows is_reconciled",
            ("content", 2_001, 1, 0, 0, 2_000, 0, True),
            ("events", 1_240_000, 33, 4_000, 1_400, 1_234_567, 0, True),
            ("experiment_assignments", 9_521, 0, 9, 12, 9_500, 0, True),
            ("users", 29_003, 0, 0, 3, 29_000, 0, True),
        ),
        "fct_rejected_rows": table(
            "table_name reason row_count",
            ("events", "unknown_user", 2_500),
            ("events", "impossible_time", 1_500),
            ("events", "duplicate", 1_400),
        ),
        "fct_retention_triangle": triangle_rows(),
        "fct_retention_summary": summary_rows(log.country),
        "fct_retention_curve": curve_rows(),
        "fct_survival": survival_rows(),
        "fct_tenure": tenure_rows(),
        "fct_active_users": active_rows(),
        "fct_activity_frequency": frequency_rows(),
        "fct_growth_accounting": growth_rows(),
        "fct_session_lengths": lengths,
        "fct_session_length_bands": bands,
        "fct_genre_performance": performance,
        "fct_genre_transitions": transitions,
        "fct_onboarding_funnel": funnel_rows(),
        "fct_retention_by_genres": by_genres,
        "fct_genre_landmark": [
            {**ALL, "day_number": 7} | row
            for row in table(
                "landmark_status genres_explored user_count",
                ("compared", "2", 10_000),
                ("compared", "4+", 6_000),
                ("too_few_plays", "1", 8_000),
            )
            if log.has_genres
        ],
        "fct_experiment_arms": [
            arm | ALL for arm in arms if log.has_experiments
        ],
    }


EFFECTS = (
    ("naive_difference", 0.0418, "D"),
    ("compared_difference", 0.0251, "D"),
    ("total_ate", 0.0242, "D"),
    ("stratified_ate", 0.0204, "C"),
    ("stratified_atu", 0.0197, "C"),
    ("regression_ate", 0.0201, "C"),
    ("weighting_ate", 0.0203, "C"),
    ("aipw_ate", 0.0202, "C"),
    ("aipw_att", 0.0208, "C"),
    ("aipw_atu", 0.0196, "C"),
    ("aipw_ate_light", 0.0190, "C"),
    ("aipw_ate_middle", 0.0210, "C"),
    ("aipw_ate_busy", 0.0222, "C"),
)


def exploring(estimand, estimate, grade):
    """One row of `genre_effects`."""
    ratio = 1 + estimate / 0.1
    return {
        "estimand": estimand,
        "population": "compared",
        "adjustment": "none" if grade == "D" else "volume_segments",
        "method": "as the test says",
        "effect_scale": "rate difference",
        "is_headline": estimand == "aipw_ate",
        "estimate": estimate,
        "standard_error": 0.0031,
        "ci_low": estimate - 0.0061,
        "ci_high": estimate + 0.0061,
        "p_value": 1e-12,
        "risk_ratio": ratio,
        "risk_ratio_ci_low": ratio - 0.06,
        "risk_ratio_ci_high": ratio + 0.06,
        "e_value": e_value(ratio, ratio, ratio).estimate,
        "e_value_limit": e_value(ratio, ratio - 0.06, ratio + 0.06).limit,
        "explorer_units": 6_000,
        "other_units": 18_000,
        "units_without_overlap": 0 if grade == "D" else 120,
        "trimmed_rate": 0.005,
        "wording": "Exploring is associated with coming back",
        "causal_grade": grade,
        "alpha": 0.05,
    }


def check(name, plain, adjusted, verdict, p_value):
    """One row of `genre_checks`."""
    row = {
        "check_name": name,
        "question": f"Is {name} as it must be?",
        "method": "as the test says",
        "naive_estimate": plain,
        "statistic": 1.0,
        "p_value": p_value,
        "verdict": verdict,
        "alpha": 0.05,
    }
    if adjusted is not None:
        row |= {"estimate": adjusted, "standard_error": 0.004}
        row |= {"ci_low": adjusted - 0.008, "ci_high": adjusted + 0.008}
    return row


def exploring_tables():
    """Make the rows behind the adjusted effect, by result table."""
    alike = table(
        "covariate covariate_value difference_before difference_after",
        ("valid_play_band", "mean", 0.229, -0.002),
        ("active_day_count", "mean", 0.096, -0.004),
        ("platform_group", "ios", 0.027, -0.003),
        ("platform_group", "tv", -0.041, 0.004),
        ("is_weekend_start", "False", 0.025, 0.003),
        ("is_weekend_start", "True", -0.025, -0.003),
    )
    doses = [("1", 0.09), ("2", 0.095), ("3", 0.1), ("4+", 0.115)]
    return {
        "genre_effects": [exploring(*each) for each in EFFECTS],
        "genre_checks": [
            check("shuffled_genres", 0.037, 0.001, "passed", 0.8),
            check("earlier_outcome", -0.022, -0.003, "passed", 0.4),
            check("overlapping_window", 0.062, 0.051, "misleads", 1e-9),
            check("shuffled_within_strata", None, None, None, 1e-8),
            check("activity_thirds", None, 0.0206, None, 0.71),
        ],
        "genre_balance": [
            row | {"other_mean": 0.4, "explorer_mean": 0.45} for row in alike
        ],
        "genre_overlap": [
            {
                "propensity_from": number / 20,
                "propensity_to": (number + 1) / 20,
                "is_explorer": is_explorer,
                "user_count": 1_000 + 100 * number,
                "trimmed_users": 6 if number == 1 else 0,
            }
            for number in (1, 2, 3, 4)
            for is_explorer in (False, True)
        ],
        "genre_dose_response": [
            {
                "genres_explored": genres,
                "eligible_users": 4_000,
                "retained_users": round(4_000 * rate),
                "rate": rate,
                "ci_low": rate - 0.009,
                "ci_high": rate + 0.009,
                "adjusted_rate": rate - 0.001,
                "adjusted_ci_low": rate - 0.011,
                "adjusted_ci_high": rate + 0.009,
                "difference": None if genres == "1" else rate - 0.09,
                "difference_ci_low": None if genres == "1" else rate - 0.1,
                "difference_ci_high": None if genres == "1" else rate - 0.08,
                "compared_users": 15_000,
                "trimmed_rate": 0.06,
                "alpha": 0.05,
            }
            for genres, rate in doses
        ],
        "genre_trends": [
            row | ALL
            for row in table(
                "day_number eligible_users statistic p_value",
                (7, 24_000, 9.1, 1e-15),
                (14, 24_000, 9.1, 1e-15),
                (30, 24_000, 9.1, 1e-15),
            )
        ],
    }


@lru_cache
def scenario_tables():
    """Project two of the scenarios in git once for all pages."""
    return {
        name: [
            row
            for row in rows
            if row["scenario_name"] in {"explorers", "engineer_roi"}
        ]
        for name, rows in declared.demo().items()
    }


def claim(log, row):
    """One row of `headlines`."""
    name, unit, statement, expected, found, error = row
    row = {
        "headline_name": name,
        "statement": statement,
        "unit": unit,
        "found": found,
        "standard_error": error,
        "ci_low": found - 1.96 * error,
        "ci_high": found + 1.96 * error,
    }
    if expected is None or not log.has_claims:
        return row
    z_score = (found - expected) / error
    return row | {
        "expected": expected,
        "z_score": z_score,
        "is_within_error": abs(z_score) <= 3,
    }


CLAIMS = (
    # Name, unit, statement, expected, found, its standard error.
    ("d7_rate_1_genre", "rate", "D7 after 1", 0.064, 0.0637, 0.0012),
    ("d7_gap", "rate difference", "D7 gap", 0.042, 0.0418, 0.0031),
    ("push_sessions_a", "sessions per user", "Push A", 45, 49.9, 0.2),
    (
        *("scenario_push_sessions", "sessions per week"),
        *("Push for 10 million", 99e6, 98_700_000.0, 2.1e6),
    ),
    ("d1_above_d7", "rate difference", "D1 > D7", None, 0.16, 0.002),
)


def result_rows(log):
    """Make the rows of the analysis, by result table."""

    def comparison(
        experiment, name, metric, kind, method, *, control, estimate
    ):
        half = estimate * 0.2
        return {
            "experiment_id": experiment,
            "experiment_name": name,
            "metric_name": metric,
            "kind": kind,
            "role": "primary",
            "control_variant": "A",
            "treatment_variant": log.variant,
            "outcome_version": "raw",
            "policy": "first_assignment",
            "adjustment": "none",
            "method": method,
            "is_headline": (kind == "proportion") == (method == z_test),
            "control_units": 2_003,
            "treatment_units": 1_997,
            "control_mean": control,
            "treatment_mean": control + estimate,
            "control_ci_low": control - half,
            "control_ci_high": control + half,
            "estimate": estimate,
            "standard_error": half / 1.96,
            "ci_low": estimate - half,
            "ci_high": estimate + half,
            "statistic": 9.8,
            "degrees_of_freedom": 3_990.0 if method == "welch_t" else None,
            "p_value": 3e-40,
            "family_size": 1,
            "multiplicity_method": "holm",
            "adjusted_p_value": 3e-40,
            "relative_estimate": estimate / control,
            "relative_ci_low": (estimate - half) / control,
            "relative_ci_high": (estimate + half) / control,
            "alpha": 0.05,
            "causal_grade": "A",
        }

    def health(experiment, name, *, is_broken):
        reason = "sample_ratio_mismatch" if is_broken else None
        return {
            "experiment_id": experiment,
            "experiment_name": name,
            "assigned_users": 4_000,
            "planned_users": 4_000,
            "expected_shares": "A 0.5, B 0.5",
            "observed_shares": "A 0.501, B 0.499",
            "degrees_of_freedom": 1,
            "p_value": 1.5e-11 if is_broken else 0.92,
            "is_srm_alarm": is_broken,
            "srm_dimension": "platform",
            "srm_dimension_value": "ios",
            "srm_dimension_p_value": 0.4,
            "mixed_users": 20,
            "mixed_rate": 0.005,
            "switched_users": 20,
            "is_mixed_warning": False,
            "immature_rate": 0.0,
            "reached_rate": 0.88,
            "reached_rates": "A 0, B 0.88",
            "decision": "broken" if is_broken else "ship",
            "decision_reasons": reason or "sessions_per_user is better",
            "reason_code": reason,
        }

    push = ("push", "Push reminders", "sessions_per_user", "mean", "welch_t")
    skewed = ("skewed", "Skewed split", "d1_retention", "proportion")
    onboarding = ("onboarding", "Onboarding", "d1_retention", "proportion")
    z_test, t_test = "two_proportion_z", "welch_t"
    found = {
        "analysis_runs": [
            {
                "log_name": log.log_name,
                "source": "simulated",
                "data_seed": 20260105,
                "input_marts": ", ".join(analyze.MARTS),
                "alpha": 0.05,
                "draw_count": 40_000,
                "draw_seed": 7,
                "engine_name": "duckdb",
                "engine_version": "1.5.6",
            }
        ],
    }
    if log.has_experiments:
        found["experiment_results"] = [
            comparison(*push, control=49.9, estimate=9.87),
            comparison(*onboarding, z_test, control=0.2341, estimate=0.0201),
            comparison(*onboarding, t_test, control=0.2341, estimate=0.0201),
            comparison(*skewed, z_test, control=0.7777, estimate=0.0666),
        ]
        found["experiment_health"] = [
            health("push", "Push reminders", is_broken=False),
            health("onboarding", "Onboarding", is_broken=False),
            health("skewed", "Skewed split", is_broken=True),
        ]
    if log.has_genres:
        found |= exploring_tables()
    if log.has_genres and log.has_experiments:
        found |= scenario_tables()
    stamped = {
        name: [row | {"input_version": VERSION} for row in rows]
        for name, rows in found.items()
    }
    stamped["headlines"] = [
        claim(log, row) | {"position": position}
        for position, row in enumerate(CLAIMS, start=1)
    ]
    return {
        name: [whole("results", name, row) for row in stamped.get(name, [])]
        for name in warehouse.result_tables()
    }


def make_tables(**options):
    """Return what the page is made from, without a warehouse."""
    log = Log(**options)
    return (
        {
            name: [whole("marts", name, row) for row in rows]
            for name, rows in mart_rows(log).items()
        }
        | result_rows(log)
        | {"coverage": []}
    )


def whole(schema, table, row):
    """Give a row all columns of its contract, and refuse any other."""
    types = warehouse.declared(schema, table).types
    assert row.keys() <= types.keys(), f"{table}: {row.keys() - types.keys()}"
    return dict.fromkeys(types) | row


def make_warehouse(path, **options):
    """Write a small warehouse; options are those of a `Log`."""
    log = Log(**options)
    with duckdb.connect(str(path)) as connection:
        names = sorted({*MARTS, *analyze.MARTS})
        stand_ins.create(connection, *names)
        rows_of = mart_rows(log)
        for name in names:
            stand_ins.insert(connection, name, rows_of.get(name, []))
        warehouse.replace_results(DuckDBFile(connection), result_rows(log))
        stamp(connection)
    return path


def stamp(connection):
    """Make the results those of the marts as they are."""
    version = warehouse.version_of(
        warehouse.read_marts(DuckDBFile(connection), analyze.MARTS)
    )
    connection.execute(
        "update results.analysis_runs set input_version = ?", [version]
    )
