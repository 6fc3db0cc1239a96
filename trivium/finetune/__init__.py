"""From a model and examples to a model that does the task.

In reading order: `prepared` (examples as one model reads them).
"""
