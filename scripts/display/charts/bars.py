"""Charts whose marks have a length: bars from zero.

Rows hold a `label` beside what each function names; rates are fractions.
"""

from __future__ import annotations

import altair as alt

from display.charts.theme import (
    BLUE,
    DASHES,
    DAY_LABEL,
    INK,
    NUMBER_AXIS,
    ORANGE,
    PERCENT_AXIS,
    SOFT_BLUE,
    TOLD,
    Row,
    Spec,
    by_category,
    chart_of,
    colour_by,
    finish,
    in_columns,
    layered,
    legend_of,
    line_at,
    line_heights,
    quantity,
    wrapped,
)

# Room for the words right of the longest bar.
HEADROOM = 1.3
HALF = 0.5
# Fewer columns than these are kept apart, or they would be as wide as walls.
FEW = 6


def bars(
    rows: list[Row],
    description: str,
    x_title: str,
    y_title: str,
    *,
    reference: float | None = None,
    is_dated: bool = False,
) -> Spec:
    """Draw rates as bars from zero, each with its interval.

    Rows hold `category`, `rate`, `low` and `high`, in the order of drawing, and
    `short`, written over the bar. The reference is a level drawn across, such
    as the pooled rate. Dated categories are ISO dates: their labels thin out as
    needed, and bars carry no text of their own.
    """
    x = alt.X(
        "category:O",
        sort=None,
        title=x_title,
        axis=in_columns(labelSeparation=12, labelExpr=DAY_LABEL)
        if is_dated
        else in_columns(),
        scale=alt.Scale(paddingInner=0.15 if is_dated else 0.45),
    )
    y = quantity(alt.Y, "rate", y_title, PERCENT_AXIS)
    base = alt.Chart().encode(x=x)
    layers = [
        base.mark_bar(
            color=SOFT_BLUE, cornerRadiusEnd=2, aria=not is_dated
        ).encode(y=y, **TOLD),
        base.mark_rule(color=INK, strokeWidth=1.5, aria=False).encode(
            y=alt.Y("low:Q", title=y_title), y2="high:Q"
        ),
    ]
    if not is_dated:
        layers.append(
            base.mark_text(
                dy=-8, baseline="bottom", fontWeight=600, aria=False
            ).encode(y=alt.Y("high:Q", title=y_title), text="short:N")
        )
    if reference is not None:
        layers.append(line_at(ORANGE, 1.5, DASHES, y=reference))
    return finish(layered(rows, *layers), description, 260)


def horizontal_bars(
    rows: list[Row],
    description: str,
    x_title: str,
) -> Spec:
    """Draw a distribution, one bar per line.

    Rows hold `category`, `value` (a fraction) and `short` (drawn beside the
    bar), in the order of drawing.
    """
    most = max(row["value"] for row in rows) or 1.0
    limit = min(1.0, most * HEADROOM)
    base = alt.Chart().encode(
        y=alt.Y("category:N", sort=None, title=None),
        x=alt.X(
            "value:Q",
            title=x_title,
            scale=alt.Scale(zero=True, nice=False, domainMax=most * HEADROOM),
            axis=alt.Axis(
                format=PERCENT_AXIS,
                # The room for words reaches beyond the whole.
                values=[tick / 5 for tick in range(6) if tick / 5 <= limit]
                if limit > HALF
                else alt.Undefined,
                tickCount=5,
                labelOverlap="greedy",
            ),
        ),
    )
    return finish(
        layered(
            rows,
            base.mark_bar(color=SOFT_BLUE, cornerRadiusEnd=2).encode(**TOLD),
            base.mark_text(align="left", dx=6, aria=False).encode(
                text="short:N"
            ),
        ),
        description,
        line_heights(rows, 28),
    )


def shares(
    rows: list[Row], description: str, x_title: str, y_title: str
) -> Spec:
    """Draw the users of exactly, and of at least, so many days.

    Rows hold `days`, `exact` and `at_least`.
    """
    names = ["exactly", "at least"]
    exact, at_least = (
        quantity(alt.Y, field, y_title, PERCENT_AXIS)
        for field in ("exact", "at_least")
    )
    bar, line = (
        colour_by(field, names, [SOFT_BLUE, BLUE]) for field in ("bar", "line")
    )
    base = alt.Chart().encode(
        x=alt.X(
            "days:O",
            title=x_title,
            axis=alt.Axis(labelAngle=0, labelOverlap="parity", grid=False),
            scale=alt.Scale(paddingInner=0.25),
        ),
        **TOLD,
    )
    return finish(
        layered(
            [row | {"bar": names[0], "line": names[1]} for row in rows],
            base.mark_bar(cornerRadiusEnd=2).encode(y=exact, color=bar),
            base.mark_line(strokeWidth=2, aria=False).encode(
                y=at_least, color=line
            ),
            base.mark_point(size=45, filled=True, opacity=1, aria=False).encode(
                y=at_least, color=line
            ),
        ),
        description,
        260,
    )


def paired(
    rows: list[Row],
    description: str,
    x_title: str,
    y_title: str,
    series_names: list[str],
) -> Spec:
    """Draw the shares of two groups by band, side by side.

    Rows hold `category` (a band, in the order of drawing), `series` and
    `value`, a fraction of the series. The names are the order of the two
    series.
    """
    columns = (
        alt.Chart()
        .mark_bar(cornerRadiusEnd=2)
        .encode(
            x=alt.X(
                "category:O",
                sort=None,
                title=x_title,
                axis=in_columns(),
                scale=alt.Scale(paddingInner=0.15),
            ),
            xOffset=alt.XOffset("series:N", sort=series_names),
            y=quantity(alt.Y, "value", y_title, PERCENT_AXIS),
            color=colour_by(
                "series",
                series_names,
                [SOFT_BLUE, BLUE],
                legend_of(series_names),
            ),
            **TOLD,
        )
    )
    return finish(layered(rows, columns), description, 240)


def _colours(series: dict[str, str], offset: int = 10) -> alt.Color:
    """Give series their colours, and a legend so far above [px]."""
    names = list(series)
    legend = legend_of(names, offset=offset)
    return colour_by("series", names, list(series.values()), legend)


def stacks(
    rows: list[Row],
    description: str,
    x_title: str,
    y_title: str,
    series: dict[str, str],
) -> Spec:
    """Draw counts by week, stacked above and below zero.

    Rows hold `period` (an ISO date), `series`, `value` (negative below zero)
    and `is_complete`; incomplete weeks are pale. Series are given with their
    colours, from zero outward.
    """
    ranked = [row | {"rank": list(series).index(row["series"])} for row in rows]
    periods = {row["period"] for row in rows}
    columns = (
        alt.Chart()
        .mark_bar(stroke="white", strokeWidth=0.5)
        .encode(
            x=alt.X(
                "period:O",
                title=x_title,
                axis=in_columns(labelSeparation=10, labelExpr=DAY_LABEL),
                scale=alt.Scale(
                    paddingInner=0.2 if len(periods) > FEW else 0.6,
                    paddingOuter=0.1 if len(periods) > FEW else 0.6,
                ),
            ),
            y=alt.Y(
                "value:Q",
                title=y_title,
                stack="zero",
                scale=alt.Scale(zero=True, nice=True),
                axis=alt.Axis(format=NUMBER_AXIS, tickCount=6),
            ),
            color=_colours(series),
            opacity=alt.condition(
                "datum.is_complete", alt.value(1), alt.value(0.4)
            ),
            order="rank:O",
            **TOLD,
        )
    )
    return finish(layered(ranked, columns, line_at(y=0)), description, 320)


def steps(
    rows: list[Row], description: str, x_title: str, series: dict[str, str]
) -> Spec:
    """Draw a funnel: one bar per step under its words, split by outcome.

    Rows hold `step` (a number), `heading` (drawn above the bar), `series` and
    `value`. Series are given with their colours, from the left.
    """
    ranked = [row | {"rank": list(series).index(row["series"])} for row in rows]
    y = alt.Y(
        "step:O", title=None, axis=None, scale=alt.Scale(paddingInner=0.7)
    )
    bars_of_steps = (
        chart_of(ranked)
        .mark_bar(stroke="white", strokeWidth=0.5)
        .encode(
            y=y,
            x=quantity(alt.X, "value", x_title, nice=False).stack("zero"),
            color=_colours(series, offset=24),
            order="rank:O",
            **TOLD,
        )
    )
    headings = [
        {"step": step, "heading": heading}
        for step, heading in sorted(
            {(row["step"], row["heading"]) for row in rows}
        )
    ]
    words = (
        chart_of(headings)
        .mark_text(
            align="left",
            baseline="bottom",
            dy=-32,
            lineBreak="\n",
            lineHeight=17,
            aria=False,
        )
        .encode(y=y, x=alt.value(0), text="heading:N")
    )
    return finish(
        alt.LayerChart(layer=[bars_of_steps, words]),
        description,
        78 * len(headings),
    )


def tornado(
    rows: list[Row], description: str, x_title: str, reference: float
) -> Spec:
    """Draw how far each term moves an outcome, both ways from its middle.

    Rows hold `category`, and `low` and `high`, the outcome at the term's low
    and high value, the widest first, in the unit of the axis. The reference is
    the outcome with every term in the middle.
    """
    sides = ["term at its 10 % quantile", "term at its 90 % quantile"]
    marks = [
        {
            "category": row["category"],
            "side": side,
            "from": reference,
            "to": row[end],
            "label": row["label"],
        }
        for row in wrapped(rows)
        for side, end in zip(sides, ("low", "high"), strict=True)
    ]
    bar = alt.Chart().encode(
        y=by_category(),
        x=quantity(alt.X, "from", x_title, zero=False),
        x2="to:Q",
        color=colour_by(
            "side", sides, [SOFT_BLUE, BLUE], legend_of(sides, is_line=True)
        ),
        **TOLD,
    )
    return finish(
        # No bar: nothing here has a length from zero.
        layered(marks, bar.mark_rule(strokeWidth=18), line_at(x=reference)),
        description,
        line_heights(marks, 40),
    )
