"""Scores of any model on any examples and on running text, the simple models that a trained one must beat, and the gate
at every change of form.

In reading order: `predictions` (what is said, and who says it), `head_predictor` (a model by itself) and `identity`
(which weights it is), `baselines` and `word_dictionary` (what costs nothing), `scoring` and `remarks` (what predictions
are worth), `samples` and `evaluation` (measured, kept, compared), `perplexity` (running text), `suite_settings` and
`suite` (several tasks and models), `picture`, `pseudo_likelihood` and `lm_eval` (our models in lm-eval's harness).

`held_out` scores a model in training: loss, perplexity, bits per byte, accuracy. `ngram` is the unigram and the bigram.
`probes` are texts of several kinds, `recording` is what a model says on them, `parity` compares two such recordings.
"""
