"""Unit rows of made-up experiments, and the marts that SQL makes of them."""

import datetime

import numpy as np
import pandas as pd
from arms import first_ranks

from stats.arms.quantiles import outer_ranks

FIRST_DAY = datetime.date(2026, 1, 5)
VALUES = ("value", "denominator", "covariate", "covariate_denominator")
PAIRS = (
    ("value", "denominator"),
    ("value", "covariate"),
    ("value", "covariate_denominator"),
    ("denominator", "covariate"),
    ("denominator", "covariate_denominator"),
    ("covariate", "covariate_denominator"),
    ("value", "history"),
    ("covariate", "history"),
    ("value", "reached"),
)
DIMENSIONS = (("country",), ("platform",), ("country", "platform"))
ATTRIBUTES = {
    "kind": "mean",
    "role": "primary",
    "direction": "increase",
    "margin": np.nan,
    "cap": np.nan,
    "cap_value": np.nan,
}


def trial(
    seed=1,
    users=2_000,
    *,
    shares=None,
    effect=0.5,
    kind="mean",
    history=0.8,
    reach=0.7,
    days=10,
):
    """Rows of users, one per user of an experiment."""
    random = np.random.default_rng(seed)
    shares = shares or {"A": 0.5, "B": 0.5}
    names = list(shares)
    variant = random.choice(names, users, p=list(shares.values()))
    step = np.array([names.index(each) for each in variant])
    has_history = random.random(users) < history
    before = np.where(has_history, random.gamma(2.0, 3.0, users), 0.0)
    lag = np.where(has_history, random.poisson(3.0, users) + 1.0, 0.0)
    platform = random.choice(["ios", "android", "web"], users)
    base = (platform == "ios") + 0.6 * before + random.gamma(2.0, 2.0, users)
    rows = pd.DataFrame(
        {
            "variant": variant,
            "is_control": step == 0,
            "platform": platform,
            "country": random.choice(["DE", "FR"], users),
            "value": base + effect * step,
            "denominator": random.poisson(2.0 + 0.3 * lag) + 1.0,
            "covariate": before,
            "covariate_denominator": lag,
            "history": has_history.astype(float),
            "reached": ((random.random(users) < reach) & (step > 0)) * 1.0,
            "day": np.sort(random.integers(0, days, users)),
        }
    )
    if kind == "proportion":
        chance = 0.2 + 0.02 * before + 0.1 * effect * step
        rows["value"] = (random.random(users) < chance) * 1.0
    if kind == "ratio":
        rows["value"] *= rows["denominator"]
    return rows


def statistics(rows, metric="sessions", experiment="push", **attributes):
    """Rows of fct_experiment_statistics."""
    attributes = ATTRIBUTES | attributes
    found = []
    for version in ("raw", "capped"):
        own = rows
        if version == "capped":
            if np.isnan(attributes["cap"]):
                continue
            limit = rows["value"][rows["value"] > 0].quantile(attributes["cap"])
            own = rows.assign(value=rows["value"].clip(upper=limit))
        for dimensions in ((), *DIMENSIONS):
            labels = own[list(dimensions)].agg(" x ".join, axis=1)
            if not dimensions:
                labels = pd.Series("all", index=own.index)
            for (value, variant), cell in own.groupby([labels, own["variant"]]):
                found.append(
                    {
                        "experiment_id": experiment,
                        "metric_name": metric,
                        "outcome_version": version,
                        "policy": "first_assignment",
                        "dimension": " x ".join(dimensions) or "all",
                        "dimension_value": value,
                        "variant": variant,
                        "is_control": bool(cell["is_control"].iloc[0]),
                        **attributes,
                        "cap_value": limit if version == "capped" else np.nan,
                        "immature_count": 0,
                        "capped_count": 0,
                        **measures(cell, attributes["kind"]),
                    }
                )
    return pd.DataFrame(found)


def measures(cell, kind):
    """Sufficient statistics of some users."""
    values = cell[[*VALUES, "history", "reached"]].astype(float)
    if kind != "ratio":
        values[["denominator", "covariate_denominator"]] = np.nan
    means, covariances = values.mean(), values.cov()
    row = {"unit_count": len(values)}
    row |= {f"{name}_mean": means[name] for name in VALUES}
    row |= {f"{name}_variance": covariances.loc[name, name] for name in VALUES}
    row |= {f"{name}_rate": means[name] for name in ("history", "reached")}
    return row | {
        f"{first}_{second}_covariance": covariances.loc[first, second]
        for first, second in PAIRS
    }


def arms(rows, experiment="push", shares=None, **changed):
    """Rows of fct_experiment_arms."""
    names = sorted(rows["variant"].unique())
    shares = shares or dict.fromkeys(names, 1 / len(names))
    dates = rows["day"].map(lambda day: str(FIRST_DAY + days_of(day)))
    labels = {
        "all": pd.Series("all", index=rows.index),
        "platform": rows["platform"],
        "assigned_date": dates,
    }
    return pd.DataFrame(
        [
            {
                "experiment_id": experiment,
                "experiment_name": experiment.title(),
                "variant": variant,
                "dimension": dimension,
                "dimension_value": value,
                "is_control": bool(cell["is_control"].iloc[0]),
                "planned_users": np.nan,
                "look_days": np.nan,
                "expected_share": shares[variant],
                "assigned_users": len(cell),
                "mixed_users": 0,
                "switched_users": 0,
                "reached_users": int(cell["reached"].sum()),
            }
            | changed
            for dimension, label in labels.items()
            for (value, variant), cell in rows.groupby([label, rows["variant"]])
        ]
    )


def days_of(day):
    return datetime.timedelta(days=int(day))


def quantile_rows(rows, quantile=0.9, metric="sessions", experiment="push"):
    """Rows of fct_experiment_quantiles."""
    found = []
    for variant, cell in rows.groupby("variant"):
        values = np.sort(cell["value"].to_numpy())
        size = len(values)
        ranks = {
            *np.clip(outer_ranks(size, quantile), 1, size).tolist(),
            *first_ranks(size, range(50, 1000, 50)).tolist(),
        }
        found += [
            {
                "experiment_id": experiment,
                "metric_name": metric,
                "outcome_version": "raw",
                "variant": variant,
                "is_control": bool(cell["is_control"].iloc[0]),
                "quantile": quantile,
                "unit_count": size,
                "rank_number": rank,
                "value": values[rank - 1],
            }
            for rank in sorted(ranks)
        ]
    columns = (
        "experiment_id metric_name outcome_version variant is_control quantile"
        " unit_count rank_number value"
    )
    return pd.DataFrame(found, columns=columns.split())


def looks(rows, kind="mean", metric="sessions", experiment="push", window=2):
    """Rows of fct_experiment_looks: all whose window had closed by the day."""
    found = []
    closes = rows["day"] + window
    for day in range(closes.min(), closes.max() + 1):
        for variant, everyone in rows.groupby("variant"):
            cell = everyone[closes[everyone.index] <= day]
            found.append(
                {
                    "experiment_id": experiment,
                    "metric_name": metric,
                    "variant": variant,
                    "look_date": pd.Timestamp(FIRST_DAY + days_of(day)),
                    "is_control": bool(everyone["is_control"].iloc[0]),
                    "kind": kind,
                    **measures(cell, kind),
                }
            )
    columns = (
        "experiment_id metric_name variant look_date is_control kind unit_count"
        " value_mean value_variance denominator_mean denominator_variance"
        " value_denominator_covariance"
    )
    return pd.DataFrame(found, columns=columns.split())


def day_statistics(by_day, variants, metric="sessions", experiment="push"):
    """Rows of fct_experiment_day_statistics.

    `by_day` holds one row per user and one column per day.
    """
    found = []
    for variant in sorted(set(variants)):
        own = by_day[variants == variant]
        covariance = np.atleast_2d(np.cov(own, rowvar=False))
        found += [
            {
                "experiment_id": experiment,
                "metric_name": metric,
                "variant": variant,
                "day_number": day,
                "other_day_number": other,
                "is_control": variant == "A",
                "unit_count": len(own),
                "value_mean": own[:, day].mean(),
                "other_value_mean": own[:, other].mean(),
                "covariance": covariance[day, other],
            }
            for day in range(own.shape[1])
            for other in range(day + 1)
        ]
    columns = (
        "experiment_id metric_name variant day_number other_day_number"
        " is_control unit_count value_mean other_value_mean covariance"
    )
    return pd.DataFrame(found, columns=columns.split())
