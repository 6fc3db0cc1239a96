"""Vectors of texts: those of a pair near each other, and far from the others of the batch."""

__all__ = ["prepare_embedding"]

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from trivium.data.examples import Examples, TextPair
from trivium.finetune.framed import framed
from trivium.finetune.heads import without_head
from trivium.finetune.prepared import Prepared
from trivium.finetune.settings import FineTuneSettings
from trivium.language_model import LanguageModel
from trivium.objectives.batch import IGNORE
from trivium.objectives.row import Row
from trivium.tasks.pooling import TextVectors
from trivium.tasks.reading import Read
from trivium.train.task_loss import Contrastive, contrastive_loss


def prepare_embedding(
    lm: LanguageModel, examples: Examples, labels: Sequence[str], settings: FineTuneSettings
) -> Prepared:
    """Pairs of texts: each source must find its own target among those of its batch (in-batch contrast).

    A row holds both texts of a pair, as two documents. The pooling is the folder's, or the mean; vectors have length 1.
    Raises `DataError` for other forms than pairs.
    """
    examples.require("text-to-text", what="a vector near that of a text's pair")
    vectors = replace(lm.vectors or TextVectors(), normalize=True)
    limit = settings.max_tokens or vectors.max_tokens
    pairs = [example for example in examples.examples if isinstance(example, TextPair)]
    capped = settings.model_copy(update={"max_tokens": limit})
    sources = framed(lm, [vectors.prompt + pair.source for pair in pairs], capped)
    targets = framed(lm, [vectors.prompt + pair.targets[0] for pair in pairs], capped)
    by_place = dict(zip(targets.places, targets.read, strict=True))
    rows = tuple(
        _row(source, by_place[place])
        for place, source in zip(sources.places, sources.read, strict=True)
        if place in by_place
    )
    left_out = Counter(sources.left_out) + Counter(targets.left_out)
    return Prepared(
        without_head(lm.architecture),
        rows,
        contrastive_loss(Contrastive(vectors.pooling)),
        lm.tokenizer.pad_id or 0,
        dict(left_out),
        sources.cut + targets.cut,
        batching="whole",
        vectors=replace(vectors, max_tokens=limit),
    )


def _row(source: Read, target: Read) -> Row:
    ids = np.array(source.ids + target.ids, dtype=np.int64)
    documents = np.repeat(np.array([1, 2], dtype=np.int64), [len(source.ids), len(target.ids)])
    return Row(ids, np.full_like(ids, IGNORE), documents)
