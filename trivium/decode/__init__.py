"""From logits to text: how a model's next token is chosen, and what a person gets to read.

In reading order: `rules` (what is done to logits, each a value), `sampling` (the options and the rules that they mean),
`draw` (a reproducible choice), `prompt` (what each family reads), `steps` (the token loop with its cache), `stop` and
`stream` (tokens into text, as they come), `generate` (completions), `fill` (masks and spans), `shared` and `score` (how
probable given texts are, what they share read once).
"""
