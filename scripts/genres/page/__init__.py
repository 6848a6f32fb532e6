"""Exploring genres on the page: the effect, and whether to believe it."""

from genres.page.effects import section

__all__ = ["section"]
