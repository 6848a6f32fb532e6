"""Causal means: an independent library, plain standardisation, symmetries."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.treatment.treatment_effects import TreatmentEffect

from stats.observed.causal import (
    SMALLEST_PROPENSITY,
    as_they_are,
    contrast,
    doubly_robust,
    doubly_robust_among,
    fitted_models,
    outcome_regression,
    weighting,
)
from stats.observed.cells import cells_of
from stats.observed.standardisation import standardised_effect

NAMES = ["plays", "platform"]


def users(seed=1, size=6_000, levels=2):
    """Draw users, a row each: plays and platform move both sides."""
    generator = np.random.default_rng(seed)
    plays = generator.integers(0, 4, size)
    platform = generator.integers(0, 2, size)
    odds = -1 + 0.4 * plays - 0.5 * platform
    chance = 1 / (1 + np.exp(-odds))
    level = generator.binomial(levels - 1, chance) + 1
    base = 0.1 + 0.05 * plays + 0.03 * platform + 0.04 * level
    return pd.DataFrame(
        {
            "plays": plays,
            "platform": platform,
            "genre_level": level,
            "fold_number": generator.integers(0, 5, size),
            "eligible_users": 1,
            "retained_users": generator.binomial(1, base),
        }
    )


def gathered(frame, names=NAMES):
    return cells_of(frame, names, [2])


def on_rows(frame, design):
    """The same question asked of statsmodels, a row per user."""
    outcome = sm.OLS(frame["retained_users"].to_numpy(float), design)
    treatment = (frame["genre_level"] == 2).to_numpy(int)
    selection = sm.Logit(treatment, design).fit(
        disp=False, method="newton", tol=1e-13
    )
    return TreatmentEffect(outcome, treatment, results_select=selection)


def dummies(frame):
    return np.column_stack(
        [
            np.ones(len(frame)),
            *((frame["plays"] == value) for value in (1, 2, 3)),
            frame["platform"] == 1,
        ]
    ).astype(float)


def test_weighting_agrees_with_statsmodels():
    """Estimate and error, with the propensity's own error counted."""
    frame = users()
    cells = gathered(frame)
    models = fitted_models(cells, is_cross_fitted=False, ridge=0)
    found = contrast(weighting(cells, models, ridge=0))
    other = on_rows(frame, dummies(frame)).ipw()
    assert found.estimate == pytest.approx(other.effect[0], rel=1e-7)
    error = np.ravel(other.sd)[0]
    assert found.standard_error == pytest.approx(error, rel=1e-6)


@pytest.mark.parametrize("method", ["ra", "aipw"])
def test_regression_and_both_agree_with_statsmodels(method):
    """With a constant for every kind a logistic line is a straight one."""
    frame = users(2)
    kind = (frame["plays"] + 4 * frame["platform"]).to_numpy()
    cells = gathered(frame.assign(plays=kind), ["plays"])
    models = fitted_models(cells, is_cross_fitted=False, ridge=0)
    means = (
        outcome_regression(cells, models, ridge=0)
        if method == "ra"
        else doubly_robust(cells, models)
    )
    found = contrast(means)
    design = np.eye(8)[kind]
    other = getattr(on_rows(frame, design), method)()
    assert found.estimate == pytest.approx(other.effect[0], rel=1e-6)
    error = np.ravel(other.sd)[0]
    assert found.standard_error == pytest.approx(error, rel=1e-6)


def test_with_a_constant_for_every_kind_all_is_standardisation():
    frame = users(3)
    kind = frame["plays"] + 4 * frame["platform"]
    cells = gathered(frame.assign(plays=kind), ["plays"])
    models = fitted_models(cells, is_cross_fitted=False, ridge=0)
    table = frame.groupby([kind, "genre_level"])["retained_users"]
    x, n = table.sum().unstack(), table.size().unstack()
    for means, on_others in (
        (outcome_regression(cells, models, ridge=0), False),
        (weighting(cells, models, ridge=0), False),
        (doubly_robust(cells, models), False),
        (doubly_robust_among(cells, models, 0), True),
    ):
        plain = standardised_effect(x[2], n[2], x[1], n[1], on_others=on_others)
        found = contrast(means)
        assert found.estimate == pytest.approx(plain.estimate, rel=1e-8)
        assert found.ratio == pytest.approx(plain.ratio, rel=1e-8)
        # Divisors n and n - 1 differ.
        for name in ("standard_error", "ratio_ci_low", "ratio_ci_high"):
            assert getattr(found, name) == pytest.approx(
                getattr(plain, name), rel=5e-3
            )


def test_effects_on_both_sides_make_the_effect_on_all():
    cells = gathered(users(4))
    models = fitted_models(cells, is_cross_fitted=False)
    treated, others = (
        contrast(doubly_robust_among(cells, models, level)).estimate
        for level in (1, 0)
    )
    share = cells.units[cells.level == 1].sum() / cells.units.sum()
    everyone = contrast(doubly_robust(cells, models)).estimate
    assert share * treated + (1 - share) * others == pytest.approx(
        everyone, abs=2e-4
    )


def test_the_level_asked_about_is_as_it_was():
    frame = users(5)
    cells = gathered(frame)
    models = fitted_models(cells, is_cross_fitted=True)
    found = doubly_robust_among(cells, models, 1)
    explorers = frame[frame["genre_level"] == 2]["retained_users"]
    assert found.estimate[1] == pytest.approx(explorers.mean(), rel=1e-12)


def test_models_of_a_fold_have_not_seen_it():
    frame = users(6)
    cells = gathered(frame)
    models = fitted_models(cells, is_cross_fitted=True)
    turned = frame.copy()
    mine = turned["fold_number"] == 2
    turned.loc[mine, "retained_users"] = 1 - turned["retained_users"]
    other = fitted_models(gathered(turned), is_cross_fitted=True)
    np.testing.assert_allclose(
        models.outcome[:, 2], other.outcome[:, 2], atol=1e-9
    )
    assert np.abs(models.outcome[:, 1] - other.outcome[:, 1]).max() > 0.01


def test_turning_the_sides_around_turns_the_effect():
    frame = users(7)
    turned = frame.assign(genre_level=3 - frame["genre_level"])
    one, other = (
        contrast(
            doubly_robust(cells, fitted_models(cells, is_cross_fitted=True))
        )
        for cells in (gathered(frame), gathered(turned))
    )
    assert one.estimate == pytest.approx(-other.estimate, abs=1e-9)
    assert one.ratio == pytest.approx(1 / other.ratio, rel=1e-8)
    assert one.standard_error == pytest.approx(other.standard_error, rel=1e-8)


def test_several_levels_are_averaged_over_the_same_users():
    frame = users(8, levels=3)
    cells = cells_of(frame, NAMES, [2, 3])
    models = fitted_models(cells, is_cross_fitted=True)
    np.testing.assert_allclose(models.propensity.sum(axis=2), 1)
    means = doubly_robust(cells, models)
    for level in (1, 2):
        found = contrast(means, level, 0)
        assert found.ci_low < 0.04 * level < found.ci_high


def test_users_without_others_like_them_are_left_out():
    frame = users(9)
    alone = frame["plays"] == 3
    frame.loc[alone, "genre_level"] = 2
    frame.loc[frame[alone].index[:2], "genre_level"] = 1
    cells = gathered(frame)
    models = fitted_models(cells, is_cross_fitted=True)
    found = doubly_robust(cells, models)
    assert found.trimmed_rate == pytest.approx(alone.mean())
    assert found.units.sum() == (~alone).sum()
    assert found.maximum_weight < 1 / SMALLEST_PROPENSITY
    rest = gathered(frame[~alone])
    kept = doubly_robust(rest, fitted_models(rest, is_cross_fitted=True))
    assert contrast(found).estimate == pytest.approx(
        contrast(kept).estimate, abs=2e-3
    )


def test_equal_weights_are_worth_every_user():
    generator = np.random.default_rng(10)
    frame = users(10)
    frame["genre_level"] = generator.integers(1, 3, len(frame))
    cells = gathered(frame, [])
    found = doubly_robust(cells, fitted_models(cells, is_cross_fitted=False))
    assert found.effective_units == pytest.approx(len(frame))
    assert found.maximum_weight == pytest.approx(1, rel=1e-6)


def test_as_they_are_is_the_plain_comparison():
    frame = users(13)
    found = contrast(as_they_are(gathered(frame)))
    one, other = (
        frame[frame["genre_level"] == level]["retained_users"]
        for level in (2, 1)
    )
    assert found.estimate == pytest.approx(one.mean() - other.mean())
    error = (one.var(ddof=0) / len(one) + other.var(ddof=0) / len(other)) ** 0.5
    assert found.standard_error == pytest.approx(error)


def test_order_of_rows_changes_nothing():
    frame = users(11)
    one, other = (
        contrast(
            doubly_robust(cells, fitted_models(cells, is_cross_fitted=True))
        )
        for cells in (gathered(frame), gathered(frame[::-1]))
    )
    assert one == other


def test_weights_are_for_two_levels():
    cells = cells_of(users(12, levels=3), NAMES, [2, 3])
    models = fitted_models(cells, is_cross_fitted=False)
    with pytest.raises(ValueError, match="two levels are needed, got 3"):
        weighting(cells, models)
