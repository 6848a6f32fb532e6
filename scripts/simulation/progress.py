"""Show how far a long run has come."""

from __future__ import annotations

import sys


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
