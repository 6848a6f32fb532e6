"""What estimates find: a number each, with its error and where it is from."""

from __future__ import annotations

from collections.abc import Callable, Collection
from math import isfinite
from typing import Any, NamedTuple

import pandas as pd

from estimates.files import Estimate, relations_of
from stats.intervals import normal_quantile
from stats.kinds import KINDS
from warehouse import WarehouseError

GRADES = "ABCDE"  # from randomised here to plain assumption
REQUIRED = ("value", "standard_error", "users", "causal_grade")
TEXTS = ("causal_grade", "kind", "reason_code", "drawn_as")


class Number(NamedTuple):
    """The row that an estimate returns; None where it says nothing."""

    # The estimate's file and what it says there.
    place: str
    description: str
    columns: frozenset[str]  # what the query returns
    # Of the number, in the unit that its reader declares.
    value: float | None = None
    standard_error: float | None = None
    users: float | None = None  # on whom it rests
    causal_grade: str | None = None  # one of `GRADES`, of an effect
    # Its interval, and the significance level of that.
    ci_low: float | None = None
    ci_high: float | None = None
    alpha: float | None = None
    # Of an effect that an experiment has measured.
    control_mean: float | None = None
    control_users: float | None = None
    treatment_users: float | None = None
    kind: str | None = None  # the kind of its metric
    reason_code: str | None = None  # why there is no number
    # Its stream of draws: what is drawn under one name is drawn alike.
    drawn_as: str | None = None

    @property
    def error(self) -> float | None:
        """The standard error, of an interval where it is not given."""
        if self.standard_error is not None:
            return self.standard_error
        if self.ci_low is None or self.ci_high is None or self.alpha is None:
            return None
        return (self.ci_high - self.ci_low) / 2 / normal_quantile(self.alpha)


NUMBERS = [name for name in Number._fields[3:] if name not in TEXTS]


def number_of(
    estimate: Estimate,
    query: Callable[[str], pd.DataFrame],
    written: Collection[str],
) -> Number:
    """Run an estimate.

    The result tables `written` hold this analysis already. The number is
    without a value where the query returns no row or a null.

    Raises
    ------
    ValueError
        Naming the file and the remedy, if it reads what it may not, fails, or
        returns other columns, several rows or what is no number.
    """
    place = estimate.place
    early = sorted(relations_of(estimate)["results"] - set(written))
    if early:
        raise ValueError(
            f"{place}: results.{early[0]} is not written when this is asked; "
            f"read one of {', '.join(sorted(written))}"
        )
    try:
        rows = query(estimate.sql)
    except WarehouseError as error:
        raise ValueError(f"{place}: {error}") from None
    known = dict.fromkeys((*REQUIRED, *NUMBERS, *TEXTS))
    unknown = [name for name in rows.columns if name not in known]
    missing = [name for name in REQUIRED if name not in rows.columns]
    if unknown or missing:
        raise ValueError(
            f"{place}: it returns {', '.join(unknown or rows.columns)}"
            f"{'' if unknown else f' without {missing[0]}'}; an estimate has "
            f"the columns {', '.join(REQUIRED)}, and may have "
            f"{', '.join(name for name in known if name not in REQUIRED)}"
        )
    if len(rows) > 1:
        raise ValueError(
            f"{place}: it returns several rows; name one in its where"
        )
    number = Number(place, estimate.description, frozenset(rows.columns))
    if rows.empty:
        return number
    row = rows.iloc[0]
    found: dict[str, Any] = {
        name: _float(row[name], name, place)
        for name in NUMBERS
        if name in rows.columns
    }
    found |= {
        name: None if pd.isna(row[name]) else str(row[name])
        for name in TEXTS
        if name in rows.columns
    }
    for name, values in (("causal_grade", GRADES), ("kind", KINDS)):
        if found.get(name) is not None and found[name] not in values:
            raise ValueError(
                f"{place}: unknown {name} {found[name]!r}; use one of "
                f"{', '.join(values)}, or null"
            )
    return number._replace(**found)


def _float(value: Any, name: str, place: str) -> float | None:  # noqa: ANN401
    """Make a float of what an engine returns; nothing of what is not finite."""
    if pd.isna(value):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(
            f"{place}: {name} must be a number, got {value!r}"
        ) from None
    return number if isfinite(number) else None
