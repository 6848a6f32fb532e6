"""A small log with everything that a log can have, as raw files.

Simulated accounts and their experiments; players that tell all there is to
tell, heartbeats and seeks among it; an experiment that the service measured
itself, with measures and segments of its own users. Written by

    PYTHONPATH=scripts python tests/helpers/complete_log.py FOLDER
"""

import argparse
import csv
import json
import random
import shutil
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

from players import OPTIONAL, player_events

from raw.files import reference_files

ROOT = Path(__file__).parents[2]
ARMS = ("plain", "tall", "wide")
EXPERIMENT = "".join(
    f"layout,Layout,{arm},{str(arm == 'plain').lower()},{share},,\n"
    for arm, share in zip(ARMS, (0.5, 0.25, 0.25), strict=True)
)
METRICS = (
    "layout,spend_per_user,mean,spend,,,,,,increase,primary,,0.99\n"
    "layout,bought,proportion,bought,,,,,,increase,secondary,,\n"
    "layout,spend_per_buyer,ratio,spend,bought,,,,,increase,secondary,,\n"
    "layout,median_spend,quantile,spend,,0.5,,,,increase,secondary,,\n"
)


def complete_log(folder, users=2000, panel=200, *, whole=False, seed=20260106):
    """Write the raw files to a folder, and return it.

    With `whole`, all measures are whole numbers, whose sums no order changes.
    """
    subprocess.run(
        [
            sys.executable,
            "scripts/generate_seeds.py",
            *("--users", str(users), "--panel", str(panel)),
            *("--out", str(folder.resolve())),
        ],
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    for path in reference_files(ROOT / "seeds"):
        (folder / path).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / "seeds" / path, folder / path)
    draw = random.Random(seed)  # noqa: S311
    players = add_players(folder, draw)
    add_own_experiment(folder, draw, players, 1 if whole else 100)
    forget_files(folder)
    return folder


def forget_files(folder):
    """Let the manifest describe no file: they are others now."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    del manifest["files"]
    path.write_text(json.dumps(manifest), encoding="utf-8")


def add_players(folder, draw):
    """Add the events of players that tell everything; return their users."""
    titles = [row["content_id"] for row in rows_of(folder, "content")][:40]
    path = folder / "events.csv"
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    columns = [*header.split(","), *OPTIONAL]
    events = player_events(draw, titles)
    with path.open("w", newline="", encoding="utf-8") as file:
        file.write(",".join(columns) + "\n")
        file.writelines(f"{line}{',' * len(OPTIONAL)}\n" for line in lines)
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writerows(events)
    players = sorted({event["user_id"] for event in events})
    append(folder, "users", (f"{player},,,,,\n" for player in players))
    return players


def add_own_experiment(folder, draw, players, parts):
    """Add an experiment with measures and segments, of players and accounts."""
    accounts = [row["user_id"] for row in rows_of(folder, "users")]
    users = [*players, *dict.fromkeys(accounts[:1200])]
    assignments, measures, segments = [], [], []
    for user in dict.fromkeys(users):
        arm = draw.choice(("plain", *ARMS))
        at = datetime(2026, 1, 20) + timedelta(seconds=draw.randint(0, 900_000))
        spend = draw.choice((0, 0, draw.randint(1, 9000) / parts))
        before = "" if draw.random() < 0.2 else spend + draw.randint(0, 9)
        assignments.append(f"layout,{user},{arm},{at},\n")
        if draw.random() < 0.95:
            measures.append(f"layout,{user},spend,{spend},{before}\n")
        measures.append(f"layout,{user},bought,{int(spend > 0)},\n")
        segments.append(f"{user},plan,{draw.choice(('free', 'paid', ''))}\n")
        segments.append(f"{user},region,{draw.choice('NESW')}\n")
    # A user in two arms, one of an unknown experiment, copies and strangers.
    assignments += [assignments[0].replace("plain", "tall"), assignments[1]]
    measures += [measures[0], "layout,nobody,spend,1,\n", "other,x,spend,1,\n"]
    segments += [segments[0], "nobody,plan,paid\n"]
    append(folder, "experiment_assignments", assignments)
    append(folder, "user_measures", measures)
    append(folder, "user_segments", segments)
    append(folder, "experiments", [EXPERIMENT])
    append(folder, "experiment_metrics", [METRICS])


def rows_of(folder, name):
    with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def append(folder, name, lines):
    with (folder / f"{name}.csv").open("a", encoding="utf-8") as file:
        file.writelines(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--users", type=int, default=2000)
    parser.add_argument("--panel", type=int, default=200)
    options = parser.parse_args()
    complete_log(options.folder, options.users, options.panel)
