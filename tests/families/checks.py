"""What a family's page promises, each as a function that raises where it does not hold.

The oracle is `transformers` at tiny size. `test_oracle.py` runs the checks one by one, `table.py` draws the table of
the docs with them.
"""

import copy
from pathlib import Path

import torch
import transformers as hf

from tests.families.tiny import VOCAB, oracle, oracle_logits, ours, with_dropout
from trivium.families.family import Family
from trivium.families.registry import family_named
from trivium.model import Transformer
from trivium.nn.cache import Cache
from trivium.objectives.batch import Batch
from trivium.train.loss import head_loss
from trivium.weights.folder import load_folder, save_folder
from trivium.weights.names import entries, to_stored

IDS = {"pad_token_id": 1, "eos_token_id": 2, "bos_token_id": 0, "decoder_start_token_id": 2}
LENGTHS = (20, 13, 4)


def tokens(rows: int, length: int, seed: int = 1) -> torch.Tensor:
    return torch.randint(3, VOCAB, (rows, length), generator=torch.Generator().manual_seed(seed))


def decoder_tokens(theirs: hf.PreTrainedModel, rows: int, length: int) -> torch.Tensor | None:
    return tokens(rows, length, seed=2) if theirs.config.is_encoder_decoder else None


def padding(ids: torch.Tensor, left: bool) -> torch.Tensor:
    mask = torch.zeros_like(ids)
    for row, length in enumerate(LENGTHS):
        mask[row, ids.shape[1] - length if left else 0 :][:length] = 1
    return mask


def check_logits(name: str, folder: Path) -> None:
    theirs = oracle(name)
    model = ours(theirs, folder)
    ids, decoder_ids = tokens(3, 33), decoder_tokens(theirs, 3, 21)
    with torch.no_grad():
        logits = model(ids, None, decoder_ids)
    expected = oracle_logits(theirs, ids, None, decoder_ids)
    assert expected.abs().max() > 0.5, "logits near zero would prove nothing"
    torch.testing.assert_close(logits, expected, atol=1e-4, rtol=0)


def check_padding_on_the_right(name: str, folder: Path) -> None:
    theirs = oracle(name)
    model = ours(theirs, folder)
    ids, decoder_ids = tokens(3, 20), decoder_tokens(theirs, 3, 9)
    mask = padding(ids, left=False)
    if theirs.config.pad_token_id is not None:  # RoBERTa finds its padding by the token, not by the mask
        ids = ids.masked_fill(mask == 0, theirs.config.pad_token_id)
    with torch.no_grad():
        logits = model(ids, mask, decoder_ids)
    expected = oracle_logits(theirs, ids, mask, decoder_ids)
    real = mask.bool() if decoder_ids is None else torch.ones_like(decoder_ids, dtype=torch.bool)
    torch.testing.assert_close(logits[real], expected[real], atol=1e-4, rtol=0)


def check_padding_on_the_left(name: str, folder: Path) -> None:
    """Each row says what `transformers` says of that row alone, without padding, in whichever way it counts columns."""
    theirs = oracle(name)
    model = ours(theirs, folder)
    ids, decoder_ids = tokens(3, 20), decoder_tokens(theirs, 3, 9)
    with torch.no_grad():
        logits = model(ids, padding(ids, left=True), decoder_ids)
    for row, length in enumerate(LENGTHS):
        begin = ids.shape[1] - length
        written = None if decoder_ids is None else decoder_ids[row : row + 1]
        expected = oracle_logits(theirs, ids[row : row + 1, begin:], None, written)
        found = logits[row : row + 1, 0 if written is not None else begin :]
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


def check_gradients(name: str, folder: Path) -> None:
    """Of every parameter: the difference is at most 1e-5 of its gradient (or of a hundredth of the largest one)."""
    theirs = oracle(name)
    model = ours(theirs, folder)
    ids, decoder_ids = tokens(2, 17), decoder_tokens(theirs, 2, 11)
    extra = {} if decoder_ids is None else {"decoder_input_ids": decoder_ids}
    theirs(input_ids=ids, **extra).logits.logsumexp(-1).sum().backward()
    model(ids, None, decoder_ids).logsumexp(-1).sum().backward()
    gradients = {key: parameter.grad for key, parameter in model.named_parameters()}
    assert all(gradient is not None for gradient in gradients.values())
    published = {
        entry.stored: to_stored(entry, gradients) for entry in entries(model, family_named(model.architecture.family))
    }
    expected = {key: parameter.grad for key, parameter in theirs.named_parameters() if parameter.grad is not None}
    assert set(published) == set(expected)
    largest = max(float(gradient.norm()) for gradient in expected.values())
    for key, gradient in expected.items():
        allowed = 1e-5 * max(float(gradient.norm()), largest / 100)
        assert float((published[key] - gradient).norm()) < allowed, key


def check_dropout(name: str, folder: Path) -> None:
    """Both draw from torch's generator, so equal places, shapes and order of dropout give equal logits."""
    theirs = with_dropout(name)
    model = ours(theirs, folder)
    ids, decoder_ids = tokens(2, 17), decoder_tokens(theirs, 2, 11)
    extra = {} if decoder_ids is None else {"decoder_input_ids": decoder_ids}
    with torch.no_grad():
        still = model(ids, None, decoder_ids)
        torch.manual_seed(5)
        expected = theirs.train()(input_ids=ids, **extra).logits
        torch.manual_seed(5)
        found = model.train()(ids, None, decoder_ids)
    assert (still - expected).abs().max() > 0.1, "dropout did nothing"
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


def check_cache(name: str, folder: Path) -> None:
    """Prompts of different lengths, padded on the left, then token by token: as `transformers` says without a cache."""
    theirs = oracle(name)
    model = ours(theirs, folder)
    assert model.architecture.decoder is not None
    ids = tokens(3, 20)
    memory = memory_mask = None
    if model.architecture.encoder is not None:
        written, memory_mask = tokens(3, 12, seed=2), padding(ids, left=False)
        lengths = [12, 12, 12]
    else:
        written, lengths = torch.cat((ids, tokens(3, 12, seed=2)), dim=1), [12 + length for length in LENGTHS]
    prompt = written.shape[1] - 8
    documents = None if memory_mask is not None else padding(ids, left=True)
    documents = None if documents is None else torch.cat((documents, documents.new_ones(3, 4)), dim=1)
    with torch.no_grad():
        if memory_mask is not None:
            memory = model.encode(ids, memory_mask)
        cache = Cache.empty(model.architecture.decoder, batch=3, capacity=written.shape[1])
        said = [model.head(model.decode(written[:, :prompt], documents, memory, memory_mask, cache))]
        for column in range(prompt, written.shape[1]):
            said.append(model.head(model.decode(written[:, column : column + 1], None, memory, memory_mask, cache)))
    logits = torch.cat(said, dim=1)
    for row, length in enumerate(lengths):
        begin = written.shape[1] - length
        if memory_mask is None:
            expected = oracle_logits(theirs, written[row : row + 1, begin:])
        else:
            expected = oracle_logits(theirs, ids[row : row + 1, : LENGTHS[row]], None, written[row : row + 1])
        torch.testing.assert_close(logits[row : row + 1, begin:], expected, atol=1e-4, rtol=0)


def check_bfloat16(name: str, folder: Path) -> None:
    """In bfloat16 we are as near to float32 as `transformers` is."""
    theirs = oracle(name)
    model = ours(theirs, folder)
    ids, decoder_ids = tokens(3, 33), decoder_tokens(theirs, 3, 21)
    exact = oracle_logits(theirs, ids, None, decoder_ids)
    rough = oracle_logits(copy.deepcopy(theirs).bfloat16(), ids, None, decoder_ids).float()
    with torch.no_grad():
        found = load_folder(folder, dtype=torch.bfloat16)(ids, None, decoder_ids)
    assert found.dtype == torch.bfloat16
    assert float((found.float() - exact).abs().mean()) < 1.5 * float((rough - exact).abs().mean())
    del model


def check_saving(name: str, folder: Path) -> None:
    """Bit for bit there and back, with nothing missing or left over where `transformers` opens it."""
    theirs = oracle(name)
    model = ours(theirs, folder / "in")
    save_folder(folder / "out", model, IDS)
    again = load_folder(folder / "out")
    assert again.architecture == model.architecture
    for (key, first), (other, second) in zip(model.named_parameters(), again.named_parameters(), strict=True):
        assert key == other
        assert torch.equal(first, second), key
    opened, report = type(theirs).from_pretrained(folder / "out", output_loading_info=True)
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    assert not report["mismatched_keys"]
    for key, parameter in theirs.named_parameters():
        assert torch.equal(parameter, opened.get_parameter(key)), key
    ids, decoder_ids = tokens(2, 12), decoder_tokens(theirs, 2, 5)
    with torch.no_grad():
        logits = model(ids, None, decoder_ids)
    torch.testing.assert_close(oracle_logits(opened.eval(), ids, None, decoder_ids), logits, atol=1e-4, rtol=0)


def check_counts(name: str, folder: Path) -> None:
    theirs = oracle(name)
    held = sum(parameter.numel() for parameter in theirs.parameters())
    assert ours(theirs, folder).architecture.parameters == held


def check_a_preset_learns(family: Family) -> None:
    """A fresh model, with the paper's initial weights, learns a batch by heart."""
    torch.manual_seed(0)
    model = Transformer(family.preset(vocab=VOCAB, dim=32, depth=2, heads=4, positions=32))
    ids = tokens(2, 12)
    written = ids if model.architecture.kind == "encoder-decoder" else None
    batch = Batch(ids, ids.roll(-1, dims=1), None, written)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(60):
        summed = head_loss(model, batch)
        loss = summed.loss_sum / summed.targets
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0], losses
