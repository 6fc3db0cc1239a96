"""Which family serves a task best: the same examples through each, with the evidence.

In reading order: `candidates` (what is compared, in a word), `splits` (the same examples for all), `ranking` (which
differ, which may be the best), `simulation` (that its intervals hold), `recommendation` (what to take, and how sure
that is).
"""
