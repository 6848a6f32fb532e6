"""What models ask of dbt's flags."""

EMPTY = False
