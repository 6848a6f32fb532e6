"""Days that users are expected to stay, as a log declares them.

Pure functions: frames in, result rows out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from stats.lifetimes import expected_days

FILE = "lifetimes.csv"
MARTS = ("dim_lifetimes", "fct_survival")
SETTINGS = ("from_day", "horizon_days", "tail_days")


def lifetime_rows(marts: Mapping[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """Add up the survival curve of each declared lifetime.

    Parameters
    ----------
    marts : mapping of str to DataFrame
        The marts of `MARTS`.

    Returns
    -------
    list of dict
        Rows of ``expected_lifetimes``, without ``input_version``. Where no
        day is observed after the first that counts there is no number, and
        the reason is ``no_base``.

    Raises
    ------
    ValueError
        Naming the row and the remedy, if a setting cannot be used.
    """
    survival = marts["fct_survival"]
    rows = []
    for lifetime in marts["dim_lifetimes"].to_dict("records"):
        where = f"{FILE}, {lifetime['lifetime_name']}"
        for name in SETTINGS:
            if pd.isna(lifetime[name]):
                raise ValueError(f"{where}: {name} is missing; fill it in")
        own = survival[
            (survival["dimension"] == lifetime["dimension"])
            & (survival["dimension_value"] == lifetime["dimension_value"])
        ].sort_values("day_number")
        found = None
        if len(own) > lifetime["from_day"] + 1:
            try:
                found = expected_days(
                    own["at_risk_users"],
                    own["churned_users"],
                    yearly_discount=lifetime["yearly_discount"],
                    **{name: int(lifetime[name]) for name in SETTINGS},
                )
            except ValueError as error:
                raise ValueError(f"{where}: {error}") from None
        rows.append(
            {str(name): value for name, value in lifetime.items()}
            | {
                "user_count": int(own["at_risk_users"].max())
                if len(own)
                else 0,
                "expected_days": found and found.days,
                "standard_error": found and found.standard_error,
                "reason_code": None if found else "no_base",
            }
        )
    return rows
