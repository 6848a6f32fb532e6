"""Experiments on the page: what was decided, why, and what it rests on."""

from experiments.page.section import MARTS, section

__all__ = ["MARTS", "section"]
