"""Before a run: what it will take. After it: how right that was.

In reading order: `shapes` (buildable sizes), `budget` (compute-optimal size), `machine` and `calibration` (what this
machine does), `memory` (a step simulated without memory), `quote` (expected, and measured beside it).
"""
