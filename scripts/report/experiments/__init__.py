"""Experiments on the page: what was decided, why, and what it rests on."""

from report.experiments.section import section

__all__ = ["section"]
