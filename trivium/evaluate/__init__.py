"""Scores on held-out text, the simple models that a trained one must beat, and the gate at every change of form.

`held_out` scores a model: loss, perplexity, bits per byte, accuracy. `ngram` is the unigram and the bigram. `probes`
are texts of several kinds, `recording` is what a model says on them, `parity` compares two such recordings.
"""
