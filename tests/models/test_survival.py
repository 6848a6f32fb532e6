"""Survival, in the SQL that dbt compiles, by published values and lifelines."""

import duckdb
import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter

HORIZON = 60


@pytest.fixture(scope="module")
def sql(compiled):
    variables = {"retention_horizon_days": HORIZON}
    return compiled("fct_survival", variables=variables)["fct_survival"]


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
            f"select * from ({sql}) order by dimension_value, day_number"
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
