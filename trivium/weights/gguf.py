"""A decoder from a GGUF file, and into one.

    header ── page of the architecture ── published config and names ── `fill`
    model  ── published names ── the page's names, layouts and metadata ── `write_file`

Weights are dequantized tensor by tensor into float32, the precision in which llama.cpp adds them up.
"""

__all__ = ["GgufWeights", "check_gguf_family", "load_gguf", "save_gguf"]

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
from torch import Tensor

from trivium import architecture as arch
from trivium.errors import ModelError, UsageError
from trivium.families.family import Config
from trivium.families.registry import architecture_of_config, family_named
from trivium.model import Transformer
from trivium.weights.fill import fill
from trivium.weights.gguf_families import PAGES, ROPE, Page, stretching
from trivium.weights.gguf_file import GgufFile, write_file
from trivium.weights.gguf_layout import Layout
from trivium.weights.names import entries, to_stored

_FILE_TYPES: Final = {"f32": 0, "f16": 1, "q8_0": 7}
_TWINS: Final = {"output.weight": "token_embd.weight"}


def load_gguf(
    file: GgufFile, dtype: torch.dtype | None = None, device: torch.device | str | None = None
) -> Transformer:
    """Build the model that a file's metadata describe and fill it; float32 unless told.

    Raises `ModelError` for an architecture that no page covers, metadata that do not fit the tensors, and as `fill`
    does: for missing, unexpected and misshapen tensors, and numbers that are none.
    """
    config = _page(file).read_config(file)
    return fill(architecture_of_config(config), GgufWeights(file, config), dtype or torch.float32, device)


class GgufWeights:
    """A file's tensors under their published names; those that the page does not know keep their own."""

    def __init__(self, file: GgufFile, config: Config) -> None:
        page = _page(file)
        self.where = str(file.path)
        self.shapes: dict[str, tuple[int, ...]] = {}
        self._file = file
        self._stored: dict[str, tuple[str, Layout | None]] = {}
        layouts = page.layouts(config)
        published = {_pattern(ours): theirs for theirs, ours in page.names.items()}
        twins = _requantized_twins(file) if config.get("tie_word_embeddings", True) else set()
        for stored, entry in file.tensors.items():
            if stored == ROPE or stored in twins:
                continue
            stem, dot, suffix = stored.rpartition(".")
            found = [(theirs, match) for form, theirs in published.items() if (match := form.fullmatch(stem))]
            stems, layer = (found[0][0], "".join(found[0][1].groups())) if found else (stem, "")
            layout = _layout(layouts, stems, len(entry.shape))
            name = stems.replace("*", layer) + dot + suffix
            self._stored[name] = (stored, layout)
            self.shapes[name] = entry.shape if layout is None else layout.shape(entry.shape)

    def read(self, name: str) -> Tensor:
        """One tensor as it is published, in memory of its own."""
        stored, layout = self._stored[name]
        tensor = self._file.read(stored)
        return tensor if layout is None else layout.from_gguf(tensor)


def check_gguf_family(family: str) -> Page:
    """The page of a family. Raises `UsageError` where llama.cpp has none that Trivium writes."""
    for page in PAGES.values():
        if page.family == family:
            return page
    raise UsageError(
        f"A {family} cannot be written as GGUF: {', '.join(PAGES)} can. A Hugging Face folder takes every family."
    )


def save_gguf(path: Path, model: Transformer, kind: str, metadata: Mapping[str, Any]) -> None:
    """Write a decoder whole or not at all; `metadata` are those of its tokenizer.

    `kind` is the type of the matrices: "f32", "f16", or "q8_0" (8 bits and a scale for each 32 numbers of a row; rows
    that 32 does not divide stay "f16"). Vectors and positions are float32. Raises `UsageError` for another kind or
    family.
    """
    if kind not in _FILE_TYPES:
        raise UsageError(f"GGUF is written as {', '.join(_FILE_TYPES)}, not as '{kind}'.")
    page, architecture = check_gguf_family(model.architecture.family), model.architecture
    family = family_named(architecture.family)
    config = family.write_config(architecture)
    layouts, parameters = page.layouts(config), dict(model.named_parameters())
    sources: dict[str, Tensor | tuple[Any, Layout | None]] = {}
    listed: list[tuple[str, tuple[int, ...], GGMLQuantizationType]] = []
    for entry in entries(model, family):
        stem, dot, suffix = entry.stored.rpartition(".")
        theirs, layer = _published_stem(page, stem)
        shape = entry.stored_shape(parameters)
        layout = _layout(layouts, theirs, len(shape))
        name = page.names[theirs].replace("*", layer) + dot + suffix
        sources[name] = (entry, layout)
        listed.append((name, *_form(name, shape if layout is None else layout.shape(shape), kind)))
    for rope in _rope_tensors(architecture):
        sources[ROPE] = rope
        listed.append((ROPE, tuple(rope.shape), GGMLQuantizationType.F32))

    def read(name: str) -> Tensor:
        source = sources[name]
        if isinstance(source, Tensor):
            return source
        entry, layout = source
        published = to_stored(entry, parameters)
        return published if layout is None else layout.to_gguf(published)

    prefix = next(name for name, known in PAGES.items() if known is page)
    general = {"general.type": "model", "general.file_type": _FILE_TYPES[kind], "general.quantization_version": 2}
    own = {f"{prefix}.{key}": value for key, value in page.metadata(config).items()}
    write_file(path, prefix, {**general, **own, **metadata}, listed, read)


def _page(file: GgufFile) -> Page:
    if file.architecture not in PAGES:
        raise ModelError(
            f"{file.path} holds the architecture '{file.architecture}', which is not known. Known in GGUF: "
            f"{', '.join(PAGES)}."
        )
    return PAGES[file.architecture]


def _pattern(stem: str) -> re.Pattern[str]:
    return re.compile(re.escape(stem).replace(r"\*", r"(0|[1-9]\d*)"))


def _published_stem(page: Page, stem: str) -> tuple[str, str]:
    for theirs in page.names:
        if match := _pattern(theirs).fullmatch(stem):
            return theirs, "".join(match.groups())
    raise ModelError(f"llama.cpp's {page.family} has no place for '{stem}': it cannot be exported to GGUF.")


def _layout(layouts: Mapping[str, Layout], stem: str, axes: int) -> Layout | None:
    layout = layouts.get(stem)
    return None if layout is None or (axes == 1 and not layout.vectors) else layout


def _form(name: str, shape: tuple[int, ...], kind: str) -> tuple[tuple[int, ...], GGMLQuantizationType]:
    if len(shape) == 1 or name == "position_embd.weight":
        return shape, GGMLQuantizationType.F32
    found = GGMLQuantizationType[kind.upper()]
    return shape, GGMLQuantizationType.F16 if shape[-1] % GGML_QUANT_SIZES[found][0] else found


def _rope_tensors(architecture: arch.Architecture) -> list[Tensor]:
    layer = architecture.output_stack.pattern[0]
    position = layer.position
    if not isinstance(position, arch.Rotary) or not isinstance(position.scaling, arch.LlamaScaling):
        return []
    return [stretching(position.theta, position.scaling, layer.attention.head_dim)]


def _requantized_twins(file: GgufFile) -> set[str]:
    """The second copy of a tied table where it was quantized otherwise than the first: it cannot be equal to it."""
    kinds = {name: entry.kind for name, entry in file.tensors.items()}
    return {second for second, first in _TWINS.items() if second in kinds and kinds[second] != kinds.get(first)}
