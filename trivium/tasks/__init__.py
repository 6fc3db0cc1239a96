"""What task heads say of texts: labels, tags, answers, vectors.

In reading order: `reading` (texts to batches), `windows` (texts over the limit), `classify`, `words` (sentences given
as words), `tag`, `answer`, `pooling` (a folder's own way), `embed`, `text_to_text` (translations, summaries, answers).
"""
