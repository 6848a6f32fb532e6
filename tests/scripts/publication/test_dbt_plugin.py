"""What dbt is told of the command, the machine and the file."""

import re
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

from publication.dbt_plugin import (
    CHOICES,
    WRITING,
    is_whole,
    memory_share,
)

ROOT = Path(__file__).parents[3]

BUILD = dict.fromkeys(CHOICES, ()) | {
    "WHICH": "build",
    "EXCLUDE_RESOURCE_TYPES": (),
}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, True),
        ({"EXCLUDE_RESOURCE_TYPES": ("unit_test", "test")}, True),
        ({"EXCLUDE_RESOURCE_TYPES": ("seed",)}, False),
        ({"SELECT": ("fct_plays",)}, False),
        ({"EXCLUDE": ("fct_plays",)}, False),
        ({"RESOURCE_TYPES": ("model",)}, False),
        ({"SELECTOR": "some"}, False),
        ({"WHICH": "run"}, False),
        ({"WHICH": "seed"}, False),
    ],
)
def test_a_build_is_whole_if_nothing_is_chosen(changed, *, expected):
    assert is_whole(SimpleNamespace(**BUILD | changed)) is expected


def test_a_quarter_of_the_memory_is_taken():
    with duckdb.connect() as connection:
        connection.execute("set memory_limit = '8 GiB'")
        assert memory_share(connection) == "2.50GiB"


def test_tables_are_declared_by_the_commands_that_get_a_file_to_write():
    macro = (ROOT / "macros/create_declared_tables.sql").read_text()
    [listed] = re.findall(r"flags.WHICH not in \((.*?)\)", macro, re.DOTALL)
    commands = set(re.findall(r"'([\w-]+)'", listed))
    assert commands - {"run-operation"} == set(WRITING)
