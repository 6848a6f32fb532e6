"""The folder of a loaded log: replaced whole, with what was put in by hand."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mapping.files import check_below, read_text, system_message
from mapping.language import Mapping, MappingError, did_you_mean
from raw.files import (
    DERIVED,
    ESTIMATES,
    EVENT_TYPES,
    MANIFEST,
    OPTIONAL_REFERENCE_COLUMNS,
    REFERENCES,
    TABLES,
    file_facts,
    json_text,
    read_manifest,
    reference_files,
)

REFERENCE_FILES = [f"{name}.csv" for name in REFERENCES]
OWN_FILES = [
    *(f"{table}.csv" for table in TABLES),
    *REFERENCE_FILES,
    "rejected_rows.csv",
    "vars.yml",
    MANIFEST,
]
OWN_FOLDERS = [ESTIMATES, DERIVED, *TABLES]


@dataclass(frozen=True)
class Found:
    """What was read and written: for the manifest."""

    rows: dict[str, int]  # of each file of a raw table
    counts: dict[str, dict[str, Any]]  # by table, see `table_counts`
    inputs: list[dict[str, Any]]
    # Of a log that is loaded bit by bit, the counts of each load.
    loads: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def replacing(out: Path, name: str, *, force: bool) -> Iterator[Path]:
    """Lend an empty folder that takes the place of `out` once it is whole.

    A log of the same name is loaded anew; another one's place is not taken.

    Raises
    ------
    MappingError
        If `out` holds another log (without `force`) or foreign files.
    """
    partial = out.with_name(f".{out.name}.partial")
    previous = out.with_name(f".{out.name}.previous")
    # What a killed run left: before its folder was whole, or between renames.
    shutil.rmtree(partial, ignore_errors=True)
    if previous.exists() and not out.exists():
        previous.rename(out)
    shutil.rmtree(previous, ignore_errors=True)

    if out.exists():
        foreign = (
            sorted(
                {path.name for path in out.iterdir()}
                - {*OWN_FILES, *OWN_FOLDERS}
            )
            if out.is_dir()
            else [out.name]
        )
        if foreign:
            raise MappingError(
                f"{out} holds {foreign[0]}, which is no part of a log; choose "
                "another folder with --out"
            )
        held = read_manifest(out).get("log_name", name)
        if held != name and not force:
            raise MappingError(
                f"{out} holds the log {held!r}; replace it with --force "
                "(FORCE=1), or choose another folder with --out"
            )
    partial.mkdir(parents=True)
    try:
        yield partial
        if out.exists():
            out.rename(previous)
        partial.rename(out)
        shutil.rmtree(previous, ignore_errors=True)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_references(
    mapping: Mapping, sources: tuple[Path, ...], previous: Path, folder: Path
) -> list[str]:
    """Write the reference files: given, kept, the project's, or a header.

    Given files are looked for in the folders of `sources`, one after another.
    A file is kept when somebody put it into the folder by hand, which the
    last manifest shows: it lists every file's digest, and those kept. Types of
    events are the project's where the log has none of its own.

    Gives the names of the files kept.
    """
    kept = []
    for name, header in REFERENCES.items():
        target = folder / f"{name}.csv"
        source, is_kept = reference_source(mapping, sources, previous, name)
        if source is None:
            target.write_text(header + "\n")
        else:
            shutil.copyfile(source, target)
        if is_kept:
            kept.append(target.name)
    return kept + _write_estimates(mapping, sources, previous, folder)


def _write_estimates(
    mapping: Mapping, sources: tuple[Path, ...], previous: Path, folder: Path
) -> list[str]:
    """Write the log's own queries, given or put in by hand; name the latter."""
    given: dict[str, Path] = {}
    if ESTIMATES in mapping.references:
        places = [path / mapping.references[ESTIMATES] for path in sources]
        found = [path for path in places if path.is_dir()]
        if not found:
            raise MappingError(f"references.{ESTIMATES}: no folder {places[0]}")
        given = {path.name: path for path in found[0].glob("*.sql")}
        for path in (found[0], *given.values()):
            check_below(path, sources, f"references.{ESTIMATES}")
    kept = {
        path.name: path
        for path in (previous / ESTIMATES).glob("*.sql")
        if path.name not in given
        and _is_by_hand(previous, f"{ESTIMATES}/{path.name}")
    }
    for name, path in (given | kept).items():
        (folder / ESTIMATES).mkdir(exist_ok=True)
        shutil.copyfile(path, folder / ESTIMATES / name)
    return sorted(f"{ESTIMATES}/{name}" for name in kept)


def _is_by_hand(folder: Path, name: str) -> bool:
    """Tell whether somebody put a file there, as `write_references` says."""
    manifest = read_manifest(folder)
    known = manifest.get("files", {}).get(name, {}).get("sha256")
    return (
        name in manifest.get("kept", [])
        or file_facts(folder / name)["sha256"] != known
    )


def reference_source(
    mapping: Mapping, sources: tuple[Path, ...], previous: Path, name: str
) -> tuple[Path | None, bool]:
    """Find the file that a reference file is copied from, as above.

    Gives None for nothing but a header, and whether somebody put the file into
    the folder by hand.

    Raises
    ------
    MappingError
        If a file is missing, outside of the folders, or lacks a column.
    """
    own = previous / f"{name}.csv"
    if name in mapping.references:
        places = [path / mapping.references[name] for path in sources]
        found = [path for path in places if path.is_file()]
        if not found:
            raise MappingError(f"references.{name}: no file {places[0]}")
        key = f"references.{name}"
        check_below(found[0], sources, key)
        check_header(found[0], name, key)
        return found[0], False
    if own.is_file() and _is_by_hand(previous, own.name):
        check_header(own, name, str(own))
        return own, True
    return EVENT_TYPES if name == EVENT_TYPES.stem else None, False


def check_header(path: Path, reference: str, key: str) -> None:
    """Refuse a reference file that lacks a column, or misspells one."""
    try:
        lines = io.StringIO(read_text(path), newline="")
        header = next(csv.reader(lines), [])
    except OSError as error:
        raise MappingError(f"{key}: {system_message(error)}") from None
    except (MappingError, csv.Error) as error:
        place = "" if str(error).startswith(key) else f"{key}: "
        raise MappingError(f"{place}{error}") from None
    optional = OPTIONAL_REFERENCE_COLUMNS.get(reference, ())
    absent = [
        name for name in REFERENCES[reference].split(",") if name not in header
    ]
    missing = [name for name in absent if name not in optional]
    if missing:
        raise MappingError(
            f"{key}: {path.name} has no column {', '.join(missing)}; it has "
            f"{', '.join(header)}"
        )
    for name in header:
        hint = did_you_mean(name, tuple(absent))
        if hint:
            raise MappingError(
                f"{key}: {path.name} has a column '{name}'{hint}"
            )


def write_manifest(
    mapping: Mapping,
    path: Path,
    folder: Path,
    found: Found,
    kept: list[str],
) -> dict[str, Any]:
    """Describe the folder: by which mapping, what was read, written, lost."""
    rows = found.rows | {
        "rejected_rows.csv": sum(
            sum(count["rejected"].values()) for count in found.counts.values()
        )
    }
    for name in REFERENCE_FILES:
        with (folder / name).open(encoding="utf-8", newline="") as file:
            rows[name] = sum(1 for row in csv.reader(file) if row) - 1
    queries = [str(path) for path in reference_files(folder)[len(REFERENCES) :]]
    manifest = {
        "log_name": mapping.name,
        "source": mapping.source,
        "licence": mapping.licence,
        "seed": None,
        "mapping": {"name": path.name, **file_facts(path)},
        "files": {
            name: {"rows": rows[name], **file_facts(folder / name)}
            for name in sorted(rows)
        }
        | {name: file_facts(folder / name) for name in queries},
        "kept": kept,
        "inputs": found.inputs,
        "tables": found.counts,
    }
    if found.loads:
        manifest["loads"] = found.loads
    (folder / MANIFEST).write_text(json_text(manifest), encoding="utf-8")
    return manifest
