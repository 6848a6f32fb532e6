"""The statistics that are written in SQL, rendered as sqlfluff renders them,
against scipy, statsmodels and plain numpy."""

from pathlib import Path

import duckdb
import jinja2
import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, t
from statsmodels.stats.proportion import proportion_confint

MACROS = Path(__file__).parents[2] / "macros/statistics"
LEVELS = (0.8, 0.9, 0.95, 0.99)


def rendered(call, level=0.95):
    text = "".join(path.read_text() for path in sorted(MACROS.glob("*.sql")))
    environment = jinja2.Environment(  # noqa: S701
        extensions=["jinja2.ext.do"]
    )
    variables = {"interval_z": float(norm.isf((1 - level) / 2))}
    template = environment.from_string(text + "{{ " + call + " }}")
    return template.render(
        var=variables.__getitem__,
        # DuckDB's words for types are the project's own.
        data_type=lambda name: name,
    ).strip()


def computed(calls, frame, level=0.95):
    selected = ", ".join(rendered(call, level) for call in calls)
    assert len(frame)
    with duckdb.connect() as connection:
        connection.register("cells", frame)
        rows = connection.execute(f"select {selected} from cells").fetchnumpy()
    return [np.ma.filled(column, np.nan) for column in rows.values()]


# --- Student's quantile -------------------------------------------------------

DEGREES = np.arange(1, 400)


def shortfall(level):
    frame = pd.DataFrame({"cohort_count": DEGREES + 1})
    (found,) = computed(["student_quantile('cohort_count - 1')"], frame, level)
    return t.isf((1 - level) / 2, DEGREES) - found


@pytest.mark.parametrize("level", LEVELS)
def test_quantile_has_a_closed_form_below_3_degrees(level):
    np.testing.assert_allclose(shortfall(level)[:2], 0, atol=1e-10)


@pytest.mark.parametrize(
    ("level", "from_3", "from_4", "from_5"),
    [
        (0.8, 6e-5, 2e-5, 5e-6),
        (0.9, 3e-4, 5e-5, 2e-5),
        (0.95, 9e-4, 2e-4, 1e-4),
        (0.99, 1.2e-2, 2e-3, 5e-4),
    ],
)
def test_quantile_is_scipys_to_what_is_said(level, from_3, from_4, from_5):
    error = shortfall(level)
    assert np.abs(error[2:]).max() < from_3
    assert np.abs(error[3:]).max() < from_4
    assert np.abs(error[4:]).max() < from_5
    assert np.abs(error[20:]).max() < 1e-6


def test_quantile_falls_towards_the_normal_one():
    (found,) = computed(
        ["student_quantile('cohort_count - 1')"],
        pd.DataFrame({"cohort_count": [*range(2, 60), 10**7]}),
    )
    assert (np.diff(found) < 0).all()
    assert found[-1] == pytest.approx(norm.isf(0.025), abs=1e-6)


def test_no_degrees_have_no_quantile():
    (found,) = computed(
        ["student_quantile('cohort_count - 1')"],
        pd.DataFrame({"cohort_count": [0, 1]}),
    )
    assert np.isnan(found).all()


# --- bounds -------------------------------------------------------------------


@pytest.mark.parametrize("level", LEVELS)
def test_wilson_bounds_are_statsmodels(level):
    frame = pd.DataFrame(
        [(x, n) for n in (1, 2, 9, 10_000) for x in {0, 1, n // 2, n}],
        columns=["x", "n"],
    )
    found = computed(
        ["wilson_bound('x', 'n', 'low')", "wilson_bound('x', 'n', 'high')"],
        frame,
        level,
    )
    expected = proportion_confint(
        frame["x"], frame["n"], alpha=1 - level, method="wilson"
    )
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    assert (found[0][frame["x"] == 0] == 0).all()
    assert (found[1][frame["x"] == frame["n"]] == 1).all()


# --- clusters -----------------------------------------------------------------

SUMS = (
    "count(*), cast(sum(r) as hugeint), cast(sum(e) as hugeint),"
    " cast(sum(r * r) as hugeint), cast(sum(r * e) as hugeint),"
    " cast(sum(e * e) as hugeint)"
)


def design_effect(retained, eligible):
    frame = pd.DataFrame({"r": retained, "e": eligible}).astype("int64")
    with duckdb.connect() as connection:
        connection.register("cohorts", frame)
        return connection.execute(
            "select "
            + rendered("design_effect('m', 'r', 'e', 'rr', 're', 'ee')")
            + f" from (select {SUMS} from cohorts) as sums"
            " (m, r, e, rr, re, ee)"
        ).fetchone()[0]


def expected_effect(retained, eligible):
    """The ratio estimator's variance over the binomial one, as written."""
    r, e = np.asarray(retained, float), np.asarray(eligible, float)
    p, m, n = r.sum() / e.sum(), len(r), e.sum()
    variance = m / (m - 1) * ((r - p * e) ** 2).sum() / n**2
    return variance / (p * (1 - p) / n)


def test_design_effect_by_hand():
    """Four cohorts of 2, all or none: p = 1/2, V = 4/3 * 4/64 = 1/12, and
    1/32 if users were independent."""
    assert design_effect([2, 0, 2, 0], [2, 2, 2, 2]) == pytest.approx(8 / 3)


def test_design_effect_is_that_of_the_formula():
    draw = np.random.default_rng(1)
    for cohorts in (2, 3, 60):
        eligible = draw.integers(1, 3000, cohorts)
        retained = draw.binomial(eligible, draw.beta(2, 6, cohorts))
        assert design_effect(retained, eligible) == pytest.approx(
            expected_effect(retained, eligible), rel=1e-12
        )


def test_design_effect_stays_exact_in_large_cohorts():
    """Equal rates cancel to 0 exactly, however large the squares."""
    sizes = np.arange(1, 61) * 1_000_000
    assert design_effect(sizes // 4, sizes) == 0


def test_nothing_is_said_where_nothing_can_vary():
    assert design_effect([3], [9]) is None
    assert design_effect([0, 0], [9, 8]) is None
    assert design_effect([9, 8], [9, 8]) is None


@pytest.mark.parametrize("level", LEVELS)
def test_clustered_bounds_are_scores_of_the_effective_sample(level):
    frame = pd.DataFrame(
        [
            (x, 1000, effect, quantile)
            for x in (1, 200, 999)
            for effect in (0.0, 0.7, 1.0, 2.5, 40.0)
            for quantile in (2.0, 12.7)
        ],
        columns=["x", "n", "effect", "quantile"],
    )
    low, high = computed(
        [
            f"clustered_bound('x', 'n', 'effect', 'quantile', '{side}')"
            for side in ("low", "high")
        ],
        frame,
        level,
    )
    n = frame["n"] / np.maximum(frame["effect"], 1)
    q = frame["quantile"]
    p = frame["x"] / frame["n"]
    # The score interval is where the test does not reject.
    for bound in (low, high):
        assert ((p - bound) ** 2).to_numpy() == pytest.approx(
            (q**2 * bound * (1 - bound) / n).to_numpy(), rel=1e-9
        )
    assert ((low < p) & (p < high)).all()


def test_no_design_effect_no_bound():
    frame = pd.DataFrame({"x": [3], "n": [9], "q": [2.0]})
    frame["effect"] = pd.Series([None], dtype="Float64")
    bounds = computed(
        ["clustered_bound('x', 'n', 'effect', 'q', 'low')"], frame
    )
    assert np.isnan(bounds[0]).all()


# --- windows ------------------------------------------------------------------


class CompilerError(Exception):
    """Stands in for dbt's."""


class Exceptions:
    """Stands in for dbt's `exceptions`."""

    @staticmethod
    def raise_compiler_error(message):
        raise CompilerError(message)


def windows(**changed):
    text = (MACROS.parent / "retention/retention_windows.sql").read_text()
    variables = {
        "retention_days": [7, 1, 30],
        "retention_brackets": [[8, 14], [1, 7]],
        "retention_fixed_days": 30,
        "genre_outcome_day": 7,
    } | changed
    environment = jinja2.Environment(  # noqa: S701
        extensions=["jinja2.ext.do"]
    )
    sql = environment.from_string(text + "{{ retention_windows() }}").render(
        var=variables.__getitem__, exceptions=Exceptions()
    )
    with duckdb.connect() as connection:
        return connection.execute(sql).fetchall()


def test_windows_are_those_asked_for_each_once():
    assert windows(genre_outcome_day=5) == [
        ("on_day", 1, 1),
        ("on_day", 5, 5),
        ("on_day", 7, 7),
        ("on_day", 30, 30),
        ("bracket", 1, 7),
        ("bracket", 8, 14),
        ("on_or_after", 1, 30),
        ("on_or_after", 7, 30),
    ]
    twice = windows(retention_days=[7, 7], retention_brackets=[[1, 7], [1, 7]])
    assert twice == [
        ("on_day", 7, 7),
        ("bracket", 1, 7),
        ("on_or_after", 7, 30),
    ]


@pytest.mark.parametrize("bracket", [[7, 1], [7], [1, 2, 3]])
def test_a_bracket_without_two_ends_in_order_is_refused(bracket):
    with pytest.raises(CompilerError, match="retention_brackets holds"):
        windows(retention_brackets=[bracket])
