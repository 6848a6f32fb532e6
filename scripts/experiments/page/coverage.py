"""How often tests, intervals and plans kept their word on split users.

Pure functions: rows of the counts in, parts of the page out.
"""

from __future__ import annotations

from display.formats import MISSING, count, p_value, percent, sentence, words
from display.parts import Cell, Note, Row, Table, table_of

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
        kind = str(row["name"]).partition(": ")[0]
        kinds.setdefault(kind, []).append(row)
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


def _summary(kinds: dict[str, list[Row]]) -> Table:
    return table_of(
        "Claims by kind",
        kinds.items(),
        {
            "What is counted": lambda kind: sentence(kind[0]),
            "Verdict": lambda kind: _verdict(kind[1]),
            "Claimed": lambda kind: _between(kind[1], "nominal"),
            "Found": lambda kind: _between(kind[1], "found"),
            "99 % of chance": lambda kind: _chance(kind[1]),
            "Replicates": lambda kind: count(
                min(row["replicates"] for row in kind[1])
            ),
        },
        source=SOURCE,
        text_columns=2,
        note="Shares of splits, of all metrics, methods and experiments of a"
        " kind: the least and the most found, and how far chance may move them"
        " at this number of splits. A claim is met if chance and a small margin"
        " explain the distance.",
    )


def _verdict(rows: list[Row]) -> str | Cell:
    claims = [row["is_met"] for row in rows if row["is_met"] is not None]
    if not claims:
        return "no claim"
    told = f"{sum(map(bool, claims))} of {len(claims)}"
    if all(claims):
        return Cell(f"✓ {told}", tone="good")
    return Cell(f"✗ {told}", tone="bad")


def _is_share(row: Row) -> bool:
    """Tell a share, which has an interval, from a p-value."""
    return row["low"] is not None


def _between(rows: list[Row], name: str) -> str:
    """Write the least and the most, once if they are one."""
    values = [row[name] for row in rows]
    is_share = _is_share(rows[0])
    write = percent if is_share else p_value
    least, most = write(min(values)), write(max(values))
    text = least if least == most else f"{least} to {most}"
    return text if is_share else f"p {text}"


def _chance(rows: list[Row]) -> str:
    known = [row for row in rows if _is_share(row)]
    if not known:
        return MISSING
    low, high = min(row["low"] for row in known), max(r["high"] for r in known)
    return f"{percent(low)} to {percent(high)}"


def _one_verdict(row: Row) -> str | Cell:
    if row["is_met"] is None:
        return "no claim"
    if row["is_met"]:
        return Cell("✓ as claimed", tone="good")
    return Cell("✗ off", tone="bad")


def _table(caption: str, rows: list[Row], *, is_folded: bool = False) -> Table:
    return table_of(
        caption,
        rows,
        {
            "What is counted": lambda row: words(row["name"]),
            "Experiment": lambda row: words(row["subject"]),
            "Verdict": _one_verdict,
            "Claimed": lambda row: _between([row], "nominal"),
            "Found": lambda row: _between([row], "found"),
            "99 % of chance": lambda row: _chance([row]),
            "Replicates": lambda row: count(row["replicates"]),
        },
        source=SOURCE,
        text_columns=3,
        is_folded=is_folded,
    )
