"""Published logs and vendors' exports, to the last row.

They are no part of the project: the proofs are skipped where they are not.
"""

import csv
import gzip

import pytest
from loading import ROOT, Log

import load_logs

SHARED = ROOT.parent / "shared" / "data"


def shared(name):
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"no published log at ../shared/data/{name}")
    return folder


def load_shared(tmp_path, folder, mapping):
    path = tmp_path / "mapping.yml"
    path.write_text(mapping)
    out = tmp_path / "out"
    manifest, _, _ = load_logs.load_log(path, folder, out, force=True)
    return Log(out, manifest)


def test_movietweetings_to_the_last_row(tmp_path):
    folder = shared("movietweetings")
    mapping = (ROOT / "docs/mappings/movietweetings.yml").read_text()
    log = load_shared(tmp_path, folder, mapping)
    assert {name: n["written"] for name, n in log.counts.items()} == {
        "users": 16_554,
        "content": 10_506,
        "events": 100_000,
        "experiment_assignments": 0,
        "user_measures": 0,
        "user_segments": 0,
    }
    assert log.rows("rejected_rows") == []
    assert len(set(log.values("events", "event_id"))) == 100_000
    with gzip.open(folder / "ratings_100K.dat.gz", "rt") as file:
        ratings = [line.split("::") for line in file]
    assert log.values("events", "user_id") == [row[0] for row in ratings]
    assert log.values("events", "content_id") == [row[1] for row in ratings]
    assert "0002844" in log.values("content", "content_id")
    assert set(log.values("events", "content_id")) <= set(
        log.values("content", "content_id")
    )
    assert (log.folder / "vars.yml").read_text() == "valid_play_seconds: 0\n"


def test_outriders_sessions_have_a_start_and_an_end(tmp_path):
    folder = shared("outriders")
    mapping = (ROOT / "docs/mappings/outriders.yml").read_text()
    log = load_shared(tmp_path, folder, mapping)
    assert {name: n["written"] for name, n in log.counts.items()} == {
        "users": 2_014,
        "content": 1,
        "events": 160_351,
        "experiment_assignments": 0,
        "user_measures": 0,
        "user_segments": 0,
    }
    assert log.rows("rejected_rows") == []
    with gzip.open(folder / "telemetry-outriders.csv.gz", "rt") as file:
        published = list(csv.DictReader(file))
    # As published, repeated and negative sessions too.
    for ours, theirs in (
        ("user_id", "pid"),
        ("event_at", "session_start"),
        ("ended_at", "session_end"),
    ):
        assert log.values("events", ours) == [
            row[theirs].replace("T", " ").removesuffix("Z") for row in published
        ]


VENDORS = {
    "mixpanel": """
name: mixpanel
events:
  files: mixpanel_fivetran_event.csv
  columns:
    # Mixpanel's own rule: an insert_id repeats on other days.
    event_id: { md5: [name, distinct_id, time, insert_id] }
    user_id: distinct_id
    content_id: properties.video_id
    event_type: { column: name, map: { plays: play, playthrough_25: pause } }
    event_at: time
    device_type: properties.Operating System
users: { columns: { platform: properties.Operating System } }
content: { columns: { title: properties.title } }
""",
    "mixpanel_raw": """
name: mixpanel_raw
events:
  files: mixpanel_raw_export_example.jsonl
  columns:
    event_id: properties.$insert_id
    user_id:
      { column: properties.distinct_id, optional: true, default: nobody }
    content_id: event
    event_type: { value: play }
    event_at: { column: properties.time, unit: seconds }
""",
    "amplitude": """
name: amplitude
events:
  files: amplitude_fivetran_event.csv
  columns:
    event_id: uuid
    user_id: [user_id, amplitude_id]
    content_id: event_type
    event_type: { sql: "case when event_type like 'watch%' then 'play' end" }
    event_at: event_time
users:
  columns: { country_code: country, signed_up_at: user_creation_time }
""",
    "segment": """
name: segment
events:
  files: segment_pages_example.csv
  columns:
    event_id: id
    user_id: [user_id, anonymous_id]
    content_id: path
    event_type: { value: play }
    event_at: timestamp
content: { columns: { title: title } }
""",
    "snowplow": """
name: snowplow
events:
  files: [snowplow_atomic_event.csv, snowplow_atomic_event_update.csv]
  nulls: ["NULL", "null"]
  columns:
    event_id: event_id
    user_id: [user_id, domain_userid]
    content_id: page_url
    event_type: { column: event, map: { page_view: play } }
    event_at: [derived_tstamp, collector_tstamp]
    device_type: dvce_type
users: { columns: { country_code: geo_country } }
content: { columns: { title: page_title } }
""",
    "ga4_nested": """
name: ga4_nested
events:
  files: ga4_nested_event_example.jsonl
  columns:
    user_id: [user_id, client_id]
    content_id: event_params[page_location]
    event_type: { column: event_name, map: { first_visit: play } }
    event_at: { column: event_timestamp, unit: microseconds }
    device_type: device.category
    event_id:
      md5:
        - client_id
        - event_params[ga_session_id]
        - event_name
        - event_timestamp
users:
  columns:
    signed_up_at: { column: user_first_touch_timestamp, unit: microseconds }
content: { columns: { title: 'event_params[page_title]' } }
""",
    "ga4": """
name: ga4
events:
  files: ga4_fivetran_event.csv
  columns:
    event_id: _fivetran_id
    user_id: [user_id, user_pseudo_id]
    content_id: event_dimensions_hostname
    event_type: { column: name, map: { scroll: play, view_item: play } }
    event_at: timestamp
    device_type: device_category
""",
}


@pytest.mark.parametrize("vendor", VENDORS)
def test_vendor_exports_can_be_mapped(tmp_path, vendor):
    log = load_shared(tmp_path, shared("exports"), VENDORS[vendor])
    for count in log.counts.values():
        assert count["read"] + count["added"] == (
            count["written"]
            + sum(count["rejected"].values())
            + sum(count["left_out"].values())
        )
    assert log.rows("events")
    assert log.rows("rejected_rows") == []
    assert all(log.values("events", "event_at"))
    assert all(log.values("events", "user_id"))
