"""Experiments on the page: what was decided, why, and what it rests on."""

from experiments.page.section import section

__all__ = ["section"]
