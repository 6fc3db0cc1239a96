"""From a model and examples to a model that does the task.

In reading order: `settings` (every number that a user may choose), `prepared` (examples as one model reads them),
`labels` (which there are), `heads` (the head that a task wants), `framed` (texts within the model's limit);
`classification`, `tagging`, `extraction`, `text_to_text` and `embedding` make examples ready, `registry` has them by
name; `batching` (a step's rows as batches), `estimate` (what it will take), `run` (the fine-tuning in its folder).
"""
