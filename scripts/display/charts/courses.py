"""Charts of an effect over time: at looks, and by day since assignment."""

from __future__ import annotations

from typing import Any

import altair as alt

from display.charts.theme import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    PALE_BLUE,
    SOFT_BLUE,
    TOLD,
    Row,
    Spec,
    by_date,
    chart_of,
    colour_by,
    finish,
    layered,
    legend_of,
    line_at,
    quantity,
)


def looks(
    rows: list[Row],
    description: str,
    *,
    y_title: str,
    names: tuple[str, str],
    domain: tuple[float, float],
) -> Spec:
    """Draw an effect by date, with the band of one look and that of all.

    Rows hold `date` (ISO), `value`, `low`, `high`, `wide_low` and `wide_high`
    (None on a date that is no look), `is_crossing` and `label`, in order of
    date. The names are those of the narrow band and of the wide one; bands
    beyond the domain of the axis are cut off.
    """
    x = by_date(min(6, len(rows)))

    def height(field: str) -> Any:  # noqa: ANN401
        scale: Row = {"domain": list(domain), "nice": False, "zero": False}
        return quantity(alt.Y, field, y_title, **scale)

    narrow, wide = names
    colour = colour_by(
        "band",
        [narrow, wide],
        [SOFT_BLUE, PALE_BLUE],
        legend_of([narrow, wide]),
    )
    bands = [
        {"date": row["date"], "band": name, "from": low, "to": high}
        for name, low_end, high_end in (
            (wide, "wide_low", "wide_high"),
            (narrow, "low", "high"),
        )
        for row in rows
        if (low := row[low_end]) is not None
        and (high := row[high_end]) is not None
    ]
    # A band of one date has no width: it is drawn as a bar.
    layers = [
        chart_of(row for row in bands if row["band"] == name)
        .mark_area(
            clip=True,
            aria=False,
            line=False,
            opacity=0.75,
            interpolate="linear",
        )
        .encode(x=x, y=height("from"), y2="to:Q", color=colour)
        for name in (wide, narrow)
    ]
    base = chart_of(rows).encode(x=x)
    layers += [
        chart_of([{}])
        .mark_rule(color=GREY, strokeWidth=1.5, aria=False)
        .encode(y=alt.datum(0.0)),
        base.mark_line(strokeWidth=2.5, color=BLUE, aria=False).encode(
            y=height("value")
        ),
        base.mark_point(size=45, filled=True, opacity=1, color=BLUE).encode(
            y=height("value"), **TOLD
        ),
    ]
    crossing = [row for row in rows if row["is_crossing"]]
    if crossing:
        mark = chart_of(crossing).encode(x=x, y=height("value"))
        is_early = rows.index(crossing[0]) <= len(rows) // 2
        layers += [
            mark.mark_point(
                size=130,
                shape="diamond",
                filled=True,
                opacity=1,
                color=ORANGE,
                aria=False,
            ),
            mark.mark_text(
                text="crossed here",
                align="left" if is_early else "right",
                dx=12 if is_early else -12,
                dy=16,
                fontWeight=600,
                color=INK,
                aria=False,
            ),
        ]
    return finish(alt.LayerChart(layer=layers), description, 280)


def day_effects(
    rows: list[Row], description: str, *, x_title: str, y_title: str
) -> Spec:
    """Draw the effect on each day since assignment, with its interval.

    Rows hold `day`, `value`, `low`, `high` and `label`, in order of day.
    """
    x = alt.X(
        "day:O",
        title=x_title,
        axis=alt.Axis(
            grid=False, labelAngle=0, labelOverlap="greedy", labelColor=INK
        ),
    )

    base = alt.Chart().encode(x=x)
    return finish(
        layered(
            rows,
            line_at(width=1.5, y=0.0),
            base.mark_rule(strokeWidth=2.5, color=BLUE, aria=False).encode(
                y=quantity(alt.Y, "low", y_title), y2="high:Q"
            ),
            base.mark_point(size=80, filled=True, opacity=1, color=BLUE).encode(
                y=quantity(alt.Y, "value", y_title), **TOLD
            ),
        ),
        description,
        260,
    )
