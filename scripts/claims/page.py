"""What was expected of the log, beside what was found, on the page.

Pure functions: rows of results in, parts of the page out.
"""

from __future__ import annotations

from display.formats import MISSING, Scale, fit_scale, words
from display.parts import Cell, Row, Section, Table, Tables

MARTS: tuple[str, ...] = ()


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
    columns = ["Headline", "Found", "Interval"]
    if claimed:
        columns = [
            "Headline",
            "Expected",
            "Found",
            "Interval",
            "In standard errors",
            "Verdict",
        ]
    table = Table(
        caption="Headlines: the number claimed and the number found"
        if claimed
        else "Headlines: the numbers found",
        columns=columns,
        rows=[_headline(row, is_claimed=bool(claimed)) for row in rows],
        source="results.headlines",
    )
    return Section(
        "headlines", title, lead, [table] if rows else [], "Headlines"
    )


def _headline(row: Row, *, is_claimed: bool) -> list[str | Cell]:
    """Write one headline with digits to fit its interval."""
    scale = fit_scale(row["unit"], row["found"], row["ci_low"], row["ci_high"])
    found = scale.text(row["found"])
    if row["found"] is None and row["reason_code"]:
        found = words(row["reason_code"])
    interval = scale.span(row["ci_low"], row["ci_high"])
    if not is_claimed:
        return [row["statement"], found, Cell(interval)]

    distance, verdict = Cell(MISSING), Cell("no claim")
    if row["z_score"] is not None:
        z_score = row["z_score"]
        distance = Cell(Scale(is_signed=True).text(z_score), z_score=z_score)
        verdict = (
            Cell("✓ within error", tone="good")
            if row["is_within_error"]
            else Cell("✗ outside error", tone="bad")
        )
    return [
        row["statement"],
        scale.brief(row["expected"]),
        found,
        Cell(interval),
        distance,
        verdict,
    ]
