"""Tests before and while they run: sizes, looks and boundaries."""
