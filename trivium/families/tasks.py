"""Task heads as published: for each family, which class holds which head, and what its weights are called.

    TASKS["bert"]["sequence-classification"]    BertForSequenceClassification: "bert.pooler.dense", "classifier"

A config names its class in `architectures`; `with_task` puts that class's head on what the family's page read, and
`published` is the page as that class has it: its name, its table and its config. "model" is the class without a head.
"""

__all__ = ["TASKS", "TaskClass", "TaskName", "as_held", "labels_config", "published", "with_task", "without_prefix"]

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from trivium import architecture as arch
from trivium.errors import ModelError
from trivium.families.family import Config, Family, Ignored, Rule, Stacked, Zeros

TaskName = Literal[
    "model", "encoder", "sequence-classification", "token-classification", "question-answering", "pre-training"
]

#: What a class's name says of its head, behind the family's part of it: XLMRobertaForX holds what RobertaForX does.
_ENDING = re.compile(r"(LMHeadModel|DoubleHeadsModel|EncoderModel|For[A-Z]\w+|Model)$")
_LANGUAGE_MODELS = ("LMHeadModel", "ForCausalLM", "ForMaskedLM", "ForConditionalGeneration")


@dataclass(frozen=True)
class TaskClass:
    """A published class: the head that a config describes, and the rows that it adds to the family's table.

    A `prefix` of None is the family's own. `encoder_only` leaves the decoder out; `language_model` keeps its head.
    """

    name: str
    head: Callable[[Config], arch.Task | None]
    rows: Mapping[str, Rule] = field(default_factory=dict)
    prefix: str | None = None
    encoder_only: bool = False
    language_model: bool = False

    def on(self, architecture: arch.Architecture, config: Config) -> arch.Architecture:
        """The family's language model as this class has it."""
        return replace(
            architecture,
            head=architecture.head if self.language_model else None,
            decoder=None if self.encoder_only else architecture.decoder,
            task=self.head(config),
        )


def with_task(family: Family, architecture: arch.Architecture, config: Config) -> arch.Architecture:
    """What a family's page read, as the class that the config names has it; without a name, the language model.

    A bare model whose head would be its token table is a language model already. Raises `ModelError` for a head that
    no class here has.
    """
    named = next(iter(config.get("architectures") or ()), None)
    found = _ENDING.search(named) if isinstance(named, str) else None
    if found is None or found[0] in _LANGUAGE_MODELS:
        return architecture
    classes = TASKS.get(family.name, {})
    for task, one in classes.items():
        if one.name.endswith(found[0]):
            head = architecture.head
            if task == "model" and head is not None and head.parameters(architecture.dim, architecture.vocab) == 0:
                return architecture
            return one.on(architecture, config)
    if found[0].startswith("For"):
        known = ", ".join([family.classes, *(one.name for one in classes.values())])
        raise ModelError(
            f"The config names a {named}, whose head is not known here. Of this family there are: {known}."
        )
    return architecture


def published(family: Family, architecture: arch.Architecture) -> Family:
    """The family's page as the class of this architecture's head has it: its name, prefix, table and config.

    Raises `ModelError` for a head that no published class of the family has.
    """
    if architecture.head is not None and architecture.task is None:
        return family
    task = _task_name(architecture)
    one = TASKS.get(family.name, {}).get(task)
    if one is None:
        raise ModelError(
            f"No published class of {family.name} has the head of a '{task}': it cannot be loaded or saved."
        )
    prefix = family.prefix if one.prefix is None else one.prefix

    def table(architecture: arch.Architecture) -> dict[str, Rule]:
        rows = family.table(_whole(architecture)).items()
        body = {_renamed(stored, family.prefix, prefix): _without_absent(rule, architecture) for stored, rule in rows}
        if task in ("model", "encoder"):  # a file may hold more than its config names, as transformers reads it
            heads = {row for other in TASKS[family.name].values() for row in other.rows}
            body = {**{row: Ignored("a head that the config does not name") for row in heads}, **body}
        return {**body, **(one.rows if architecture.task is not None else {})}

    def write_config(architecture: arch.Architecture) -> dict[str, Any]:
        config = {**family.write_config(_whole(architecture)), **_task_config(architecture.task)}
        if architecture.task is not None and one.head(config) != architecture.task:
            raise ModelError(
                f"A {one.name} has {one.head(config)}, and this model {architecture.task}: no class fits it."
            )
        return config

    return replace(family, classes=one.name, prefix=prefix, table=table, write_config=write_config)


def without_prefix(architecture: arch.Architecture) -> bool:
    """Whether its published class is the bare model, whose names begin without the family's prefix."""
    return architecture.head is None and isinstance(architecture.task, arch.Pooler | None)


def as_held(architecture: arch.Architecture, names: Iterable[str]) -> arch.Architecture:
    """Without the pooler where the weights of these names have none: bare models are published with it and without."""
    if isinstance(architecture.task, arch.Pooler) and not any(name.endswith("pooler.dense.weight") for name in names):
        return replace(architecture, task=None)
    return architecture


def labels_config(labels: Sequence[str], problem: arch.Problem | None = None) -> dict[str, Any]:
    """The fields by which a config names its labels and what they are."""
    named = {str(number): label for number, label in enumerate(labels)}
    kind = {} if problem is None else {"problem_type": problem}
    return {"id2label": named, "label2id": {label: number for number, label in enumerate(labels)}, **kind}


def _task_name(architecture: arch.Architecture) -> TaskName:
    match architecture.task:
        case arch.SequenceLabels():
            return "sequence-classification" if architecture.head is None else "pre-training"
        case arch.TokenLabels():
            return "token-classification"
        case arch.Spans():
            return "question-answering"
        case _:
            pair = "encoder" in TASKS.get(architecture.family, {})
            return "encoder" if pair and architecture.decoder is None else "model"


def _whole(architecture: arch.Architecture) -> arch.Architecture:
    """The language model that a page writes about, with stand-ins for what its class leaves out."""
    encoder, decoder = architecture.encoder, architecture.decoder
    if "encoder" in TASKS.get(architecture.family, {}) and decoder is None and encoder is not None:
        pattern = tuple(replace(layer, cross_attention=layer.attention) for layer in encoder.pattern)
        decoder = replace(encoder, causal=True, pattern=pattern)
    return replace(architecture, decoder=decoder, head=architecture.head or arch.Head(tied=False), task=None)


def _without_absent(rule: Rule, architecture: arch.Architecture) -> Rule:
    """The rule, or that it is read by nobody where it is of a part that the class leaves out."""
    if isinstance(rule, Ignored | Zeros):
        return rule
    ours = rule if isinstance(rule, str) else rule.names[0] if isinstance(rule, Stacked) else rule.name
    absent = {"head": architecture.head is None, "decoder": architecture.decoder is None}
    return Ignored("a part that the config does not name") if absent.get(ours.partition(".")[0]) else rule


def _renamed(stored: str, prefix: str, other: str) -> str:
    return other + stored.removeprefix(prefix) if stored.startswith(prefix) else stored


def _task_config(task: arch.Task | None) -> dict[str, Any]:
    match task:
        case arch.SequenceLabels():
            config = {**labels_config(task.labels, task.problem), "classifier_dropout": task.dropout}
            if isinstance(task.pool, arch.EndToken):
                config["eos_token_id"] = task.pool.id
        case arch.TokenLabels():
            config = {**labels_config(task.labels), "classifier_dropout": task.dropout}
            config["token_classification_bias"] = task.bias
        case _:
            config = labels_config(("LABEL_0", "LABEL_1")) if isinstance(task, arch.Spans) else {}
    start_id = task.start_id if isinstance(task, arch.SequenceLabels | arch.Spans) else None
    return config if start_id is None else {**config, "decoder_start_token_id": start_id}


# ---- what configs say ----------------------------------------------------------------------------------------------


def _labels(config: Config, default: int = 2) -> tuple[str, ...]:
    names = config.get("id2label")
    if isinstance(names, Mapping) and names:
        return tuple(str(names[key]) for key in sorted(names, key=int))
    return tuple(f"LABEL_{number}" for number in range(config.get("num_labels", default)))


def _dropout(config: Config, *fallbacks: str, default: float = 0.1) -> float:
    """`classifier_dropout`, or what the class takes where the config has none."""
    said = [config[name] for name in ("classifier_dropout", *fallbacks) if config.get(name) is not None]
    return float(said[0]) if said else default


def _no_head(config: Config) -> None:
    return None


def _pooler(config: Config) -> arch.Task:
    return arch.Pooler()


def _by_pooler(config: Config) -> arch.Task:
    """BERT: pooler, dropout, projection."""
    dropout = _dropout(config, "hidden_dropout_prob")
    return arch.SequenceLabels(_labels(config), transform=True, dropout=dropout, problem=config.get("problem_type"))


def _next_sentence(config: Config) -> arch.Task:
    """Whether the second text follows the first, label 0, or is a random one, label 1 (Devlin et al. 2019)."""
    return arch.SequenceLabels(_labels(config), transform=True)


def _by_first_token(config: Config) -> arch.Task:
    """RoBERTa: dropout, dense, tanh, dropout, projection on <s>."""
    dropout = _dropout(config, "hidden_dropout_prob")
    return arch.SequenceLabels(
        _labels(config), transform=True, input_dropout=dropout, dropout=dropout, problem=config.get("problem_type")
    )


def _by_last_token(config: Config) -> arch.Task:
    """Decoders: a projection without bias at the last token, which has seen the whole text."""
    return arch.SequenceLabels(_labels(config), pool="last", bias=False, problem=config.get("problem_type"))


def _by_end_token(start_id: int, end_id: int, labels: int) -> Callable[[Config], arch.Task]:
    """T5 and BART: RoBERTa's head at the decoder's end token; the ids and the count are the class's defaults."""

    def head(config: Config) -> arch.Task:
        dropout = _dropout(config, default=0.0)
        return arch.SequenceLabels(
            _labels(config, labels),
            pool=arch.EndToken(_id(config, "eos_token_id", end_id)),
            transform=True,
            input_dropout=dropout,
            dropout=dropout,
            problem=config.get("problem_type"),
            start_id=_id(config, "decoder_start_token_id", start_id),
        )

    return head


def _id(config: Config, name: str, default: int) -> int:
    said = config.get(name)
    return said if isinstance(said, int) else default


def _tokens(*fallbacks: str, default: float = 0.1) -> Callable[[Config], arch.Task]:
    return lambda config: arch.TokenLabels(_labels(config), dropout=_dropout(config, *fallbacks, default=default))


def _tokens_of_llama(config: Config) -> arch.Task:
    bias = config.get("token_classification_bias", True)
    return arch.TokenLabels(_labels(config), bias=bias, dropout=_dropout(config, "hidden_dropout"))


def _spans(config: Config) -> arch.Task:
    if len(_labels(config)) != 2:
        raise ModelError(f"A head for answers has two outputs, start and end, and this config has {_labels(config)}.")
    return arch.Spans()


def _spans_of_pair(start_id: int) -> Callable[[Config], arch.Task]:
    return lambda config: arch.Spans(start_id=_id(config, "decoder_start_token_id", start_id))


# ---- the classes ---------------------------------------------------------------------------------------------------

_CLASSIFIER: dict[str, Rule] = {"classifier": "task.projection"}
_SCORE: dict[str, Rule] = {"score": "task.projection"}
_SPANS: dict[str, Rule] = {"qa_outputs": "task.projection"}
_DENSE: dict[str, Rule] = {"classifier.dense": "task.transform", "classifier.out_proj": "task.projection"}
_DENSE_OF_PAIR: dict[str, Rule] = {
    "classification_head.dense": "task.transform",
    "classification_head.out_proj": "task.projection",
}
_BERT_POOLER: dict[str, Rule] = {"bert.pooler.dense": "task.transform"}

TASKS: dict[str, dict[TaskName, TaskClass]] = {
    "bert": {
        "model": TaskClass("BertModel", _pooler, _BERT_POOLER),
        "sequence-classification": TaskClass(
            "BertForSequenceClassification", _by_pooler, {**_BERT_POOLER, **_CLASSIFIER}
        ),
        "token-classification": TaskClass("BertForTokenClassification", _tokens("hidden_dropout_prob"), _CLASSIFIER),
        "question-answering": TaskClass("BertForQuestionAnswering", _spans, _SPANS),
        "pre-training": TaskClass(
            "BertForPreTraining",
            _next_sentence,
            {**_BERT_POOLER, "cls.seq_relationship": "task.projection"},
            language_model=True,
        ),
    },
    "roberta": {
        "model": TaskClass("RobertaModel", _pooler, {"roberta.pooler.dense": "task.transform"}),
        "sequence-classification": TaskClass("RobertaForSequenceClassification", _by_first_token, _DENSE),
        "token-classification": TaskClass("RobertaForTokenClassification", _tokens("hidden_dropout_prob"), _CLASSIFIER),
        "question-answering": TaskClass("RobertaForQuestionAnswering", _spans, _SPANS),
    },
    "gpt1": {
        "model": TaskClass("OpenAIGPTModel", _no_head),
        "sequence-classification": TaskClass("OpenAIGPTForSequenceClassification", _by_last_token, _SCORE),
    },
    "gpt2": {
        "model": TaskClass("GPT2Model", _no_head),
        "sequence-classification": TaskClass("GPT2ForSequenceClassification", _by_last_token, _SCORE),
        "token-classification": TaskClass("GPT2ForTokenClassification", _tokens("hidden_dropout"), _CLASSIFIER),
        "question-answering": TaskClass("GPT2ForQuestionAnswering", _spans, _SPANS),
    },
    "bloom": {
        "model": TaskClass("BloomModel", _no_head),
        "sequence-classification": TaskClass("BloomForSequenceClassification", _by_last_token, _SCORE),
        "token-classification": TaskClass("BloomForTokenClassification", _tokens("hidden_dropout"), _CLASSIFIER),
        "question-answering": TaskClass("BloomForQuestionAnswering", _spans, _SPANS),
    },
    "opt": {
        "model": TaskClass("OPTModel", _no_head),
        "sequence-classification": TaskClass("OPTForSequenceClassification", _by_last_token, _SCORE),
        "question-answering": TaskClass("OPTForQuestionAnswering", _spans, _SPANS),
    },
    "llama": {
        "model": TaskClass("LlamaModel", _no_head),
        "sequence-classification": TaskClass("LlamaForSequenceClassification", _by_last_token, _SCORE),
        "token-classification": TaskClass("LlamaForTokenClassification", _tokens_of_llama, _SCORE),
        "question-answering": TaskClass("LlamaForQuestionAnswering", _spans, _SPANS, prefix="transformer."),
    },
    "bart": {
        "model": TaskClass("BartModel", _no_head),
        "sequence-classification": TaskClass("BartForSequenceClassification", _by_end_token(2, 2, 3), _DENSE_OF_PAIR),
        "question-answering": TaskClass("BartForQuestionAnswering", _spans_of_pair(2), _SPANS),
    },
    "t5": {
        "model": TaskClass("T5Model", _no_head),
        "encoder": TaskClass("T5EncoderModel", _no_head, encoder_only=True),
        "sequence-classification": TaskClass(
            "T5ForSequenceClassification", _by_end_token(0, 1, 2), _DENSE_OF_PAIR, prefix="transformer."
        ),
        "token-classification": TaskClass(
            "T5ForTokenClassification", _tokens(default=0.0), _CLASSIFIER, prefix="transformer.", encoder_only=True
        ),
        "question-answering": TaskClass("T5ForQuestionAnswering", _spans_of_pair(0), _SPANS),
    },
}
