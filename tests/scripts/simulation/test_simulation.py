"""The model behind the demo: what it is expected to show, and that it does.

Tolerances are standard errors or, for exact expectations, 0.05 points.
"""

from dataclasses import fields, replace

import numpy as np
import pytest

from simulation import (
    calibration,
    catalogue,
    faults,
    members,
    newcomers,
    plays,
    tally,
)
from simulation.config import DAY_SECONDS, GENRES, SimulationConfig

CONFIG = SimulationConfig()
HALF_A_TENTH = 0.0005  # 0.05 percentage points
GROUPS = ("1", "2", "3", "4+")


def draw(users, *key, config=CONFIG):
    rng = np.random.default_rng(np.random.SeedSequence(11, spawn_key=key))
    return newcomers.draw_newcomers(config, users, rng)


def user_level(users, seed):
    """Sums over many new users, drawn in chunks and without events."""
    total = {}
    per_play = np.zeros((46, 2, 2), dtype=np.int64)
    for chunk in range(-(-users // 20_000)):
        drawn = draw(20_000, seed, chunk)
        tally.add(total, tally.count_newcomers(CONFIG, drawn))
        played = drawn.is_player
        np.add.at(
            per_play,
            (
                drawn.valid_plays[played],
                (drawn.genres_explored[played] >= 4).astype(int),
                (drawn.plays[played, 7] > 0).astype(int),
            ),
            1,
        )
    return total, per_play


def rate_and_error(hits, trials):
    rate = hits / trials
    return rate, np.sqrt(rate * (1 - rate) / trials)


def headlines(total):
    """Found headline rates with their standard errors."""
    found = {}
    for label in GROUPS:
        found[f"genres_{label}"] = rate_and_error(
            total[f"genres/{label}/retained_d7"],
            total[f"genres/{label}/eligible_d7"],
        )
    under = GROUPS[:3]
    found["under_4"] = rate_and_error(
        sum(total[f"genres/{label}/retained_d7"] for label in under),
        sum(total[f"genres/{label}/eligible_d7"] for label in under),
    )
    for day in (1, 7, 14, 30):
        found[f"d{day}"] = rate_and_error(
            total[f"retention/{day}/retained"],
            total[f"retention/{day}/eligible"],
        )
    (a, error_a), (b, error_b) = (
        rate_and_error(
            total[f"onboarding/{arm}/active_d1"],
            total[f"onboarding/{arm}/users"],
        )
        for arm in "AB"
    )
    found["onboarding"] = b - a, np.hypot(error_a, error_b)
    return found


def expected_headlines():
    exact = calibration.expectations(CONFIG)
    expected = {
        f"genres_{label}": rate
        for label, rate in zip(GROUPS, exact.d7_by_genres, strict=True)
    }
    return expected | {
        "under_4": exact.d7_under_4,
        "d1": exact.d1,
        "d7": exact.d7,
        "d14": exact.d14,
        "d30": exact.d30,
        "onboarding": CONFIG.onboarding_effect,
    }


def stratified_effect(per_play):
    """Effect on the users under 4 genres, standardised over valid plays."""
    units = per_play.sum(axis=2).astype(float)
    overlap = (units > 0).all(axis=1)
    units, retained = units[overlap], per_play[overlap][:, :, 1]
    rates = retained / units
    weights = units[:, 0] / units[:, 0].sum()
    variance = rates * (1 - rates) / units
    effect = weights @ (rates[:, 1] - rates[:, 0])
    return effect, np.sqrt(weights**2 @ variance.sum(axis=1))


# Expectations, exact.


def test_headlines_are_expected_exactly():
    exact = calibration.expectations(CONFIG)
    target = {
        "d7_by_genres": [0.064, 0.081, 0.103, 0.124],
        "d7_under_4": 0.082,
        "d7": 0.09,
        "d1": 0.24,
        "d30": 0.048,
    }
    for name, value in target.items():
        np.testing.assert_allclose(
            getattr(exact, name), value, rtol=0, atol=HALF_A_TENTH
        )
    gap = exact.d7_by_genres[3] - exact.d7_under_4
    assert gap == pytest.approx(0.042, abs=HALF_A_TENTH)
    np.testing.assert_allclose(
        exact.genre_shares, [0.24, 0.35, 0.22, 0.19], atol=1e-6
    )
    assert exact.d30 / exact.d1 == pytest.approx(0.20, abs=1e-4)
    assert exact.d1 > exact.d7 > exact.d14 > exact.d30


def test_expectations_are_probabilities():
    exact = calibration.expectations(CONFIG)
    assert exact.play_shares.sum() == pytest.approx(1, abs=1e-12)
    assert exact.play_shares.min() > -1e-15
    assert (exact.habit_d7 <= exact.play_shares + 1e-15).all()
    # Nobody explores more genres than they have plays.
    assert exact.play_shares[0].sum() == pytest.approx(0, abs=1e-15)
    assert exact.play_shares[3, 3] == 0


def test_constants_solve_the_calibration():
    solved = calibration.calibrate(
        replace(CONFIG, visit_scale=1.2, broad_share=0.3)
    )
    for parameter in fields(CONFIG):
        value = getattr(CONFIG, parameter.name)
        assert getattr(solved, parameter.name) == (
            pytest.approx(value, rel=1e-5)
            if parameter.type in {"float", "tuple[float, float, float]"}
            else value
        )


def test_plays_identify_the_planted_effect_exactly():
    """Within equal plays, explorers differ by the planted effect alone."""
    exact = calibration.expectations(CONFIG)
    units, habit = exact.play_shares, exact.habit_d7
    possible = units.sum(axis=1) > 1e-6
    possible[:4] = False
    explorers = units[possible, 3]
    others = units[possible, :3].sum(axis=1)
    difference = (
        habit[possible, 3] / explorers
        - habit[possible, :3].sum(axis=1) / others
    )
    np.testing.assert_allclose(difference, 0, atol=1e-12)
    # Both sides exist wherever 4 genres are possible.
    share = explorers / (explorers + others)
    assert possible.sum() > 20
    assert share.min() > 0.05
    assert share.max() < 0.7


def test_half_of_the_gap_is_confounding():
    exact = calibration.expectations(CONFIG)
    gap = exact.d7_by_genres[3] - exact.d7_under_4
    assert CONFIG.exploration_effect == 0.02
    assert gap - CONFIG.exploration_effect == pytest.approx(0.022, abs=1e-3)


def test_reminder_lift_yields_the_arm_mean():
    lost = 0.5 / 2 / 7
    mean = CONFIG.sessions_per_week * (
        1 + CONFIG.push_reached_share * (1 - lost) * CONFIG.reminder_lift
    )
    assert mean == pytest.approx(59.8)


# The simulated users agree with the expectations.


def test_simulated_users_meet_the_expectations():
    total, _ = user_level(200_000, seed=1)
    expected = expected_headlines()
    for name, (found, error) in headlines(total).items():
        assert abs(found - expected[name]) < 4 * error, name


def test_strata_recover_the_planted_effect():
    _, per_play = user_level(400_000, seed=2)
    effect, error = stratified_effect(per_play)
    assert abs(effect - CONFIG.exploration_effect) < 4 * error
    naive = per_play.sum(axis=0)
    naive = naive[1, 1] / naive[1].sum() - naive[0, 1] / naive[0].sum()
    assert naive - effect > 4 * error


@pytest.mark.slow
def test_headlines_are_unbiased():
    """Three million users: expectations hold within 0.05 points."""
    total, per_play = user_level(3_000_000, seed=3)
    expected = expected_headlines()
    for name, (found, error) in headlines(total).items():
        assert abs(found - expected[name]) < max(HALF_A_TENTH, 3.5 * error)
        assert abs(found - expected[name]) < 4 * error, name
    effect, error = stratified_effect(per_play)
    assert abs(effect - CONFIG.exploration_effect) < 4 * error


@pytest.mark.slow
def test_effect_is_covered_over_seeds():
    """At the default size, 95 % intervals cover as often as they say."""
    seeds = 60
    covered = {}
    for seed in range(seeds):
        total, per_play = user_level(60_000, seed=100 + seed)
        found = headlines(total)
        found["effect"] = stratified_effect(per_play)
        expected = expected_headlines()
        expected["effect"] = CONFIG.exploration_effect
        for name, (value, error) in found.items():
            covered.setdefault(name, []).append(
                abs(value - expected[name]) < 1.96 * error
            )
    for name, hits in covered.items():
        # Binomial(60, 0.95): below 51 with probability 0.0002.
        assert sum(hits) >= 51, name


def test_planted_null_stays_null():
    config = replace(CONFIG, exploration_effect=0.0, onboarding_effect=0.0)
    exact = calibration.expectations(config)
    gap = exact.d7_by_genres[3] - exact.d7_under_4
    full = calibration.expectations(CONFIG)
    assert gap == pytest.approx(
        full.d7_by_genres[3] - full.d7_under_4 - 0.02, abs=1e-3
    )


# Parts.


def test_first_play_follows_sign_up_on_the_same_day():
    users = draw(5_000, 4)
    titles = catalogue.draw_catalogue(CONFIG, np.random.default_rng(1))
    events = newcomers.draw_newcomer_events(
        CONFIG, titles, users, np.random.default_rng(2)
    )
    first, _ = plays.runs(events.user)
    user = events.user[first]
    delay = events.at[first] - users.signed_up_at[user]
    assert delay.min() >= 20
    assert delay.max() < 600
    assert (events.at[first] // DAY_SECONDS == users.sign_up_day[user]).all()
    assert set(user) == set(np.flatnonzero(users.is_player))
    # Every event lies on a day that the user was drawn to visit.
    offset = events.at // DAY_SECONDS - users.sign_up_day[events.user]
    assert (users.plays[events.user, offset] > 0).all()


def test_taste_is_independent_of_activity():
    """Those quick to open genres do not return more often on day 1."""
    users = draw(100_000, 5)
    quick = users.opening_titles[:, 2] <= 10
    returned = users.plays[:, 1] > 0
    (fast, fast_error), (slow, slow_error) = (
        rate_and_error(returned[side].sum(), side.sum())
        for side in (quick, ~quick)
    )
    assert abs(fast - slow) < 4 * np.hypot(fast_error, slow_error)


def test_panel_means_over_many_members():
    rng = np.random.default_rng(6)
    count, squares = np.zeros(2), np.zeros(2)
    units = np.zeros(2)
    for _ in range(10):
        panel = members.draw_members(CONFIG, 2_000, rng)
        sessions = members.draw_sessions(CONFIG, panel, rng)
        counted = tally.count_members(panel, sessions)
        for code, arm in enumerate("AB"):
            units[code] += counted[f"push/{arm}/users"]
            count[code] += counted[f"push/{arm}/sessions"]
            squares[code] += counted[f"push/{arm}/sessions_squared"]
    mean = count / units
    error = np.sqrt((squares / units - mean**2) / units)
    assert abs(mean[0] - 49.9) < 4 * error[0]
    assert abs(mean[1] - 59.8) < 4 * error[1]


def test_history_predicts_the_panel():
    """The 28 days before assignment carry most of the variance."""
    rng = np.random.default_rng(7)
    panel = members.draw_members(CONFIG, 3_000, rng)
    sessions = members.draw_sessions(CONFIG, panel, rng)
    since = sessions.start - panel.assigned_at[sessions.member]
    size = len(panel.variant)
    week, month = 7 * DAY_SECONDS, 28 * DAY_SECONDS
    after = np.bincount(
        sessions.member[(since >= 0) & (since < week)], minlength=size
    )
    before = np.bincount(
        sessions.member[(since < 0) & (since >= -month)], minlength=size
    )
    control = panel.variant == 0
    assert np.corrcoef(before[control], after[control])[0, 1] > 0.8


def test_reminders_act_only_after_they_arrive():
    panel = members.draw_members(CONFIG, 3_000, np.random.default_rng(8))
    without = replace(CONFIG, push_sessions_per_week=49.9)
    treated, untreated = (
        members.draw_sessions(config, panel, np.random.default_rng(9))
        for config in (CONFIG, without)
    )

    def early(sessions):
        before = sessions.start < panel.reached_at[sessions.member]
        return len(sessions.start[before])

    # The same luck decides both: slots before the reminder must agree, but
    # for the seconds of their start, which are drawn for each candidate.
    assert early(treated) == pytest.approx(early(untreated), rel=1e-3)
    assert len(treated.start) > 1.02 * len(untreated.start)


def test_rates_above_one_session_per_slot_are_refused():
    config = replace(
        CONFIG, sessions_per_week=120.0, push_sessions_per_week=130.0
    )
    rng = np.random.default_rng(9)
    panel = members.draw_members(config, 500, rng)
    with pytest.raises(ValueError, match="sessions_per_week"):
        members.draw_sessions(config, panel, rng)


def test_profiles_have_mean_one():
    assert members.DAY_PROFILE.mean() == pytest.approx(1)
    assert members.WEEK_PROFILE.mean() == pytest.approx(1)
    # Sessions in neighbouring slots stay more than 30 minutes apart.
    silence = members.SLOT_SECONDS - members.SLOT_JITTER - members.SLOT_ROOM
    assert silence > 1_800
    assert newcomers.SLOT_LEAD > 1_800


def test_catalogue_covers_all_genres():
    titles = catalogue.draw_catalogue(CONFIG, np.random.default_rng(10))
    assert len(set(titles.names)) == CONFIG.titles
    assert set(titles.genres) == set(range(len(GENRES)))
    assert titles.durations.min() >= 600
    assert titles.release_days.max() < 0
    genres = np.repeat(np.arange(len(GENRES)), 3)
    luck = np.tile([0.0, 0.5, np.nextafter(1, 0)], len(GENRES))
    picked = titles.pick(genres, luck)
    assert picked.max() < CONFIG.titles
    inner = luck < 0.9
    assert (titles.genres[picked] == genres)[inner].all()


def test_catalogue_refuses_more_titles_than_names():
    config = replace(CONFIG, titles=100_000)
    with pytest.raises(ValueError, match="titles must be between"):
        catalogue.draw_catalogue(config, np.random.default_rng(0))


def test_genre_orders_are_permutations():
    orders = catalogue.draw_genre_orders(50, np.random.default_rng(0))
    assert (np.sort(orders, axis=1) == np.arange(len(GENRES))).all()


def test_faults_leave_canonical_rows_untouched():
    rng = np.random.default_rng(12)
    rows = np.zeros(5_000, dtype=faults.ROW)
    rows["arrival"] = rows["at"] = np.arange(5_000) * 60
    rows["sequence"] = np.arange(5_000)
    before = rows.copy()
    faulty, counts = faults.plant_faults(CONFIG, rows, np.zeros(1, int), rng)
    for name in ("at", "user", "sequence", "title", "kind", "fault"):
        assert (rows[name] == before[name]).all()
    delayed = counts.pop("late"), counts.pop("offline")
    assert (
        max(delayed)
        <= (rows["arrival"] != before["arrival"]).sum()
        <= sum(delayed)
    )
    assert (rows["arrival"] >= rows["at"]).all()
    assert rows["arrival"].max() < CONFIG.cut
    assert len(faulty) == sum(counts.values())
    assert (faulty["fault"] != faults.FAULTS.index("canonical")).all()


def test_very_long_histories_are_refused():
    events = plays.Events(*(np.zeros(1, dtype=np.int64) for _ in range(4)))
    with pytest.raises(ValueError, match="fewer days"):
        faults.to_rows(
            events,
            np.zeros(1, int),
            np.array([faults.FIRST_FAULT_SEQUENCE]),
            np.random.default_rng(0),
        )
