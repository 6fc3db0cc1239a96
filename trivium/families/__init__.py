"""A page for each published family: presets, its config both ways, and the table of its weights' names.

Nothing computes here. In reading order: `family` (what a page holds), `fields` (a config, field by field), `tasks`;
decoders `gpt1`, `gpt2`, `gpt3`, `opt`, `bloom`, `gopher`, `llama`; encoders `bert`, `roberta`; both `transformer`,
`bart`, `t5`; `registry`.
"""
