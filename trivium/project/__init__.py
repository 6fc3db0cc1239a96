"""A whole project from one file: prepare the data, plan, train each model, evaluate, report.

In reading order: `schema` (the file's sections), `read` (a file and its overrides), `stage` (what is kept and not done
again), `prepare`, `estimate`, `training`, `evaluation`, `report`, and `run`, which calls them in turn.
"""
