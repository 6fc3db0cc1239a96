"""Weights in and out, in Hugging Face's own layout.

`names` reads a family's table both ways; `folder` reads and writes. Every published name is used exactly once, or an
error names the one that is not.
"""
