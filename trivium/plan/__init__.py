"""Before a run: what it will take. After it: how right that was.

In reading order: `named` (which architecture a name means), `shapes` (buildable sizes), `nearest_shape` (to a number of
parameters), `budget` (compute-optimal size), `workload` (a step, described), `machine` and `calibration` (what this
machine does), `memory` (a step simulated without memory), `quote` (expected, and measured beside it).

Which model for a task: `tasks` (what is asked, in plain words), `advice` (what is known, with sources), `devices`
(accelerators as published), `serving` (memory and time of a request), `candidates` (the largest that fits),
`recommendation` (the answer), `which`.
"""
