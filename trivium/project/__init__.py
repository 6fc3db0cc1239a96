"""A whole project from one file: prepare the data, plan, train each model, evaluate, report.

In reading order: `schema` and `task_schema` (the file's sections), `read` (a file and its overrides), `stage` (what is
kept and not done again), then the stages: of `pretraining` `prepare`, `validation` (inside a run), `fits` (whether a
step fits the memory, and what would), `estimate`, `expected_loss` (of a ladder), `training`, `evaluation`; with the
`splits` of a task `prompting`, `finetuning` and `comparing`; and `report`, and `run`, which calls them in turn.

Then a ladder, small models that foretell a large one: `ladder` (the plan), `rungs` (runs that share their steps),
`ladder_fit` (the law and the prediction), `ladder_report`, and `ladder_run`, which calls them in turn.
"""
