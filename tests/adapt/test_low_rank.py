"""The layers of low-rank adaptation, beside the equation."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from trivium.adapt.lora import Lora
from trivium.adapt.low_rank import DoraLinear, LoraLinear, adapted_layers, add_lora
from trivium.architecture import Pooler, SequenceLabels
from trivium.errors import UsageError
from trivium.families.registry import FAMILIES
from trivium.model import Transformer


def test_the_equation() -> None:
    linear = nn.Linear(6, 4)
    adapted = LoraLinear(linear, Lora(rank=2, alpha=3.0))
    x = torch.randn(5, 6)
    assert torch.equal(adapted(x), linear(x))  # B starts at zero
    nn.init.normal_(adapted.up.weight)
    merged = linear.weight + 3.0 / 2 * adapted.up.weight @ adapted.down.weight
    torch.testing.assert_close(adapted(x), x @ merged.T + linear.bias)


@pytest.mark.parametrize("family", ["bert", "gpt2", "t5"])
def test_only_the_updates_are_trained(family: str) -> None:
    model = Transformer(FAMILIES[family].preset(vocab=50, dim=32, depth=2, heads=2, positions=16))
    before = sum(p.numel() for p in model.parameters())
    adapted = add_lora(model, Lora(rank=4))
    layers = adapted.layers
    attentions = 2 * (3 if family == "t5" else 1)
    assert layers == 2 * attentions
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    assert all(".down." in name or ".up." in name for name in trained)
    assert sum(p.numel() for p in trained.values()) == layers * 4 * (32 + 32)
    assert sum(p.numel() for p in model.parameters()) == before + layers * 4 * (32 + 32)


def test_a_pattern_that_names_nothing_is_an_error() -> None:
    model = Transformer(FAMILIES["gpt2"].preset(vocab=50, dim=32, depth=2, heads=2, positions=16))
    with pytest.raises(UsageError, match=r"by \*q_proj.*attention\.query"):
        add_lora(model, Lora(targets=("*q_proj",)))
    with pytest.raises(UsageError, match=r"by \*\.quary\. Did you mean 'query'"):
        add_lora(model, Lora(targets=("*.quary",)))


def test_the_decomposed_equation() -> None:
    linear = nn.Linear(6, 4)
    adapted = DoraLinear(linear, Lora(rank=2, alpha=3.0, decomposed=True))
    x = torch.randn(5, 6)
    torch.testing.assert_close(adapted(x), linear(x))  # m starts as the rows' lengths
    nn.init.normal_(adapted.up.weight)
    nn.init.uniform_(adapted.magnitude)
    whole = linear.weight + 3.0 / 2 * adapted.up.weight @ adapted.down.weight
    lengths = whole.norm(dim=1)
    torch.testing.assert_close(adapted.row_lengths(), lengths)
    merged = whole * (adapted.magnitude / lengths)[:, None]
    torch.testing.assert_close(adapted(x), x @ merged.T + linear.bias)
    torch.testing.assert_close(adapted.merged_weight(), merged.detach())
    adapted(x).sum().backward()  # the lengths are taken for numbers that stand still (section 4.3)
    expected = (whole.detach() @ x.T).sum(dim=1) / lengths.detach()
    torch.testing.assert_close(adapted.magnitude.grad, expected)


@pytest.mark.parametrize("lora", [Lora(dropout=0.5), Lora(dropout=0.5, decomposed=True)])
def test_dropout_is_of_the_update_s_input_and_of_training_alone(lora: Lora) -> None:
    model = Transformer(FAMILIES["gpt2"].preset(vocab=50, dim=32, depth=2, heads=2, positions=16))
    add_lora(model, lora)
    ids = torch.arange(10)[None]
    torch.testing.assert_close(model.train()(ids), model.eval()(ids))  # B is zero: what is dropped weighs nothing
    layer = next(iter(adapted_layers(model).values()))
    nn.init.normal_(layer.up.weight)
    assert torch.equal(model(ids), model(ids))
    assert not torch.equal(model.train()(ids), model(ids))


def test_layers_that_share_their_a_are_trained_once() -> None:
    made = FAMILIES["gpt2"].preset(vocab=50, dim=32, depth=2, heads=2, positions=16)
    fused, apart = Transformer(made), Transformer(made)
    shared = add_lora(fused, Lora(4, targets=("c_attn",)))
    assert shared.trained == 2 * (4 * 32 + 4 * 3 * 32)
    assert add_lora(apart, Lora(4, targets=("*query", "*key", "*value"))).trained == 2 * 3 * (4 * 32 + 4 * 32)
    attention = fused.decoder.layers[0].attention
    assert attention.query.down is attention.key.down is attention.value.down


def test_the_share_is_said() -> None:
    model = Transformer(FAMILIES["gpt2"].preset(vocab=50, dim=32, depth=2, heads=2, positions=16))
    adapted = add_lora(model, Lora(4))
    assert adapted.trained == sum(p.numel() for p in model.parameters() if p.requires_grad) == 1024
    assert str(adapted) == f"LoRA in 4 layers: 1,024 of {adapted.total:,} weights trained ({adapted.share:.2%})"
    assert adapted.to_dict()["share"] == adapted.trained / adapted.total


def test_a_task_s_head_is_trained_whole_and_a_bare_pooler_is_not() -> None:
    made = FAMILIES["bert"].preset(vocab=50, dim=32, depth=2, heads=2, positions=16)
    labels = replace(made, head=None, task=SequenceLabels(("a", "b", "c"), transform=True))
    classifier = Transformer(labels)
    adapted = add_lora(classifier, Lora(4, targets=("*",)))
    assert adapted.layers == 2 * 6
    assert all(weight.requires_grad for weight in classifier.task.parameters())
    bare = Transformer(replace(made, head=None, task=Pooler()))
    add_lora(bare, Lora(4))
    assert not any(weight.requires_grad for weight in bare.task.parameters())


def test_a_model_is_adapted_once() -> None:
    model = Transformer(FAMILIES["gpt2"].preset(vocab=50, dim=32, depth=2, heads=2, positions=16))
    add_lora(model, Lora())
    with pytest.raises(UsageError, match="has updates of low rank already"):
        add_lora(model, Lora())
