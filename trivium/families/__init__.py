"""A page for each published family: presets, its config both ways, and the table of its weights' names.

Nothing computes here. In reading order: `family` (what a page holds); `gpt2`, `llama`; `bert`, `roberta`;
`transformer`, `bart`, `t5`; `registry`.
"""
