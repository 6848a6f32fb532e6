"""Charts of estimates with intervals and of quantiles, a line each."""

from __future__ import annotations

from typing import Any

import altair as alt

from display.charts.theme import (
    BLUE,
    DASHES,
    INK,
    LABEL_LIMIT,
    LABEL_LINES,
    NARROW,
    PERCENT_AXIS,
    SERIES_COLOURS,
    SERIES_SHAPES,
    SOFT_BLUE,
    TOLD,
    Row,
    Spec,
    by_category,
    colour_by,
    finish,
    layered,
    legend_columns,
    line_at,
    line_heights,
    named_scale,
    quantity,
    wrapped,
)


def dots(
    rows: list[Row],
    description: str,
    x_title: str,
    *,
    axis_format: str = PERCENT_AXIS,
    reference: float | None = None,
    starts_at_zero: bool = True,
    series_names: list[str] | None = None,
    is_spread: bool = False,
    has_always_text: bool = False,
    centre: float | None = None,
    step: int = 42,
) -> Spec:
    """Draw estimates as dots with intervals, one line per category.

    Rows hold `category`, `value`, `low`, `high`, `label`, `short` (drawn),
    `series` when marks differ in kind, and `margin` where an upright bar marks
    the line.

    The reference is a vertical line, such as zero effect, the centre a dashed
    one, such as the effect on all. Each series, in the order of its name, has a
    colour and a shape of its own; spread series stand below each other. Numbers
    are left out on a phone where there are series, unless they always have
    text: one mark per line. The step is the height of a line [px].
    """
    rows = wrapped(rows)
    y = alt.Y(
        "category:N",
        # Written out: a layer of some of the rows would set another order.
        sort=list(dict.fromkeys(row["category"] for row in rows)),
        title=None,
        scale=alt.Scale(paddingInner=0.1) if is_spread else alt.Undefined,
        axis=alt.Axis(
            labelLimit=LABEL_LIMIT,
            labelExpr=LABEL_LINES,
            grid=True,
            domain=False,
        ),
    )
    x = alt.X(
        "value:Q",
        title=x_title,
        scale=alt.Scale(zero=starts_at_zero, nice=True),
        axis=alt.Axis(
            format=axis_format,
            tickCount=5,
            labelOverlap="greedy",
            labelSeparation=6,
        ),
    )
    base = alt.Chart().encode(y=y)
    if is_spread:
        base = base.encode(yOffset=alt.YOffset("series:N", sort=series_names))
    colour: Any = alt.value(BLUE)
    shape: Any = alt.value("circle")
    if series_names:
        legend = alt.Legend(columns=legend_columns(series_names))
        colour = colour_by("series", series_names, SERIES_COLOURS, legend)
        shape = alt.Shape(
            "series:N",
            title=None,
            legend=legend,
            scale=named_scale(series_names, SERIES_SHAPES),
        )
    numbers = base.encode(x=x, text="short:N")
    # On a phone the numbers of several marks would lie on each other.
    is_crowded = series_names and not has_always_text
    style: Any = {
        "dy": -9,
        "baseline": "bottom",
        "fontSize": 12,
        "opacity": {"expr": f"width < {NARROW} ? 0 : 1"} if is_crowded else 1,
        "aria": False,
    }
    layers = []
    if reference is not None:
        layers.append(line_at(x=reference))
    if centre is not None:
        layers.append(line_at(BLUE, 1.5, DASHES, x=centre))
    if any("margin" in row for row in rows):
        layers.append(
            base.transform_filter("isValid(datum.margin)")
            .mark_tick(size=26, thickness=3, color=INK, aria=False)
            .encode(x=alt.X("margin:Q", title=x_title))
        )
    layers += [
        base.mark_rule(strokeWidth=2.5, aria=False).encode(
            x=alt.X("low:Q", title=x_title), x2="high:Q", color=colour
        ),
        base.mark_point(size=80, filled=True, opacity=1).encode(
            x=x,
            color=colour,
            shape=shape,
            **TOLD,
        ),
        # Paper around the words, where they lie on a line.
        numbers.mark_text(stroke="white", strokeWidth=4, **style),
        numbers.mark_text(**style),
    ]
    if is_spread:
        step *= len(series_names or [])
    return finish(layered(rows, *layers), description, line_heights(rows, step))


def ranges(
    rows: list[Row], description: str, x_title: str, reference: float
) -> Spec:
    """Draw scenario outcomes: median, 80 % (thick) and 95 % (thin) ranges.

    Rows hold `category`, `median`, `low80`, `high80`, `low95`, `high95` and
    `label`, in the unit of the axis. The reference is where nothing is gained:
    zero, or one for a return.
    """
    base = alt.Chart().encode(y=by_category())

    def span(low: str, high: str, width: int, colour: str) -> alt.Chart:
        rule: alt.Chart = base.mark_rule(
            strokeWidth=width, strokeCap="round", color=colour, aria=False
        ).encode(x=quantity(alt.X, low, x_title), x2=f"{high}:Q")
        return rule

    return finish(
        layered(
            wrapped(rows),
            line_at(x=reference),
            span("low95", "high95", 2, BLUE),
            span("low80", "high80", 9, SOFT_BLUE),
            base.mark_point(size=90, filled=True, opacity=1, color=INK).encode(
                x="median:Q", **TOLD
            ),
        ),
        description,
        line_heights(rows, 44),
    )


def quantiles(rows: list[Row], description: str, x_title: str) -> Spec:
    """Draw spreads: 25 to 75 % (thick), to 95 % (thin), 90 % (tick), median.

    Rows hold `category`, `p25`, `median`, `p75`, `p90`, `p95`, `label` and
    `short` (drawn at the median), in the unit of the axis.
    """
    base = alt.Chart().encode(y=by_category())

    def at(field: str) -> Any:  # noqa: ANN401
        return quantity(alt.X, field, x_title)

    return finish(
        layered(
            wrapped(rows),
            base.mark_rule(strokeWidth=2, color=BLUE, aria=False).encode(
                x=at("p25"), x2="p95:Q"
            ),
            base.mark_rule(strokeWidth=11, color=SOFT_BLUE, aria=False).encode(
                x=at("p25"), x2="p75:Q"
            ),
            base.mark_tick(size=13, thickness=2, color=BLUE, aria=False).encode(
                x=at("p90")
            ),
            base.mark_point(size=85, filled=True, opacity=1, color=INK).encode(
                x=at("median"), **TOLD
            ),
            base.mark_text(
                dy=-11, baseline="bottom", fontSize=12, aria=False
            ).encode(x=at("median"), text="short:N"),
        ),
        description,
        line_heights(rows, 46),
    )
