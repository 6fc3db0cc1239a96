"""Before a run: what it will take. After it: how right that was.

In reading order: `named` (which architecture a name means), `shapes` (buildable sizes), `nearest_shape` (to a number of
parameters), `budget` (compute-optimal size), `workload` (a step, described), `machine` and `calibration` (what this
machine does), `quote` (expected, and measured beside it).

Memory of a step: `tape` (tensors as sizes), `activations` (each part of the model, in bytes), `passes` (a micro-batch
forwards and backwards), `memory` (the peak, by formula), `simulate` (the same of the real code, without content).

Operations and hours: `operations` (every product of a step), `conventions` (how the papers count), `published_runs`
(what share of the peak they reached), `compute` (exact, by the rules, and in hours of any device).

A step's time without running it: `step_features` (what it is summed from), `profile` (what a machine takes for each),
`trial` (a workload, run), `profiling` (the twenty seconds in which a machine is measured).

Which model for a task: `tasks` (what is asked, in plain words), `advice` (what is known, with sources), `devices`
(accelerators as published), `serving` (memory and time of a request), `candidates` (the largest that fits),
`recommendation` (the answer), `which`.

Inference and what fits: `forward_peak` (temporaries of a pass without gradients), `inference` (weights, cache, logits
and those, itemised), `measured_inference` (the same, of the real model), `sharding` (states over many devices, and
what optimizers keep), `margins` (what formulas cannot know), `ways_out` (to need less), `verdict` (fits or not, and
what to change first), `textbook` (rules of thumb, and what they miss), `picture` (bars under the device's limit).
"""
