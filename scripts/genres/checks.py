"""Whether the adjusted effect of exploring genres deserves to be believed.

Balance, overlap, doses, trends, and tests whose answer is known beforehand.
Pure functions of frames: counts of marts in, result rows out. `alpha` is the
two-sided significance level, in (0, 1).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from genres.comparison import (
    ALIKE,
    VOLUME,
    Study,
    exploration_rows,
    explorer_edge,
    shuffled_within,
    studied,
)
from genres.effects import HEADLINE, JUDGED, judged, rounded
from stats.arms.heterogeneity import heterogeneity
from stats.intervals import Floats, wilson_interval
from stats.observed.causal import (
    Contrast,
    as_they_are,
    contrast,
    doubly_robust,
    has_overlap,
)
from stats.observed.cells import Cells
from stats.observed.trends import trend

BIN_COUNT = 20
ADJUSTED = (
    *("adjusted_rate", "adjusted_ci_low", "adjusted_ci_high"),
    *("difference", "difference_ci_low", "difference_ci_high"),
    *("compared_users", "trimmed_rate"),
)
NUMBERS = ("naive_estimate", *JUDGED, "statistic", "degrees_of_freedom")
Row = dict[str, Any]


def balance_rows(study: Study) -> list[Row]:
    """Compare the covariates of explorers and others, before and after.

    From models of everybody. Gives the rows of ``genre_balance``: one per
    covariate and value, or one per covariate that is a number.
    """
    cells = study.cells
    if study.reason:
        return []
    e = study.whole.propensity[cells.kind, cells.fold]
    used = has_overlap(e)
    own = np.eye(2)[cells.level]
    plain = cells.units[:, None] * own
    weighted = np.where(used[:, None], plain / e, 0.0)
    rows = []
    for name in cells.covariates:
        values = cells.covariates[name]
        if name in VOLUME:
            columns = {"mean": values.to_numpy(float)}
        else:
            columns = {
                str(value): (values == value).to_numpy(float)
                for value in sorted(values.unique())
            }
        for value, column in columns.items():
            before = _difference(column[cells.kind], plain, plain)
            after = _difference(column[cells.kind], weighted, plain)
            rows.append(
                rounded(
                    {
                        "covariate": name,
                        "covariate_value": value,
                        "other_mean": before[0],
                        "explorer_mean": before[1],
                        "other_mean_weighted": after[0],
                        "explorer_mean_weighted": after[1],
                        "difference_before": before[2],
                        "difference_after": after[2],
                    }
                )
            )
    return rows


def _difference(
    values: Floats, weights: Floats, plain: Floats
) -> tuple[float, float, float | None]:
    """Give both means and their difference in plain standard deviations."""
    means = values @ weights / weights.sum(axis=0)
    centre = values @ plain / plain.sum(axis=0)
    spread = (
        ((values[:, None] - centre) ** 2 * plain).sum(axis=0)
        / plain.sum(axis=0)
    ).mean() ** 0.5
    gap = float((means[1] - means[0]) / spread) if spread > 0 else None
    return float(means[0]), float(means[1]), gap


def overlap_rows(study: Study) -> list[Row]:
    """Count explorers and others by how likely they were to explore.

    Of two levels. Gives the rows of ``genre_overlap``: one per band of
    propensity and side.
    """
    cells = study.cells
    if study.reason:
        return []
    e = study.crossed.propensity[cells.kind, cells.fold]
    band = np.minimum((e[:, 1] * BIN_COUNT).astype(int), BIN_COUNT - 1)
    used = has_overlap(e)
    rows = []
    for place in np.unique(band):
        for level in (0, 1):
            here = (band == place) & (cells.level == level)
            rows.append(
                {
                    "propensity_from": round(place / BIN_COUNT, 6),
                    "propensity_to": round((place + 1) / BIN_COUNT, 6),
                    "is_explorer": bool(level),
                    "user_count": int(cells.units[here].sum()),
                    "trimmed_users": int(cells.units[here & ~used].sum()),
                }
            )
    return rows


def dose_rows(cells: pd.DataFrame, alpha: float = 0.05) -> list[Row]:
    """Set retention by genres explored beside the same, adjusted.

    Takes rows of ``fct_genre_cells`` and gives those of
    ``genre_dose_response``: one per number of genres, among those compared at
    the landmark. Adjusted rates are of users for whom no number of genres is
    too unlikely, the same ones in every row.
    """
    frame = exploration_rows(cells, "genres")
    if frame.empty:
        return []
    edge = explorer_edge(frame)
    levels = sorted(int(level) for level in frame["genre_level"].unique())
    study = studied(frame, ALIKE, levels[1:])
    own = study.cells
    means = None if study.reason else doubly_robust(own, study.crossed)
    rows = []
    for place, level in enumerate(levels):
        here = own.level == place
        users, retained = own.units[here].sum(), own.successes[here].sum()
        low, high = wilson_interval([retained], [users], alpha)[0]
        row: Row = {
            "genres_explored": f"{level}+" if level >= edge else str(level),
            "eligible_users": int(users),
            "retained_users": int(retained),
            "rate": float(retained / users),
            "ci_low": float(low),
            "ci_high": float(high),
            **dict.fromkeys(ADJUSTED),
            "alpha": alpha,
            "reason_code": study.reason,
        }
        if means is not None:
            row |= {
                "compared_users": int(means.units.sum()),
                "trimmed_rate": means.trimmed_rate,
            }
        if means is not None and np.isfinite(means.estimate).all():
            # The first number of genres differs from itself by nothing.
            if place:
                gap = contrast(means, place, 0, alpha)
                row |= _bounded(gap, "difference", "difference")
            one = contrast(
                means._replace(
                    estimate=np.append(means.estimate, 0.0),
                    covariance=np.pad(means.covariance, (0, 1)),
                ),
                place,
                len(levels),
                alpha,
            )
            row |= _bounded(one, "adjusted_rate", "adjusted")
        elif means is not None:
            row["reason_code"] = "no_overlap"
        rows.append(rounded(row))
    return rows


def _bounded(found: Contrast, name: str, prefix: str) -> Row:
    """Name an estimate, and its interval after the prefix."""
    return {
        name: found.estimate,
        f"{prefix}_ci_low": found.ci_low,
        f"{prefix}_ci_high": found.ci_high,
    }


def trend_rows(genres: pd.DataFrame) -> list[Row]:
    """Test whether retention rises with the genres explored.

    Takes rows of ``fct_retention_by_genres`` and gives those of
    ``genre_trends``: one per dimension, value and day. Users without a genre
    are left out.
    """
    score = genres["genres_explored"].astype(str).str.rstrip("+").astype(int)
    own = genres.assign(score=score)[score > 0]
    rows = []
    for key, part in own.groupby(
        ["dimension", "dimension_value", "day_number"], sort=True
    ):
        dimension, value, day = key
        found = trend(
            part["retained_users"], part["eligible_users"], part["score"]
        )
        has_number = np.isfinite(found.statistic)
        rows.append(
            rounded(
                {
                    "dimension": dimension,
                    "dimension_value": value,
                    "day_number": day,
                    "eligible_users": int(part["eligible_users"].sum()),
                    "statistic": found.statistic if has_number else None,
                    "p_value": found.p_value if has_number else None,
                    "reason_code": None if has_number else "zero_variance",
                }
            )
        )
    return rows


def check_rows(
    cells: pd.DataFrame,
    study: Study,
    effects: list[Row],
    alpha: float = 0.05,
) -> list[Row]:
    """Ask questions whose answer is known, and see whether it is found.

    Takes rows of ``fct_genre_cells``, the `comparison` of the same cells and
    rows of ``genre_effects``; gives those of ``genre_checks``.
    """
    if exploration_rows(cells, "genres").empty:
        return []
    headline = {row["estimand"]: row for row in effects}.get(HEADLINE)
    rows = [
        _control(
            "shuffled_genres",
            "Titles given the genres of others: no effect is possible",
            studied(exploration_rows(cells, "shuffled_genres")),
            alpha,
        ),
        _control(
            "earlier_outcome",
            "Having come by the most frequent channel, decided before any"
            " genre: no effect is possible",
            _by_channel(exploration_rows(cells, "genres")),
            alpha,
        ),
        _overlapping(
            studied(exploration_rows(cells, "overlapping_genres")),
            headline,
            alpha,
        ),
        _permutation(study.cells, alpha),
        _heterogeneity(effects, alpha),
    ]
    return [rounded(row) for row in rows]


def _check(name: str, question: str, method: str, alpha: float) -> Row:
    return {
        "check_name": name,
        "question": question,
        "method": method,
        **dict.fromkeys(NUMBERS),
        "verdict": None,
        "alpha": alpha,
        "reason_code": None,
    }


def _contrasted(row: Row, study: Study, alpha: float) -> Row:
    """Add the plain gap and the adjusted one."""
    if study.reason:
        return row | {"reason_code": study.reason}
    means = doubly_robust(study.cells, study.crossed)
    naive = contrast(as_they_are(study.cells)).estimate
    row = row | {"naive_estimate": naive}
    if not np.isfinite(means.estimate).all():
        return row | {"reason_code": "no_overlap"}
    found = contrast(means, alpha=alpha)
    statistic = found.estimate / found.standard_error
    return row | judged(found) | {"statistic": statistic}


def _control(name: str, question: str, study: Study, alpha: float) -> Row:
    """Estimate what must be nothing."""
    row = _contrasted(
        _check(name, question, "cross-fitted AIPW", alpha), study, alpha
    )
    if row["estimate"] is None:
        return row
    holds = row["ci_low"] <= 0 <= row["ci_high"]
    return row | {"verdict": "passed" if holds else "failed"}


def _by_channel(frame: pd.DataFrame) -> Study:
    """Make the channel the outcome, and no longer a covariate."""
    users = frame.groupby("channel_group")["eligible_users"].sum()
    own = frame["channel_group"] == (users.idxmax() if len(users) else "")
    swapped = frame.assign(retained_users=frame["eligible_users"].where(own, 0))
    return studied(swapped, [name for name in ALIKE if name != "channel_group"])


def _overlapping(study: Study, headline: Row | None, alpha: float) -> Row:
    """Show what a window that reaches into the outcome would have found."""
    row = _contrasted(
        _check(
            "overlapping_window",
            "Genres counted up to the outcome day itself: whoever comes back"
            " has had more time, so this must find too much",
            "cross-fitted AIPW",
            alpha,
        ),
        study,
        alpha,
    )
    if row["estimate"] is None or not headline or headline["estimate"] is None:
        return row
    is_more = row["ci_low"] > headline["estimate"]
    return row | {"verdict": "misleads" if is_more else "unclear"}


def _permutation(cells: Cells, alpha: float) -> Row:
    """Shuffle who explores among users with the same plays and days."""
    row = _check(
        "shuffled_within_strata",
        "Exploring dealt out anew among users with as many plays and days:"
        " how far is what was found from that?",
        "permutation within strata, normal",
        alpha,
    )
    found = shuffled_within(cells)
    if not np.isfinite(found.statistic):
        return row | {"reason_code": "no_overlap"}
    return row | {"statistic": found.statistic, "p_value": found.p_value}


def _heterogeneity(effects: list[Row], alpha: float) -> Row:
    """Test whether the effect is one for light, middle and busy users."""
    row = _check(
        "activity_thirds",
        "Is the effect the same for light, middle and busy users?",
        "Cochran's Q",
        alpha,
    )
    parts = [
        (each["estimate"], each["standard_error"])
        for each in effects
        if each["estimand"].startswith(f"{HEADLINE}_")
        and each["estimate"] is not None
    ]
    if not parts:
        return row | {"reason_code": "one_segment"}
    found = heterogeneity(*zip(*parts, strict=True))
    if found.reason[0]:
        return row | {"reason_code": str(found.reason[0])}
    return row | {
        "estimate": float(found.estimate[0]),
        "statistic": float(found.statistic[0]),
        "degrees_of_freedom": int(found.degrees_of_freedom[0]),
        "p_value": float(found.p_value[0]),
    }
