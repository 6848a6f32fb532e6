"""Vega-Lite charts of the report, one function per shape.

Pure functions: rows (a list of dicts) in, a Vega-Lite specification out. The
page sets width, fonts and colours once (`CONFIG`); a chart takes the width of
its container, so it can be read on a phone.
"""

from __future__ import annotations

from textwrap import fill
from typing import Any, Literal

import altair as alt

Row = dict[str, Any]
Spec = dict[str, Any]

# In every row `label` says the mark in full: as a tooltip, and read aloud.
INK = "#17222b"
MUTED = "#4c5a66"
GRID = "#e4e8ec"
BLUE = "#1f5f99"
SOFT_BLUE = "#8ab3d8"
ORANGE = "#b8500c"
GREY = "#6b7780"
# From a tint that differs from the paper to a blue that stays below black.
RAMP = ["#dbe8f4", "#8ab3d8", "#3c7ebd", "#173f6b"]
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', Arial"

PERCENT_AXIS = ".2~%"
NUMBER_AXIS = ",.6~g"
LABEL_LIMIT = 150
LABEL_CHARACTERS = 20
LABEL_LINES = "split(datum.value, '\\n')"
SERIES_COLOURS = [BLUE, ORANGE, GREY, "#173f6b"]
SERIES_SHAPES = ["circle", "diamond", "square", "triangle-up"]

CONFIG: Spec = {
    "background": "transparent",
    "font": FONT,
    "autosize": {"type": "fit-x", "contains": "padding"},
    "padding": 2,
    "view": {"stroke": None},
    "axis": {
        "domain": False,
        "ticks": False,
        "grid": True,
        "gridColor": GRID,
        "labelColor": MUTED,
        "labelFontSize": 13,
        "labelPadding": 8,
        "titleColor": MUTED,
        "titleFontSize": 13,
        "titleFontWeight": "normal",
        "titlePadding": 10,
    },
    "axisBand": {"grid": False, "labelColor": INK},
    "legend": {
        "orient": "top",
        "direction": "horizontal",
        "labelColor": INK,
        "labelFontSize": 13,
        "titleColor": MUTED,
        "titleFontSize": 13,
        "titleFontWeight": "normal",
        "symbolSize": 90,
        "offset": 10,
    },
    "text": {"color": INK, "fontSize": 13},
}


def _finish(chart: alt.LayerChart, description: str, height: int) -> Spec:
    """Give a chart its container width, its height and its words."""
    spec: Spec = chart.properties(
        width="container", height=height, description=description
    ).to_dict()
    # The page has one configuration for all charts.
    spec.pop("config", None)
    return spec


def _lines(rows: list[Row], step: int) -> int:
    """Give each category its own line of the same height, in pixels."""
    return step * len({row["category"] for row in rows})


def _wrapped(rows: list[Row]) -> list[Row]:
    """Break long categories into lines, so that they leave room on a phone."""
    return [
        row | {"category": fill(row["category"], LABEL_CHARACTERS)}
        for row in rows
    ]


def _layer(rows: list[Row], *layers: alt.Chart) -> alt.LayerChart:
    """Draw several layers from the same rows."""
    return alt.LayerChart(data=alt.InlineData(values=rows), layer=list(layers))


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

    Parameters
    ----------
    rows : list of dict
        `category`, `rate`, `low`, `high` (fractions), `label` (text), in the
        order of drawing.
    description : str
        What a reader without sight is told.
    x_title, y_title : str
        Axis titles.
    reference : float, optional
        A level drawn across, such as the pooled rate.
    is_dated : bool, default False
        Whether categories are ISO dates; then labels thin out as needed and
        bars carry no text of their own.

    Returns
    -------
    dict
        A Vega-Lite specification.
    """
    axis = alt.Axis(labelAngle=0, labelOverlap="greedy", grid=False)
    if is_dated:
        axis = alt.Axis(
            labelAngle=0,
            labelOverlap="greedy",
            labelSeparation=12,
            grid=False,
            labelExpr="utcFormat(toDate(datum.value), '%-d %b')",
        )
    x = alt.X(
        "category:O",
        sort=None,
        title=x_title,
        axis=axis,
        scale=alt.Scale(paddingInner=0.15 if is_dated else 0.45),
    )
    y = alt.Y(
        "rate:Q",
        title=y_title,
        scale=alt.Scale(zero=True, nice=True),
        axis=alt.Axis(format=PERCENT_AXIS, tickCount=5),
    )
    base = alt.Chart().encode(x=x)
    layers = [
        base.mark_bar(
            color=SOFT_BLUE, cornerRadiusEnd=2, aria=not is_dated
        ).encode(y=y, tooltip="label:N", description="label:N"),
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
        layers.append(
            alt.Chart()
            .mark_rule(
                color=ORANGE, strokeDash=[5, 4], strokeWidth=1.5, aria=False
            )
            .encode(y=alt.datum(reference))
        )
    return _finish(_layer(rows, *layers), description, 260)


def dots(
    rows: list[Row],
    description: str,
    x_title: str,
    *,
    axis_format: str = PERCENT_AXIS,
    reference: float | None = None,
    starts_at_zero: bool = True,
    series_names: list[str] | None = None,
) -> Spec:
    """Draw estimates as dots with intervals, one line per category.

    Parameters
    ----------
    rows : list of dict
        `category`, `value`, `low`, `high`, `label`, `short` (drawn), and
        `series` when there are several marks per line.
    description, x_title : str
        Words for readers without sight; the axis title.
    axis_format : str
        How the axis writes its numbers.
    reference : float, optional
        A vertical line, such as zero effect.
    starts_at_zero : bool, default True
        Whether the axis must contain zero.
    series_names : list of str, optional
        Order of `series`; each gets a colour and a shape of its own.

    Returns
    -------
    dict
        A Vega-Lite specification.
    """
    y = alt.Y(
        "category:N",
        sort=None,
        title=None,
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
        axis=alt.Axis(format=axis_format, tickCount=5),
    )
    base = alt.Chart().encode(y=y)
    colour: Any = alt.value(BLUE)
    shape: Any = alt.value("circle")
    if series_names:
        colour = alt.Color(
            "series:N",
            title=None,
            scale=alt.Scale(
                domain=series_names, range=SERIES_COLOURS[: len(series_names)]
            ),
        )
        shape = alt.Shape(
            "series:N",
            title=None,
            scale=alt.Scale(
                domain=series_names, range=SERIES_SHAPES[: len(series_names)]
            ),
        )
    layers = []
    if reference is not None:
        layers.append(
            alt.Chart()
            .mark_rule(color=GREY, strokeWidth=1, aria=False)
            .encode(x=alt.datum(reference))
        )
    layers += [
        base.mark_rule(strokeWidth=2.5, aria=False).encode(
            x=alt.X("low:Q", title=x_title), x2="high:Q", color=colour
        ),
        base.mark_point(size=80, filled=True, opacity=1).encode(
            x=x,
            color=colour,
            shape=shape,
            tooltip="label:N",
            description="label:N",
        ),
        base.mark_text(
            dy=-9, baseline="bottom", fontSize=12, aria=False
        ).encode(x=x, text="short:N"),
    ]
    return _finish(
        _layer(_wrapped(rows), *layers), description, _lines(rows, 42)
    )


def heat_map(rows: list[Row], description: str, blank_label: str) -> Spec:
    """Draw the retention triangle; days not yet old enough stay paper.

    Parameters
    ----------
    rows : list of dict
        `cohort` (ISO date), `day` (1 and up), `rate` (fraction); mature
        cells only. There may be thousands: no `label`, its words are heavy.
    description : str
        What a reader without sight is told.
    blank_label : str
        Words written into the blank corner; empty for none.

    Returns
    -------
    dict
        A Vega-Lite specification.
    """
    cohorts = {row["cohort"] for row in rows}
    days = sorted({row["day"] for row in rows})
    ticks = [day for day in days if day == 1 or day % 7 == 0]
    cells = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_rect(aria=False, stroke="white", strokeWidth=0.5)
        .encode(
            x=alt.X(
                "day:O",
                title="Days since first activity",
                axis=alt.Axis(values=ticks, labelAngle=0, labelOverlap=True),
            ),
            y=alt.Y(
                "cohort:O",
                title=None,
                sort="ascending",
                axis=alt.Axis(
                    labelOverlap="greedy",
                    labelSeparation=6,
                    labelExpr="utcFormat(toDate(datum.value), '%-d %b')",
                ),
            ),
            color=alt.Color(
                "rate:Q",
                title="Active on that day",
                scale=alt.Scale(type="sqrt", range=RAMP),
                legend=alt.Legend(
                    format=PERCENT_AXIS, gradientLength=180, tickCount=4
                ),
            ),
            tooltip=[
                alt.Tooltip("cohort:N", title="Cohort"),
                alt.Tooltip("day:O", title="Day"),
                alt.Tooltip("rate:Q", title="Retention", format=".1%"),
            ],
        )
    )
    note = (
        alt.Chart(alt.InlineData(values=[{"note": blank_label}]))
        .mark_text(
            align="right",
            baseline="bottom",
            color=MUTED,
            fontStyle="italic",
            # On a phone the words would lie on the cells.
            opacity={"expr": "width < 480 ? 0 : 1"},
            aria=False,
        )
        .encode(
            text="note:N",
            x=alt.value({"expr": "width - 6"}),
            y=alt.value({"expr": "height - 6"}),
        )
    )
    height = max(120, min(420, 14 * len(cohorts)))
    chart = alt.LayerChart(layer=[cells, note] if blank_label else [cells])
    return _finish(chart, description, height)


def curve(rows: list[Row], marked: list[Row], description: str) -> Spec:
    """Draw retention by day, the headline days marked with intervals.

    Parameters
    ----------
    rows : list of dict
        `day`, `rate`, `label`, `part` (`every cohort` or `older cohorts`).
    marked : list of dict
        `day`, `rate`, `low`, `high`, `label`, `short` of the headline days.
    description : str
        What a reader without sight is told.

    Returns
    -------
    dict
        A Vega-Lite specification.
    """
    x = alt.X(
        "day:Q",
        title="Days since first activity",
        axis=alt.Axis(grid=False, format="d", tickCount=8, tickMinStep=1),
        scale=alt.Scale(domainMin=0, nice=False),
    )
    y = alt.Y(
        "rate:Q",
        title="Active on that day",
        axis=alt.Axis(format=PERCENT_AXIS, tickCount=5),
        scale=alt.Scale(zero=True),
    )
    parts = ["every cohort", "older cohorts"]
    line = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_line(color=BLUE, strokeWidth=2.5, aria=False)
        .encode(
            x=x,
            y=y,
            strokeDash=alt.StrokeDash(
                "part:N",
                legend=None,
                scale=alt.Scale(domain=parts, range=[[1, 0], [4, 4]]),
            ),
        )
    )
    touch = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_point(size=120, opacity=0, aria=False)
        .encode(
            x=x,
            y=y,
            tooltip="label:N",
            description="label:N",
        )
    )
    points = alt.Chart(alt.InlineData(values=marked)).encode(x=x)

    # Labels near the edge of the chart turn inward.
    edge = 0.7 * max(row["day"] for row in rows)
    sides: list[tuple[list[Row], Literal["left", "right"]]] = [
        ([row for row in marked if row["day"] <= edge], "left"),
        ([row for row in marked if row["day"] > edge], "right"),
    ]

    def labels(some: list[Row], align: Literal["left", "right"]) -> alt.Chart:
        chart: alt.Chart = (
            alt.Chart(alt.InlineData(values=some))
            .mark_text(
                align=align,
                dx=8 if align == "left" else 4,
                dy=-12,
                fontWeight=600,
                aria=False,
            )
            .encode(x=x, y=y, text="short:N")
        )
        return chart

    return _finish(
        alt.LayerChart(
            layer=[
                line,
                touch,
                points.mark_rule(strokeWidth=2, color=INK, aria=False).encode(
                    y=alt.Y("low:Q", title="Active on that day"), y2="high:Q"
                ),
                points.mark_point(
                    size=80, filled=True, opacity=1, color=BLUE
                ).encode(
                    y=y,
                    tooltip="label:N",
                    description="label:N",
                ),
                *(labels(some, align) for some, align in sides if some),
            ]
        ),
        description,
        280,
    )


def ranges(
    rows: list[Row], description: str, x_title: str, reference: float
) -> Spec:
    """Draw scenario outcomes: median, 80 % (thick) and 95 % (thin) ranges.

    Parameters
    ----------
    rows : list of dict
        `category`, `median`, `low80`, `high80`, `low95`, `high95`, `label`,
        in the unit of the axis.
    description, x_title : str
        Words for readers without sight; the axis title.
    reference : float
        Where nothing is gained: zero, or one for a return.

    Returns
    -------
    dict
        A Vega-Lite specification.
    """
    base = alt.Chart().encode(
        y=alt.Y(
            "category:N",
            sort=None,
            title=None,
            axis=alt.Axis(labelLimit=LABEL_LIMIT, labelExpr=LABEL_LINES),
        )
    )

    def span(low: str, high: str, width: int, colour: str) -> alt.Chart:
        rule: alt.Chart = base.mark_rule(
            strokeWidth=width, strokeCap="round", color=colour, aria=False
        ).encode(
            x=alt.X(
                f"{low}:Q",
                title=x_title,
                scale=alt.Scale(nice=True, zero=True),
                axis=alt.Axis(format=NUMBER_AXIS, tickCount=5),
            ),
            x2=f"{high}:Q",
        )
        return rule

    return _finish(
        _layer(
            _wrapped(rows),
            alt.Chart()
            .mark_rule(color=GREY, strokeWidth=1, aria=False)
            .encode(x=alt.datum(reference)),
            span("low95", "high95", 2, BLUE),
            span("low80", "high80", 9, SOFT_BLUE),
            base.mark_point(size=90, filled=True, opacity=1, color=INK).encode(
                x="median:Q",
                tooltip="label:N",
                description="label:N",
            ),
        ),
        description,
        _lines(rows, 44),
    )
