"""Which model it is, to the last bit: so that kept predictions are never taken for those of other weights."""

__all__ = ["identity_of"]

import hashlib

import torch

from trivium.language_model import LanguageModel


def identity_of(lm: LanguageModel) -> str:
    """SHA-256 of the architecture, every weight in the precision that it is computed in, and the tokenizer."""
    digest = hashlib.sha256(f"{lm.architecture!r} {lm.tokenizer.fingerprint}".encode())
    for name, weight in sorted(lm.model.state_dict().items()):
        digest.update(f"{name} {weight.dtype} {tuple(weight.shape)}".encode())
        digest.update(weight.detach().contiguous().cpu().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
