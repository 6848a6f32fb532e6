"""What was claimed of a log, beside what was found."""
