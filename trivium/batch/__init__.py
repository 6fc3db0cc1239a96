"""A model over a whole file: rows in, rows out, whatever is between.

In reading order: `job` (the run over a file, and what a task is), `survey` (what the file holds), `journal` (what is
done survives a kill), `output` (rows with their results, as one file); and the tasks: `texts` (which cannot be read),
`of_texts` (what tasks on texts share), `labels`, `written`, `vectors`.
"""
