"""What a finished model can do: its score on held-out text, the simple model it must beat, and samples."""

__all__ = ["bigram_of", "bigram_score", "evaluate_one"]

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int

from trivium.data.documents import Documents
from trivium.evaluate.held_out import score_held_out
from trivium.evaluate.ngram import Bigram, NGramScore
from trivium.language_model import LanguageModel, load
from trivium.project.prepare import Material
from trivium.project.schema import Project

_ROWS_AT_ONCE = 16


def evaluate_one(project: Project, material: Material, folder: Path, device: torch.device) -> dict[str, Any]:
    """Scores and samples of the model in `folder`, as plain data."""
    lm = load(folder, device=device)
    ids = np.array([number not in material.tokenizer.special_ids for number in range(material.tokenizer.vocabulary)])
    bigram = bigram_of(material)
    score = score_held_out(
        lm.model,
        material.held_out_batches(project.scope.seed, project.evaluate.rows, _ROWS_AT_ONCE),
        torch.from_numpy(material.tokenizer.token_bytes),
        torch.from_numpy(ids),
        bigram.commonest(np.flatnonzero(ids).tolist()),
    )
    result: dict[str, Any] = {
        "parameters": sum(parameter.numel() for parameter in lm.model.parameters()),
        "score": score.to_dict(),
        "samples": _samples(project, lm),
    }
    if material.family.kind == "decoder":
        result["bigram"] = bigram_score(bigram, material).to_dict()
    return result


def bigram_of(material: Material) -> Bigram:
    """The simple model that a decoder must beat, of its own training text."""
    tokenizer = material.tokenizer
    end = tokenizer.end_id
    assert end is not None
    begin = end if tokenizer.begin_id is None else tokenizer.begin_id
    return Bigram(_all([source.documents for source in material.sources]), tokenizer.vocabulary, begin, end)


def bigram_score(bigram: Bigram, material: Material) -> NGramScore:
    """Its loss on the held-out documents: the text of a decoder's score, which is cut into rows."""
    return bigram.score(_all(material.held_out), sum(part.bytes for part in material.held_out))


def _all(parts: Sequence[Documents]) -> Iterator[Int[np.ndarray, "_"]]:
    for part in parts:
        for number, length in enumerate(part.lengths.tolist()):
            yield part.slice(number, 0, length)


def _samples(project: Project, lm: LanguageModel) -> list[dict[str, Any]]:
    """Each text asked, with what the model says, as its family can."""
    asked = project.evaluate
    kind = lm.architecture.kind
    if kind == "encoder-decoder" and not lm.tokenizer.sentinel_ids:
        kind = "decoder"  # it has no marks for gaps, so it is given beginnings
    match kind:
        case "encoder":
            mask = lm.tokenizer.mask_id
            own = "[MASK]" if mask is None else lm.tokenizer.token(mask)  # RoBERTa's is <mask>
            texts = [text.replace("[MASK]", own) for text in asked.masks]
            return [{"asked": text, **lm.fill_mask(text, top_k=5).to_dict()} for text in texts]
        case "decoder":
            options: dict[str, Any] = {"temperature": asked.temperature, "max_tokens": asked.max_tokens}
            if asked.temperature > 0 and asked.top_k > 0:
                options["top_k"] = asked.top_k
            completions = lm.generate(list(asked.prompts), seed=project.scope.seed, **options)
            return [
                {"asked": text, **completion.to_dict()}
                for text, completion in zip(asked.prompts, completions, strict=True)
            ]
        case "encoder-decoder":
            filled = (lm.fill_spans(text, temperature=0.0, max_tokens=asked.max_tokens) for text in asked.spans)
            return [{"asked": text, **filling.to_dict()} for text, filling in zip(asked.spans, filled, strict=True)]
