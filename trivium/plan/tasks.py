"""What people want done, and the plain words by which they say it.

`understand` reads a sentence by a table of words, not by a model: a word that ends in `*` is the beginning of one.
Strong words name a task; weak ones ("classify", "write") count where no strong one stands; a general task gives way to
a special one of its kind. What is left is every reading there is: one, several, or none.
"""

__all__ = ["TASKS", "Task", "Understood", "understand"]

import re
from collections.abc import Sequence
from dataclasses import dataclass

from trivium.errors import UsageError, nearest


@dataclass(frozen=True)
class Task:
    """A task. `input_tokens` and `output_tokens` are a usual request's: what is written, if anything must be written.

    `special_of` is the general task that gives way to this one. `words` name it, `weak_words` only suggest it.
    """

    name: str
    what: str
    input_tokens: int
    output_tokens: int
    words: tuple[str, ...]
    weak_words: tuple[str, ...] = ()
    special_of: str | None = None


@dataclass(frozen=True)
class Understood:
    """The one reading of a text, and whether it asks for few-shot use of a model as it is."""

    task: Task
    few_shot: bool = False


#: Every task, in the order in which readings are listed.
TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task(
            "text-classification",
            "a label for a whole text (sentiment, topic, urgency, spam, intent)",
            256,
            4,
            (
                "sentiment*", "polarity", "spam", "intent", "intents", "toxic*", "moderat*", "text classif*",
                "sequence classif*", "document classif*", "topic*", "urgen*", "triag*", "entailment", "hate speech",
                "classif* text*", "label text*", "star rating*", "natural language inference",
            ),
            ("classif*", "categor*", "label*", "rate", "rating*", "detect*", "rout*", "priorit*"),
        ),
        Task(
            "named-entity-recognition",
            "the names in a text: people, places, organisations",
            256,
            64,
            (
                "ner", "entit*", "person name*", "people name*", "company name*", "place name*", "product name*",
                "names of*", "names in*", "find name*", "extract name*", "anonymi*", "redact*", "pii",
            ),
            ("tag", "tags", "tagging", "tagger"),
        ),
        Task(
            "word-classification",
            "a label for every word (part of speech, error or not)",
            256,
            128,
            (
                "word classif*", "token classif*", "part of speech", "parts of speech", "pos tag*", "classif* word*",
                "classif* token*", "label word*", "label token*", "tag word*", "tag token*", "each word", "every word",
                "each token", "every token", "classif* the word*", "label the word*", "tag the word*", "morpholog*",
            ),
            ("tag", "tags", "tagging", "tagger"),
        ),
        Task(
            "generation",
            "open-ended text: go on, write, chat",
            128,
            256,
            (
                "text generation", "open ended", "chat*", "stor*", "poem*", "poetry", "creative writ*", "complet*",
                "autocomplet*", "continu*", "dialog*", "assistant*", "essay*", "language model*",
            ),
            ("generat*", "writ*", "draft*", "compos*"),
        ),
        Task(
            "few-shot",
            "any task from a few examples in the prompt, without training",
            1024,
            64,
            ("few shot", "fewshot", "in context learning", "one shot", "zero shot", "prompting", "without training"),
        ),
        Task(
            "translation",
            "the same in another language",
            128,
            128,
            ("translat*", "into english", "into german", "into french", "into spanish", "machine translation"),
        ),
        Task(
            "summarisation",
            "the same in fewer words",
            512,
            96,
            ("summar*", "tldr", "tl dr", "abstractive", "headline*", "condens*", "shorten*"),
        ),
        Task(
            "question-answering",
            "an answer to a question about a text, which may be a span of it",
            384,
            32,
            ("question answer*", "qa", "q a", "answer* question*", "answer* a question*", "answer* the question*",
             "answer* customer question*", "answer* user question*", "reading comprehension"),
            ("answer*", "question*"),
        ),
        Task(
            "extractive-question-answering",
            "an answer that stands word for word in a text that is given",
            384,
            32,
            ("extractive question*", "extractive qa", "extractive q a", "span extraction", "extract* answer*",
             "extract* the answer*", "answer span*", "span* of the text", "find the answer*", "squad"),
            special_of="question-answering",
        ),
        Task(
            "generative-question-answering",
            "an answer in words of its own, from a text that is given",
            512,
            96,
            ("generative question*", "generative qa", "generative q a", "abstractive question*", "abstractive qa",
             "free form answer*", "long form answer*", "own words"),
            special_of="question-answering",
        ),
        Task(
            "closed-book-question-answering",
            "an answer from what the model knows, with no text given",
            64,
            32,
            ("closed book", "trivia*", "without context", "without a text", "without a passage", "general knowledge",
             "from memory"),
            special_of="question-answering",
        ),
        Task(
            "embedding",
            "a vector for a text: search, similarity, clusters",
            256,
            0,
            (
                "embed*", "semantic search", "search*", "similar*", "retriev*", "cluster*", "dedup*", "duplicate*",
                "nearest neighbo*", "vector*", "rank*", "rerank*",
            ),
        ),
    )
}  # fmt: skip


def understand(text: str) -> Understood:
    """The task that a text asks for. Raises `UsageError` with the readings where there is none, or more than one."""
    if text.strip().lower() in TASKS:
        return Understood(TASKS[text.strip().lower()])
    words = re.findall(r"[a-z0-9]+", text.lower())
    found = _named(words, weak=False) or _named(words, weak=True)
    few_shot = TASKS["few-shot"] in found
    others = [task for task in found if task.name != "few-shot"] or (_named(words, weak=True) if few_shot else [])
    general = {task.special_of for task in others}
    readings = [task for task in others if task.name not in general] or found
    if len(readings) == 1:
        return Understood(readings[0], few_shot)
    raise UsageError(_question(text, readings))


def _named(words: Sequence[str], *, weak: bool) -> list[Task]:
    return [
        task
        for task in TASKS.values()
        if any(_stands(phrase.split(), words) for phrase in (task.weak_words if weak else task.words))
    ]


def _stands(phrase: Sequence[str], words: Sequence[str]) -> bool:
    """Whether the words of a phrase follow one another in a text."""
    return any(
        all(map(_is, phrase, words[start : start + len(phrase)])) for start in range(len(words) - len(phrase) + 1)
    )


def _is(pattern: str, word: str) -> bool:
    return word.startswith(pattern[:-1]) if pattern.endswith("*") else word == pattern


def _question(text: str, readings: Sequence[Task]) -> str:
    """What to ask where a text is unclear."""
    ways = "; ".join(f"{task.name} ({task.what})" for task in readings or TASKS.values())
    if readings:
        return f"The task '{text}' may mean several things: {ways}. Which is it? Say it by --task NAME."
    near = nearest(text.lower(), TASKS)
    return f"The task '{text}' is not understood.{near} Which of these is it: {ways}? Say it by --task NAME."
