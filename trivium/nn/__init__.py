"""The parts of a transformer as torch modules, one idea a file; each is built from its description in `architecture`.

In reading order: `norm`, `mlp`, `mask`, `rotary`, `bias`, `sinusoid`, `position`, `cache`, `attention`, `block`,
`embedding`, `head`, `task`, `initialise`. No part reads a config or a model's name in `forward`, and none holds state
between calls.
"""
