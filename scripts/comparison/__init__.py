"""Whether two warehouses hold the same, and where they do not."""
