"""Weights in and out, in Hugging Face's own layout.

`names` reads a family's table both ways; `files` says where tensors come from, safetensors or an older `.bin`; `fill`
checks them and puts them into a model; `fresh` sets a new head on its body; `folder` reads and writes. Every published
name is used exactly once, or an error names the one that is not. `reference` finds the folder of a model, `config` its
description alone.

`gguf_file` reads and writes llama.cpp's files, `gguf_fields` and `gguf_layout` put their metadata and rows under
checks, `gguf_families` is a page for each of their architectures, and `gguf` makes a model of one and one of a model.
"""
