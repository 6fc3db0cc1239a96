"""A task put in words: templates, examples in the context, and what a model says to them."""
