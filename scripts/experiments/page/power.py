"""What an experiment could have found, and what finding less would take.

Pure functions: rows of results in, parts of the page out.
"""

from __future__ import annotations

import re

from display.formats import MISSING, NO_BREAK, count, percent, place
from display.parts import Cell, Row, Table
from experiments.page.wording import by_role, naming, within

POWER = "results.experiment_power"
DESIGNS = {"raw": "unadjusted", "cuped": "CUPED"}
SIZES = re.compile(r"required_users_(\d+)_percent")


def power(health: Row, rows: list[Row]) -> Table | None:
    """Table what could be detected, and the users and days that less takes."""
    designs = list(DESIGNS)
    known = [
        row
        # Stable: within a test, the designs in their order.
        for row in by_role(
            sorted(rows, key=lambda row: place(row["design"], designs))
        )
        if row["detectable_relative_effect"] is not None
    ]
    if not known:
        return None
    name = naming(rows)
    sizes = sorted(
        int(match[1]) for match in map(SIZES.fullmatch, known[0]) if match
    )
    has_plan = health["planned_users"] is not None
    first = known[0]
    return Table(
        caption=f"{health['experiment_name']}: power",
        columns=[
            "Metric",
            "Design",
            "Found now",
            *(["Found at the planned size"] if has_plan else []),
            *(f"For {size} %, users" for size in sizes),
        ],
        rows=[
            [
                name(row),
                DESIGNS[row["design"]],
                _effect(row, "detectable_relative_effect"),
                *(
                    [_effect(row, "planned_detectable_relative_effect")]
                    if has_plan
                    else []
                ),
                *(_cost(row, size) for size in sizes),
            ]
            for row in known
        ],
        source=POWER,
        text_columns=2,
        title=_title(first, sizes, within(name(first))),
        note="Smallest effect, relative to the control mean, that a test at"
        f" {percent(first['alpha']).replace('.0', '')} finds with probability"
        f" {percent(first['power']).replace('.0', '')}; below, the users of all"
        " variants that an effect so small would take, and the days of"
        " assignment at the present rate. From the control arm alone: it says"
        " nothing of the effect that was found.",
    )


def _title(row: Row, sizes: list[int], name: str) -> str:
    """Tell what is found now, and the users and days of the next size."""
    least = row["detectable_relative_effect"]
    title = f"As it stands, a change of {percent(least)} in {name} is found"
    smaller = [
        size
        for size in sizes
        if size / 100 < least
        and row[f"required_users_{size}_percent"] is not None
    ]
    if not smaller:
        return title
    size = smaller[-1]
    users = count(row[f"required_users_{size}_percent"])
    days = _days(row, size)
    took = f"{users} users" + (f" and {days}" if days else "")
    return f"{title}; {size}{NO_BREAK}% takes {took}"


def _days(row: Row, size: int) -> str:
    days = row[f"required_days_{size}_percent"]
    if days is None:
        return ""
    return f"{count(days)} day{'' if days == 1 else 's'}"


def _effect(row: Row, name: str) -> str:
    return MISSING if row[name] is None else percent(row[name])


def _cost(row: Row, size: int) -> str | Cell:
    users = row[f"required_users_{size}_percent"]
    if users is None:
        return MISSING
    return Cell(count(users), _days(row, size))
