"""Terms of a scenario with their numbers: looked up, shrunk, correlated.

Pure functions: declarations, result rows and frames in, terms out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from math import isfinite
from typing import Any, NamedTuple

import numpy as np

from scenarios.assumptions import Assumption
from scenarios.declarations import Estimate, Source
from scenarios.distributions import Term, estimated, estimated_rate
from scenarios.units import is_fraction
from stats.arms.bayes import Lift, posterior
from stats.intervals import normal_quantile
from stats.lifetimes import expected_days

Row = Mapping[str, Any]
Tables = Mapping[str, Sequence[Row]]

# Keys that a result table may not have yet; any other unknown key is refused.
OPTIONAL_KEYS = {"outcome_version", "policy", "adjustment"}
LIFETIME_SETTINGS: dict[str, type] = {
    "from_day": int,
    "horizon_days": int,
    "tail_days": int,
    "yearly_discount": float,
}
CLOSEST = 0.999  # a derived correlation; at 1 one term would be the other


class Supplied(NamedTuple):
    """A term with everything that is shown of it.

    Attributes
    ----------
    term : Term or None
        None where the log has no number.
    unit, source, causal_grade : str
        As declared, or as the log says.
    stated_date : date or None
        Of an assumption; of an estimate the last day loaded whole.
    raw_value : float or None
        Before shrinkage; None where nothing was shrunk.
    is_measured : bool
        Whether the log supplies it.
    reason_code : str or None
        Why there is no number.
    row : mapping or None
        The row of the table it was taken from.
    """

    term: Term | None
    unit: str
    source: str
    causal_grade: str
    stated_date: date | None
    raw_value: float | None
    is_measured: bool
    reason_code: str | None
    row: Row | None


def pick(
    rows: Sequence[Row], keys: Mapping[str, str], where: str = "row_keys"
) -> Row | None:
    """Return the one row with these values, or None.

    Parameters
    ----------
    rows : sequence of mapping
        Of one table.
    keys : mapping of str to str
        Columns and values as text. Columns of `OPTIONAL_KEYS` that the table
        lacks are skipped.
    where : str
        Named in a refusal.

    Raises
    ------
    ValueError
        If a column is unknown, or several rows have these values.
    """
    if not rows:
        return None
    missing = [name for name in keys if name not in rows[0]]
    unknown = [name for name in missing if name not in OPTIONAL_KEYS]
    if unknown:
        raise ValueError(
            f"{where}: no column {unknown[0]}; use one of {', '.join(rows[0])}"
        )
    found = [
        row
        for row in rows
        if all(
            str(row[name]) == value
            for name, value in keys.items()
            if name not in missing
        )
    ]
    if len(found) > 1:
        differing = [
            name
            for name in found[0]
            if isinstance(found[0][name], str)
            and len({str(row[name]) for row in found}) > 1
        ]
        raise ValueError(
            f"{where}: {len(found)} rows match; name one by "
            f"{', '.join(differing) or 'another column'} in row_keys"
        )
    return found[0] if found else None


def supplied(
    sources: Mapping[str, Source], tables: Tables, observed: date | None
) -> dict[str, Supplied]:
    """Give each term of one version its number.

    Parameters
    ----------
    sources : mapping of str to Source
        Of one version of a scenario.
    tables : mapping of str to sequence of mapping
        Rows of the tables that estimates name; an empty cell is None.
    observed : date or None
        Last day that is loaded whole.

    Returns
    -------
    dict of str to Supplied

    Raises
    ------
    ValueError
        Naming the row of ``scenario_estimates.csv``, if it names a column or
        a row that cannot be.
    """
    return {
        name: Supplied(
            source.term,
            source.unit,
            source.source,
            source.causal_grade,
            source.stated_date,
            None,
            is_measured=False,
            reason_code=None,
            row=None,
        )
        if isinstance(source, Assumption)
        else _measured(source, tables[source.table], observed)
        for name, source in sources.items()
    }


def correlations_of(
    sources: Mapping[str, Source], found: Mapping[str, Supplied]
) -> dict[tuple[str, str], float]:
    """Give the correlations between terms, declared and derived.

    An effect is treatment minus control, so its covariance with the mean of
    the control is minus the variance of that mean.
    """
    ties: dict[tuple[str, str], float] = {}
    for name, source in sources.items():
        if isinstance(source, Assumption):
            ties |= {
                (name, other): value
                for other, value in source.correlations.items()
            }
        elif source.control_of:
            own, effect = found[name].term, found[source.control_of].term
            if own and effect and own.deviation > 0 and effect.deviation > 0:
                # Shrinkage scales the covariance as it does the effect.
                raw = found[source.control_of].raw_value
                weight = effect.value / raw if raw else 1.0
                value = -weight * own.deviation / effect.deviation
                ties[name, source.control_of] = max(-CLOSEST, value)
    return ties


def _measured(
    source: Estimate, rows: Sequence[Row], observed: date | None
) -> Supplied:
    """Look one estimate up."""
    if source.table == "fct_survival":
        return _lifetime(source, rows, observed)
    row = pick(rows, source.keys, source.where)
    shown = f"{source.table}.{source.value_column}, " + ", ".join(
        f"{name} {value}" for name, value in source.keys.items()
    )
    grade = (row or {}).get("causal_grade") or ""
    has_effect_grade = source.value_column == "estimate"
    empty = Supplied(
        None,
        source.unit,
        shown,
        grade if has_effect_grade else "",
        observed,
        None,
        is_measured=True,
        reason_code=None if row is None else row.get("reason_code"),
        row=row,
    )
    if row is None:
        return empty
    value = _number(row, source.value_column, source.where)
    if value is None:
        return empty
    error = _error(row, source)
    if error is None:
        return empty
    name = f"{source.table}.{source.value_column}." + ".".join(
        source.keys.values()
    )
    raw = None
    if source.prior_deviation is not None:
        raw, (value, error) = value, _shrunk(row, value, error, source)
    make = estimated_rate if is_fraction(source.unit) else estimated
    if error == 0 and has_effect_grade:
        return empty._replace(reason_code="zero_variance")
    return empty._replace(
        term=make(name, value, error), raw_value=raw, reason_code=None
    )


def _number(row: Row, column: str, where: str) -> float | None:
    if column not in row:
        raise ValueError(
            f"{where}: no column {column}; use one of {', '.join(row)}"
        )
    value = row[column]
    return None if value is None or not isfinite(value) else float(value)


def _error(row: Row, source: Estimate) -> float | None:
    """Read a standard error, or find it from an interval."""
    column = source.error_column
    if not column:
        return 0.0
    if not column.endswith("ci"):
        return _number(row, column, source.where)
    low = _number(row, f"{column}_low", source.where)
    high = _number(row, f"{column}_high", source.where)
    if low is None or high is None:
        return None
    return (high - low) / 2 / normal_quantile(row["alpha"])


def _shrunk(
    row: Row, value: float, error: float, source: Estimate
) -> tuple[float, float]:
    """Draw an effect towards nothing by a normal prior of lifts."""
    control = _number(row, "control_mean", source.where)
    if not control or not error > 0:
        return value, error
    scale = abs(control)
    belief = posterior(
        Lift(np.asarray(value / scale), np.asarray(error / scale)),
        source.prior_deviation or 1.0,
    )
    return float(belief.mean) * scale, float(belief.deviation) * scale


def _lifetime(
    source: Estimate, rows: Sequence[Row], observed: date | None
) -> Supplied:
    """Add up a survival curve."""
    settings: dict[str, Any] = {}
    keys = {}
    for name, text in source.keys.items():
        kind = LIFETIME_SETTINGS.get(name)
        if kind is None:
            keys[name] = text
            continue
        try:
            settings[name] = kind(text)
        except ValueError:
            raise ValueError(
                f"{source.where}: {name} must be a number, got {text!r}"
            ) from None
    if source.value_column != "expected_days":
        raise ValueError(
            f"{source.where}: the value_column of fct_survival is "
            f"expected_days, got {source.value_column!r}"
        )
    unknown = [name for name in keys if rows and name not in rows[0]]
    if unknown:
        raise ValueError(
            f"{source.where}: no column or setting {unknown[0]}; use dimension,"
            f" dimension_value, {', '.join(LIFETIME_SETTINGS)}"
        )
    own = sorted(
        (
            row
            for row in rows
            if all(str(row[name]) == value for name, value in keys.items())
        ),
        key=lambda row: int(row["day_number"]),
    )
    horizon = settings.get("horizon_days", 365)
    found = Supplied(
        None,
        source.unit,
        f"Kaplan-Meier curve of fct_survival to day {horizon}, after the last"
        f" observed day at the hazard of the {settings.get('tail_days', 14)}"
        f" days before it, {settings.get('yearly_discount', 0.0):.0%} discount"
        " a year",
        "",
        observed,
        None,
        is_measured=True,
        reason_code="no_base",
        row=None,
    )
    if [row["day_number"] for row in own] != list(range(len(own))):
        raise ValueError(
            f"{source.where}: several curves match; name one by dimension and"
            " dimension_value in row_keys"
        )
    if len(own) <= settings.get("from_day", 0) + 1:
        return found
    try:
        lifetime = expected_days(
            [row["at_risk_users"] for row in own],
            [row["churned_users"] for row in own],
            **settings,
        )
    except ValueError as error:
        raise ValueError(f"{source.where}: {error}") from None
    name = "fct_survival." + ".".join(source.keys.values())
    term = estimated(name, lifetime.days, lifetime.standard_error)
    return found._replace(term=term, reason_code=None)
