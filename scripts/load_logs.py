r"""Write somebody else's log as the raw files that the warehouse reads.

Reads a mapping (``docs/mappings/*.yml``) and the files it names; writes
``logs/<name>/``: the raw files, ``rejected_rows.csv``, ``vars.yml`` and
``manifest.json``. Every row read is written, or kept in ``rejected_rows.csv``
with its file, line and reason, or, when the mapping leaves its event type
out, counted. Same input, same bytes. Then build it:

    python scripts/load_logs.py docs/mappings/movietweetings.yml --input DIR
    STREAMING_SEEDS=logs/movietweetings \
    STREAMING_WAREHOUSE=target/movietweetings/warehouse.duckdb \
        dbt build --vars "$(cat logs/movietweetings/vars.yml)"
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import yaml

from mapping.declarations import check_declarations
from mapping.files import read_text, system_message
from mapping.folder import (
    reference_source,
    replacing,
    write_manifest,
    write_references,
)
from mapping.language import EXAMPLE, WIDE, MappingError
from mapping.ledger import loads_of
from mapping.loads import Wish, load_more, load_whole
from mapping.specification import check_event_types, read_mapping
from mapping.staging import first_line
from publication.locks import LockedError, locked, this_command
from raw.files import EVENT_TYPES, playback_effects, read_manifest


def load_log(
    path: Path,
    folder: Path | None,
    out: Path | None,
    *,
    force: bool,
    wish: Wish | None = None,
) -> tuple[dict[str, Any], Path, list[str]]:
    """Load the log that a mapping describes, whole or, by a wish, bit by bit.

    Return its manifest, its folder and what is to be said of it.

    Raises
    ------
    MappingError
        If the mapping, its files or the folder to write are not usable.
    """
    with naming(path):
        mapping = read_mapping(read_text(path))
    folder = folder or path.parent
    sources = (folder, path.parent)
    out = out or Path("logs") / mapping.name
    if not folder.is_dir():
        raise MappingError(f"--input: no folder {folder}")
    with naming(path):
        types, _ = reference_source(mapping, sources, out, EVENT_TYPES.stem)
        check_event_types(mapping, playback_effects(types or EVENT_TYPES))
    notes: list[str] = []
    with (
        locked(out, this_command()),
        replacing(out, mapping.name, force=force) as partial,
    ):
        if wish is None and not force and loads_of(read_manifest(out)):
            raise MappingError(
                f"{out} was loaded bit by bit; add to it with --append "
                "(APPEND=1), or replace it by the files that are here now with "
                "--force (FORCE=1)"
            )
        with naming(path):
            if wish is None:
                found = load_whole(mapping, folder, partial)
            else:
                found, notes = load_more(
                    path, mapping, folder, wish, out=out, partial=partial
                )
            kept = write_references(mapping, sources, out, partial)
        check_declarations(partial)
        (partial / "vars.yml").write_text(
            yaml.safe_dump(mapping.variables, allow_unicode=True),
            encoding="utf-8",
        )
        manifest = write_manifest(mapping, path, partial, found, kept)
    return manifest, out, notes


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Begin what is said of a mapping's mistakes with its path."""
    try:
        yield
    except MappingError as error:
        text = str(error).removeprefix(f"{path}, ")
        raise MappingError(f"{path}: {text}") from None


def summary(
    manifest: dict[str, Any], out: Path, notes: Sequence[str] = ()
) -> str:
    """Say what became of every row, table by table."""
    lines = [f"{manifest['log_name']} -> {out}"]
    lines += [f"  {note}" for note in notes]
    for table, count in manifest["tables"].items():
        rejected = sum(count["rejected"].values())
        left_out = sum(count["left_out"].values())
        added = count["added"]
        text = f"  {table}: {count['read']:,} rows read"
        if added:
            text += f" + {added:,} from other tables"
        text += f" = {count['written']:,} written + {rejected:,} rejected"
        if left_out or table == "events":
            text += f" + {left_out:,} left out"
        if table in WIDE and count["lines"]:
            text += f", as {count['lines']:,} lines"
        lines.append(text)
        details = {
            "rejected": count["rejected"],
            "left out": count["left_out"],
            "local times": count["local_times"],
        }
        lines += [
            f"    {name}: "
            + ", ".join(f"{key} {value:,}" for key, value in items.items())
            for name, items in details.items()
            if items
        ]
    declared = manifest["files"]["experiments.csv"]["rows"]
    if manifest["tables"]["experiment_assignments"]["written"] and not declared:
        lines.append(
            f"  declare the experiments in {out / 'experiments.csv'} and "
            "experiment_metrics.csv beside it: see docs/experiments.md"
        )
    if manifest["kept"]:
        lines.append(f"  kept as they were: {', '.join(manifest['kept'])}")
    if manifest["files"]["rejected_rows.csv"]["rows"]:
        lines.append(
            f"  see {out / 'rejected_rows.csv'}; a value that means empty "
            "belongs under `nulls:`"
        )
    return "\n".join(lines)


def main() -> None:
    """Read the arguments, load the log and print what became of it."""
    parser = argparse.ArgumentParser(
        description="Write a log in another shape as raw files.",
        epilog="A mapping:\n\n" + EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("mapping", type=Path, help="the mapping, a YAML file")
    parser.add_argument(
        "--input",
        type=Path,
        help="folder of the log's files (default: the mapping's)",
    )
    parser.add_argument(
        "--out", type=Path, help="folder to write (default: logs/<name>)"
    )
    parser.add_argument(
        "--force", action="store_true", help="replace another log in the folder"
    )
    parser.add_argument(
        "--append",
        action="store_true",
        help="load the files that are not loaded yet, and keep the others",
    )
    parser.add_argument(
        "--replace",
        action="store_true",
        help="with --append: load files that have changed again",
    )
    parser.add_argument(
        "--anew",
        action="store_true",
        help="with --append: load all files again, as the first load",
    )
    options = parser.parse_args()
    if (options.replace or options.anew) and not options.append:
        parser.error("--replace and --anew are for --append: add it")
    try:
        manifest, out, notes = load_log(
            options.mapping,
            options.input,
            options.out,
            force=options.force,
            wish=Wish(options.replace, options.anew, options.force)
            if options.append
            else None,
        )
    except OSError as error:
        sys.exit(f"load_logs: {system_message(error)}")
    except UnicodeError as error:  # an escape such as \ud800
        sys.exit(f"load_logs: {options.mapping}: {error}; write it as UTF-8")
    except (MappingError, LockedError) as error:
        sys.exit(f"load_logs: {error}")
    except duckdb.Error as error:
        sys.exit(f"load_logs: {first_line(error)}")
    print(summary(manifest, out, notes))


if __name__ == "__main__":
    main()
