"""Scores on held-out text, and the simple models that a trained one must beat.

`held_out` scores a model: loss, perplexity, bits per byte, accuracy. `ngram` is the unigram and the bigram.
"""
