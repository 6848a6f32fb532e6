"""Whether the post-step's statements hold, and whether that would be noticed.

The small version of ``make coverage``: users of the demo's experiments are
split anew, through the compiled SQL of the marts.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import count_coverage
from coverage_check.experiments import coverage_rows
from coverage_check.shares import ceiling_row, share_row
from coverage_check.splits import World, opened
from warehouse import WarehouseError

ROOT = Path(__file__).parents[3]
WAREHOUSE = ROOT / "target/streaming_engagement.duckdb"
COMPILED = ROOT / "target/compiled"


def test_a_share_is_met_when_chance_explains_it():
    fair = np.arange(1000) % 20 == 0
    assert share_row("x", 0.05, fair)["is_met"]
    assert not share_row("x", 0.09, fair)["is_met"]
    assert share_row("x", 0.09, fair, margin=0.03)["is_met"]


def test_a_ceiling_may_be_undercut_and_not_exceeded():
    rare, often = np.arange(1000) % 100 == 0, np.arange(1000) % 5 == 0
    assert ceiling_row("x", 0.05, rare)["is_met"]
    assert not ceiling_row("x", 0.05, often)["is_met"]
    assert not share_row("x", 0.05, rare)["is_met"]


def test_the_interval_of_chance_narrows_with_replicates():
    few, many = (
        share_row("x", 0.05, np.arange(size) % 20 == 0)
        for size in (100, 10_000)
    )
    assert many["high"] - many["low"] < (few["high"] - few["low"]) / 8


def test_no_replicate_is_refused():
    with pytest.raises(ValueError, match="x: no replicate"):
        share_row("x", 0.05, [])


@pytest.fixture(scope="module")
def push():
    with opened(WAREHOUSE, COMPILED, "push_reminders", 300) as splits:
        yield splits


def test_splits_are_fair_differ_and_can_be_made_again(push):
    first, again, other = (
        push.dealt(World("null", {}), range(start, start + 10))[
            "fct_experiment_statistics"
        ]
        for start in (0, 0, 10)
    )
    assert first.equals(again)
    everyone = first[
        (first["dimension"] == "all")
        & (first["policy"] == "first_assignment")
        & (first["metric_name"] == "sessions_per_user")
    ]
    users = everyone.pivot_table(
        index="experiment_id", columns="variant", values="unit_count"
    )
    assert (users.sum(axis=1) == 300).all()
    assert users["A"].nunique() > 3
    assert users["A"].mean() == pytest.approx(150, abs=4 * np.sqrt(75 / 10))
    assert set(other["experiment_id"]).isdisjoint(first["experiment_id"])
    sums = (
        (everyone["unit_count"] * everyone["value_mean"])
        .groupby(everyone["experiment_id"])
        .sum()
    )
    np.testing.assert_allclose(sums, sums.iloc[0], rtol=1e-12)


def test_what_is_planted_is_what_differs(push):
    """Of many splits, the mean difference is the effect that was planted."""
    metrics = push.metrics.set_index("metric_name")
    step = 20.0
    found = push.dealt(
        World("planted", {"sessions_per_user": f"outcome_value + {step}"}),
        range(60),
    )["fct_experiment_statistics"]
    everyone = found[
        (found["dimension"] == "all")
        & (found["policy"] == "first_assignment")
        & (found["metric_name"] == "sessions_per_user")
    ].pivot_table(index="experiment_id", columns="variant", values="value_mean")
    spread = metrics.loc["sessions_per_user", "value_variance"]
    error = np.sqrt(spread * 4 / 300 / 60)
    differences = everyone["B"] - everyone["A"]
    assert differences.mean() == pytest.approx(step, abs=4 * error)


def test_claims_hold_in_a_small_count(push):
    rows = coverage_rows(push, 60)
    off = [row for row in rows if row["is_met"] is False]
    assert off == []
    names = " ".join(row["name"] for row in rows)
    for claim in (
        "false positives: sessions_per_user, welch_t cuped",
        "false positives: watched_seconds_per_session, ratio_delta",
        "false positives: p90_watched_seconds, quantile_outer",
        "complier_effect",
        "post_stratified",
        "capped",
        "any look crosses its boundary",
        "segments differ",
        "relative coverage",
        "power as planned",
        "harm at the margin passes",
    ):
        assert claim in names


@dataclass
class Liar:
    """Splits whose arm B has more of everything, whatever is planted."""

    splits: object
    preferred_strata = ()

    @property
    def metrics(self):
        return self.splits.metrics

    def truth(self, metric, outcome):
        return self.splits.truth(metric, outcome)

    def dealt(self, world, replicates):
        moved = {
            metric: f"1.3 * ({world.outcomes.get(metric, 'outcome_value')})"
            for metric in self.metrics["metric_name"]
        }
        return self.splits.dealt(World(world.name, moved), replicates)


def test_a_broken_split_is_noticed(push):
    rows = {row["name"]: row for row in coverage_rows(Liar(push), 20)}
    for name in (
        "false positives: sessions_per_user, welch_t",
        "any look crosses its boundary: sessions_per_user",
        "coverage: sessions_per_user, welch_t",
        "harm at the margin passes: watched_seconds_per_session, "
        "non_inferiority",
    ):
        assert rows[name]["is_met"] is False, name


def test_too_few_replicates_are_refused(push):
    with pytest.raises(ValueError, match="at least 20, got 19"):
        coverage_rows(push, 19)


def test_a_missing_model_names_its_remedy(tmp_path):
    with (
        pytest.raises(WarehouseError, match=r"caps\.sql; run `make build`"),
        opened(WAREHOUSE, tmp_path, "push_reminders"),
    ):
        pass


def test_the_table_is_written_whole_and_printed(monkeypatch, tmp_path, capsys):
    rows = [share_row("coverage", 0.95, [True] * 99 + [False])]
    monkeypatch.setattr(
        count_coverage, "counted", lambda *_: [{"subject": "push"} | rows[0]]
    )
    monkeypatch.setattr(count_coverage, "planted", lambda _: [])
    monkeypatch.setattr(count_coverage, "input_version", lambda _: "abc")
    out = tmp_path / "coverage.json"
    monkeypatch.setattr("sys.argv", ["count_coverage.py", "--out", str(out)])
    count_coverage.main()
    written = json.loads(out.read_text())
    assert written["input_version"] == "abc"
    assert written["rows"][0]["found"] == 0.99
    assert "push: coverage" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == [out]


def test_planted_worlds_are_judged_too(monkeypatch):
    row = {"name": "a_b", "nominal": 0.95, "found": 0.9, "replicates": 9}
    for module, low in (("genres", 0.9), ("scenarios", 0.97)):
        monkeypatch.setattr(
            getattr(count_coverage, module),
            "coverage_rows",
            lambda _, low=low: [row | {"low": low, "high": 0.99}],
        )
    assert [
        (row["name"], row["is_met"]) for row in count_coverage.planted(9)
    ] == [
        ("a b", True),
        ("a b", False),
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    "experiment", ["push_reminders", "onboarding_personalisation"]
)
def test_claims_hold_over_two_thousand_splits(experiment):
    with opened(WAREHOUSE, COMPILED, experiment) as splits:
        rows = coverage_rows(splits, 2_000)
    assert [row for row in rows if row["is_met"] is False] == []
