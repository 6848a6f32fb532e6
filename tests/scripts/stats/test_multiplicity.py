"""Multiplicity: oracles per family, one verdict, refusals."""

from time import process_time

import numpy as np
import pytest
import tea_tasting as tt
from scipy.special import ndtr
from statsmodels.stats.multitest import multipletests
from tea_tasting.experiment import ExperimentResult

from stats.multiplicity import benjamini_hochberg, bonferroni, holm

METHODS = {
    "bonferroni": bonferroni,
    "holm": holm,
    "fdr_bh": benjamini_hochberg,
}


def p_values(count, generator):
    """Mostly nothing, some strong, some ties, some certain."""
    p = generator.uniform(0, 1, count)
    is_strong = generator.random(count) < 0.3
    p = np.where(is_strong, 10 ** -generator.uniform(1, 300, count), p)
    return np.where(generator.random(count) < 0.2, p.round(2), p)


def results_for_tea_tasting(p):
    return ExperimentResult(
        {str(i): {"pvalue": float(value)} for i, value in enumerate(p)}
    )


@pytest.fixture(params=METHODS, ids=str)
def method(request):
    return request.param


def test_agrees_with_statsmodels_in_every_family(method):
    generator = np.random.default_rng(80)
    families = generator.choice(["retention", "plays", "b", "c"], 400)
    families[:5] = [f"alone {i}" for i in range(5)]
    p = p_values(400, generator)
    found = METHODS[method](p, families)
    for family in np.unique(families):
        own = families == family
        rejects, expected, _, _ = multipletests(p[own], 0.05, method)
        np.testing.assert_allclose(found.p_value[own], expected, rtol=1e-12)
        np.testing.assert_array_equal(found.p_value[own] <= 0.05, rejects)
        assert (found.family_size[own] == own.sum()).all()


@pytest.mark.parametrize("seed", range(30))
def test_levels_agree_with_tea_tasting(seed):
    generator = np.random.default_rng(seed)
    # Without ties: those are given one level here, the first one's.
    p = generator.permutation(
        np.unique(p_values(generator.integers(1, 30), generator))
    )
    results = results_for_tea_tasting(p)
    adjusted = {
        "holm": tt.adjust_fwer(
            results, alpha=0.05, arbitrary_dependence=True, method="bonferroni"
        ),
        "fdr_bh": tt.adjust_fdr(results, alpha=0.05),
    }
    for name, comparisons in adjusted.items():
        expected = [comparisons["-"][str(i)] for i in range(len(p))]
        found = METHODS[name](p)
        np.testing.assert_allclose(
            found.p_value, [one["pvalue_adj"] for one in expected], rtol=1e-12
        )
        rejects = np.array([one["null_rejected"] for one in expected], bool)
        np.testing.assert_array_equal(found.p_value <= 0.05, rejects)
        levels = np.array([one["alpha_adj"] for one in expected])
        # Where nothing is rejected there, levels of its own are given here.
        is_same = rejects if name == "fdr_bh" else np.full(len(p), True)
        np.testing.assert_allclose(
            found.alpha[is_same], levels[is_same], rtol=1e-12
        )


def test_both_verdicts_are_one(method):
    generator = np.random.default_rng(81)
    p = p_values(20_000, generator)
    # Exactly at levels of small families, where rounding could part them.
    p[:5_000] = generator.integers(0, 12, 5_000) / generator.integers(
        12, 60, 5_000
    )
    families = generator.integers(0, 4_000, 20_000)
    for alpha in (0.01, 0.05, 0.1, 0.2):
        found = METHODS[method](p, families, alpha)
        np.testing.assert_array_equal(found.p_value <= alpha, p <= found.alpha)
        assert (found.p_value >= p).all()
        assert (found.alpha > 0).all()


def test_nothing_underflows_far_in_the_tail(method):
    found = METHODS[method]([1e-300, 1e-200, 1e-3])
    assert found.p_value[0] == pytest.approx(3e-300)
    assert (found.p_value <= 0.05).all()


def test_a_test_alone_is_left_as_it_is(method):
    found = METHODS[method]([0.03, 0.2], ["a", "b"])
    np.testing.assert_array_equal(found.p_value, [0.03, 0.2])
    np.testing.assert_array_equal(found.alpha, [0.05, 0.05])
    np.testing.assert_array_equal(found.family_size, [1, 1])


def test_what_was_not_tested_is_in_no_family(method):
    nan = np.nan
    found = METHODS[method](
        [nan, 0.01, nan, 0.04, nan], ["a", "a", "a", "b", "c"]
    )
    expected = METHODS[method]([0.01, 0.04], ["a", "b"])
    np.testing.assert_array_equal(found.p_value[[1, 3]], expected.p_value)
    np.testing.assert_array_equal(found.alpha[[1, 3]], expected.alpha)
    assert np.isnan(found.p_value[[0, 2, 4]]).all()
    assert np.isnan(found.alpha[[0, 2, 4]]).all()
    assert found.family_size.tolist() == [0, 1, 0, 1, 0]
    nothing = METHODS[method]([nan, nan])
    assert np.isnan(nothing.p_value).all()
    assert METHODS[method]([]).p_value.shape == (0,)


def test_order_and_names_of_families_do_not_matter(method):
    generator = np.random.default_rng(82)
    p = p_values(300, generator)
    families = generator.integers(0, 9, 300)
    found = METHODS[method](p, families)
    order = generator.permutation(300)
    turned = METHODS[method](p[order], [f"f{9 - i}" for i in families[order]])
    np.testing.assert_array_equal(turned.p_value, found.p_value[order])
    np.testing.assert_array_equal(turned.alpha, found.alpha[order])


def test_tied_tests_share_one_level(method):
    found = METHODS[method]([0.02, 0.01, 0.02, 0.9, 0.01])
    assert found.alpha[0] == found.alpha[2]
    assert found.alpha[1] == found.alpha[4]
    assert found.p_value[0] == found.p_value[2]


def test_a_table_keeps_its_shape(method):
    p = p_values(12, np.random.default_rng(83)).reshape(3, 4)
    found = METHODS[method](p, np.arange(3)[:, None])
    for i in range(3):
        np.testing.assert_array_equal(
            found.p_value[i], METHODS[method](p[i]).p_value
        )


def test_tests_are_ever_more_willing_to_reject():
    p = p_values(500, np.random.default_rng(84))
    found = [METHODS[name](p).p_value for name in METHODS]
    assert (found[0] >= found[1]).all()
    assert (found[1] >= found[2]).all()


def test_thirty_thousand_tests_take_a_moment(method):
    generator = np.random.default_rng(85)
    p = p_values(30_000, generator)
    for families in (0, generator.integers(0, 10_000, 30_000)):
        start = process_time()
        METHODS[method](p, families)
        seconds = process_time() - start
        print(f"{method}: {1e3 * seconds:.0f} ms")
        assert seconds < 0.5


@pytest.mark.parametrize(
    ("p", "alpha", "message"),
    [
        ([0.1, 1.2], 0.05, r"p_values must lie in \[0, 1\], got 0.1 to 1.2"),
        ([-0.1, np.nan], 0.05, "p_values must lie in"),
        ([0.1], 1.0, "alpha must be in"),
    ],
)
def test_refuses_impossible_input(method, p, alpha, message):
    with pytest.raises(ValueError, match=message):
        METHODS[method](p, alpha=alpha)


@pytest.mark.slow
def test_errors_are_bounded_in_families_of_real_and_no_effects():
    generator = np.random.default_rng(86)
    draws, size, real = 10_000, 10, 4
    z = generator.normal(0, 1, (draws, size))
    z[:, :real] += 3.0
    p = 2 * ndtr(-np.abs(z))
    families = np.arange(draws)[:, None]
    for name in ("bonferroni", "holm"):
        rejects = METHODS[name](p, families).p_value <= 0.05
        assert rejects[:, real:].any(axis=1).mean() <= 0.055
    rejects = benjamini_hochberg(p, families).p_value <= 0.05
    false = rejects[:, real:].sum(axis=1) / np.maximum(rejects.sum(axis=1), 1)
    assert false.mean() <= 0.05 * (size - real) / size + 0.005
