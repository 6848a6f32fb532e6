"""Lifetimes and survival, in the SQL that dbt compiles: published values, an
independent library, the definition by brute force, and what comes later."""

from datetime import date, timedelta

import duckdb
import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter

CHURN_AFTER = 5
HORIZON = 60
FIRST_DAY = date(2026, 1, 5)


@pytest.fixture(scope="module")
def sql(compiled):
    return compiled(
        "fct_user_lifetimes",
        "fct_survival",
        variables={
            "churn_after_days": CHURN_AFTER,
            "retention_horizon_days": HORIZON,
        },
    )


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        connection.execute(
            "attach ':memory:' as warehouse;"
            "create schema warehouse.intermediate;"
            "create schema warehouse.marts"
        )
        yield connection


@pytest.fixture
def survival(connection, sql):
    """Estimate, by group, from (lifetime_days, is_churned) of its users."""

    def estimate(groups):
        users = pd.DataFrame(
            [
                (f"{name}{number}", name, is_churned, days)
                for name, pairs in groups.items()
                for number, (days, is_churned) in enumerate(pairs)
            ],
            columns=["user_id", "name", "is_churned", "lifetime_days"],
        )
        connection.register("users", users)
        connection.execute(
            "create or replace table warehouse.marts.fct_user_lifetimes as"
            " select user_id, is_churned, cast(lifetime_days as integer) as"
            " lifetime_days from users;"
            "create or replace table"
            " warehouse.intermediate.int_users_broken_down as"
            " select user_id, 'platform' as dimension, name as dimension_value,"
            " 'user' as dimension_unit, true as is_bounded from users"
        )
        rows = connection.execute(
            f"select * from ({sql['fct_survival']})"
            " order by dimension_value, day_number"
        ).df()
        return {
            name: rows[rows["dimension_value"] == name].set_index("day_number")
            for name in groups
        }

    return estimate


# Weeks in remission under 6-mercaptopurine, a plus for those still in it.
# Freireich et al. (1963), Blood 21(6); survival as in Cox and Oakes (1984).
REMISSION = (
    "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+"
)
REMAINING = {
    6: 0.857,
    7: 0.807,
    10: 0.753,
    13: 0.690,
    16: 0.627,
    22: 0.538,
    23: 0.448,
}


def test_published_remission_times(survival):
    pairs = [
        (int(time.rstrip("+")), not time.endswith("+"))
        for time in REMISSION.split()
    ]
    found = survival({"treated": pairs})["treated"]
    for week, share in REMAINING.items():
        assert found["survival_rate"][week] == pytest.approx(share, abs=6e-4)
    assert found["survival_rate"][5] == 1
    assert found["survival_rate"][35] == found["survival_rate"][23]
    assert found.index.tolist() == list(range(36))
    assert found["at_risk_users"][[6, 7, 10, 13, 35]].tolist() == [
        21,
        17,
        15,
        12,
        1,
    ]


def random_groups():
    draw = np.random.default_rng(20260105)
    groups = {}
    for size in (1, 2, 7, 40, 400, 20_000):
        lifetimes = draw.geometric(0.08, size)
        ends = draw.integers(1, 50, size)
        groups[f"staggered{size}"] = list(
            zip(
                np.minimum(lifetimes, ends).tolist(),
                (lifetimes <= ends).tolist(),
                strict=True,
            )
        )
    groups["rare"] = [(1 + i % 40, i % 5_000 == 7) for i in range(50_000)]
    groups["tied"] = [(3, True)] * 5 + [(3, False)] * 4 + [(9, True)] * 2
    groups["gaps"] = [(2, True), (2, False), (30, False), (41, True)]
    groups["all_churned"] = [(1, True), (4, True), (4, True)]
    groups["all_churned_at_once"] = [(2, True)] * 9
    groups["none_churned"] = [(3, False), (8, False)]
    return groups


def test_agrees_with_lifelines(survival):
    groups = random_groups()
    found = survival(groups)
    for name, pairs in groups.items():
        times, churned = zip(*pairs, strict=True)
        ours = found[name]
        assert ours.index.tolist() == list(range(max(times) + 1)), name
        fitter = KaplanMeierFitter().fit(times, churned, timeline=ours.index)
        theirs = fitter.survival_function_.iloc[:, 0]
        np.testing.assert_allclose(
            ours["survival_rate"], theirs, rtol=0, atol=1e-9, err_msg=name
        )
        # Where all or nobody is left lifelines fills its limits in: there is
        # no interval, and we claim none.
        is_inside = (ours["survival_rate"] > 0) & (ours["survival_rate"] < 1)
        limits = ours[["ci_low", "ci_high"]]
        assert limits[~is_inside].isna().all(axis=None), name
        np.testing.assert_allclose(
            limits[is_inside],
            fitter.confidence_interval_[is_inside.to_numpy()],
            rtol=0,
            atol=1e-9,
            err_msg=name,
        )
        counts = fitter.event_table.reindex(ours.index, fill_value=0)
        assert (ours["churned_users"] == counts["observed"]).all(), name
        assert (ours["censored_users"] == counts["censored"]).all(), name


def test_ends_are_exact(survival):
    found = survival(
        {
            "all": [(1 + i % 7, True) for i in range(999)],
            "none": [(1 + i % 7, False) for i in range(999)],
        }
    )
    assert found["all"]["survival_rate"][7] == 0
    assert found["all"]["hazard_rate"][7] == 1
    assert (found["none"]["survival_rate"] == 1).all()


# --- lifetimes ----------------------------------------------------------------


def by_definition(days, watermark_day):
    """The first run of silent days that had its full length, by trying all."""
    followed = watermark_day - CHURN_AFTER + 1
    if followed < 1:
        return None
    for start in range(1, followed + 1):
        if not days & set(range(start, start + CHURN_AFTER)):
            return start, True
    return followed, False


@pytest.fixture(scope="module")
def lives():
    """Active days of many users, day 0 always one: user to (cohort, days)."""
    draw = np.random.default_rng(20260106)
    found = {}
    for number in range(1500):
        rate = draw.beta(0.6, 0.8)
        active = np.flatnonzero(draw.random(40) < rate)
        found[f"u{number}"] = int(draw.integers(0, 30)), {0, *active.tolist()}
    return found


@pytest.fixture
def lifetimes(connection, sql, lives):
    """Lifetimes as told from the days up to a watermark and some after it."""
    users = pd.DataFrame(
        [
            (user, FIRST_DAY + timedelta(days=cohort))
            for user, (cohort, _) in lives.items()
        ],
        columns=["user_id", "cohort_date"],
    )
    days = pd.DataFrame(
        [
            (user, day, FIRST_DAY + timedelta(days=cohort + day))
            for user, (cohort, active) in lives.items()
            for day in active
        ],
        columns=["user_id", "day_number", "activity_date"],
    )
    connection.register("users", users)
    connection.register("days", days)

    def told(watermark, days_after):
        connection.execute(
            "create or replace table warehouse.intermediate.int_users_started"
            " as select user_id, cast(cohort_date as date) as cohort_date,"
            " true as is_new, 'tv' as platform, 'DE' as country_code,"
            " 'organic' as acquisition_channel from users"
        )
        connection.execute(
            "create or replace table warehouse.marts.fct_user_days as"
            " select user_id, day_number, true as is_active,"
            " cast(activity_date as date) as activity_date from days"
            " where activity_date <= ?",
            [FIRST_DAY + timedelta(days=watermark + days_after)],
        )
        connection.execute(
            "create or replace table warehouse.intermediate.int_log_bounded"
            " as select cast(? as date) as watermark_date",
            [FIRST_DAY + timedelta(days=watermark)],
        )
        return {
            user: (days, is_churned)
            for user, days, is_churned in connection.execute(
                "select user_id, lifetime_days, is_churned"
                f" from ({sql['fct_user_lifetimes']})"
            ).fetchall()
        }

    return told


@pytest.mark.parametrize("watermark", [0, CHURN_AFTER, 20, 33])
def test_lifetimes_follow_the_definition(lifetimes, lives, watermark):
    expected = {
        user: by_definition(
            {day for day in days if cohort + day <= watermark},
            watermark - cohort,
        )
        for user, (cohort, days) in lives.items()
    }
    known = {user: one for user, one in expected.items() if one is not None}
    assert lifetimes(watermark, days_after=1) == known
    assert len(known) == sum(
        cohort <= watermark - CHURN_AFTER for cohort, _ in lives.values()
    )


def test_days_after_the_watermark_change_no_lifetime(lifetimes):
    assert lifetimes(25, days_after=0) == lifetimes(25, days_after=40)


def test_a_longer_log_changes_nothing_that_was_told(lifetimes, lives):
    """Cut back to where follow-up ended, a lifetime is what it was."""
    earlier = lifetimes(20, days_after=1)
    later = lifetimes(33, days_after=1)
    assert earlier.keys() < later.keys()
    for user, told in earlier.items():
        followed = 20 - CHURN_AFTER + 1 - lives[user][0]
        days, is_churned = later[user]
        cut = (days, is_churned) if days <= followed else (followed, False)
        assert told == cut, user
    assert len({is_churned for _, is_churned in earlier.values()}) == 2
