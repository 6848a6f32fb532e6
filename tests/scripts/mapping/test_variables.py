"""Variables of a mapping are of the types of the project's defaults."""

import pytest
import yaml
from cases import cases
from loading import ROOT, csv_of, events, loader

from engine.connections import open_duckdb
from mapping.language import MappingError
from mapping.variables import check_variables, declared_variables
from mapping.zones import zone_names

DECLARED = declared_variables()


@pytest.fixture(scope="module")
def zones():
    with open_duckdb() as connection:
        return zone_names(connection)


def test_the_defaults_are_of_their_own_types(zones):
    assert "valid_play_seconds" in DECLARED
    check_variables(DECLARED, DECLARED, zones)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "docs" / "mappings").glob("*.yml")), ids=str
)
def test_worked_mappings_have_variables_of_the_project(path, zones):
    given = yaml.safe_load(path.read_text()).get("vars", {})
    check_variables(given, DECLARED, zones)


GOOD = """
valid_play_seconds: 0
complete_play_rate: 1
time_zone: America/Argentina/Buenos_Aires
week_start_day: sunday
earliest_event_at: 2010-01-01
latest_event_at: "2030-01-01T12:00:00"
latest_event_at: 2030-01-01 12:00:00
retention_days: [1, 3, 7]
retention_brackets: [[1, 1], [2, 7]]
retention_brackets: []
onboarding_steps: [signed_up, first_valid_play]
dimensions: [{ name: land, label: "Länder (ISO)", unit: user, column: land }]
dimensions: [{ name: land, pairs: [platform], settled: true, bounded: false }]
"""


@pytest.mark.parametrize("line", GOOD.strip().splitlines())
def test_a_variable_of_its_type_is_taken(line, zones):
    check_variables(yaml.safe_load(line), DECLARED, zones)


BAD = cases(r"""
valid_play_second: 0 | no such variable; did you mean valid_play_seconds?
nothing_like_it: 0 | no such variable; dbt_project.yml has them all
valid_play_seconds: "0" | '0' is no whole number; write it like 30
valid_play_seconds: 0.5 | 0.5 is no whole number
valid_play_seconds: true | true is no whole number
valid_play_seconds: | null is no whole number
valid_play_seconds: [0] | \[0\] is no whole number
complete_play_rate: "{{ 1 }}" | is no number; write it like 0.9
complete_play_rate: .inf | .inf is no number
complete_play_rate: true | true is no number
time_zone: "UTC' || (select 1) || '" | is no word of letters
time_zone: "{{ env_var('HOME') }}" | is no word of letters
time_zone: 1 | 1 is no word of letters
time_zone: Europe/Pariss | no IANA zone.*did you mean Europe/Paris?
week_start_day: "a--b c" | is no word of letters
earliest_event_at: yesterday | yesterday is no instant, .*; write it like '2000-
earliest_event_at: 2000 | 2000 is no instant
earliest_event_at: "2000-13-01" | is no instant
earliest_event_at: "2000-01-01 00:00:00+02:00" | in UTC without offset
retention_days: 7 | 7 is no list; write it like \[1, 7, 14, 30\]
retention_days: [1, "7"] | retention_days\[2\]: '7' is no whole number
retention_days: [7, 1] | 1 comes after 7; write the numbers in ascending
retention_brackets: [[1, 7], [8]] | brackets\[2\]: \[8\] has 1 values
retention_brackets: [[7, 1]] | brackets\[1\]: 1 comes after 7
retention_brackets: [1, 7] | brackets\[1\]: 1 is no list
onboarding_steps: [signed_up, "a b"] | steps\[2\]: a b is no word
dimensions: [platform] | dimensions\[1\]: platform is no `key: value` line
dimensions: [{ name: a, column: "lower(x)" }] | \[1\].column: .* is no word
dimensions: [{ name: a, setled: true }] | did you mean settled?
dimensions: [{ name: a, settled: "yes" }] | 'yes' is no true or false
dimensions: [{ name: a, label: "it's" }] | label: it's is no plain text
dimensions: [{ name: a, label: "{{ x }}" }] | label: .* is no plain text
""")


@pytest.mark.parametrize(("line", "message"), BAD)
def test_another_is_refused_by_name_and_value(line, message, zones):
    with pytest.raises(MappingError, match=rf"^vars\..*{message}") as raised:
        check_variables(yaml.safe_load(line), DECLARED, zones)
    assert "\n" not in str(raised.value)


def test_a_log_with_a_wrong_variable_is_not_loaded(tmp_path):
    mapping = events() + "vars: { valid_play_seconds: soon }\n"
    with pytest.raises(
        MappingError, match=r"mapping\.yml: vars\.valid_play_seconds: soon is"
    ):
        loader(tmp_path)(mapping, log__csv=csv_of("2024-01-01"))
    assert not (tmp_path / "logs" / "log").exists()
