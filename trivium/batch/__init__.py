"""A model over a whole file: rows in, rows out, whatever is between.

In reading order: `journal` (what is done survives a kill), `output` (rows with their results, as one file), `job` (the
run over a file), `tasks` (what a model does with a row).
"""
