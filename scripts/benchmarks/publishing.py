"""What it costs to publish a build, against the build."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from time import perf_counter

from benchmarks.bench import CATALOG, Bench
from benchmarks.timing import Comparison
from publication import records, versions


def publication(bench: Bench) -> Comparison:
    """Time all that a build does to be published, against the whole build."""
    target = bench.built
    published = target / f"{CATALOG}.duckdb"

    def publish() -> float:
        version = versions.begin(published, anew=True)
        shutil.copyfile(published, version.file)
        started = perf_counter()
        inputs = records.read_inputs(bench.seeds)
        with versions.opened(version.file) as connection:
            number = records.record(
                connection,
                inputs,
                records.Build(is_whole=True, definitions={}),
                command="benchmark",
                started_at=datetime.now(UTC).replace(tzinfo=None),
            )
            records.summary(connection, number)
        inputs.changed()
        versions.publish(version)
        return perf_counter() - started

    times = bench.compare(
        "publication",
        {
            "dbt build": lambda: bench.dbt(["build"], bench.seeds, target),
            "publication": publish,
        },
    )
    return Comparison(
        name="publication",
        measured=times["publication"],
        baseline=times["dbt build"],
        describes="the digests of the raw files, the record of the run, the"
        " write of the file to the disk and the rename, against `dbt build`"
        " with all of that.",
        is_speedup=False,
        target=0.1,
    )
