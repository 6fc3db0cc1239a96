"""Training: one loop for every family and every objective. It sees batches and a loss, and nothing behind them.

Read in this order. `loop.py` is the page that says what training is: micro-batches, backward, clip, optimizer, log.
`loss.py` is the cross-entropy that it minimises, `task_loss.py` and `word_loss.py` those of task heads, `optimizer.py`
with `muon.py` and `schedule.py` how a gradient becomes a step, `precision.py`, `machine.py` and `recompute.py` how a
step is made fast and small. `settings.py` holds every number a user may choose. `checkpoint.py` keeps what a killed run
needs to continue to the same bits, `watch.py` notices a run that goes wrong, `stop.py` a person who wants it to stop.
`metrics.py`, `trackers.py` and `progress.py` report, `reports.py` to all of them. `tracker.py` counts a step's memory
tensor by tensor, `step_memory.py` is what a run keeps of it, and `bill.py` sets what was expected beside what was
measured. `run.py` owns the folder of one model and joins everything; `record.py` is its run.yaml.
"""
