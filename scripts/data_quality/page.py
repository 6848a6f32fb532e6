"""Raw rows on the page: where each ended, and why it was set aside.

Pure functions: rows of marts in, parts of the page out.
"""

from __future__ import annotations

from display.formats import count, words
from display.parts import Row, Table, Tables, table_of

MARTS = ("dim_dimensions", "fct_reconciliation", "fct_rejected_rows")
SOURCE = "marts.fct_reconciliation"


def reconciliation(tables: Tables) -> list[Row]:
    """Lay out raw = canonical + duplicates + rejected + malformed."""
    return [
        {
            "name": words(row["table_name"]),
            "raw": count(row["raw_rows"]),
            "terms": [
                ("canonical", count(row["canonical_rows"])),
                ("duplicates", count(row["duplicate_rows"])),
                ("rejected", count(row["rejected_rows"])),
                ("malformed", count(row["malformed_rows"])),
            ],
            "is_reconciled": bool(row["is_reconciled"]),
        }
        for row in tables["fct_reconciliation"]
    ]


def quality(tables: Tables) -> str:
    """Say whether every raw row and every value is accounted for."""
    rows = tables["fct_reconciliation"]
    wrong = [words(r["table_name"]) for r in rows if not r["is_reconciled"]]
    rule = "raw = canonical + duplicates + rejected + malformed"
    if wrong:
        return f"Not everywhere: {rule} does not hold for {', '.join(wrong)}."
    kept = sum(row["unknown_type_rows"] for row in rows)
    undeclared = (
        f" {count(kept)} of the canonical events are of a type that"
        " event_types.csv does not declare: they count as activity in sessions"
        " and do nothing else."
        if kept
        else ""
    )
    folded = _folded(tables["dim_dimensions"])
    return f"Every raw row is accounted for, once: {rule}.{undeclared}{folded}"


def _folded(dimensions: list[Row]) -> str:
    """Say which dimensions have values that share one name."""
    return "".join(
        f" By {words(row['label']).lower()}, {count(row['folded_value_count'])}"
        f" values of {count(row['folded_user_count'])} users, once for each,"
        " are shown together as other."
        for row in dimensions
        if row["folded_value_count"]
    )


def rejected_rows(tables: Tables) -> Table | None:
    """Table the reasons for which rows were set aside."""
    rows = [row for row in tables["fct_rejected_rows"] if row["row_count"]]
    if not rows:
        return None
    return table_of(
        "Rows set aside, by reason",
        sorted(rows, key=lambda row: (row["table_name"], -row["row_count"])),
        {
            "Raw table": lambda row: words(row["table_name"]),
            "Reason": lambda row: words(row["reason"]),
            "Rows": lambda row: count(row["row_count"]),
        },
        source="marts.fct_rejected_rows",
        text_columns=2,
    )
