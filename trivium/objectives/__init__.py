"""What a model is asked to learn from a text: token ids and a random generator in, rows of inputs and targets out.

An objective knows neither model nor tokenizer, only the ids it has to insert. Reading order: `row` (pieces, rows and
what every objective offers), `causal`, `choice` (random subsets of an exact size), `masked`, `sentence_pairs` (what is
next, what is in order), `pair` (two sides), `span`, `prefix`, `prefix_decoder`, `denoising`, `ul2`, `tag` (a label a
word), `extraction` (where an answer stands), `seq2seq` (one text becomes another), `collate` and `batch` (rows become
the tensors that a model reads), `vocabulary` and `registry` (objectives by name).
"""
