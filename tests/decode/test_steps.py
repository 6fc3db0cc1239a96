"""The token loop: cached equals uncached, batches equal rows alone, and all of it equals `transformers`."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.families.tiny import VOCAB, oracle, ours
from trivium.decode.prompt import pad
from trivium.decode.rules import ABSENT
from trivium.decode.sampling import Sampling
from trivium.decode.steps import Reading, check_prompts, row_limits, steps
from trivium.errors import ModelError, UsageError
from trivium.families import gpt2, t5
from trivium.model import Transformer

SPEAKERS = ["gpt2", "llama", "t5"]
START, END = 0, 1


def prompts(*lengths: int, seed: int = 4) -> list[list[int]]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randint(3, VOCAB, (length,), generator=generator).tolist() for length in lengths]


def said(model: Transformer, rows: list[list[int]], new: int = 12, **options: Any) -> list[list[int]]:
    """The tokens of every row, up to and with the end token."""
    sampling = Sampling(max_tokens=new, **options).resolve()
    finished = [False] * len(rows)
    texts: list[list[int]] = [[] for _ in rows]
    for step in steps(model, rows, sampling, [new] * len(rows), finished, START):
        for row, token in enumerate(step.ids.tolist()):
            if token != ABSENT:
                texts[row].append(token)
                finished[row] = token in (sampling.end_ids or ())
    return texts


def theirs_said(theirs: Any, rows: list[list[int]], new: int = 12, **options: Any) -> list[list[int]]:
    """The same by `transformers`."""
    encoder_decoder = theirs.config.is_encoder_decoder
    ids, documents = pad(rows, left=not encoder_decoder)
    mask = torch.ones_like(ids) if documents is None else documents
    greedy = {"max_new_tokens": new, "do_sample": False, "eos_token_id": END, "pad_token_id": 0}
    out = theirs.generate(input_ids=ids, attention_mask=mask, **greedy, **options)
    cut = 1 if encoder_decoder else ids.shape[1]
    texts = out[:, cut:].tolist()
    return [text[: text.index(END) + 1] if END in text else text for text in texts]


@pytest.mark.parametrize("family", SPEAKERS)
def test_cached_logits_equal_those_of_the_whole_text(family: str, tmp_path: Path) -> None:
    model = ours(oracle(family), tmp_path)
    rows = prompts(3, 9, 1, 9)
    generator = torch.Generator().manual_seed(7)
    reading = Reading(model, rows, room=6, start_id=START)
    heard: list[list[int]] = [[] for _ in rows]
    places = torch.arange(4)
    for step in range(6):
        if step == 3:  # two rows leave, the others change places
            kept = torch.tensor([3, 0])
            reading.keep(kept)
            places = places[kept]
        for place, row in enumerate(places.tolist()):
            expected = _whole(model, rows[row], heard[row])
            torch.testing.assert_close(reading.logits[place], expected, atol=1e-4, rtol=0)
        ids = torch.randint(3, VOCAB, (len(places),), generator=generator)
        for place, row in enumerate(places.tolist()):
            heard[row].append(int(ids[place]))
        reading.read(ids)


@torch.no_grad()
def _whole(model: Transformer, prompt: list[int], heard: list[int]) -> Tensor:
    if model.architecture.kind == "decoder":
        return model(torch.tensor([prompt + heard]))[0, -1]
    return model(torch.tensor([prompt]), None, torch.tensor([[START, *heard]]))[0, -1]


@pytest.mark.parametrize(
    "options", [{}, {"repetition_penalty": 1.5}, {"no_repeat_ngram": 2}, {"min_tokens": 5}], ids=str
)
@pytest.mark.parametrize("family", SPEAKERS)
def test_greedy_equals_transformers(family: str, options: dict[str, Any], tmp_path: Path) -> None:
    theirs = oracle(family)
    model = ours(theirs, tmp_path)
    names = {"no_repeat_ngram": "no_repeat_ngram_size", "min_tokens": "min_new_tokens"}
    rows = prompts(7, 7, 7)
    expected = theirs_said(theirs, rows, **{names.get(name, name): value for name, value in options.items()})
    assert said(model, rows, temperature=0, end_ids=(END,), **options) == expected
    assert len({tuple(text) for text in expected}) > 1, "all the same would prove little"


@pytest.mark.parametrize("family", SPEAKERS)
def test_greedy_with_padding_equals_transformers(family: str, tmp_path: Path) -> None:
    theirs = oracle(family, seed=1)
    model = ours(theirs, tmp_path)
    rows = prompts(3, 11, 6, 1)
    assert said(model, rows, temperature=0, end_ids=(END,)) == theirs_said(theirs, rows)


@pytest.mark.parametrize(
    "options",
    [
        {"temperature": 0},
        {"temperature": 1.3, "top_p": 0.95},
        {"temperature": 1.0, "repetition_penalty": 1.4, "top_k": 20},
    ],
    ids=str,
)
@pytest.mark.parametrize("family", SPEAKERS)
def test_a_batch_says_what_its_rows_say_alone(family: str, options: dict[str, Any], tmp_path: Path) -> None:
    """Rows of other lengths beside it, rows that end before it: the row with seed + i alone says the same."""
    model = ours(oracle(family), tmp_path)
    rows = prompts(3, 11, 6, 1, 11)
    ends = tuple(range(3, 12))  # often drawn, so that rows leave at different times
    together = said(model, rows, seed=20, end_ids=ends, **options)
    alone = [said(model, [row], seed=20 + place, end_ids=ends, **options)[0] for place, row in enumerate(rows)]
    assert together == alone
    assert options["temperature"] == 0 or len({len(text) for text in together}) > 1


def test_the_seed_decides(tmp_path: Path) -> None:
    model = ours(oracle("gpt2"), tmp_path)
    rows = prompts(5) * 2
    first = said(model, rows, temperature=1, seed=1)
    assert said(model, rows, temperature=1, seed=1) == first
    assert said(model, rows, temperature=1, seed=2)[0] == first[1]  # row i of seed s is row i + 1 of seed s - 1
    assert first[0] != first[1]
    assert said(model, rows, temperature=0, seed=1) == said(model, rows, temperature=0, seed=2)


def test_log_probabilities_are_the_models_own(tmp_path: Path) -> None:
    model = ours(oracle("gpt2"), tmp_path)
    [prompt] = prompts(5)
    sampling = Sampling(max_tokens=8, temperature=0.3, top_k=3, seed=0).resolve()
    taken = list(steps(model, [prompt], sampling, [8], [False]))
    tokens = [int(step.ids) for step in taken]
    with torch.no_grad():
        logits = model(torch.tensor([prompt + tokens[:-1]]))[0, 4:]
    expected = logits.log_softmax(dim=-1)[torch.arange(8), tokens]
    torch.testing.assert_close(torch.cat([step.logprobs for step in taken]), expected, atol=1e-4, rtol=0)


def test_rows_leave_at_their_limit_and_when_told(tmp_path: Path) -> None:
    model = ours(oracle("llama"), tmp_path)
    finished = [False, False, False]
    seen = []
    for step in steps(model, prompts(2, 3, 4), Sampling(temperature=0).resolve(), [2, 5, 4], finished):
        seen.append((step.ids != ABSENT).tolist())
        finished[2] = len(seen) == 3
    assert seen == [[True] * 3, [True] * 3, [False, True, True], [False, True, False], [False, True, False]]


def test_learned_positions_limit_a_row_and_not_its_neighbours() -> None:
    model = Transformer(gpt2.preset(vocab=20, dim=8, depth=1, heads=2, positions=10)).eval()
    rows = [[1] * 7, [1, 2]]
    assert row_limits(model.architecture, rows, 6) == [3, 6]
    sampling = Sampling(temperature=0, max_tokens=6).resolve()
    lengths = torch.zeros(2)
    for step in steps(model, rows, sampling, row_limits(model.architecture, rows, 6), [False, False]):
        lengths += step.ids != ABSENT
    assert lengths.tolist() == [3, 6]
    assert row_limits(t5.preset(vocab=20, dim=8, depth=1, heads=2), rows, 6) == [6, 6]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([[1], []], "Prompt 1 has no tokens"),
        ([[1], [2, 20]], "Prompt 1 has tokens from 2 to 20, but this model's vocabulary is 0 to 19"),
        ([[-1]], "Prompt 0 has tokens from -1"),
        ([[1] * 10], "Prompt 0 has 10 tokens, but this model can read 9 and leave room for one more"),
    ],
)
def test_what_cannot_be_read_is_refused(rows: list[list[int]], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        check_prompts(gpt2.preset(vocab=20, dim=8, depth=1, heads=2, positions=10), rows)
    check_prompts(gpt2.preset(vocab=20, dim=8, depth=1, heads=2, positions=10), [[1] * 9])


def test_an_encoder_says_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="An encoder does not continue a text"):
        check_prompts(ours(oracle("bert"), tmp_path).architecture, [[1]])


def test_an_encoder_decoder_needs_its_start(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="start_id"):
        Reading(ours(oracle("t5"), tmp_path), [[3, 4]], room=1)


@pytest.mark.parametrize("temperature", [0, 1])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_logits_that_are_not_numbers_are_an_error(value: float, temperature: int) -> None:
    model = Transformer(gpt2.preset(vocab=20, dim=8, depth=1, heads=2, positions=10)).eval()
    with torch.no_grad():
        model.tokens.weight[3] = value
    with pytest.raises(ModelError, match="not finite numbers"):
        next(iter(steps(model, [[1, 3]], Sampling(temperature=temperature).resolve(), [2], [False])))


@pytest.mark.parametrize("temperature", [0, 1])
def test_rules_that_forbid_everything_are_an_error(temperature: int) -> None:
    model = Transformer(gpt2.preset(vocab=4, dim=8, depth=1, heads=2, positions=10)).eval()
    sampling = Sampling(no_repeat_ngram=1, temperature=temperature).resolve()
    with pytest.raises(UsageError, match="no_repeat_ngram"):
        list(steps(model, [[0]], sampling, [5], [False]))
