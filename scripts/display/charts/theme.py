"""What all charts share: colours, type, axes and the finishing of a chart."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import fill
from typing import Any

import altair as alt

Row = dict[str, Any]
Spec = dict[str, Any]

INK = "#17222b"
MUTED = "#4c5a66"
GRID = "#e4e8ec"
NAVY = "#173f6b"
BLUE = "#1f5f99"
SOFT_BLUE = "#8ab3d8"
PALE_BLUE = "#c3d9ec"
ORANGE = "#b8500c"
GREY = "#6b7780"
PALE_GREY = "#c9d0d6"
# From a tint that differs from the paper to a blue that stays below black.
RAMP = ["#dbe8f4", SOFT_BLUE, "#3c7ebd", NAVY]
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', Arial"

PERCENT_AXIS = ".2~%"
PERCENT_LEGEND = ".2~p"
NUMBER_AXIS = ",.6~g"
DAY_LABEL = "utcFormat(toDate(datum.value), '%-d %b')"
LABEL_LIMIT = 150
# A chart narrower than this is on a phone [px].
NARROW = 420
NARROW_PAGE = 480  # the same with its axis [px]
LABEL_CHARACTERS = 20
MOST_COLUMNS = 5
LABEL_LINES = "split(datum.value, '\\n')"
# A mark is told as a tooltip, and read aloud.
TOLD = {"tooltip": "label:N", "description": "label:N"}
DASHES = [5, 4]
# Series differ in colour, lightness and a second sign: a shape or a dash.
SERIES_COLOURS = [BLUE, ORANGE, GREY, INK]
SERIES_SHAPES = ["circle", "diamond", "square", "triangle-up"]
SERIES_DASHES = [[1, 0], [7, 4], [2, 3], [10, 3, 2, 3]]

CONFIG: Spec = {
    "background": "transparent",
    "font": FONT,
    "autosize": {"type": "fit-x", "contains": "padding"},
    # The last label of an axis reaches beyond it.
    "padding": {"left": 2, "top": 2, "bottom": 2, "right": 16},
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
        "labelLimit": 260,
        "offset": 10,
    },
    "text": {"color": INK, "fontSize": 13},
}


def legend_columns(names: list[str]) -> Spec:
    """Break a legend into fewer columns where the chart is narrow.

    The page is asked how wide it leaves the chart: a legend's own lines change
    the plot's width, which would break them anew. `width` says when to ask.
    """
    columns = min(len(names), MOST_COLUMNS)
    is_long = any(len(name) > LABEL_CHARACTERS for name in names)
    narrow = 1 if is_long else 2
    is_narrow = f"width > 0 && containerSize()[0] < {NARROW_PAGE}"
    return {"expr": f"{is_narrow} ? {narrow} : {columns}"}


def legend_of(
    names: list[str], *, is_line: bool = False, offset: int = 10
) -> alt.Legend:
    """Give a legend its symbols, and columns that fit."""
    if not is_line:
        return alt.Legend(
            columns=legend_columns(names), symbolType="square", offset=offset
        )
    return alt.Legend(
        columns=legend_columns(names),
        symbolType="stroke",
        symbolSize=500,
        symbolStrokeWidth=2.5,
        offset=offset,
    )


def finish(chart: alt.LayerChart, description: str, height: int) -> Spec:
    """Give a chart its container width, its height and its words."""
    spec: Spec = chart.properties(
        width="container", height=height, description=description
    ).to_dict()
    # The page has one configuration for all charts.
    spec.pop("config", None)
    return spec


def line_heights(rows: list[Row], step: int) -> int:
    """Give each category its own line of the same height, in pixels."""
    return step * len({row["category"] for row in rows})


def wrapped(rows: list[Row]) -> list[Row]:
    """Break long categories into lines, so that they leave room on a phone."""
    return [
        row | {"category": fill(row["category"], LABEL_CHARACTERS)}
        for row in rows
    ]


def chart_of(rows: Iterable[Row]) -> alt.Chart:
    """Start a chart of some rows."""
    return alt.Chart(alt.InlineData(values=list(rows)))


def layered(rows: list[Row], *layers: alt.Chart) -> alt.LayerChart:
    """Draw several layers from the same rows."""
    return alt.LayerChart(data=alt.InlineData(values=rows), layer=list(layers))


def by_category() -> alt.Y:
    """Give each row's category a line, in the order of the rows."""
    return alt.Y(
        "category:N",
        sort=None,
        title=None,
        axis=alt.Axis(labelLimit=LABEL_LIMIT, labelExpr=LABEL_LINES),
    )


def by_date(most_ticks: int = 6) -> alt.X:
    """Run along the days, as days of UTC."""
    return alt.X(
        "date:T",
        title=None,
        scale=alt.Scale(type="utc"),
        axis=alt.Axis(
            grid=False,
            format="%-d %b",
            tickCount=most_ticks,
            labelOverlap="greedy",
            labelSeparation=12,
        ),
    )


def named_scale(names: list[str], values: list[Any]) -> alt.Scale:
    """Give each name its value, in order."""
    return alt.Scale(domain=names, range=values[: len(names)])


def colour_by(
    field: str,
    names: list[str],
    colours: list[str],
    legend: Any = alt.Undefined,  # noqa: ANN401
) -> alt.Color:
    """Give the marks of each name their colour; a legend of None is none."""
    return alt.Color(
        f"{field}:N",
        title=None,
        scale=named_scale(names, colours),
        legend=legend,
    )


def quantity(
    channel: Any,  # noqa: ANN401
    field: str,
    title: str,
    axis_format: str = NUMBER_AXIS,
    **scale: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401
    """Run a number along `alt.X` or `alt.Y`, from zero if not said else."""
    return channel(
        f"{field}:Q",
        title=title,
        scale=alt.Scale(**{"zero": True, "nice": True} | scale),
        axis=alt.Axis(format=axis_format, tickCount=5),
    )


def in_columns(**more: Any) -> alt.Axis:  # noqa: ANN401
    """Name columns below them, as many as there is room for."""
    return alt.Axis(labelAngle=0, labelOverlap="greedy", grid=False, **more)


def line_at(
    colour: str = GREY,
    width: float = 1,
    dash: list[int] | None = None,
    **place: float,
) -> alt.Chart:
    """Draw a line through the chart, at a height `y` or upright at an `x`."""
    chart: alt.Chart = (
        alt.Chart()
        .mark_rule(
            color=colour,
            strokeWidth=width,
            strokeDash=dash or alt.Undefined,
            aria=False,
        )
        .encode(**{axis: alt.datum(at) for axis, at in place.items()})
    )
    return chart
