"""Charts of a course: over the days of a life, or over the calendar."""

from __future__ import annotations

from typing import Any, Literal

import altair as alt

from display.charts.theme import (
    BLUE,
    GREY,
    INK,
    NUMBER_AXIS,
    ORANGE,
    PERCENT_AXIS,
    SERIES_COLOURS,
    SERIES_DASHES,
    TOLD,
    Row,
    Spec,
    by_date,
    chart_of,
    colour_by,
    finish,
    legend_of,
    named_scale,
    quantity,
)

# Labels beyond this share of the width turn inward.
EDGE = 0.7
# Words stand so far apart, as a part of the highest number drawn.
LABEL_HEIGHT = 0.075
# Room over the highest rate.
HEADROOM = 1.25


def curve(
    rows: list[Row],
    description: str,
    *,
    x_title: str,
    y_title: str,
    series_names: list[str],
    marked: list[Row] | None = None,
    is_stepped: bool = False,
) -> Spec:
    """Draw rates by day since first activity, each with its band.

    Rows hold `series`, `day`, `rate`, `low` and `high` (None for no band) and
    `label`. The names are the order of the series; a single one has no legend.
    Of the marked days the numbers are written: `day`, `rate` and `short`. A
    stepped rate holds until the next day, as in a survival curve.
    """
    shape: Literal["step-after", "linear"] = (
        "step-after" if is_stepped else "linear"
    )
    x = alt.X(
        "day:Q",
        title=x_title,
        axis=alt.Axis(grid=False, format="d", tickCount=8, tickMinStep=1),
        scale=alt.Scale(domainMin=0, nice=False),
    )
    # A survival curve is read against the whole. In the others a band of a
    # few users at the end does not press the rest flat; it is cut off.
    most = max(row["rate"] for row in rows) or 1.0
    scale = alt.Scale(domain=[0, 1 if is_stepped else most * HEADROOM])
    axis = alt.Axis(format=PERCENT_AXIS, tickCount=5)

    def height(field: str) -> alt.Y:
        return alt.Y(f"{field}:Q", title=y_title, axis=axis, scale=scale)

    has_legend = len(series_names) > 1
    legend: Any = legend_of(series_names, is_line=True) if has_legend else None
    base = chart_of(rows).encode(x=x)
    layers = [
        *(
            chart_of(
                {key: row[key] for key in ("day", "low", "high")}
                for row in rows
                if row["series"] == name and row["low"] is not None
            )
            .mark_area(
                opacity=0.16,
                color=colour,
                interpolate=shape,
                clip=True,
                aria=False,
            )
            .encode(x=x, y=height("low"), y2="high:Q")
            for name, colour in zip(series_names, SERIES_COLOURS, strict=False)
        ),
        base.mark_line(strokeWidth=2.5, interpolate=shape, aria=False).encode(
            y=height("rate"),
            color=colour_by("series", series_names, SERIES_COLOURS, legend),
            strokeDash=alt.StrokeDash(
                "series:N",
                title=None,
                legend=legend,
                scale=named_scale(series_names, SERIES_DASHES),
            ),
        ),
        base.mark_point(size=120, opacity=0, aria=False).encode(
            y=height("rate"), **TOLD
        ),
    ]
    if marked:
        edge = EDGE * max(row["day"] for row in rows)
        dots = chart_of(marked).encode(x=x)
        layers.append(
            dots.mark_point(
                size=70, filled=True, opacity=1, color=BLUE, aria=False
            ).encode(y=height("rate"))
        )
        sides: list[tuple[list[Row], Literal["left", "right"]]] = [
            ([row for row in marked if row["day"] <= edge], "left"),
            ([row for row in marked if row["day"] > edge], "right"),
        ]
        layers += [
            chart_of(some)
            .mark_text(
                align=side,
                dx=8 if side == "left" else 4,
                dy=-12,
                fontWeight=600,
                aria=False,
            )
            .encode(x=x, y=height("rate"), text="short:N")
            for some, side in sides
            if some
        ]
    return finish(alt.LayerChart(layer=layers), description, 280)


def history(
    rows: list[Row],
    description: str,
    *,
    y_title: str,
    series_names: list[str],
    axis_format: str = NUMBER_AXIS,
) -> Spec:
    """Draw numbers by calendar day; days not observed whole are dotted.

    Rows hold `series`, `date` (ISO), `value`, `is_complete`, `label` and
    `short`, written at the last whole day; they come in order of date, and a
    day without a value has no row. The names are the order of the series; a
    single one has no legend.
    """
    x = by_date()
    y = quantity(alt.Y, "value", y_title, axis_format)
    has_legend = len(series_names) > 1
    legend = legend_of(series_names, is_line=True) if has_legend else None
    colour = colour_by("series", series_names, SERIES_COLOURS, legend)
    line = (
        chart_of(_runs(rows))
        .mark_line(strokeWidth=2.2, aria=False)
        .encode(
            x=x,
            y=y,
            color=colour,
            detail="run:N",
            strokeDash=alt.condition(
                "datum.is_complete", alt.value([1, 0]), alt.value([2, 4])
            ),
        )
    )
    whole = [row for row in rows if row["is_complete"]]
    points = (
        chart_of(rows)
        # A line of one point would not be seen.
        .mark_point(
            size=90,
            filled=True,
            opacity=1 if len({row["date"] for row in rows}) == 1 else 0,
            aria=False,
        )
        .encode(x=x, y=y, color=colour, **TOLD)
    )
    last = [
        [row for row in whole if row["series"] == name][-1]
        for name in series_names
        if any(row["series"] == name for row in whole)
    ]
    most = max(row["value"] for row in rows)
    words = chart_of(_spaced(last, most)).encode(
        x=x, y=alt.Y("place:Q"), text="short:N"
    )
    style: Any = {
        "align": "right",
        "dy": -10,
        "fontWeight": 600,
        "aria": False,
    }
    # Paper around the words, where they lie on a line.
    halo = words.mark_text(stroke="white", strokeWidth=4, **style)
    ends = words.mark_text(color=INK, **style)
    return finish(
        alt.LayerChart(layer=[line, points, halo, ends]), description, 280
    )


def fan(
    rows: list[Row],
    description: str,
    *,
    x_title: str,
    y_title: str,
    threshold: float,
    crossing: Row | None,
) -> Spec:
    """Draw an outcome against one of its terms, with the ranges around it.

    Rows hold `x`, `median`, `low80`, `high80`, `low95`, `high95` and `label`,
    in the units of the axes. The threshold, which the outcome must exceed, is
    drawn across; the break-even, `x` and `short`, upright.
    """
    x = alt.X(
        "x:Q",
        title=x_title,
        axis=alt.Axis(grid=False, format=NUMBER_AXIS, tickCount=6),
        scale=alt.Scale(nice=False),
    )

    def height(field: str) -> alt.Y:
        return alt.Y(
            f"{field}:Q",
            title=y_title,
            axis=alt.Axis(format=NUMBER_AXIS, tickCount=5),
            scale=alt.Scale(nice=True),
        )

    base = chart_of(rows).encode(x=x)
    layers = [
        base.mark_area(opacity=0.16, color=BLUE, aria=False).encode(
            y=height("low95"), y2="high95:Q"
        ),
        base.mark_area(opacity=0.28, color=BLUE, aria=False).encode(
            y=height("low80"), y2="high80:Q"
        ),
        base.mark_line(strokeWidth=2.5, color=BLUE, aria=False).encode(
            y=height("median")
        ),
        base.mark_point(size=120, opacity=0, aria=False).encode(
            y=height("median"), **TOLD
        ),
        chart_of([{"y": threshold}])
        .mark_rule(color=ORANGE, strokeDash=[5, 4], strokeWidth=1.5, aria=False)
        .encode(y=alt.Y("y:Q", title=y_title)),
    ]
    if crossing:
        upright = chart_of([crossing]).encode(x=x)
        layers += [
            upright.mark_rule(color=GREY, strokeWidth=1, aria=False),
            upright.mark_text(
                align="left", dx=6, fontWeight=600, aria=False
            ).encode(y=alt.value(12), text="short:N"),
        ]
    return finish(alt.LayerChart(layer=layers), description, 280)


def _spaced(ends: list[Row], most: float) -> list[Row]:
    """Place the words at the ends of lines so that none lies on another."""
    placed: list[Row] = []
    for row in sorted(ends, key=lambda row: (row["value"], row["series"])):
        place = row["value"]
        if placed:
            place = max(place, placed[-1]["place"] + LABEL_HEIGHT * most)
        placed.append(row | {"place": place})
    return placed


def _runs(rows: list[Row]) -> list[Row]:
    """Cut each series where it turns complete or incomplete.

    A piece begins with the last point of the piece before, so that the line
    does not break.
    """
    pieces: list[Row] = []
    run = 0
    before: Row | None = None
    for row in sorted(rows, key=lambda row: (row["series"], row["date"])):
        is_same_series = before is not None and (
            before["series"] == row["series"]
        )
        if not is_same_series:
            run += 1
        elif before and before["is_complete"] != row["is_complete"]:
            run += 1
            pieces.append(_piece(before, run, is_complete=row["is_complete"]))
        pieces.append(_piece(row, run, is_complete=row["is_complete"]))
        before = row
    return pieces


def _piece(row: Row, run: int, *, is_complete: bool) -> Row:
    return {
        "series": row["series"],
        "date": row["date"],
        "value": row["value"],
        "is_complete": is_complete,
        "run": run,
    }
