"""Interleaved timings of two contenders, and the table that compares them.

Pure but for the contenders that it calls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from time import perf_counter
from typing import Any, Literal

# A contender does its work once and says how many seconds that took.
Contender = Callable[[], float]
Reduction = Callable[[Sequence[float]], float]


@dataclass(frozen=True)
class Comparison:
    """Seconds of this project against those of a named baseline."""

    name: str  # of the benchmark
    # Seconds, run by run; runs of the same number were neighbours.
    measured: Sequence[float]
    baseline: Sequence[float]
    describes: str  # what is measured, against what, one sentence each
    # Whether the ratio is baseline over measured (times faster) rather than
    # measured over baseline (times as long).
    is_speedup: bool
    target: float | None = None  # least ratio of a speedup, else the largest
    # Seconds, run by run, of what a side is made of.
    parts: Mapping[str, Sequence[float]] = field(default_factory=dict)
    # Of both sides and of the ratio, where they are no seconds.
    units: tuple[str, str, str] | None = None

    @property
    def ratio(self) -> float:
        """Ratio of the medians."""
        return self._over(median(self.measured), median(self.baseline))

    @property
    def ratios(self) -> list[float]:
        """Ratio of each pair of neighbouring runs."""
        pairs = zip(self.measured, self.baseline, strict=True)
        return [self._over(*pair) for pair in pairs]

    @property
    def verdict(self) -> Literal["met", "MISSED", "-"]:
        """Whether the ratio of the medians reaches the target."""
        if self.target is None:
            return "-"
        is_met = (
            self.ratio >= self.target
            if self.is_speedup
            else self.ratio <= self.target
        )
        return "met" if is_met else "MISSED"

    @property
    def unit_of_ratio(self) -> str:
        """What follows the ratio."""
        if self.units:
            return self.units[2]
        return "x faster" if self.is_speedup else "x as long"

    def shown(self, side: Sequence[float], of: Reduction) -> str:
        """Write a side's median, least or largest run with its unit."""
        if self.units is None:
            return shown(of(side))
        unit = self.units[0 if side is self.measured else 1]
        return f"{_digits(of(side))} {unit}"

    def span(self, side: Sequence[float]) -> str:
        """Write a side's least and largest run."""
        return f"{self.shown(side, min)}-{self.shown(side, max)}"

    def _over(self, measured: float, baseline: float) -> float:
        return baseline / measured if self.is_speedup else measured / baseline

    def as_record(self) -> dict[str, Any]:
        """Return everything, with what follows from it, for a JSON file."""
        return asdict(self) | {"ratio": self.ratio, "verdict": self.verdict}


def interleaved(
    contenders: Mapping[str, Contender],
    runs: int,
    announce: Callable[[str], None] = lambda _: None,
) -> dict[str, list[float]]:
    """Let the contenders take turns, so that all meet the same weather.

    Each has so many turns, and `announce` is told before every one whose it is.
    Gives each contender's seconds, turn by turn.

    Raises
    ------
    ValueError
        If there is not one run.

    Examples
    --------
    >>> interleaved({"fast": lambda: 1.0, "slow": lambda: 3.0}, 2)
    {'fast': [1.0, 1.0], 'slow': [3.0, 3.0]}
    """
    if runs < 1:
        raise ValueError(f"runs must be at least 1, got {runs}")
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for run in range(1, runs + 1):
        for name, contender in contenders.items():
            announce(f"run {run} of {runs}, {name}")
            seconds[name].append(contender())
    return seconds


def seconds_of(work: Callable[[], object]) -> float:
    """Time a piece of work [s]."""
    started = perf_counter()
    work()
    return perf_counter() - started


def shown(seconds: float) -> str:
    """Write a duration with three digits in a readable unit.

    Examples
    --------
    >>> shown(32.41), shown(0.0123), shown(0.1)
    ('32.4 s', '12.3 ms', '100 ms')
    """
    value, unit = (seconds, "s") if seconds >= 1 else (1000 * seconds, "ms")
    return f"{_digits(value)} {unit}"


def table(comparisons: Sequence[Comparison]) -> str:
    """Lay out medians, each with its least and largest run below it."""
    cells: list[tuple[str, ...]] = [
        ("", "this project", "baseline", "ratio", "target", "")
    ]
    for one in comparisons:
        bound = ">=" if one.is_speedup else "<="
        cells += [
            (
                one.name,
                one.shown(one.measured, median),
                one.shown(one.baseline, median),
                f"{_digits(one.ratio)} {one.unit_of_ratio}",
                "-" if one.target is None else f"{bound} {one.target:g}",
                one.verdict.strip("-"),
            ),
            (
                "  min-max",
                one.span(one.measured),
                one.span(one.baseline),
                f"{_digits(min(one.ratios))}-{_digits(max(one.ratios))}",
                "",
                "",
            ),
        ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if number == 0 else cell.rjust(width)
            for number, (cell, width) in enumerate(
                zip(row, widths, strict=True)
            )
        ).rstrip()
        for row in cells
    )


def _digits(value: float) -> str:
    """Write three digits, and no fewer than there are before the point."""
    decimals = 2 if value < 10 else 1 if value < 100 else 0  # noqa: PLR2004
    return f"{value:,.{decimals}f}"
