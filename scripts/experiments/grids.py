"""Rows of cells and of quantiles as arrays, one line per comparison.

Pure functions of frames.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from experiments.pairs import (
    CONTROL,
    EXPERIMENT,
    METRIC,
    TEST,
    TREATMENT,
    column,
)
from stats.arms.quantiles import Grid
from stats.arms.stratification import Cells
from stats.intervals import Floats

CELL_KEYS = [*TEST, "outcome_version"]
BETWEEN = " x "  # joins the names of two dimensions


def declared_pairs(dimensions: pd.DataFrame) -> list[str]:
    """Name the pairs that experiments are told apart by, first declared first.

    Parameters
    ----------
    dimensions : DataFrame
        Rows of ``dim_dimensions``.
    """
    own = dimensions[
        dimensions["is_pair"].astype(bool)
        & dimensions["is_settled"].astype(bool)
    ]
    return list(own.sort_values("dimension_number")["dimension"])


def strata(cells: pd.DataFrame, preferred: Sequence[str]) -> pd.DataFrame:
    """Keep the rows of the dimension that each experiment is stratified by.

    It is the first of the preferred ones that has two cells, else the single
    dimension with most cells.

    Parameters
    ----------
    cells : DataFrame
        Pairs of one policy, of all dimensions.
    preferred : sequence of str
        From `declared_pairs`.

    Returns
    -------
    DataFrame
        None of an experiment without two cells in any dimension.
    """
    own = cells[cells["dimension"] != "all"]
    counts = (
        own.groupby([EXPERIMENT, "dimension"])["dimension_value"]
        .nunique()
        .reset_index(name="count")
    )
    name = counts["dimension"]
    ranks = {one: rank for rank, one in enumerate(preferred)}
    counts["rank"] = name.map(ranks).astype(float)
    counts = counts[
        (counts["count"] > 1)
        & (counts["rank"].notna() | ~name.str.contains(BETWEEN, regex=False))
    ]
    chosen = counts.sort_values(
        [EXPERIMENT, "rank", "count", "dimension"],
        ascending=[True, True, False, True],
    ).drop_duplicates(EXPERIMENT)
    return own.merge(chosen[[EXPERIMENT, "dimension"]])


def cell_arrays(
    pairs: pd.DataFrame, cells: pd.DataFrame
) -> tuple[Cells, Cells]:
    """Arrange the cells of control and treatment, one line per pair.

    Parameters
    ----------
    pairs : DataFrame
        Each with at least one cell.
    cells : DataFrame
        From `strata`.

    Returns
    -------
    tuple of Cells
        Control and treatment; lines with fewer cells end in empty ones.
    """
    places = pairs[CELL_KEYS].assign(line=np.arange(len(pairs)))
    found = cells.merge(places, on=CELL_KEYS)
    line = found["line"].to_numpy(int)
    cell = found.groupby("line").cumcount().to_numpy(int)
    shape = (len(pairs), int(cell.max(initial=0)) + 1)
    both = []
    for role in (CONTROL, TREATMENT):
        parts = {}
        for name in ("unit_count", "value_mean", "value_variance"):
            parts[name] = np.full(shape, np.nan)
            parts[name][line, cell] = column(found, role, name)
        units = np.nan_to_num(parts["unit_count"])
        both.append(Cells(units, parts["value_mean"], parts["value_variance"]))
    return both[0], both[1]


def quantile_levels(pairs: pd.DataFrame, quantiles: pd.DataFrame) -> Floats:
    """Look up which quantile each pair is of; a half where nobody has one."""
    known = quantiles[[EXPERIMENT, METRIC, "quantile"]].drop_duplicates(
        [EXPERIMENT, METRIC]
    )
    levels = pairs[[EXPERIMENT, METRIC]].merge(known, how="left")["quantile"]
    return np.asarray(levels.astype(float).fillna(0.5), float)


def quantile_grid(
    pairs: pd.DataFrame, quantiles: pd.DataFrame, role: str
) -> Grid:
    """Collect the values by rank of one arm of each pair.

    Parameters
    ----------
    pairs : DataFrame
        Of kind quantile.
    quantiles : DataFrame
        Rows of ``fct_experiment_quantiles``.
    role : str
        `CONTROL` or `TREATMENT`.

    Returns
    -------
    Grid
        An arm without rows is empty; a shorter list repeats its last value.
    """
    keys = [EXPERIMENT, METRIC, f"{role}_variant"]
    own = pairs[keys].assign(line=np.arange(len(pairs)))
    found = own.merge(
        quantiles.rename(columns={"variant": f"{role}_variant"}), on=keys
    ).sort_values(["line", "rank_number"], kind="stable")
    line = found["line"].to_numpy(int)
    place = found.groupby("line").cumcount().to_numpy(int)
    units = np.zeros(len(own))
    units[line] = found["unit_count"].to_numpy(float)
    parts = []
    for name in ("rank_number", "value"):
        grid = np.full((len(own), int(place.max(initial=0)) + 1), np.nan)
        grid[line, place] = found[name].to_numpy(float)
        parts.append(pd.DataFrame(grid).ffill(axis=1).to_numpy(float))
    return Grid(units, np.nan_to_num(parts[0]), parts[1])
