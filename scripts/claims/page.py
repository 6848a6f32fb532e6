"""What was expected of the log, beside what was found, on the page.

Pure functions: rows of results in, parts of the page out.
"""

from __future__ import annotations

from collections.abc import Callable

from display.formats import MISSING, Scale, fit_scale, words
from display.parts import Cell, Row, Section, Tables, table_of

MARTS: tuple[str, ...] = ()
Columns = dict[str, Callable[[Row], str | Cell]]


def section(tables: Tables) -> Section:
    """Compare what the log is expected to show with what it shows."""
    rows = sorted(
        tables["headlines"],
        key=lambda row: (row["z_score"] is None, row["position"]),
    )
    claimed = [row for row in rows if row["z_score"] is not None]
    agreeing = sum(bool(row["is_within_error"]) for row in claimed)
    title = "What the log shows"
    lead = "Nothing was claimed about this log beforehand; this is what it has."
    if not rows:
        lead = "Nothing is claimed about this log."
    if claimed:
        title = "Expected against found"
        lead = (
            f"{agreeing} of {len(claimed)} expected numbers lie within three"
            " standard errors of what the marts show."
        )
    columns: Columns = {"Headline": lambda row: row["statement"]}
    if claimed:
        columns["Expected"] = lambda row: _scale(row).brief(row["expected"])
    columns |= {"Found": _found, "Interval": _interval}
    if claimed:
        columns |= {"In standard errors": _distance, "Verdict": _verdict}
    table = table_of(
        "Headlines: the number claimed and the number found"
        if claimed
        else "Headlines: the numbers found",
        rows,
        columns,
        source="results.headlines",
    )
    return Section(
        "headlines", title, lead, [table] if rows else [], "Headlines"
    )


def _scale(row: Row) -> Scale:
    """Choose digits that fit a headline's interval."""
    return fit_scale(row["unit"], row["found"], row["ci_low"], row["ci_high"])


def _found(row: Row) -> str:
    if row["found"] is None and row["reason_code"]:
        return words(row["reason_code"])
    return _scale(row).text(row["found"])


def _interval(row: Row) -> Cell:
    return Cell(_scale(row).span(row["ci_low"], row["ci_high"]))


def _distance(row: Row) -> Cell:
    z_score = row["z_score"]
    if z_score is None:
        return Cell(MISSING)
    return Cell(Scale(is_signed=True).text(z_score), z_score=z_score)


def _verdict(row: Row) -> Cell:
    if row["z_score"] is None:
        return Cell("no claim")
    if row["is_within_error"]:
        return Cell("✓ within error", tone="good")
    return Cell("✗ outside error", tone="bad")
