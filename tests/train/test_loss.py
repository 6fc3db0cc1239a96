"""The loss against torch's own cross-entropy, in value, gradient and memory."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
import transformers
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tests.train.tiny import KINDS, batch, build
from trivium.errors import TrainingError
from trivium.families.pre_training import pre_training
from trivium.families.registry import family_named
from trivium.model import Transformer
from trivium.objectives.batch import IGNORE, Batch
from trivium.train.loss import cross_entropy_in_place, head_loss
from trivium.weights.folder import save_folder

#: Largest difference from torch for each type: the gradient in bfloat16 is rounded once, torch's is as well.
TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-6, torch.bfloat16: 4e-3}


def logits_and_targets(rows: int, vocab: int, dtype: torch.dtype, scale: float = 3.0, seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    logits = (scale * torch.randn(rows, vocab, generator=generator, dtype=torch.float64)).to(dtype)
    return logits, torch.randint(0, vocab, (rows,), generator=generator)


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@given(rows=st.integers(1, 40), vocab=st.integers(1, 300), scale=st.floats(0.01, 30), seed=st.integers(0, 99))
def test_equals_torch(dtype: torch.dtype, rows: int, vocab: int, scale: float, seed: int) -> None:
    logits, targets = logits_and_targets(rows, vocab, dtype, scale, seed)
    theirs = logits.clone().requires_grad_()
    accurate = theirs.double() if dtype == torch.float64 else theirs.float()
    expected = F.cross_entropy(accurate, targets, reduction="sum")
    expected.backward()

    leaf = logits.clone().requires_grad_()
    ours = cross_entropy_in_place(leaf * 1, targets)
    ours.backward()
    torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-4)
    torch.testing.assert_close(leaf.grad, theirs.grad, rtol=0, atol=TOLERANCE[dtype])


def test_more_rows_than_a_block() -> None:
    """A vocabulary of 600,000 makes blocks of one row; 3 rows of 400,000 make blocks of two."""
    for rows, vocab in ((3, 400_000), (2, 1_200_000)):
        logits, targets = logits_and_targets(rows, vocab, torch.float32)
        expected = F.cross_entropy(logits, targets, reduction="sum")
        torch.testing.assert_close(cross_entropy_in_place(logits.clone(), targets), expected)


def test_a_target_that_underflows() -> None:
    """exp(-300) is zero in float32; its loss is 300 all the same."""
    logits = torch.tensor([[0.0, -300.0, 0.0]])
    assert cross_entropy_in_place(logits, torch.tensor([1])).item() == pytest.approx(
        300 + torch.tensor(2.0).log().item()
    )


def test_the_gradient_stands_where_the_logits_stood() -> None:
    logits, targets = logits_and_targets(5, 7, torch.float32)
    weights = torch.eye(7, requires_grad=True)
    product = logits @ weights
    address, probabilities = product.data_ptr(), product.detach().softmax(1)
    loss = cross_entropy_in_place(product, targets)
    assert product.data_ptr() == address
    torch.testing.assert_close(product.detach(), probabilities - F.one_hot(targets, 7))
    (loss * 3).backward()
    torch.testing.assert_close(weights.grad, 3 * logits.T @ (probabilities - F.one_hot(targets, 7)))


def test_numerical_gradient() -> None:
    logits, targets = logits_and_targets(4, 6, torch.float64)
    assert torch.autograd.gradcheck(lambda x: cross_entropy_in_place(x * 1.0, targets), logits.requires_grad_())


def test_a_head_that_kept_its_output_is_noticed() -> None:
    """tanh's backward pass needs its output, which the loss overwrites: an error, never a wrong gradient."""
    logits, targets = logits_and_targets(4, 6, torch.float32)
    loss = cross_entropy_in_place(logits.requires_grad_().tanh(), targets)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@pytest.mark.parametrize("kind", [*KINDS, "llama"])
def test_head_loss_is_the_cross_entropy_of_the_logits(kind: str) -> None:
    """The head at the targets only gives what the head at every position gives, gradients included (tied heads too)."""
    model, example = build(kind).eval(), batch("decoder" if kind == "llama" else kind, 0)
    inputs = (example.input_ids, example.documents, example.decoder_input_ids, example.decoder_documents)
    expected = F.cross_entropy(model(*inputs).flatten(0, 1), example.targets.flatten(), reduction="sum")
    expected.backward()
    gradients = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    ours = head_loss(model, example)
    ours.loss_sum.backward()
    assert ours.targets == example.target_tokens
    torch.testing.assert_close(ours.loss_sum, expected)
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            torch.testing.assert_close(parameter.grad, gradients[name], rtol=1e-4, atol=1e-5)


def test_the_head_sees_only_targets() -> None:
    model, example, seen = build("encoder"), batch("encoder", 0), []
    model.head.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0].shape))
    head_loss(model, example)
    assert seen == [(example.target_tokens, 24)]
    seen.clear()
    head_loss(model, Batch(example.input_ids, example.input_ids))
    assert seen == [(48, 24)]


def test_without_gradients_and_under_autocast() -> None:
    model, example = build("decoder").eval(), batch("decoder", 0)
    with_gradient = head_loss(model, example).loss_sum
    with torch.no_grad():
        without = head_loss(model, example).loss_sum
    assert torch.equal(with_gradient, without)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = head_loss(model, example).loss_sum
    assert half.dtype == torch.float32
    half.backward()
    torch.testing.assert_close(half, with_gradient, rtol=1e-2, atol=0)
    assert all(p.grad.dtype == torch.float32 for p in model.parameters() if p.grad is not None)


def test_a_batch_without_targets_has_no_loss() -> None:
    model, example = build("decoder"), batch("decoder", 0)
    nothing = head_loss(model, Batch(example.input_ids, torch.full_like(example.targets, IGNORE)))
    nothing.loss_sum.backward()
    assert nothing.targets == 0
    assert nothing.loss_sum.item() == 0
    assert all(not p.grad.any() for p in model.parameters() if isinstance(p, nn.Parameter) and p.grad is not None)


def pairs(labels: list[int]) -> Batch:
    """Four pairs of sentences whose first token tells their label; the first row ends in padding."""
    example = batch("encoder", 0)
    ids = example.input_ids.clone()
    ids[:, 0] = torch.tensor([7, 8])[torch.tensor(labels).clamp(min=0)]
    documents = torch.ones_like(ids)
    documents[0, -3:] = 0
    segments = (torch.arange(12) >= 6).long().expand(4, 12) * documents
    return Batch(ids, example.targets, documents, segments=segments, labels=torch.tensor(labels))


def of_pairs(dropout: float = 0.0) -> Transformer:
    family = pre_training(family_named("bert"))
    architecture = family.preset(vocab=61, dim=24, depth=2, heads=3, positions=40, dropout=dropout)
    return Transformer(architecture, torch.Generator().manual_seed(0))


@pytest.mark.parametrize("labels", [[0, 1, 1, 0], [0, IGNORE, 1, 1]])
def test_pairs_have_the_loss_of_transformers(labels: list[int], tmp_path: Path) -> None:
    """BertForPreTraining's: the mean over the hidden tokens plus the mean over the pairs. Its gradient, too."""
    model, example = of_pairs().eval(), pairs(labels)
    save_folder(tmp_path, model)
    theirs = transformers.BertForPreTraining.from_pretrained(tmp_path, attn_implementation="eager").eval()
    said = theirs(
        example.input_ids,
        example.documents,
        example.segments,
        labels=example.targets,
        next_sentence_label=example.labels,
    )
    said.loss.backward()
    ours = head_loss(model, example)
    loss = ours.loss_sum / ours.targets
    loss.backward()
    assert ours.targets == example.target_tokens
    torch.testing.assert_close(loss, said.loss)
    torch.testing.assert_close(
        model.tokens.weight.grad, theirs.get_input_embeddings().weight.grad, rtol=1e-4, atol=1e-6
    )
    torch.testing.assert_close(
        model.task.projection.weight.grad, theirs.cls.seq_relationship.weight.grad, rtol=1e-4, atol=1e-6
    )
    hidden = model.hidden(example.input_ids, example.documents, segments=example.segments)
    real = example.documents == 1
    torch.testing.assert_close(model.head(hidden)[real], said.prediction_logits[real], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        model.task(hidden, example.documents, example.input_ids), said.seq_relationship_logits, rtol=1e-4, atol=1e-5
    )


def test_twenty_steps_lower_both_losses() -> None:
    model, example = of_pairs(), pairs([0, 1, 1, 0])
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)

    def both() -> tuple[float, float]:
        words = head_loss(model, replace(example, labels=None)).loss_sum.item()
        return words, head_loss(model, example).loss_sum.item() - words

    before = both()
    for _ in range(20):
        optimizer.zero_grad()
        part = head_loss(model, example)
        (part.loss_sum / part.targets).backward()
        optimizer.step()
    after = both()
    assert after[0] < 0.7 * before[0]
    assert after[1] < 0.5 * before[1]


def test_pairs_without_a_label_and_models_without_a_head() -> None:
    model, example = of_pairs(), pairs([IGNORE] * 4)
    words = head_loss(model, replace(example, labels=None)).loss_sum
    assert head_loss(model, example).loss_sum.item() == words.item()
    with pytest.raises(TrainingError, match="no task head"):
        head_loss(build("encoder"), example)
