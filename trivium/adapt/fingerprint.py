"""What a base looks like, in a few digits, so that an adapter knows its own: evenly spaced values of every weight.

A base may be loaded in another precision than it was adapted in, so each value is looked at in three; a weight that
differs in all three is another weight. Parts (tokens, encoder, decoder) stand for themselves: a classifier leaves out
what it does not read. Heads are not looked at.
"""

__all__ = ["Fingerprint", "differing_parts", "fingerprint"]

import hashlib
from collections.abc import Mapping

import torch

from trivium.model import Transformer

#: Part of the model → precision → digest.
Fingerprint = Mapping[str, Mapping[str, str]]

_PARTS = ("tokens", "encoder", "decoder")
_PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
_VALUES_OF_A_WEIGHT = 64


def fingerprint(base: Transformer) -> Fingerprint:
    """The digests of a model without updates."""
    found: dict[str, dict[str, str]] = {}
    for part in _PARTS:
        module = getattr(base, part)
        if module is not None:
            samples = []
            for _, weight in sorted(module.named_parameters()):
                flat = weight.detach().flatten()
                samples.append(flat[:: max(1, len(flat) // _VALUES_OF_A_WEIGHT)][:_VALUES_OF_A_WEIGHT].cpu().float())
            values = torch.cat(samples)
            found[part] = {
                name: hashlib.sha256(values.to(precision).float().numpy().tobytes()).hexdigest()[:16]
                for name, precision in _PRECISIONS.items()
            }
    return found


def differing_parts(there: Fingerprint, here: Fingerprint) -> list[str]:
    """The parts that both have and that agree in no precision."""
    return [part for part in _PARTS if part in there and part in here and not _agree(there[part], here[part])]


def _agree(there: Mapping[str, str], here: Mapping[str, str]) -> bool:
    return any(digest == here.get(precision) for precision, digest in there.items())
