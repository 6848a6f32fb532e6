"""Experiments: from the marts' sufficient statistics to result tables."""
