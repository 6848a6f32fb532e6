"""Numbers that a log's own queries find, for its claims and its scenarios.

An estimate is a file of SQL in the folder `estimates` beside the raw data:
`files` reads what it says, `numbers` what it finds.
"""
