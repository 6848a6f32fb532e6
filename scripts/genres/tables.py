"""All tables on exploring genres from all their marts.

Pure functions: frames in, result rows out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from genres.checks import (
    balance_rows,
    check_rows,
    dose_rows,
    overlap_rows,
    trend_rows,
)
from genres.comparison import comparison
from genres.effects import effect_rows

MARTS = (
    "fct_genre_cells",
    "fct_genre_doses",
    "fct_genre_strata",
    "fct_retention_by_genres",
)


def genre_tables(
    marts: Mapping[str, pd.DataFrame], alpha: float = 0.05
) -> dict[str, list[dict[str, Any]]]:
    """Compute every result table on exploring genres.

    Reads `MARTS` and gives each table's rows without ``input_version``; `alpha`
    is the two-sided significance level, in (0, 1).
    """
    cells = marts["fct_genre_cells"]
    study = comparison(cells)
    effects = effect_rows(
        marts["fct_genre_strata"],
        cells,
        marts["fct_genre_doses"],
        study,
        alpha,
    )
    return {
        "genre_effects": effects,
        "genre_checks": check_rows(cells, study, effects, alpha),
        "genre_balance": balance_rows(study),
        "genre_overlap": overlap_rows(study),
        "genre_dose_response": dose_rows(cells, alpha),
        "genre_trends": trend_rows(marts["fct_retention_by_genres"]),
    }
