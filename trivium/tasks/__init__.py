"""What task heads say of texts: labels, tags, answers, vectors.

In reading order: `reading` (texts to batches), `classify`, `tag`, `answer`, `pooling` (a folder's own way), `embed`.
"""
