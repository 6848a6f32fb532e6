"""Tests published with one row per user, from their file to the report."""

import shutil

import duckdb
import numpy as np
import pandas as pd
import pytest
from loading import ROOT, loader
from scipy import stats

MAPPINGS = ROOT / "docs/mappings"
NAMES = ("cookie_cats", "hillstrom")
# Each metric by its experiment: the columns of its variant and of its outcome.
METRICS = {
    ("first_gate", "retention_7"): ("version", "retention_7"),
    ("first_gate", "rounds_per_user"): ("version", "sum_gamerounds"),
    ("e_mail", "visit_rate"): ("segment", "visit"),
    ("e_mail", "spend_per_user"): ("segment", "spend"),
}
CONTROLS = {"first_gate": "gate_30", "e_mail": "No E-Mail"}


@pytest.fixture(scope="module")
def published():
    """Rows in the shape of two published tests, drawn here."""
    draw = np.random.default_rng(20260108)
    players, customers = 900, 1_200
    spend = np.round(draw.exponential(60, customers), 2)
    return {
        "cookie_cats": pd.DataFrame(
            {
                "userid": np.arange(players) * 7 + 1,
                "version": draw.choice(["gate_30", "gate_40"], players),
                "sum_gamerounds": draw.geometric(0.02, players) - 1,
                "retention_1": draw.random(players) < 0.45,
                "retention_7": draw.random(players) < 0.19,
            }
        ),
        "hillstrom": pd.DataFrame(
            {
                "recency": draw.integers(1, 13, customers),
                "history_segment": draw.choice(
                    ["1) low", "2) high"], customers
                ),
                "history": np.round(draw.exponential(240, customers), 2),
                "mens": 1,
                "womens": 0,
                "zip_code": draw.choice(["Rural", "Urban"], customers),
                "newbie": draw.integers(0, 2, customers),
                "channel": draw.choice(["Phone", "Web"], customers),
                "segment": draw.choice(
                    ["No E-Mail", "Mens E-Mail", "Womens E-Mail"], customers
                ),
                "visit": draw.integers(0, 2, customers),
                "conversion": draw.integers(0, 2, customers),
                "spend": np.where(draw.random(customers) < 0.2, spend, 0),
            }
        ),
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("published")


@pytest.fixture(scope="module")
def log(published, folder):
    """Both logs, loaded as the documents say, in one folder."""
    together = folder / "together"
    together.mkdir()
    for name in NAMES:
        place = folder / name
        shutil.copytree(MAPPINGS / name, place / name)
        published[name].to_csv(place / f"{name}.csv", index=False)
        loaded = loader(place)((MAPPINGS / f"{name}.yml").read_text())
        for path in loaded.folder.glob("*.csv"):
            target = together / path.name
            frames = [pd.read_csv(path, dtype=str, keep_default_na=False)]
            if target.exists():
                frames.insert(
                    0, pd.read_csv(target, dtype=str, keep_default_na=False)
                )
            pd.concat(frames).drop_duplicates().fillna("").to_csv(
                target, index=False
            )
    (together / "rejected_rows.csv").unlink()
    metrics = together / "experiment_metrics.csv"
    metrics.write_text(metrics.read_text().replace("0.999", ""))
    return together


@pytest.fixture(scope="module")
def warehouse(build, log, folder, script):
    build(log, folder, with_tests=True).close()
    done = script("analyze.py", log, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    with duckdb.connect(
        folder / "warehouse.duckdb", read_only=True
    ) as connection:
        yield connection


def arms(published, experiment, metric):
    """Outcomes by variant, from the published rows."""
    name = "cookie_cats" if experiment == "first_gate" else "hillstrom"
    variant, outcome = METRICS[experiment, metric]
    frame = published[name]
    return {
        arm: values.astype(float).to_numpy()
        for arm, values in frame.groupby(variant)[outcome]
    }


@pytest.mark.parametrize(("experiment", "metric"), METRICS)
def test_statistics_are_those_of_the_published_rows(
    warehouse, published, experiment, metric
):
    found = warehouse.execute(
        "select variant, unit_count, value_mean, value_variance"
        " from marts.fct_experiment_statistics where experiment_id = ?"
        " and metric_name = ? and dimension = 'all' and outcome_version = 'raw'"
        " and policy = 'first_assignment'",
        [experiment, metric],
    ).fetchall()
    expected = arms(published, experiment, metric)
    assert {row[0] for row in found} == set(expected)
    for variant, count, mean, variance in found:
        values = expected[variant]
        assert count == len(values)
        assert mean == pytest.approx(values.mean(), rel=1e-12)
        assert variance == pytest.approx(values.var(ddof=1), rel=1e-12)


def test_own_segments_break_the_published_rows_down(warehouse, published):
    found = warehouse.execute(
        "select dimension_value, variant, unit_count, value_mean,"
        " value_covariate_covariance from marts.fct_experiment_statistics"
        " where metric_name = 'spend_per_user' and dimension = 'area'"
        " and outcome_version = 'raw' and policy = 'first_assignment'"
    ).fetchall()
    cells = published["hillstrom"].groupby(["zip_code", "segment"])
    assert len(found) == len(cells) == 6
    for area, variant, count, mean, covariance in found:
        cell = cells.get_group((area, variant))
        assert count == len(cell)
        assert mean == pytest.approx(cell["spend"].mean(), rel=1e-12)
        assert covariance == pytest.approx(
            cell["spend"].cov(cell["history"]), rel=1e-9
        )


@pytest.mark.parametrize(("experiment", "metric"), METRICS)
def test_welch_of_a_published_test_is_scipys(
    warehouse, published, experiment, metric
):
    found = warehouse.execute(
        "select treatment_variant, estimate, p_value"
        " from results.experiment_results where experiment_id = ?"
        " and metric_name = ? and method = 'welch_t'"
        " and outcome_version = 'raw' and policy = 'first_assignment'"
        " and adjustment = 'none'",
        [experiment, metric],
    ).fetchall()
    values = arms(published, experiment, metric)
    control = values.pop(CONTROLS[experiment])
    assert sorted(row[0] for row in found) == sorted(values)
    for variant, estimate, p_value in found:
        expected = stats.ttest_ind(values[variant], control, equal_var=False)
        assert estimate == pytest.approx(
            values[variant].mean() - control.mean(), rel=1e-9
        )
        assert p_value == pytest.approx(expected.pvalue, rel=1e-9)


def test_a_log_without_events_has_a_report(warehouse, log, folder, script):
    assert warehouse
    page = folder / "report"
    done = script("build_report.py", log, folder, "--out", page)
    assert done.returncode == 0, done.stderr
    text = (page / "index.html").read_text()
    assert "no events, only what was measured of users" in text
    assert "First gate at level 40" in text
