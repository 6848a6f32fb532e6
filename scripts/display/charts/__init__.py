"""Vega-Lite charts of the report, one function per shape.

Pure functions: rows (a list of dicts) and a description, which a reader without
sight is told, in, a Vega-Lite specification out. The page sets width, fonts and
colours once (`CONFIG`); a chart takes the width of its container, so it can be
read on a phone. In every row `label` says the mark in full: as a tooltip, and
read aloud.
"""

from display.charts.bars import (
    bars,
    horizontal_bars,
    paired,
    shares,
    stacks,
    steps,
    tornado,
)
from display.charts.courses import day_effects, looks
from display.charts.grids import heat_map, matrix
from display.charts.intervals import dots, quantiles, ranges
from display.charts.lines import HEADROOM, curve, fan, history
from display.charts.theme import CONFIG, NUMBER_AXIS, PERCENT_AXIS
