"""Adaptation: it edits a finished model, or is a loss. No model and no loop knows of it.

In reading order: `lora` (settings), `targets` (which layers, in our names or published ones), `low_rank` (the layers),
`copies` (several models over one base; merged), `peft_config`, `peft_layers` and `peft_folder` (an adapter as PEFT
writes it), `fingerprint` (whose adapter it is), `adapter_head` and `put_adapter` (an adapter on a base).
"""
