"""Adaptation: it edits a finished model, or is a loss. No model and no loop knows of it.

In reading order: `lora` (settings), `low_rank` (the layers).
"""
