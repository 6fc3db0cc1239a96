"""Alignment beyond a loss on examples: answers that a model makes itself, and what is thought of them.

In reading order: `judge` (what an answer is worth), `best_of` (the best of several answers).
"""
