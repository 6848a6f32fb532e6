"""Whether users were assigned as planned: shares, mixed users, and since when.

Pure functions of frames.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from experiments.pairs import EXPERIMENT
from stats.arms.allocations import (
    ALARM_P_VALUE,
    ShareTest,
    first_alarm,
    grouped_p_values,
    share_test,
)

# Users seen in two variants, as a share of those assigned: from the first on
# it is said, from the second on the experiment is broken.
MIXED_WARNING = 0.01
MIXED_FAILURE = 0.1

DATES = "assigned_date"


class GroupAlarm(NamedTuple):
    """The group of users whose shares are furthest from the plan."""

    # Such as ``platform`` and ``ios``.
    dimension: str
    dimension_value: str
    p_value: float  # by Bonferroni over all groups of all dimensions


class Assignment(NamedTuple):
    """What is known of one experiment's assignment."""

    # Rows of ``fct_experiment_arms`` of all users, one per variant.
    arms: pd.DataFrame
    shares: ShareTest | None = (
        None  # None where there is nobody, or one variant
    )
    group: GroupAlarm | None = None  # None where no group is large enough
    # First day whose cumulative shares raise the alarm.
    first_alarm_date: date | None = None
    # Users in two variants as a share of those assigned.
    mixed_rate: float | None = None
    # Users per day between the first and the last day of assignment; None
    # within one day.
    arrivals_per_day: float | None = None
    broken: tuple[
        str, ...
    ] = ()  # reason codes; empty if the readout can be trusted

    @property
    def planned_users(self) -> int | None:
        """Users of all variants that the test is planned for."""
        return _declared(self.arms, "planned_users")

    @property
    def look_days(self) -> int | None:
        """Days between planned looks."""
        return _declared(self.arms, "look_days")

    @property
    def assigned_users(self) -> int:
        """Users of all variants."""
        return int(self.arms["assigned_users"].sum())

    @property
    def is_mixed_warning(self) -> bool:
        """Whether so many users are in two variants that it must be said."""
        return self.mixed_rate is not None and self.mixed_rate >= MIXED_WARNING


def assignments(arms: pd.DataFrame) -> dict[str, Assignment]:
    """Judge the assignment of every experiment.

    By experiment, from rows of ``fct_experiment_arms``. Reasons why one is
    broken: ``no_units``, ``one_variant``, ``sample_ratio_mismatch``,
    ``sample_ratio_mismatch_in_group``, ``mixed_users``.

    Raises
    ------
    ValueError
        If planned shares are not positive or do not sum to 1.
    """
    found = {}
    for experiment, own in arms.groupby(EXPERIMENT):
        try:
            found[str(experiment)] = _judged(own)
        except ValueError as error:
            raise ValueError(
                f"experiment {experiment}: {error}; correct expected_share "
                "in experiments.csv"
            ) from None
    return found


def _judged(own: pd.DataFrame) -> Assignment:
    """Judge one experiment."""
    arms = own[own["dimension"] == "all"].sort_values("variant")
    users = int(arms["assigned_users"].sum())
    mixed = int(arms["mixed_users"].sum())
    days = _table(own[own["dimension"] == DATES], arms)
    shares = arms["expected_share"].to_numpy(float)
    test, group, alarm_date, broken = None, None, None, []
    if not users:
        broken.append("no_units")
    elif len(arms) == 1:
        broken.append("one_variant")
    else:
        test = share_test(arms["assigned_users"], shares)
        group = _group(own, arms)
        if day := first_alarm(days, shares):
            alarm_date = _date(days.index[day - 1])
        if test.is_alarm:
            broken.append("sample_ratio_mismatch")
        if group and group.p_value < ALARM_P_VALUE:
            broken.append("sample_ratio_mismatch_in_group")
    if users and mixed / users >= MIXED_FAILURE:
        broken.append("mixed_users")
    return Assignment(
        arms=arms,
        shares=test,
        group=group,
        first_alarm_date=alarm_date,
        mixed_rate=mixed / users if users else None,
        arrivals_per_day=_rate(days),
        broken=tuple(broken),
    )


def _table(rows: pd.DataFrame, arms: pd.DataFrame) -> pd.DataFrame:
    """Lay out users by group and variant; nobody is 0."""
    table = rows.pivot_table(
        index=["dimension", "dimension_value"],
        columns="variant",
        values="assigned_users",
        aggfunc="sum",
    )
    return table.reindex(columns=arms["variant"]).fillna(0.0).sort_index()


def _group(own: pd.DataFrame, arms: pd.DataFrame) -> GroupAlarm | None:
    """Find the group that is furthest from the plan."""
    table = _table(own[~own["dimension"].isin(["all", DATES])], arms)
    if table.empty:
        return None
    p_values = grouped_p_values(table, arms["expected_share"])
    adjusted = pd.Series(p_values, table.index).dropna()
    if adjusted.empty:
        return None
    dimension, value = adjusted.index[int(np.argmin(adjusted))]
    return GroupAlarm(str(dimension), str(value), float(adjusted.min()))


def _rate(days: pd.DataFrame) -> float | None:
    """Give users per day, from the first to the last day of assignment."""
    if len(days) <= 1:
        return None
    first, last = (_date(days.index[place]) for place in (0, -1))
    return float(days.to_numpy().sum()) / ((last - first).days + 1)


def _date(place: tuple[str, str]) -> date:
    """Read the day of a group."""
    return date.fromisoformat(place[1])


def _declared(arms: pd.DataFrame, name: str) -> int | None:
    """Read what is the same on every line; None where it is empty."""
    values = arms[name].dropna()
    return None if values.empty else int(values.iloc[0])
