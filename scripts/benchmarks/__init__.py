"""Timings of this project against named baselines."""
