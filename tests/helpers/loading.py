"""What the tests of the loader share: a small log, and what became of it."""

import csv
from pathlib import Path

import load_logs

ROOT = Path(load_logs.__file__).parents[1]

EVENTS = """
name: log
events:
  files: {files}
  columns:
    user_id: user
    content_id: item
    event_type: {{ value: play }}
    event_at: {at}
"""


def loader(tmp_path):
    """Load a mapping over files written on the spot."""

    def run(mapping, *, force=True, wish=None, **files):
        for name, content in files.items():
            path = tmp_path / name.replace("__", ".")
            data = content if isinstance(content, bytes) else content.encode()
            path.write_bytes(data)
        path = tmp_path / "mapping.yml"
        path.write_text(mapping)
        out = tmp_path / "logs" / "log"
        manifest, _, notes = load_logs.load_log(
            path, tmp_path, out, force=force, wish=wish
        )
        return Log(out, manifest, notes)

    return run


class Log:
    def __init__(self, folder, manifest, notes=()):
        self.folder = folder
        self.manifest = manifest
        self.notes = notes

    def rows(self, table):
        with (self.folder / f"{table}.csv").open(newline="") as file:
            return list(csv.DictReader(file))

    def values(self, table, column):
        return [row[column] for row in self.rows(table)]

    @property
    def times(self):
        return self.values("events", "event_at")

    @property
    def counts(self):
        return self.manifest["tables"]

    def bytes(self):
        return {p.name: p.read_bytes() for p in self.folder.iterdir()}


def events(at="at", files="log.csv"):
    return EVENTS.format(at=at, files=files)


def csv_of(*times):
    lines = [f'{number},film,"{at}"' for number, at in enumerate(times)]
    return "\n".join(["user,item,at", *lines]) + "\n"
