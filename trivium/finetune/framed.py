"""Texts of any length as one model reads them: what is too long is cut, left out or refused, and counted."""

__all__ = ["Framed", "framed"]

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trivium.errors import UsageError
from trivium.finetune.settings import FineTuneSettings
from trivium.language_model import LanguageModel
from trivium.tasks.reading import Read, Text, read


@dataclass(frozen=True)
class Framed:
    """The texts that are read, with their places among all; how many were cut, and left out by which reason."""

    read: tuple[Read, ...]
    places: tuple[int, ...]
    cut: int
    left_out: Mapping[str, int]


def framed(lm: LanguageModel, texts: Sequence[Text], settings: FineTuneSettings) -> Framed:
    """The texts within the limit: what is set, or what the model reads; one without any token is left out.

    Raises `UsageError` for a text over the limit where the settings refuse that.
    """
    known = [limit for limit in (settings.max_tokens, lm.architecture.context) if limit is not None]
    limit = min(known) if known else None
    kept: list[Read] = []
    places: list[int] = []
    reasons: Counter[str] = Counter()
    cut = 0
    for place, text in enumerate(texts):
        encoding = lm.tokenizer.framed(*((text,) if isinstance(text, str) else text))
        one = Read(encoding.ids, encoding.type_ids, encoding.offsets, encoding.word_ids, encoding.sequence_ids)
        if limit is not None and len(one.ids) > limit:
            if settings.too_long == "refuse":
                raise UsageError(
                    f"Text {place + 1:,} has {len(one.ids):,} tokens, and {limit:,} are read. Set too_long to 'cut' or "
                    "'leave out', or raise max_tokens as far as the model reads."
                )
            if settings.too_long == "leave out":
                reasons[f"more than {limit:,} tokens"] += 1
                continue
            one, cut = read(lm.model, lm.tokenizer, [text], truncate=True, limit=limit)[0], cut + 1
        if not one.ids:
            reasons["no token"] += 1
            continue
        kept.append(one)
        places.append(place)
    return Framed(tuple(kept), tuple(places), cut, dict(reasons))
