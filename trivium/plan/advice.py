"""What is known about which family suits what, with its source: the table that `trivium which` reads.

Sources: Wang et al. 2022 (arXiv 2204.05832), who compared architectures and objectives at equal compute; Brown et al.
2020 (GPT-3, tables 2.1 and D.1); Devlin et al. 2019 (BERT); Raffel et al. 2020 (T5).
"""

__all__ = ["ADAPTATIONS", "FINDINGS", "USUAL_WAY", "ZERO_SHOT", "Adaptation", "Option", "Start", "Way", "options_for"]

from dataclasses import dataclass, replace
from typing import Literal

from trivium.architecture import Kind

#: How the model is brought to the task: as it is, by examples in its prompt, or by training on labelled ones.
Way = Literal["prompt", "few-shot", "fine-tune"]


@dataclass(frozen=True)
class Start:
    """Published models to begin with: a family, and the beginnings of its sizes' names (all where there are none)."""

    family: str
    sizes: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class Option:
    """One answer: a kind of model, the models to start from, why, by what source, and what would speak for another."""

    kind: Kind
    objective: str
    starts: tuple[Start, ...]
    why: str
    source: str
    unless: str


@dataclass(frozen=True)
class Adaptation:
    """Going on with another objective from a pretrained model (Wang et al. 2022; after 168B tokens).

    What `tokens` more reach, training anew would take `speedup` times as long for; both trainings together cost
    `total_cost` times the first.
    """

    name: str
    what: str
    tokens: int
    speedup: float
    total_cost: float


#: Table 3: mean accuracy in percent after pure pretraining (EAI's harness, T0's evaluation).
ZERO_SHOT: dict[str, tuple[float, float]] = {
    "causal decoder, full language modelling": (44.2, 42.4),
    "non-causal decoder, prefix language modelling": (43.5, 41.8),
    "encoder-decoder, prefix language modelling": (39.9, 41.7),
    "random guesses": (32.9, 41.7),
}

#: The three findings.
FINDINGS: tuple[str, ...] = (
    "a causal decoder trained by language modelling is best zero-shot after pure pretraining",
    "an encoder-decoder trained by masked (span) modelling is best zero-shot after multitask fine-tuning",
    "to have both, pretrain a causal decoder, adapt it to masked modelling, then fine-tune on many tasks",
)

ADAPTATIONS: tuple[Adaptation, ...] = (
    Adaptation(
        "NC-A",
        "non-causal masked-modelling adaptation: a causal decoder goes on as a non-causal one by masked modelling",
        tokens=51_000_000_000,
        speedup=3.3,
        total_cost=1.3,
    ),
    Adaptation(
        "LM-A",
        "language-modelling adaptation: a non-causal decoder trained by masked modelling goes on as a causal one",
        tokens=105_000_000_000,
        speedup=1.6,
        total_cost=1.6,
    ),
)

_ENCODERS = (Start("roberta", ("base", "large")), Start("bert", ("base-uncased", "large-uncased")))
_DECODERS = (
    Start("llama", ("2-", "3-", "3.1-", "3.2-", "tinyllama", "smollm2")),
    Start("bloom", without=("bloomberg",)),
    Start("opt"),
    Start("gpt2"),
)
_PAIRS = (Start("t5", ("v1.1-",)), Start("bart", without=("large-cnn",)))
_SUMMARISERS = (Start("t5", ("v1.1-",)), Start("bart"))
_MULTITASK = (Start("t5", ("flan-",)),)


def _encoder(why: str, unless: str) -> Option:
    return Option("encoder", "masked", _ENCODERS, why, "Devlin et al. 2019", unless)


def _finding(number: int) -> str:
    return f"Wang et al. 2022, finding {number}: {FINDINGS[number - 1]}"


_LABELS = _encoder(
    "every token sees the whole text, and one pass over it is the answer: up to a billion parameters, and with labels "
    "to fine-tune on, nothing else gives as much for its size",
    "fewer than a thousand labelled examples are at hand: then a model is prompted instead",
)
_VECTORS = _encoder(
    "every token sees the whole text, so the mean of its hidden states stands for all of it",
    "the same model must write, too",
)
_LAST_TOKENS = Option(
    "decoder",
    "causal",
    _DECODERS,
    "its last token has read the whole text, and the same weights also write",
    "Radford et al. 2018, section 3.2",
    "texts can be cut to what an encoder reads",
)
_PROMPTED = Option(
    "decoder",
    "causal",
    _DECODERS,
    "it does a task from its description and a few examples, without any training",
    f"{_finding(1)}; Brown et al. 2020",
    "a model that was fine-tuned on many tasks will do without examples, or labels allow fine-tuning",
)
_WRITER = Option(
    "decoder",
    "causal",
    _DECODERS,
    "it was trained on what it does: going on with a text, each token from all before it",
    f"{_finding(1)}; Brown et al. 2020",
    "each text answers another one (translate, summarise, rewrite) and pairs are at hand to fine-tune on",
)
_KNOWER = Option(
    "decoder",
    "causal",
    _DECODERS,
    "what it knows is in its weights, and the largest published models are decoders",
    f"{_finding(1)}; Brown et al. 2020",
    "a text with the answer comes with the question: then even a small model only has to find it",
)
_TUNED_DECODER = Option(
    "decoder",
    "causal",
    _DECODERS,
    "the same weights also write and are prompted; at equal compute it has half of an encoder-decoder's parameters",
    "Wang et al. 2022, equal compute of N and 2N; Brown et al. 2020, table D.1",
    "texts can be cut to what an encoder reads, or pairs of input and output are at hand",
)
_PAIR = Option(
    "encoder-decoder",
    "span",
    _PAIRS,
    "the input is read in both directions once, and only half of the weights are read for each token written",
    f"Raffel et al. 2020; {_finding(2)}",
    "nothing can be fine-tuned, or texts without an input must be written: then a decoder",
)
_SUMMARISER = replace(_PAIR, starts=_SUMMARISERS)
_INSTRUCTED = Option(
    "encoder-decoder",
    "span",
    _MULTITASK,
    "fine-tuned on many tasks by instructions, it does a new one from its description alone",
    f"{_finding(2)}; Chung et al. 2022 (Flan-T5)",
    "examples fit into the prompt (a decoder learns from them), or labels allow fine-tuning",
)

_LABELLING: dict[Way, tuple[Option, ...]] = {
    "fine-tune": (_LABELS, _TUNED_DECODER),
    "few-shot": (_PROMPTED, _INSTRUCTED, _LABELS),
    "prompt": (_INSTRUCTED, _PROMPTED, _LABELS),
}
_WRITING_FROM_TEXT: dict[Way, tuple[Option, ...]] = {
    "fine-tune": (_PAIR, _TUNED_DECODER),
    "few-shot": (_PROMPTED, _INSTRUCTED),
    "prompt": (_INSTRUCTED, _PROMPTED),
}
_OPTIONS: dict[str, dict[Way, tuple[Option, ...]]] = {
    "text-classification": _LABELLING,
    "named-entity-recognition": _LABELLING,
    "word-classification": _LABELLING,
    "question-answering": _LABELLING,
    "extractive-question-answering": _LABELLING,
    "generative-question-answering": _WRITING_FROM_TEXT,
    "translation": _WRITING_FROM_TEXT,
    "summarisation": {**_WRITING_FROM_TEXT, "fine-tune": (_SUMMARISER, _TUNED_DECODER)},
    "generation": dict.fromkeys(("prompt", "few-shot", "fine-tune"), (_WRITER, _INSTRUCTED)),
    "few-shot": dict.fromkeys(("prompt", "few-shot", "fine-tune"), (_PROMPTED, _INSTRUCTED)),
    "closed-book-question-answering": dict.fromkeys(("prompt", "few-shot", "fine-tune"), (_KNOWER, _INSTRUCTED)),
    "embedding": dict.fromkeys(("prompt", "few-shot", "fine-tune"), (_VECTORS, _LAST_TOKENS)),
}
#: What is done where nothing is said of examples.
USUAL_WAY: dict[str, Way] = {
    **dict.fromkeys(_OPTIONS, "fine-tune"),
    "generation": "prompt",
    "few-shot": "few-shot",
    "closed-book-question-answering": "prompt",
    "embedding": "prompt",
}


def options_for(task: str, way: Way) -> tuple[Option, ...]:
    """Answer for a task: the best option first, then those that follow where its `unless` holds."""
    return _OPTIONS[task][way]
