"""From any text to batches: sources -> token shards -> mixture -> packing -> batches, every stage on its own.

Read `sources` (one word to an opened source), with `formats` and `columns` (files to rows, rows to text) and
`catalogue` with `packages`, `readers` and `labelled` (real data from a package index) below it; then `shards` (tokens
on the disk), `documents`, `packing` (windows of pieces), `mixture` (several sources by token share) and `loader` (the
batch of a step). `examples` and `example_reader` are what is right or wrong: labels, tags, answers, pairs; `tag_scheme`
is how tags write which words belong together.
"""
