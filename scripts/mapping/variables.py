"""What `vars` of a mapping may be: of the types of dbt_project.yml's defaults.

Variables become part of the SQL that dbt runs, so a text is a word or an
instant, as its default is, and never code.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from mapping.language import MappingError, did_you_mean

PROJECT = Path(__file__).parents[2] / "dbt_project.yml"
# Names of columns, choices and zones, such as Etc/GMT+5.
WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_+/-]*")
# What people read, such as the label of a dimension.
LABEL = re.compile(r"[\w .,:;/&()+%-]*")


def declared_variables() -> dict[str, Any]:
    """Read the variables of the project with their defaults."""
    project = yaml.safe_load(PROJECT.read_text(encoding="utf-8"))
    found: dict[str, Any] = project["vars"]
    return found


def check_variables(
    variables: dict[str, Any], declared: dict[str, Any], zones: Sequence[str]
) -> None:
    """Refuse a variable that the project does not have, or of another type.

    Declared are the defaults by name; where a default is one of the time
    zones, the variable must be one.

    Raises
    ------
    MappingError
        With the name, the value, and what it should be.

    Examples
    --------
    >>> check_variables({"days": [7]}, {"days": [1, 30]}, ())
    >>> check_variables({"days": 7}, {"days": [1]}, ())
    Traceback (most recent call last):
    mapping.language.MappingError: vars.days: 7 is no list; write it like [1]
    """
    for name, value in variables.items():
        if name not in declared:
            raise MappingError(
                f"vars.{name}: the project has no such variable"
                f"{did_you_mean(str(name), tuple(declared))}"
                "; dbt_project.yml has them all"
            )
        _check(value, declared[name], f"vars.{name}")
        if declared[name] in zones and value not in zones:
            raise MappingError(
                f"vars.{name}: '{value}' is no IANA zone, such as "
                f"Europe/Paris{did_you_mean(str(value), tuple(zones))}"
            )


def _check(value: object, default: object, key: str) -> None:
    """Refuse a value that is not of the type of a default."""
    if isinstance(default, list):
        _check_list(value, default, key)
    elif isinstance(default, dict):
        _check_lines(value, default, key)
    else:
        wanted = _lacking(value, default)
        if wanted:
            raise MappingError(
                f"{key}: {_shown(value)} is no {wanted}; write it like "
                f"{_shown(default)}"
            )


def _lacking(value: object, default: object) -> str | None:
    """Name what a single value should be and is not."""
    is_flag = isinstance(value, bool)
    if isinstance(default, bool):
        is_such, such = is_flag, "true or false"
    elif isinstance(default, int):
        is_such = isinstance(value, int) and not is_flag
        such = "whole number"
    elif isinstance(default, float):
        is_number = isinstance(value, (int, float)) and math.isfinite(value)
        is_such, such = is_number and not is_flag, "number"
    elif _instant(default) is not None:
        found = _instant(value)
        is_such = found is not None and found.tzinfo is None
        such = "instant, in UTC without offset"
    else:
        is_such = isinstance(value, str) and bool(WORD.fullmatch(value))
        such = "word of letters, digits, _, +, - and /"
    return None if is_such else such


def _instant(value: object) -> datetime | None:
    """Read an instant or a day; YAML has read those that are not quoted."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _check_list(value: object, default: list[Any], key: str) -> None:
    item = default[0]
    if isinstance(item, dict):
        # An item may have what any of the defaults has.
        item = {
            name: of for each in reversed(default) for name, of in each.items()
        }
        default = default[:1]
    if not isinstance(value, list):
        raise MappingError(
            f"{key}: {_shown(value)} is no list; write it like "
            f"{_shown(default)}"
        )
    for place, each in enumerate(value, 1):
        _check(each, item, f"{key}[{place}]")
        if isinstance(item, list) and len(each) != len(item):
            raise MappingError(
                f"{key}[{place}]: {_shown(each)} has {len(each)} values; "
                f"write it like {_shown(item)}"
            )
    if all(isinstance(each, (int, float)) for each in value):
        for before, after in pairwise(value):
            if after < before:
                raise MappingError(
                    f"{key}: {after} comes after {before}; write the numbers "
                    "in ascending order"
                )


def _check_lines(value: object, default: dict[str, Any], key: str) -> None:
    if not isinstance(value, dict):
        raise MappingError(
            f"{key}: {_shown(value)} is no `key: value` line; write it like "
            f"{_shown(default)}"
        )
    for name, of in value.items():
        if name in default:
            _check(of, default[name], f"{key}.{name}")
        elif hint := did_you_mean(str(name), tuple(default)):
            raise MappingError(f"{key}: it has no '{name}'{hint}")
        elif not isinstance(of, str) or not LABEL.fullmatch(of):
            raise MappingError(
                f"{key}.{name}: {_shown(of)} is no plain text; write letters, "
                "digits, spaces and marks other than quotes and braces"
            )


def _shown(value: object) -> str:
    """Show a value in one line, as YAML would hold it."""
    text = yaml.safe_dump(
        value,
        default_flow_style=True,
        allow_unicode=True,
        sort_keys=False,
        width=10_000,
    )
    return " ".join(text.removesuffix("...\n").split())
