"""What dbt is told of the command, the machine and the file."""

from types import SimpleNamespace

import duckdb
import pytest

from publication.dbt_plugin import CHOICES, is_whole, memory_share

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
