"""What the service's parameters imply, computed without a random number.

`expectations` integrates the user model over latent activity (Gauss-Laguerre
nodes), taste and the number of valid plays; `calibrate` solves nine of the
parameters so that the headlines come out exactly. Pure functions; scipy's
solver is imported only by `calibrate`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, roots_genlaguerre

from simulation.config import (
    CHANNELS,
    COUNTRIES,
    PLATFORMS,
    SimulationConfig,
)

Floats = NDArray[np.float64]

FOUR_GENRES = 3  # position of "4 or more" among 1, 2, 3, 4+
TARGET_SHARES = (0.24, 0.35, 0.22, 0.19)
TARGET_D7 = (0.064, 0.081, 0.103, 0.124)
TARGET_D1 = 0.24
TARGET_D30 = 0.048


@dataclass(frozen=True)
class Expectations:
    """Exact expectations of the user model, per user who plays at all."""

    # (4,): Share of users by genres explored in days 0 to 2: 1, 2, 3, 4+.
    genre_shares: Floats
    d7_by_genres: Floats  # (4,): D7 retention of each of these groups
    # Classic retention of all of them, both onboarding variants mixed.
    d1: float
    d7: float
    d14: float
    d30: float
    d7_under_4: float  # D7 retention of those under 4 genres
    # (n_plays, 4): Joint probability of valid plays in days 0 to 2 (row) and
    # genres.
    play_shares: Floats
    # (n_plays, 4): The same, jointly with a visit on day 7 without the planted
    # effect.
    habit_d7: Floats


def segment_activity(
    segments: dict[str, tuple[float, float]],
) -> tuple[Floats, Floats]:
    """Shares and relative activities of segments, scaled to a mean of 1.

    Examples
    --------
    >>> shares, activities = segment_activity({"x": (1, 1), "y": (1, 3)})
    >>> shares.tolist(), activities.tolist()
    ([0.5, 0.5], [0.5, 1.5])
    """
    shares = np.array([share for share, _ in segments.values()], dtype=float)
    activities = np.array([activity for _, activity in segments.values()])
    shares = shares / shares.sum()
    return shares, activities / (shares @ activities)


def visit_rate(config: SimulationConfig, activity: Floats) -> Floats:
    """Probability that a member who has not left visits on a given day."""
    return config.visit_ceiling * -np.expm1(-config.visit_scale * activity)


def leaving_power(config: SimulationConfig, activity: Floats) -> Floats:
    """Exponent of the survival curve; the lower, the longer one stays."""
    return config.leaving_exponent / (1 + config.leaving_slope * activity)


def staying(config: SimulationConfig, power: Floats, day: int) -> Floats:
    """Probability of not having left by `day` (1 or later)."""
    return (1 + (day - 1) / config.leaving_days) ** -power


def exploration_lift(config: SimulationConfig, day: int) -> float:
    """Planted effect of exploring on the probability of a visit on `day`."""
    return float(
        config.exploration_effect * (7 / day) ** config.exploration_decay
    )


def onboarding_lift(config: SimulationConfig) -> float:
    """Planted effect of variant B on D1 among those who play at all."""
    return config.onboarding_effect / (1 - config.never_play_share)


def opening_odds(config: SimulationConfig) -> Floats:
    """Chance that a new title opens a genre: taste (2) by known genres (3)."""
    return np.array([config.narrow_openings, config.broad_openings])


def _activity_nodes(config: SimulationConfig) -> tuple[Floats, Floats]:
    """Nodes and weights of latent activity over all segments."""
    nodes, weights = roots_genlaguerre(40, config.activity_shape - 1)
    activity, weight = nodes / config.activity_shape, weights / weights.sum()
    for segments in (PLATFORMS, COUNTRIES, CHANNELS):
        shares, factors = segment_activity(segments)
        activity = np.outer(factors, activity).ravel()
        weight = np.outer(shares, weight).ravel()
    return activity, weight


def _genres_given_plays(config: SimulationConfig, plays: int) -> Floats:
    """Probability of 1, 2, 3, 4+ genres after 0 .. plays - 1 valid plays."""
    taste = np.array([1 - config.broad_share, config.broad_share])
    opens = (1 - config.resume_share) * opening_odds(config).T
    state = np.zeros((4, 2))
    state[0] = 1
    rows = [np.zeros(4)]
    for _ in range(plays - 1):
        rows.append(state @ taste)
        moved = state[:FOUR_GENRES] * opens
        state = state.copy()
        state[:FOUR_GENRES] -= moved
        state[1:] += moved
    return np.array(rows)


def expectations(config: SimulationConfig) -> Expectations:
    """Integrate the user model exactly; shares and rates are in [0, 1]."""
    activity, weight = _activity_nodes(config)
    rate = visit_rate(config, activity)
    power = leaving_power(config, activity)

    # Valid plays of one visit day, then of three days by convolution.
    extra = np.arange(config.most_extra_plays + 1)
    mean = config.plays_per_activity * activity[:, None]
    visit = np.exp(extra * np.log(mean) - mean - gammaln(extra + 1))
    visit[:, -1] += 1 - visit.sum(axis=1)
    plays = 3 * (config.most_extra_plays + 1) + 1
    spectrum = np.fft.rfft(np.pad(visit, ((0, 0), (1, 0))), 2 * plays, axis=1)

    day_1 = rate + onboarding_lift(config) / 2

    def play_counts(day_2: Floats) -> Floats:
        product = spectrum.copy()
        for chance in (day_1[:, None], day_2[:, None]):
            product *= 1 - chance + chance * spectrum
        return np.fft.irfft(product, 2 * plays, axis=1)[:, :plays]

    genres = _genres_given_plays(config, plays)
    joint = weight @ play_counts(rate * staying(config, power, 2))
    # Whoever is a member on day 7 was one on day 2: their visits on both
    # days are more alike than activity alone says.
    day_7 = rate * staying(config, power, 7)
    joint_7 = (weight * day_7) @ play_counts(rate)
    play_shares, habit_d7 = joint[:, None] * genres, joint_7[:, None] * genres

    shares = play_shares.sum(axis=0)
    explorers = shares[FOUR_GENRES]
    retained = habit_d7.sum(axis=0)
    retained[FOUR_GENRES] += explorers * exploration_lift(config, 7)

    def late_rate(day: int) -> float:
        habit = weight @ (rate * staying(config, power, day))
        return float(habit + explorers * exploration_lift(config, day))

    return Expectations(
        genre_shares=shares,
        d7_by_genres=retained / shares,
        d1=float(weight @ day_1),
        d7=float(retained.sum()),
        d14=late_rate(14),
        d30=late_rate(30),
        d7_under_4=float(
            retained[:FOUR_GENRES].sum() / shares[:FOUR_GENRES].sum()
        ),
        play_shares=play_shares,
        habit_d7=habit_d7,
    )


def calibrate(config: SimulationConfig) -> SimulationConfig:
    """Solve the nine free parameters for the nine headline targets.

    Targets are the shares of users with 1, 2 and 3 genres, the four D7
    rates, D1 and D30. Free are the visit scale, the three of leaving, the
    share of broad tastes, the three narrow openings and the second broad
    one. The result's parameters are rounded to seven decimals.

    Raises
    ------
    ValueError
        If the solver stays more than 1e-6 away from a target.
    """
    # Heavy to import, and only needed when parameters are changed.
    from scipy.optimize import least_squares  # noqa: PLC0415

    def parameters(values: Floats) -> SimulationConfig:
        scale, power, slope, days, broad, one, two, three, second = (
            round(float(value), 7) if rounded else float(value)
            for value in np.exp(values)
        )
        return replace(
            config,
            visit_scale=scale,
            leaving_exponent=power,
            leaving_slope=slope,
            leaving_days=days,
            broad_share=broad,
            narrow_openings=(one, two, three),
            broad_openings=(
                config.broad_openings[0],
                second,
                config.broad_openings[2],
            ),
        )

    def misses(values: Floats) -> Floats:
        found = expectations(parameters(values))
        return np.concatenate(
            [
                found.genre_shares[:3] - TARGET_SHARES[:3],
                found.d7_by_genres - TARGET_D7,
                [found.d1 - TARGET_D1, found.d30 - TARGET_D30],
            ]
        )

    rounded = False
    solution = least_squares(
        misses,
        np.log(
            [
                config.visit_scale,
                config.leaving_exponent,
                config.leaving_slope,
                config.leaving_days,
                config.broad_share,
                *config.narrow_openings,
                config.broad_openings[1],
            ]
        ),
        xtol=1e-14,
        ftol=1e-14,
        gtol=1e-14,
    )
    rounded = True
    worst = float(np.abs(misses(solution.x)).max())
    if worst > 1e-6:  # noqa: PLR2004
        raise ValueError(f"calibration is {worst:.2g} away from a target")
    return parameters(solution.x)
