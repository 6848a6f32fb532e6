"""Retention on the page: who comes back, and how long users stay."""

from retention.page import lifetimes, returns

__all__ = ["lifetimes", "returns"]
