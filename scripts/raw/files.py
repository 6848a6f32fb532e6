"""The raw files: their columns, and the manifest that describes them.

Written by the simulator and by the loader of other logs; this module knows
neither.
"""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from typing import Any, Literal

MANIFEST = "manifest.json"
ROOT = Path(__file__).parents[2]
# Queries of a log's own, a folder beside its raw files.
ESTIMATES = "estimates"
# What each load tells of users and titles, where a log is loaded bit by bit.
DERIVED = "derived"
# The types of events of a log that declares none itself.
EVENT_TYPES = ROOT / "seeds" / "event_types.csv"

Kind = Literal[
    "text", "time", "date", "duration", "number", "integer", "genre", "measure"
]

TABLES: dict[str, dict[str, Kind]] = {
    "users": {
        "user_id": "text",
        "signed_up_at": "time",
        "platform": "text",
        "country_code": "text",
        "subscription_status": "text",
        "acquisition_channel": "text",
    },
    "content": {
        "content_id": "text",
        "title": "text",
        "genre": "genre",
        "language": "text",
        "duration_seconds": "duration",
        "released_on": "date",
    },
    "events": {
        "event_id": "text",
        "user_id": "text",
        "content_id": "text",
        "event_type": "text",
        "event_at": "time",
        "device_type": "text",
    },
    "experiment_assignments": {
        "experiment_id": "text",
        "user_id": "text",
        "variant": "text",
        "assigned_at": "time",
        "reached_at": "time",
    },
    "user_measures": {
        "experiment_id": "text",
        "user_id": "text",
        "measure": "text",
        "value": "number",
        "value_before": "number",
    },
    "user_segments": {
        "user_id": "text",
        "dimension": "text",
        "dimension_value": "text",
    },
}

# Columns that a raw file may have beside those above. The simulator writes
# none of them; the loader those that a mapping names.
OPTIONAL_COLUMNS: dict[str, dict[str, Kind]] = {
    "events": {
        "ended_at": "time",
        "position_seconds": "duration",
        "playback_rate": "number",
        "player_id": "text",
        "received_at": "time",
        "sequence_number": "integer",
    },
}

# Which load a row came with, where a log is loaded bit by bit.
LOAD_NUMBER = "load_number"

# The header of each reference file.
REFERENCES = {
    "event_types": "event_type,label,playback_effect,is_active",
    "experiments": (
        "experiment_id,experiment_name,variant,is_control,expected_share,"
        "planned_users,look_days"
    ),
    "experiment_metrics": (
        "experiment_id,metric_name,kind,measure,denominator_measure,quantile,"
        "day_mode,window_start_day,window_end_day,direction,role,margin,cap"
    ),
    "scenarios": (
        "position,scenario_name,outcome,unit,effect_term,threshold,formula,"
        "base_formula,base_description"
    ),
    "scenario_estimates": (
        "scenario_name,version,term,unit,estimate,control_of,prior_deviation"
    ),
    "scenario_assumptions": (
        "scenario_name,version,term,value,low,high,distribution,unit,source,"
        "causal_grade,dated_on,correlations"
    ),
    "lifetimes": (
        "lifetime_name,dimension,dimension_value,from_day,horizon_days,"
        "tail_days,yearly_discount"
    ),
    "headline_claims": "position,headline_name,expected,unit,statement",
}

# Columns that a reference file may lack.
OPTIONAL_REFERENCE_COLUMNS = {
    "experiments": ("planned_users", "look_days"),
    "experiment_metrics": ("denominator_measure", "quantile"),
    "scenarios": ("position",),
    "headline_claims": ("position",),
}


def playback_effects(path: Path) -> dict[str, str]:
    """Read what each declared type of event does to a title.

    From a file of event types with its header: types with their effects, both
    in small letters, in the order of the lines.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        return {
            (row["event_type"] or "").lower(): (
                row["playback_effect"] or ""
            ).lower()
            for row in csv.DictReader(file)
        }


def typed_files(folder: Path, table: str) -> list[Path]:
    """List the Parquet files that hold more rows of a raw table."""
    return sorted((folder / table).glob("*.parquet"))


def reference_files(folder: Path) -> list[Path]:
    """List the files that somebody writes by hand, as paths in a folder."""
    queries = sorted((folder / ESTIMATES).glob("*.sql"))
    return [
        *(Path(f"{name}.csv") for name in REFERENCES),
        *(path.relative_to(folder) for path in queries),
    ]


def file_facts(path: Path) -> dict[str, int | str]:
    """State a file's size and digest."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"bytes": path.stat().st_size, "sha256": digest}


def json_text(content: dict[str, Any]) -> str:
    """Write JSON the same way always."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read a folder's manifest; empty when there is none to be read."""
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
