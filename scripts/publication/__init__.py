"""How a build becomes the version that readers see.

A build writes to a file of its own; once all has passed, that file takes the
place of the one that readers open, in one step. `locks` keeps builds of one log
apart, `versions` makes and swaps the files, `records` keeps what every run was,
and `dbt_plugin` lets a plain `dbt build` publish too.
"""
