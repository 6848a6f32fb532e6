"""The raw files: what every log is before dbt reads it."""
