"""Nouns of the simulated streaming service: arrays in, arrays out."""
