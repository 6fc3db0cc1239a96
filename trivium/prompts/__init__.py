"""A task put in words: templates, examples in the context, and what a model says to them.

In reading order: `template` and `words` (an example and its label in words), `shots` (which examples are shown),
`prompt` (all of it in a model's tokens, within its context), `ways` (from likelihoods to a choice), `reading` (the
likelihoods, each shared beginning read once), `predictors` (a choice, or free text), `lean` (whether choices lean to
one label), `sweep` and `picture` (which prompt, how many shots, how much luck).
"""
