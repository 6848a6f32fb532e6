"""Who comes back, and how long users stay."""
