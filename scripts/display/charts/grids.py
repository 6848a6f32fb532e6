"""Charts whose colour is the number: cohorts by age, genres by genres."""

from __future__ import annotations

from math import sqrt

import altair as alt

from display.charts.theme import (
    DAY_LABEL,
    GREY,
    INK,
    LABEL_LIMIT,
    NARROW,
    PERCENT_LEGEND,
    RAMP,
    TOLD,
    Row,
    Spec,
    finish,
    layered,
)

# Where on the ramp ink stops being readable and paper begins to be.
DARK = 0.66
# A number needs so many pixels of its cell.
TEXT_WIDTH = 34


def _shaded(rows: list[Row]) -> list[Row]:
    """Choose for each cell whether its number is set in ink or in paper."""
    most = max(row["rate"] for row in rows) or 1.0
    return [row | {"is_dark": sqrt(row["rate"] / most) > DARK} for row in rows]


def _colour(title: str, rows: list[Row]) -> alt.Color:
    most = max(row["rate"] for row in rows) or 1.0
    return alt.Color(
        "rate:Q",
        title=title,
        scale=alt.Scale(type="sqrt", range=RAMP, domain=[0, most]),
        # On a scale of roots these are the ends and the middle.
        legend=alt.Legend(
            format=PERCENT_LEGEND,
            gradientLength=180,
            values=[0, most / 4, most],
        ),
    )


def _numbers(cells: alt.Chart, columns: int) -> alt.Chart:
    """Write into the cells, where they are wide enough."""
    chart: alt.Chart = cells.mark_text(
        fontSize=12,
        opacity={"expr": f"width < {TEXT_WIDTH * columns} ? 0 : 1"},
        aria=False,
    ).encode(
        text="short:N",
        color=alt.condition(
            "datum.is_dark", alt.value("white"), alt.value(INK)
        ),
    )
    return chart


def heat_map(
    rows: list[Row],
    unknown: list[Row],
    description: str,
    *,
    x_title: str,
    legend_title: str,
    ticks: list[int],
) -> Spec:
    """Draw the retention triangle; what is not old enough is dashed.

    Rows hold `cohort` (an ISO date), `period` (1 and up), `rate` (a fraction),
    and `short` where cells are few enough for numbers; known cells only. There
    may be thousands: no `label`, its words are heavy. Unknown periods, which
    have not passed, are told by `cohort`, `first` and `last`. Ticks are the
    periods named on the axis.
    """
    periods = sorted({row["period"] for row in rows})
    periods = list(range(periods[0], periods[-1] + 1))
    cohorts = sorted({row["cohort"] for row in [*rows, *unknown]})
    step = 26 if "short" in rows[0] else 14
    x_scale = alt.Scale(domain=periods)
    y = alt.Y(
        "cohort:O",
        title=None,
        sort="ascending",
        scale=alt.Scale(domain=cohorts),
        axis=alt.Axis(
            labelOverlap="greedy", labelSeparation=6, labelExpr=DAY_LABEL
        ),
    )
    x = alt.X(
        "period:O",
        title=x_title,
        scale=x_scale,
        axis=alt.Axis(values=ticks, labelAngle=0, labelOverlap=True),
    )
    known = alt.InlineData(values=_shaded(rows) if step > 14 else rows)  # noqa: PLR2004
    base = alt.Chart(known).encode(x=x, y=y)
    layers = [
        base.mark_rect(aria=False, stroke="white", strokeWidth=0.5).encode(
            color=_colour(legend_title, rows),
            tooltip=[
                alt.Tooltip("cohort:N", title="Cohort"),
                alt.Tooltip("period:O", title=x_title),
                alt.Tooltip("rate:Q", title=legend_title, format=".1%"),
            ],
        )
    ]
    if "short" in rows[0]:
        layers.append(_numbers(base, len(periods)))
    if unknown:
        layers.append(
            alt.Chart(alt.InlineData(values=unknown))
            .mark_rule(color=GREY, strokeWidth=1, strokeDash=[1, 5], aria=False)
            .encode(
                x=alt.X("first:O", bandPosition=0.2, scale=x_scale),
                x2=alt.X2("last:O", bandPosition=0.8),
                y=y,
            )
        )
    height = max(120, min(420, step * len(cohorts)))
    return finish(alt.LayerChart(layer=layers), description, height)


def matrix(
    rows: list[Row],
    names: list[str],
    description: str,
    *,
    x_title: str,
    y_title: str,
    legend_title: str,
) -> Spec:
    """Draw shares of rows by columns, the same names on both sides.

    Rows hold `row`, `column`, `rate` (a fraction of the row), `short` and
    `label`. The names are the order of rows and of columns.
    """
    base = alt.Chart().encode(
        x=alt.X(
            "column:N",
            sort=None,
            title=x_title,
            scale=alt.Scale(domain=names),
            axis=alt.Axis(
                labelAngle={"expr": f"width < {NARROW} ? -90 : -45"},
                labelLimit=110,
                labelOverlap=False,
            ),
        ),
        y=alt.Y(
            "row:N",
            sort=None,
            title=y_title,
            scale=alt.Scale(domain=names),
            axis=alt.Axis(labelLimit=LABEL_LIMIT),
        ),
    )
    cells = base.mark_rect(stroke="white", strokeWidth=1).encode(
        color=_colour(legend_title, rows),
        **TOLD,
    )
    return finish(
        layered(_shaded(rows), cells, _numbers(base, len(names))),
        description,
        max(140, 34 * len(names)),
    )
