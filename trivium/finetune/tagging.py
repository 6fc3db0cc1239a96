"""What each word of a sentence is: entities in BIO, BIOES or BILOU, or word classes."""

__all__ = ["prepare_tagging"]

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from trivium.architecture import TokenLabels
from trivium.data.examples import Examples, TaggedWords
from trivium.data.tag_scheme import TagScheme, scheme_of
from trivium.errors import UsageError
from trivium.finetune.heads import with_head
from trivium.finetune.labels import label_numbers, weights_of
from trivium.finetune.prepared import Prepared
from trivium.finetune.settings import FineTuneSettings
from trivium.language_model import LanguageModel
from trivium.objectives.row import Row
from trivium.objectives.tag import tag_row
from trivium.tasks.words import Sentence, read_words
from trivium.train.word_loss import tag_loss
from trivium.weights.fresh import FreshHead


def prepare_tagging(
    lm: LanguageModel, examples: Examples, labels: Sequence[str], settings: FineTuneSettings
) -> Prepared:
    """Sentences of tagged words under the head that labels tokens; a word is asked for at its first piece.

    Tags are taught as they stand. Those that break the order of their scheme are counted under `noticed`, as are words
    of which the tokenizer makes nothing; a sentence that is cut teaches the words that are left. Raises `DataError` for
    a tag that is not among `labels` and for other forms, `UsageError` for a family without such a head and for a
    sentence that is too long where it may not be cut.
    """
    examples.require("tagging", what="a label for each word")
    architecture = with_head(lm.architecture, FreshHead("token-classification", tuple(labels)))
    task = architecture.task
    assert isinstance(task, TokenLabels)
    numbers = label_numbers(examples, task.labels)
    limits = [limit for limit in (settings.max_tokens, lm.architecture.context) if limit is not None]
    limit = min(limits, default=None)
    segments = architecture.stacks[0].embedding.segments > 1
    sentences = [example for example in examples if isinstance(example, TaggedWords)]
    scheme = scheme_of(sentence.tags for sentence in sentences)
    rows: list[Row] = []
    left_out: Counter[str] = Counter()
    noticed, cut = _breaks(scheme, sentences), 0
    for place, example in enumerate(sentences, 1):
        sentence = read_words(lm.tokenizer, example.words, f"Sentence {place:,} of {examples.where}")
        noticed["words without a token"] += sum(first is None for first in sentence.firsts)
        kept = len(sentence.read.ids)
        if limit is not None and kept > limit:
            if settings.too_long == "refuse":
                raise UsageError(
                    f"Sentence {place:,} of {examples.where} has {kept:,} tokens, and {limit:,} are read. Set too_long "
                    "to 'cut' or 'leave out', or raise max_tokens as far as the model reads."
                )
            if settings.too_long == "leave out":
                left_out[f"more than {limit:,} tokens"] += 1
                continue
            kept, cut = limit, cut + 1
        row = _row(sentence, [numbers[tag] for tag in example.tags], kept, segments)
        if row is None:
            left_out["no word with a token"] += 1
        else:
            rows.append(row)
    return Prepared(
        architecture,
        tuple(rows),
        tag_loss(weights_of(examples, task.labels, settings)),
        lm.tokenizer.pad_id or 0,
        dict(left_out),
        cut,
        noticed={what: count for what, count in noticed.items() if count},
    )


def _breaks(scheme: TagScheme, sentences: Iterable[TaggedWords]) -> Counter[str]:
    count = sum(len(scheme.breaks(sentence.tags)) for sentence in sentences)
    return Counter({f"tags out of {scheme.name} order": count})


def _row(sentence: Sentence, labels: Sequence[int], kept: int, segments: bool) -> Row | None:
    """A sentence's row, of its first `kept` tokens where it has more; None where no word is left to ask for.

    The special tokens behind a sentence that is cut stay, and take the place of its last ones.
    """
    read = sentence.read
    behind = 1 + max((place for place, part in enumerate(read.parts) if part is not None), default=-1)
    last = behind - (len(read.ids) - kept)
    places = np.array([*range(last), *range(behind, len(read.ids))])
    firsts = [first if first is not None and first < last else None for first in sentence.firsts]
    if all(first is None for first in firsts):
        return None
    ids = np.array(read.ids, dtype=np.int64)[places]
    kinds = np.array(read.segments, dtype=np.int64)[places] if segments else None
    return tag_row(ids, kinds, firsts, np.array(labels, dtype=np.int64))
