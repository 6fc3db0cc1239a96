"""Adaptation: it edits a finished model, or is a loss. No model and no loop knows of it.

In reading order: `lora` (settings), `targets` (which layers, in our names or published ones), `low_rank` (the layers),
`peft_folder` (an adapter in PEFT's layout).
"""
