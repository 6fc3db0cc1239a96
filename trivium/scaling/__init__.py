"""Scaling laws: what loss follows from size, data and compute, as published and as fitted from one's own runs.

In reading order: `parametric` (L = E + A/N^α + B/D^β), `points` (what a fit is made of).
"""
