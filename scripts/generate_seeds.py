"""Simulate the streaming service and write it as raw files.

Writes ``users.csv``, ``content.csv``, ``events.csv``,
``experiment_assignments.csv`` and ``manifest.json``, the raw files that
``dbt build`` reads, and ``planted_truth.json``, which only tests read:

    python scripts/generate_seeds.py

The same options give the same bytes on every machine. Users are simulated in
chunks and events are sorted in slices of time, so memory does not grow with
``--scale``. A run that is killed leaves the earlier files as they were, or
files without a manifest, which the next run replaces.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import hashlib
import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simulation import catalogue, faults, members, newcomers, tally
from simulation.config import (
    CHANNELS,
    COUNTRIES,
    DAY_SECONDS,
    DEVICES,
    EVENT_TYPES,
    GENRES,
    ONBOARDING,
    PLATFORMS,
    PUSH,
    VARIANTS,
    SimulationConfig,
)
from simulation.plays import Events, position_in_run
from simulation.truth import planted_truth

GENERATOR_VERSION = "1.0"
LOG_NAME = "demo"
WORKSPACE = ".generating"
MANIFEST = "manifest.json"
TRUTH = "planted_truth.json"
HEADERS = {
    "users.csv": (
        "user_id,signed_up_at,platform,country_code,subscription_status,"
        "acquisition_channel"
    ),
    "content.csv": (
        "content_id,title,genre,language,duration_seconds,released_on"
    ),
    "events.csv": (
        "event_id,user_id,content_id,event_type,event_at,device_type"
    ),
    "experiment_assignments.csv": (
        "experiment_id,user_id,variant,assigned_at,reached_at"
    ),
}

NEWCOMER_CHUNK = 6_000
MEMBER_CHUNK = 400
SLICE_ROWS = 500_000
# Upper estimates, for slices and the check of the disk.
ROWS_PER_NEWCOMER_DAY = 0.75
ROWS_PER_MEMBER_DAY = 13
BYTES_PER_ROW = 140

EXTRA_EVENT_TYPE = "heartbeat"


@dataclass
class SeedFile:
    """One raw file while it is written, with what the manifest records."""

    name: str
    folder: Path
    rows: int = 0
    size: int = 0
    digest: Any = field(default_factory=hashlib.sha256)
    handle: BinaryIO = field(init=False)

    def __post_init__(self) -> None:
        """Open the file and write its header."""
        self.handle = (self.folder / f"{self.name}.partial").open("wb")
        self._put(f"{HEADERS[self.name]}\n".encode())

    def _put(self, content: bytes) -> None:
        self.handle.write(content)
        self.digest.update(content)
        self.size += len(content)

    def append_part(self, part: Path, rows: int) -> None:
        """Append a file of rows and remove it."""
        with part.open("rb") as source:
            while content := source.read(1 << 20):
                self._put(content)
        part.unlink()
        self.rows += rows

    def append_line(self, line: str) -> None:
        """Append one row."""
        self._put(f"{line}\n".encode())
        self.rows += 1

    def described(self) -> dict[str, int | str]:
        """Close the file and describe it for the manifest."""
        self.handle.close()
        return {
            "rows": self.rows,
            "bytes": self.size,
            "sha256": self.digest.hexdigest(),
        }


class Progress:
    """A bar on stderr, or one line per tenth when that is no terminal."""

    def __init__(self, total: int) -> None:
        """Start at none of `total` steps."""
        self.total, self.done, self.shown = total, 0, -1

    def step(self, what: str) -> None:
        """Count one step done."""
        self.done += 1
        percent = 100 * self.done // self.total
        if sys.stderr.isatty():
            bar = "#" * (percent * 30 // 100)
            end = "\n" if self.done == self.total else ""
            text = f"\r[{bar:<30}] {percent:3d} % {what:<24}{end}"
            print(text, end="", file=sys.stderr, flush=True)
        elif percent // 10 > self.shown:
            self.shown = percent // 10
            print(f"{percent:3d} % {what}", file=sys.stderr, flush=True)


def _instant(column: str, config: SimulationConfig) -> str:
    """Write SQL that turns seconds since the start into a timestamp."""
    start = f"timestamp '{config.start:%Y-%m-%d %H:%M:%S}'"
    return f"cast({start} + to_seconds({column}) as varchar)"


def _label(column: str, labels: tuple[str, ...]) -> str:
    """Write SQL that looks up the label at a position."""
    return f"{list(labels)!r}[{column} + 1]"


def _write_lines(
    connection: duckdb.DuckDBPyConnection,
    frame: pd.DataFrame,
    line: str,
    part: Path,
) -> None:
    """Write one text line per row of the frame, in its order."""
    connection.register("batch", frame)
    target = str(part).replace("'", "''")
    # Lines are complete: no quoting, and a delimiter that none contains.
    connection.execute(
        f"copy (select {line} from batch) to '{target}' "
        "(format csv, header false, delimiter '\x01', quote '', escape '')"
    )
    connection.unregister("batch")


def _event_line(config: SimulationConfig) -> str:
    """Write SQL for one line of events.csv from a row of `faults.ROW`."""

    def is_fault(name: str) -> str:
        return f"fault = {faults.FAULTS.index(name)}"

    types = (*EVENT_TYPES, EXTRA_EVENT_TYPE)
    return f"""
        concat_ws(
            ',',
            if({is_fault("missing_event_id")}, '',
                'e' || lpad(cast("user" as varchar), 8, '0')
                || lpad(cast(sequence as varchar), 5, '0')),
            if({is_fault("missing_user_id")}, '',
                if({is_fault("unknown_user")}, 'x', 'u')
                || lpad(cast("user" as varchar), 8, '0')),
            if({is_fault("missing_content_id")}, '',
                if({is_fault("unknown_content")}, 'x', 'c')
                || lpad(cast(title + 1 as varchar), 5, '0')),
            {_label("kind", types)},
            case
                when {is_fault("too_few_columns")} then null
                when {is_fault("missing_event_at")} then ''
                when {is_fault("bad_timestamp")} then '2026-02-30 25:61:00'
                else {_instant('"at"', config)}
            end,
            if({is_fault("too_few_columns")}, null,
                {_label("device", DEVICES)}),
            if({is_fault("too_many_columns")}, 'unexpected,fields', null)
        )
    """


def _user_line(config: SimulationConfig) -> str:
    """Write SQL for one line of users.csv."""
    return f"""
        concat_ws(
            ',',
            'u' || lpad(cast("user" as varchar), 8, '0'),
            {_instant("signed_up_at", config)},
            {_label("platform", tuple(PLATFORMS))},
            {_label("country", tuple(COUNTRIES))},
            {_label("status", ("free", "trial", "premium"))},
            {_label("channel", tuple(CHANNELS))}
        )
    """


def _assignment_line(config: SimulationConfig) -> str:
    """Write SQL for one line of experiment_assignments.csv.

    `kind` 0 is a plain row, 1 an unknown user, 2 a missing user and 3 an
    unknown experiment.
    """
    return f"""
        concat_ws(
            ',',
            if(kind = 3, 'retired_banner', experiment),
            case kind
                when 2 then ''
                when 1 then 'x' || lpad(cast("user" as varchar), 8, '0')
                else 'u' || lpad(cast("user" as varchar), 8, '0')
            end,
            {_label("variant", VARIANTS)},
            {_instant("assigned_at", config)},
            if(
                reached_at = {members.NEVER},
                '',
                {_instant(f"nullif(reached_at, {members.NEVER})", config)}
            )
        )
    """


@dataclass
class Chunk:
    """Everything that one chunk of users adds to the files."""

    users: pd.DataFrame
    assignments: pd.DataFrame
    rows: NDArray[np.void]
    counts: tally.Tally


def _finish_chunk(
    config: SimulationConfig,
    rng: np.random.Generator,
    *,
    experiment: str,
    first_user: int,
    people: newcomers.Newcomers | members.Members,
    events: Events,
    titles: catalogue.Catalogue,
    counts: tally.Tally,
) -> Chunk:
    """Add devices, faults, repeated users and doubtful assignments."""
    size = len(people.signed_up_at)
    users = pd.DataFrame(
        {
            "user": first_user + np.arange(size),
            "signed_up_at": people.signed_up_at,
            "platform": people.platform,
            "country": people.country,
            "channel": people.channel,
        }
    )
    if isinstance(people, members.Members):
        users["status"] = np.where(
            rng.random(size) < config.premium_share, 2, 0
        )
        assigned_at, reached_at = people.assigned_at, people.reached_at
    else:
        users["status"] = np.where(rng.random(size) < config.trial_share, 1, 0)
        assigned_at = people.signed_up_at
        reached_at = np.full(size, members.NEVER)
    assignments = pd.DataFrame(
        {
            "experiment": experiment,
            "user": users["user"],
            "variant": people.variant,
            "assigned_at": assigned_at,
            "reached_at": reached_at,
            "kind": 0,
        }
    )

    def sample(frame: pd.DataFrame, count: int) -> pd.DataFrame:
        chosen = rng.choice(len(frame), count, replace=False)
        return frame.iloc[np.sort(chosen)].copy()

    mixed = sample(assignments, faults.planted_count(config.mixed_share, size))
    mixed["variant"] = 1 - mixed["variant"]
    mixed["assigned_at"] += rng.integers(
        DAY_SECONDS, 5 * DAY_SECONDS, len(mixed)
    )
    mixed["reached_at"] = members.NEVER
    repeated = sample(
        assignments,
        faults.planted_count(config.repeated_assignment_share, size),
    )
    rejected = sample(assignments, 4)
    rejected["kind"] = [1, 1, 2, 3]
    repeated_users = sample(
        users, faults.planted_count(config.repeated_user_share, size)
    )

    rows = faults.to_rows(
        events, people.platform, position_in_run(events.user), rng
    )
    faulty, planted = faults.plant_faults(
        config, rows, people.signed_up_at, rng
    )
    rows = np.concatenate([rows, faulty])
    rows["user"] += first_user

    counts |= tally.count_events(events, titles)
    counts |= {f"faults/{name}": count for name, count in planted.items()}
    counts |= {
        "repeated_users": len(repeated_users),
        f"assignments/mixed/{experiment}": len(mixed),
        "assignments/duplicate": len(repeated),
        "assignments/unknown_user": 2,
        "assignments/missing_key": 1,
        "assignments/unknown_experiment": 1,
    }
    return Chunk(
        users=pd.concat([users, repeated_users]),
        assignments=pd.concat([assignments, mixed, repeated, rejected]),
        rows=rows,
        counts=counts,
    )


def _generator(config: SimulationConfig, *key: int) -> np.random.Generator:
    """Independent stream of randomness for one part of the simulation."""
    return np.random.default_rng(
        np.random.SeedSequence(config.seed, spawn_key=key)
    )


def _chunk_starts(total: int, size: int) -> list[tuple[int, int]]:
    """First row and length of each chunk, as even as possible.

    Examples
    --------
    >>> _chunk_starts(5, 2)
    [(0, 1), (1, 2), (3, 2)]
    """
    chunks = -(-total // size)
    bounds = [total * number // chunks for number in range(chunks + 1)]
    return [(low, high - low) for low, high in pairwise(bounds)]


def _chunks(
    config: SimulationConfig, titles: catalogue.Catalogue
) -> Iterator[Chunk]:
    """Simulate the panel, then the new users, chunk by chunk."""
    plan = _chunk_starts(config.panel_members, MEMBER_CHUNK)
    for number, (first, size) in enumerate(plan):
        rng = _generator(config, 1, number)
        panel = members.draw_members(config, size, rng)
        sessions = members.draw_sessions(config, panel, rng)
        events = members.draw_member_events(config, titles, sessions, rng)
        counts = tally.count_members(panel, sessions)
        yield _finish_chunk(
            config,
            rng,
            experiment=PUSH,
            first_user=first + 1,
            people=panel,
            events=events,
            titles=titles,
            counts=counts,
        )
    plan = _chunk_starts(config.new_users, NEWCOMER_CHUNK)
    for number, (first, size) in enumerate(plan):
        rng = _generator(config, 2, number)
        users = newcomers.draw_newcomers(config, size, rng)
        events = newcomers.draw_newcomer_events(config, titles, users, rng)
        counts = tally.count_newcomers(config, users)
        yield _finish_chunk(
            config,
            rng,
            experiment=ONBOARDING,
            first_user=config.panel_members + first + 1,
            people=users,
            events=events,
            titles=titles,
            counts=counts,
        )


def _expected_rows(config: SimulationConfig) -> int:
    """Rows of events.csv to expect, rather too many."""
    return int(
        config.days
        * (
            config.new_users * ROWS_PER_NEWCOMER_DAY
            + config.panel_members * ROWS_PER_MEMBER_DAY
        )
    )


def _write_content(
    config: SimulationConfig,
    titles: catalogue.Catalogue,
    target: SeedFile,
) -> None:
    """Write content.csv with one malformed line."""
    for number, name in enumerate(titles.names):
        released = config.start + dt.timedelta(
            days=int(titles.release_days[number])
        )
        target.append_line(
            f"c{number + 1:05d},{name},{GENRES[titles.genres[number]]},"
            f"{catalogue.LANGUAGES[titles.languages[number]]},"
            f"{titles.durations[number]},{released:%Y-%m-%d}"
        )
    target.append_line("c99999,Unfinished Import,drama,en,an hour,2020-01-01")


def _write_chunks(
    config: SimulationConfig,
    titles: catalogue.Catalogue,
    files: dict[str, SeedFile],
    folder: Path,
    *,
    connection: duckdb.DuckDBPyConnection,
    progress: Progress,
) -> tally.Tally:
    """Write users and assignments; leave event rows in slices of time."""
    counts: tally.Tally = {}
    slices = _slice_count(config)
    width = -(-(config.cut + 1) // slices)
    part = folder / "part"
    for chunk in _chunks(config, titles):
        tally.add(counts, chunk.counts)
        for name, frame, line in (
            ("users.csv", chunk.users, _user_line(config)),
            (
                "experiment_assignments.csv",
                chunk.assignments,
                _assignment_line(config),
            ),
        ):
            _write_lines(connection, frame, line, part)
            files[name].append_part(part, len(frame))
        number = np.minimum(chunk.rows["arrival"] // width, slices)
        order = np.argsort(number, kind="stable")
        bounds = np.searchsorted(number[order], np.arange(slices + 2))
        rows = chunk.rows[order]
        for piece in range(slices + 1):
            low, high = bounds[piece], bounds[piece + 1]
            with (folder / f"slice_{piece}").open("ab") as target:
                target.write(rows[low:high].tobytes())
        progress.step("users")
    return counts


def _slice_count(config: SimulationConfig) -> int:
    """Slices of time so that one fits in memory easily."""
    return -(-_expected_rows(config) // SLICE_ROWS)


def _write_events(
    config: SimulationConfig,
    folder: Path,
    target: SeedFile,
    connection: duckdb.DuckDBPyConnection,
    progress: Progress,
) -> None:
    """Sort each slice of events by arrival and append it to events.csv."""
    line = _event_line(config)
    part = folder / "part"
    for piece in range(_slice_count(config) + 1):
        path = folder / f"slice_{piece}"
        rows = np.fromfile(path, dtype=faults.ROW)
        path.unlink()
        event = rows["user"].astype(np.int64) * 100_000 + rows["sequence"]
        order = np.lexsort((rows["at"], rows["fault"], event, rows["arrival"]))
        rows = rows[order]
        frame = pd.DataFrame(
            {name: rows[name] for name in faults.ROW.names or ()}
        )
        _write_lines(connection, frame, line, part)
        target.append_part(part, len(rows))
        progress.step("events")


def _json_text(content: dict[str, Any]) -> str:
    """Write JSON the same way always."""
    return json.dumps(content, indent=2) + "\n"


def _identity(config: SimulationConfig) -> dict[str, Any]:
    """Everything that decides the bytes of the files."""
    return {
        "log_name": LOG_NAME,
        "source": "simulated",
        "seed": config.seed,
        "generator_version": GENERATOR_VERSION,
        "config": json.loads(json.dumps(asdict(config))),
    }


def is_current(config: SimulationConfig, out: Path) -> bool:
    """Whether the folder holds exactly what this run would write."""
    try:
        manifest = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
        files = manifest.pop("files")
        return bool(manifest == _identity(config)) and all(
            (out / name).stat().st_size == files[name]["bytes"]
            for name in (*HEADERS, TRUTH)
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def generate(config: SimulationConfig, out: Path) -> dict[str, Any]:
    """Simulate the service and replace the raw files in `out`.

    Parameters
    ----------
    config : SimulationConfig
        Parameters of the service.
    out : Path
        Folder of the raw files; made when missing.

    Returns
    -------
    dict
        The manifest, as written.

    Raises
    ------
    OSError
        If the disk has too little room.
    """
    out.mkdir(parents=True, exist_ok=True)
    folder = out / WORKSPACE
    # What a killed run left behind.
    shutil.rmtree(folder, ignore_errors=True)
    needed = _expected_rows(config) * BYTES_PER_ROW
    free = shutil.disk_usage(out).free
    if free < needed:
        raise OSError(
            f"{out} has {free / 1e9:.1f} GB free and this log may need "
            f"{needed / 1e9:.1f} GB; free some, choose another --out, or "
            "lower --scale"
        )
    folder.mkdir()
    try:
        manifest = _generate_into(config, folder)
        # The manifest goes first and comes last: files without a manifest
        # are never taken for complete.
        (out / MANIFEST).unlink(missing_ok=True)
        for name in (*HEADERS, TRUTH, MANIFEST):
            (folder / f"{name}.partial").replace(out / name)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return manifest


def _generate_into(config: SimulationConfig, folder: Path) -> dict[str, Any]:
    """Write all files under temporary names."""
    titles = catalogue.draw_catalogue(config, _generator(config, 0))
    files = {name: SeedFile(name, folder) for name in HEADERS}
    with contextlib.ExitStack() as stack:
        for target in files.values():
            stack.callback(target.handle.close)
        connection = stack.enter_context(duckdb.connect())
        # Rows must keep their order, whatever the machine.
        connection.execute("set threads = 1; set memory_limit = '1GB'")
        progress = Progress(
            len(_chunk_starts(config.panel_members, MEMBER_CHUNK))
            + len(_chunk_starts(config.new_users, NEWCOMER_CHUNK))
            + _slice_count(config)
            + 1
        )
        counts = _write_chunks(
            config,
            titles,
            files,
            folder,
            connection=connection,
            progress=progress,
        )
        _write_content(config, titles, files["content.csv"])
        _write_events(config, folder, files["events.csv"], connection, progress)
    truth = _json_text(
        {"generator_version": GENERATOR_VERSION} | planted_truth(config, counts)
    )
    (folder / f"{TRUTH}.partial").write_text(truth, encoding="utf-8")
    described = {name: target.described() for name, target in files.items()}
    described[TRUTH] = {
        "rows": 1,
        "bytes": len(truth.encode()),
        "sha256": hashlib.sha256(truth.encode()).hexdigest(),
    }
    manifest = _identity(config) | {"files": described}
    (folder / f"{MANIFEST}.partial").write_text(
        _json_text(manifest), encoding="utf-8"
    )
    return manifest


def _options(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    default = SimulationConfig()
    parser = argparse.ArgumentParser(
        description="Simulate a streaming service and write its raw files.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--users", type=int, default=default.new_users, help="new users"
    )
    parser.add_argument(
        "--panel",
        type=int,
        default=default.panel_members,
        help="established members, who carry the push experiment",
    )
    parser.add_argument(
        "--days", type=int, default=default.days, help="whole days of data"
    )
    parser.add_argument(
        "--seed", type=int, default=default.seed, help="seed of all draws"
    )
    parser.add_argument(
        "--scale",
        type=float,
        default=1.0,
        help="multiplies --users and --panel",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("seeds"), help="folder to write to"
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="write again even if the files are there already",
    )
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Write the raw files, unless they are there already.

    Parameters
    ----------
    arguments : list of str, optional
        Command line; that of the process by default.

    Returns
    -------
    int
        Exit status: 0 when the files are in place, 2 after a refusal, 130
        after Ctrl-C.
    """
    options = _options(arguments)
    try:
        if not 0 < options.scale <= 1_000:  # noqa: PLR2004
            raise ValueError(
                f"scale must be above 0 and at most 1000, got {options.scale}"
            )
        config = SimulationConfig(
            seed=options.seed,
            new_users=round(options.users * options.scale),
            panel_members=round(options.panel * options.scale),
            days=options.days,
        )
        if not options.force and is_current(config, options.out):
            print(f"{options.out}: up to date (seed {config.seed})")
            return 0
        manifest = generate(config, options.out)
    except (ValueError, OSError, duckdb.Error) as error:
        print(f"generate_seeds.py: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("generate_seeds.py: stopped; nothing replaced", file=sys.stderr)
        return 130
    rows = manifest["files"]["events.csv"]["rows"]
    print(
        f"{options.out}: {config.new_users + config.panel_members:,} users, "
        f"{rows:,} event rows (seed {config.seed})"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
