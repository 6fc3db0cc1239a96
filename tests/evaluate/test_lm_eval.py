"""lm-eval gives our models the numbers that it gives the same models in `transformers`, and that `lm.score` gives."""

import importlib
import json
import math
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
import transformers as hf

from tests.decode.tiny import TEXTS, speaker
from trivium.errors import UsageError
from trivium.language_model import LanguageModel

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of lm-eval's own imports
    from lm_eval import simple_evaluate
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    from trivium.evaluate.lm_eval import EvalModel, EvalOptions
    from trivium.evaluate.pseudo_likelihood import pseudo_scores

PAIRS = [
    ("The cat sat on", " the mat."),
    ("The cat sat on ", "the dog"),  # the space goes to the second
    ("", "Nobody knew where the river began"),
    ("She counted the boats twice, wrote the number", " in her book"),
    ("Every morning the old sailor walked down to the harbour. " * 4, " and waited"),  # over 64 tokens
]
OTHERS = ["the dog", "a story"]
WIDE = ["日本語", "zqxjk", "ÿþýü"]
_MODELS = {"gpt2": hf.AutoModelForCausalLM, "llama": hf.AutoModelForCausalLM, "t5": hf.AutoModelForSeq2SeqLM}


def instances(kind: str, arguments: list[tuple[Any, ...]]) -> list[Instance]:
    return [Instance(kind, {}, each, number) for number, each in enumerate(arguments)]


def both(family: str, folder: Path) -> tuple[EvalModel, HFLM]:
    lm = LanguageModel(*speaker(family))
    lm.save(folder)
    model = _MODELS[family].from_pretrained(folder)
    tokenizer = hf.AutoTokenizer.from_pretrained(folder)
    backend = "seq2seq" if family == "t5" else "causal"
    theirs = HFLM(model, tokenizer=tokenizer, backend=backend, batch_size=3, max_length=64, device="cpu")
    return EvalModel(lm, EvalOptions(rows=3, max_tokens=64, begin=False)), theirs


@pytest.mark.parametrize("family", list(_MODELS))
def test_likelihoods_are_those_of_its_own_model(family: str, tmp_path: Path) -> None:
    ours, theirs = both(family, tmp_path)
    asked = instances("loglikelihood", PAIRS)
    for one, other in zip(ours.loglikelihood(asked), theirs.loglikelihood(asked), strict=True):
        assert one[0] == pytest.approx(other[0], abs=1e-3)
        assert one[1] == other[1]
    assert ours.truncated == 1
    rolled = instances("loglikelihood_rolling", [(text,) for text in TEXTS[:4]])
    assert any(len(ours.tok_encode(text)) > 64 for text in TEXTS[:4])
    expected = theirs.loglikelihood_rolling(rolled)
    assert ours.loglikelihood_rolling(rolled) == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize("family", list(_MODELS))
def test_texts_are_those_of_its_own_model(family: str, tmp_path: Path) -> None:
    ours, theirs = both(family, tmp_path)
    for options in ({"until": ["e"], "max_gen_toks": 12}, {"until": [], "max_gen_toks": 8, "do_sample": False}):
        limited = options
        if family == "t5":  # its limit would count the source too, and the start token: answers longer than was asked
            limited = {**options, "max_length": int(str(options["max_gen_toks"])) + 1}
        texts = [text for text, _ in PAIRS if text]
        said = ours.generate_until(instances("generate_until", [(text, options) for text in texts]))
        expected = theirs.generate_until(instances("generate_until", [(text, limited) for text in texts]))
        assert any(said)
        # bytes of a character that the limit cuts are U+FFFD there, and nothing here
        assert [one.rstrip("\ufffd") for one in said] == [one.rstrip("\ufffd") for one in expected]


def test_likelihoods_are_those_of_score() -> None:
    for family in ("gpt2", "t5"):
        lm = LanguageModel(*speaker(family))
        assert family == "t5" or lm.tokenizer.begins_texts
        found = EvalModel(lm).loglikelihood(instances("loglikelihood", [PAIRS[0], PAIRS[3]]))
        for (before, text), (logprob, greedy) in zip([PAIRS[0], PAIRS[3]], found, strict=True):
            [score] = lm.score(before, [text])
            if family == "gpt2":  # an encoder-decoder's text gets no end token from lm-eval
                assert (logprob, greedy) == (pytest.approx(score.logprob, abs=1e-4), score.greedy)
            assert logprob < 0


def _task(folder: Path, name: str, rows: list[dict[str, Any]], **config: Any) -> None:
    (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    data = {"data_files": {"test": str(folder / f"{name}.jsonl")}, "cache_dir": str(folder / "cache")}
    task = {"task": name, "dataset_path": "json", "dataset_kwargs": data, "test_split": "test", **config}
    (folder / f"{name}.yaml").write_text(json.dumps(task))  # which YAML reads


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> TaskManager:
    folder = tmp_path_factory.mktemp("tasks")
    choices = [
        {"q": before, "choices": [text.strip(), "the dog", "a story"], "answer": 0} for before, text in PAIRS[:4]
    ]
    _task(
        folder, "choice", choices, output_type="multiple_choice", doc_to_text="{{q}}", doc_to_target="answer",
        doc_to_choice="{{choices}}", metric_list=[{"metric": "acc"}, {"metric": "acc_norm"}],
    )  # fmt: skip
    wide = [
        {"q": before, "choices": WIDE, "answer": 0}
        for before in ("", *(text[:end] for text in TEXTS[:4] for end in (3, 9, 20)))
    ]
    _task(
        folder, "wide", wide, output_type="multiple_choice", doc_to_text="{{q}}", doc_to_target="answer",
        doc_to_choice="{{choices}}", metric_list=[{"metric": "acc_norm"}],
    )  # fmt: skip
    _task(
        folder, "text", [{"page": text} for text in TEXTS[:4]], output_type="loglikelihood_rolling", doc_to_text="",
        doc_to_target="{{page}}", metric_list=[{"metric": "bits_per_byte"}, {"metric": "word_perplexity"}],
    )  # fmt: skip
    _task(
        folder, "words", [{"q": "The cat", "a": "sat"}], output_type="generate_until", doc_to_text="{{q}}",
        doc_to_target="{{a}}", generation_kwargs={"until": ["\n"], "max_gen_toks": 5, "do_sample": False},
        metric_list=[{"metric": "exact_match"}],
    )  # fmt: skip
    return TaskManager(include_path=str(folder), include_defaults=False)


def evaluated(model: Any, tasks: TaskManager, *names: str) -> Any:
    return simple_evaluate(model=model, tasks=list(names), task_manager=tasks, bootstrap_iters=0, log_samples=True)


@pytest.mark.slow
def test_a_task_of_ones_own(tasks: TaskManager, tmp_path: Path) -> None:
    ours, theirs = both("gpt2", tmp_path)
    one, other = (evaluated(model, tasks, "choice", "text", "words") for model in (ours, theirs))
    for task, metrics in other["results"].items():
        for name, value in metrics.items():
            if isinstance(value, float):
                assert one["results"][task][name] == pytest.approx(value, rel=1e-4), (task, name)
    # and those are our own numbers on the same items
    hits = []
    for before, text in PAIRS[:4]:
        scores = ours.lm.score(before.rstrip(), [" " + choice for choice in (text.strip(), *OTHERS)])
        hits.append(max(range(3), key=lambda index: scores[index].logprob) == 0)
    sample = one["samples"]["choice"][0]
    said = [float(pair[0]) for pair in sample["filtered_resps"]]
    asked = instances("loglikelihood", [(PAIRS[0][0], text) for text in (" the mat.", " the dog", " a story")])
    assert said == pytest.approx([logprob for logprob, _ in ours.loglikelihood(asked)])
    assert one["results"]["choice"]["acc,none"] == sum(hits) / 4
    bits = -sum(ours.loglikelihood_rolling(instances("r", [(text,) for text in TEXTS[:4]])))
    total = sum(len(text.encode()) for text in TEXTS[:4])
    assert one["results"]["text"]["bits_per_byte,none"] == pytest.approx(bits / math.log(2) / total)


@pytest.mark.slow
def test_a_choice_is_as_long_as_its_characters(tasks: TaskManager) -> None:
    model = EvalModel(LanguageModel(*speaker("gpt2")))
    lengths = {"characters": [len(text) for text in WIDE], "bytes": [len(text.encode()) for text in WIDE]}
    best: dict[str, list[int]] = {kind: [] for kind in lengths}
    samples = evaluated(model, tasks, "wide")["samples"]["wide"]
    for sample in samples:
        said = [float(answer[0]) for answer in sample["filtered_resps"]]
        for kind, counts in lengths.items():
            best[kind].append(max(range(3), key=lambda index: said[index] / counts[index]))
    assert best["characters"] != best["bytes"]
    assert [sample["acc_norm"] for sample in samples] == [float(index == 0) for index in best["characters"]]
    assert [sample["acc_norm"] for sample in samples] != [float(index == 0) for index in best["bytes"]]


def test_an_encoder_chooses_and_no_more(tasks: TaskManager) -> None:
    model, words = speaker("bert")
    encoder = EvalModel(LanguageModel(model, words))
    said = encoder.loglikelihood(instances("loglikelihood", PAIRS[:1] + PAIRS[2:3]))
    pairs = [(words.encode("The cat sat on"), words.encode("the mat.")), ([], words.encode(PAIRS[2][1]))]
    assert [one for one, _ in said] == pytest.approx([one.logprob for one in pseudo_scores(model, words, pairs)])
    with pytest.raises(UsageError, match="no probability to a text as a whole"):
        encoder.loglikelihood_rolling(instances("loglikelihood_rolling", [("A text",)]))
    with pytest.raises(UsageError, match="An encoder does not continue"):
        encoder.generate_until(instances("generate_until", [("A text", {"until": ["."], "max_gen_toks": 4})]))


def test_what_is_asked_in_vain_is_said() -> None:
    model = EvalModel(LanguageModel(*speaker("gpt2")))
    for options, said in (
        ({"num_beams": 4}, "decodes with num_beams"),
        ({}, "wants 256 new tokens, and this model has 64"),
    ):
        with pytest.raises(UsageError, match=said):
            model.generate_until(instances("generate_until", [("A text", options)]))
    with pytest.raises(UsageError, match="has 200 tokens, and this model reads 64"):
        model._loglikelihood_tokens([(None, [1], [5] * 200)])
    with pytest.raises(UsageError, match="apply_chat_template"):
        model.apply_chat_template([{"role": "user", "content": "Hi"}])


def test_without_lm_eval_the_way_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lm_eval", None)
    monkeypatch.delitem(sys.modules, "trivium.evaluate.lm_eval")
    with pytest.raises(UsageError, match=r"pip install 'trivium\[lm-eval\]'"):
        importlib.import_module("trivium.evaluate.lm_eval")


def test_drawn_texts_are_drawn_again() -> None:
    lm = LanguageModel(*speaker("gpt2"))
    options = {"do_sample": True, "temperature": 1.0, "max_gen_toks": 8, "top_k": 20}
    asked = instances("generate_until", [("The cat", options), ("The cat", options)])
    first, again, other = (EvalModel(lm, EvalOptions(seed=seed)).generate_until(asked) for seed in (3, 3, 4))
    assert first == again != other
    assert first[0] != first[1]
