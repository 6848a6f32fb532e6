"""Nouns of the simulated streaming service: arrays in, arrays out.

Everywhere `config` holds the parameters, `rng` is the source of randomness
and `catalogue` has the titles.
"""
