"""The data of a project: for each family a tokenizer of its kind, token shards, and what is held out."""

__all__ = ["Material", "prepare"]

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from rich.console import Console

from trivium.data.loader import HeldOut, Loader
from trivium.data.mixture import MixtureSource
from trivium.data.progress import shard_progress
from trivium.data.shards import Shards, build_shards, is_held_out
from trivium.data.sources import Source, open_source
from trivium.decode.sampling import Sampling
from trivium.errors import DataError
from trivium.families.family import Family
from trivium.families.pre_training import pre_training
from trivium.families.registry import family_named
from trivium.language_model import LanguageModel
from trivium.model import Transformer
from trivium.objectives.batch import Batch
from trivium.objectives.registry import KINDS, LABELLED, objective
from trivium.objectives.row import Objective
from trivium.project.schema import Model, Project
from trivium.project.schema import Objective as Chosen
from trivium.project.stage import fingerprint, kept
from trivium.text.fertility import fertility
from trivium.text.tokenizer import Tokenizer
from trivium.text.training import train_tokenizer

#: Documents on which a tokenizer's fertility is reported.
_SAMPLE_DOCUMENTS = 500


@dataclass(frozen=True)
class Material:
    """What one family trains on. `held_out` is beside each source of `sources`, and shares no document with any."""

    family: Family
    tokenizer: Tokenizer
    tokenizer_facts: dict[str, Any]
    length: int
    objective: Objective
    sources: tuple[MixtureSource, ...]
    held_out: tuple[Shards, ...]
    fingerprint: str

    def loader(self, seed: int) -> Loader:
        """The training batches."""
        return Loader(self.sources, self.objective, seed)

    def held_out_batches(self, seed: int, rows: int | None, rows_at_once: int) -> Iterator[Batch]:
        """Held-out rows of every source, in a fixed order with fixed masks: `rows` of each at most, or all."""
        return chain.from_iterable(
            HeldOut(part, self.objective, seed, rows, name=part.source).batches(rows_at_once) for part in self.held_out
        )

    def save(self, folder: Path, model: Transformer) -> None:
        """The finished model as a folder of Hugging Face's layout, tokenizer and decoding options included."""
        ends = None if self.tokenizer.end_id is None else (self.tokenizer.end_id,)
        config = Sampling(max_tokens=128, end_ids=ends).to_generation_config()
        # Only objectives of two sides have a token that opens the decoder, other than what opens a text.
        start = getattr(self.objective, "start", None) if self.family.kind == "encoder-decoder" else None
        ids = {
            "bos_token_id": self.tokenizer.begin_id,
            "eos_token_id": self.tokenizer.end_id,
            "pad_token_id": self.tokenizer.pad_id,
            "decoder_start_token_id": start,
        }
        decoding = {**config, **{name: number for name, number in ids.items() if number is not None}}
        LanguageModel(model, self.tokenizer, decoding).save(folder)


def prepare(project: Project, console: Console | None = None) -> list[Material]:
    """Open the sources, train the tokenizers, build the shards; what is there already is used.

    Raises `DataError` where a source has no text, or too little to hold some out.
    """
    opened = [open_source(mix.path, column=mix.column) for mix in project.text.mix]
    families = [family_named(name) for name in project.model.families]
    wanted = {family.name: (family.tokenizer, _vocabulary(project.model, family)) for family in families}
    made = {one: _tokenized(project, opened, *one, console) for one in dict.fromkeys(wanted.values())}
    return [_material(project, family, *made[wanted[family.name]]) for family in families]


def _vocabulary(model: Model, family: Family) -> int:
    own = model.encoder.vocabulary if family.kind == "encoder" else None
    return own or model.vocabulary


def _tokenized(
    project: Project, opened: list[Source], kind: str, vocabulary: int, console: Console | None
) -> tuple[Tokenizer, dict[str, Any], list[Shards]]:
    folder = project.scope.out / "tokenizers" / f"{kind}-{vocabulary}"
    held_out = project.text.held_out

    def texts() -> Iterator[str]:
        return (text for source in opened for text in source.documents() if not is_held_out(text, held_out))

    def make() -> dict[str, Any]:
        _say(console, f"training a {kind} tokenizer of {vocabulary:,} ids ...")
        tokenizer = train_tokenizer(kind, texts(), vocabulary)
        tokenizer.save(folder)
        facts = fertility(tokenizer, islice(texts(), _SAMPLE_DOCUMENTS)).to_dict()
        return {"kind": kind, "vocabulary": vocabulary, "fingerprint": tokenizer.fingerprint, **facts}

    inputs = fingerprint(kind, vocabulary, held_out, [source.fingerprint for source in opened])
    facts = kept(folder / "made.json", inputs, make)
    tokenizer = Tokenizer.load(folder)
    if tokenizer.fingerprint != facts["fingerprint"]:
        raise DataError(f"The tokenizer in {folder} was altered. Delete that folder, and it is trained again.")
    shards = []
    for number, source in enumerate(opened):
        place = project.scope.out / "shards" / f"{kind}-{vocabulary}-{number}"
        with shard_progress(console or Console(quiet=True), f"{source.reference}, {kind}", source.bytes) as progress:
            shards.append(build_shards(source, tokenizer, place, progress))
    return tokenizer, facts, shards


def _material(
    project: Project, family: Family, tokenizer: Tokenizer, facts: dict[str, Any], shards: list[Shards]
) -> Material:
    share = project.text.held_out
    training = [part.training(share).distinct() for part in shards]
    held_out = [part.held_out(share).distinct() for part in shards]
    for mix, trained, kept_back in zip(project.text.mix, training, held_out, strict=True):
        if not trained.tokens or not kept_back.tokens:
            raise DataError(
                f"'{mix.path}' has {trained.documents + kept_back.documents:,} documents, too few to hold out "
                f"{share:.1%} of them: {trained.documents:,} would be trained on and {kept_back.documents:,} held out. "
                "Give more documents (a file of text is cut at blank lines), or a larger data.held_out."
            )
    sources = tuple(
        MixtureSource(part, mix.weight, mix.max_epochs, mix.path)
        for part, mix in zip(training, project.text.mix, strict=True)
    )
    weights = [[mix.weight, mix.max_epochs] for mix in project.text.mix]
    encoder = project.model.encoder
    length = (encoder.length if family.kind == "encoder" else None) or project.text.length
    chosen = project.model.objectives.get(family.name, Chosen(name=family.objective))
    options: dict[str, Any] = {}
    if KINDS[chosen.name] == "encoder":
        options = {"masks": encoder.masking, "whole_word": encoder.whole_word, "probability": encoder.mask_rate}
    options |= chosen.options
    return Material(
        family=pre_training(family) if chosen.name in LABELLED else family,
        tokenizer=tokenizer,
        tokenizer_facts=facts,
        length=length,
        objective=objective(chosen.name, tokenizer, length, **options),
        sources=sources,
        held_out=tuple(held_out),
        fingerprint=fingerprint(
            tokenizer.fingerprint,
            [part.fingerprint for part in [*training, *held_out]],
            weights,
            length,
            options,
            *([chosen.name] if chosen.name != family.objective else []),
        ),
    )


def _say(console: Console | None, text: str) -> None:
    if console:
        console.print(text)
