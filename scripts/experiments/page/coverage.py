"""How often tests, intervals and plans kept their word on split users.

Pure functions: rows of the counts in, parts of the page out.
"""

from __future__ import annotations

from display.formats import MISSING, count, p_value, percent, sentence, words
from display.parts import Cell, Note, Row, Table

SOURCE = "coverage.json, beside the warehouse"
TITLE = "Coverage"


def coverage(rows: list[Row]) -> list[Table | Note]:
    """Table the claims by kind, and fold every one of them below."""
    if not rows:
        return [
            Note(
                "Whether these tests and intervals keep their word on this"
                " log's own users has not been counted; `make coverage` does.",
                TITLE,
                is_subject=True,
            )
        ]
    claims = [row for row in rows if row["is_met"] is not None]
    met = sum(bool(row["is_met"]) for row in claims)
    kinds: dict[str, list[Row]] = {}
    for row in rows:
        kinds.setdefault(_kind(row), []).append(row)
    lead = Note(
        f"{met} of {len(claims)} claims are met. Users of finished experiments"
        " are split anew, many times, so that nothing differs between the arms"
        " but what is planted; the marts' own SQL and this analysis then judge"
        " each split. For genres and scenarios, worlds whose effect is known"
        " are drawn instead.",
        TITLE,
        "good" if met == len(claims) else "bad",
        is_subject=True,
    )
    missed = [row for row in claims if not row["is_met"]]
    return [
        lead,
        *([_table("Claims that are off", missed)] if missed else []),
        _summary(kinds),
        _table("Every claim", rows, is_folded=True),
    ]


def _kind(row: Row) -> str:
    return str(row["name"]).partition(": ")[0]


def _summary(kinds: dict[str, list[Row]]) -> Table:
    return Table(
        caption="Claims by kind",
        columns=[
            "What is counted",
            "Verdict",
            "Claimed",
            "Found",
            "99 % of chance",
            "Replicates",
        ],
        rows=[_kind_line(name, rows) for name, rows in kinds.items()],
        source=SOURCE,
        text_columns=2,
        note="Shares of splits, of all metrics, methods and experiments of a"
        " kind: the least and the most found, and how far chance may move them"
        " at this number of splits. A claim is met if chance and a small margin"
        " explain the distance.",
    )


def _kind_line(name: str, rows: list[Row]) -> list[str | Cell]:
    claims = [row for row in rows if row["is_met"] is not None]
    met = sum(bool(row["is_met"]) for row in claims)
    return [
        sentence(name),
        _verdict(met, len(claims)),
        _between([row["nominal"] for row in rows], rows[0]),
        _between([row["found"] for row in rows], rows[0]),
        _chance(
            [row["low"] for row in rows if row["low"] is not None],
            [row["high"] for row in rows if row["high"] is not None],
        ),
        count(min(row["replicates"] for row in rows)),
    ]


def _verdict(met: int, claims: int) -> str | Cell:
    if not claims:
        return "no claim"
    if met == claims:
        return Cell(f"✓ {met} of {claims}", tone="good")
    return Cell(f"✗ {met} of {claims}", tone="bad")


def _is_share(row: Row) -> bool:
    """Tell a share, which has an interval, from a p-value."""
    return row["low"] is not None


def _share(value: float, row: Row) -> str:
    return percent(value) if _is_share(row) else p_value(value)


def _between(values: list[float], row: Row) -> str:
    """Write the least and the most, once if they are one."""
    least, most = (_share(end, row) for end in (min(values), max(values)))
    text = least if least == most else f"{least} to {most}"
    return text if _is_share(row) else f"p {text}"


def _chance(lows: list[float], highs: list[float]) -> str:
    if not lows or not highs:
        return MISSING
    return f"{percent(min(lows))} to {percent(max(highs))}"


def _table(caption: str, rows: list[Row], *, is_folded: bool = False) -> Table:
    return Table(
        caption=caption,
        columns=[
            "What is counted",
            "Experiment",
            "Verdict",
            "Claimed",
            "Found",
            "99 % of chance",
            "Replicates",
        ],
        rows=[
            [
                words(row["name"]),
                words(row["subject"]),
                "no claim"
                if row["is_met"] is None
                else Cell("✓ as claimed", tone="good")
                if row["is_met"]
                else Cell("✗ off", tone="bad"),
                _between([row["nominal"]], row),
                _between([row["found"]], row),
                MISSING
                if row["low"] is None
                else f"{percent(row['low'])} to {percent(row['high'])}",
                count(row["replicates"]),
            ]
            for row in rows
        ],
        source=SOURCE,
        text_columns=3,
        is_folded=is_folded,
    )
