"""Exploring genres on the page: the effect, and whether to believe it."""

from genres.page.effects import MARTS, section

__all__ = ["MARTS", "section"]
