"""Which family serves a task best: the same examples through each, with the evidence.

In reading order: `settings` (what is asked), `candidates` (what is compared, in a word), `splits` (the same examples
for all); `ready` (from a candidate to a predictor), with `prompt_settings`, `prompted`, `tuned` and `spoken` (what
writes texts as a predictor of any form); `cost` (what it takes), `measured` (what is kept of each); `ranking` (which
differ, which may be the best), `simulation` (that its intervals hold), `recommendation` (what to take, and how sure
that is); `comparison` (the outcome), `chart` and `report` (for a person), `run` (the whole).
"""
