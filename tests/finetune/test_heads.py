"""The head is the published class's, the body keeps its weights, and the model it came from stays as it is."""

import pytest
import torch

from tests.finetune.tiny import body
from tests.tasks.tiny import headed
from trivium import architecture as arch
from trivium.errors import UsageError
from trivium.finetune.heads import starting_model, with_head, without_head
from trivium.weights.fresh import FreshHead

SENTIMENT = FreshHead("sequence-classification", ("bad", "good"), "single_label_classification")


@pytest.mark.parametrize("family", ["bert", "gpt2", "llama", "t5"])
def test_a_new_head_stands_on_the_same_body(family: str) -> None:
    lm = body(family)
    before = {name: tensor.clone() for name, tensor in lm.model.state_dict().items()}
    architecture = with_head(lm.architecture, SENTIMENT)
    model = starting_model(lm.model, architecture, seed=3)
    assert isinstance(architecture.task, arch.SequenceLabels)
    assert (architecture.task.labels, architecture.head) == (("bad", "good"), None)
    for name, weight in model.named_parameters():
        assert weight.requires_grad
        assert name.startswith("task.") or torch.equal(weight, before[name])
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
    assert all(torch.equal(tensor, before[name]) for name, tensor in lm.model.state_dict().items())


def test_the_head_is_drawn_by_the_seed() -> None:
    lm = body("bert")
    architecture = with_head(lm.architecture, SENTIMENT)
    first, again, other = (starting_model(lm.model, architecture, seed) for seed in (1, 1, 2))
    heads = [model.get_parameter("task.projection.weight") for model in (first, again, other)]
    assert torch.equal(heads[0], heads[1])
    assert not torch.equal(heads[0], heads[2])


def test_a_model_that_knows_the_labels_goes_on_from_what_it_knows() -> None:
    lm = headed("bert", "sequence-classification", ("a", "b"))
    same = with_head(lm.architecture, FreshHead("sequence-classification", ("b", "a"), "single_label_classification"))
    assert same == lm.architecture
    weight = starting_model(lm.model, same, seed=5).get_parameter("task.projection.weight")
    assert torch.equal(weight, lm.model.get_parameter("task.projection.weight"))
    other = with_head(lm.architecture, FreshHead("sequence-classification", ("b", "c"), "single_label_classification"))
    assert other != lm.architecture


def test_vectors_need_no_head() -> None:
    for family, decoder in (("bert", False), ("gpt2", True), ("t5", False)):
        lm = body(family)
        bare = without_head(lm.architecture)
        assert (bare.head, bare.task, bare.decoder is not None) == (None, None, decoder)
        assert torch.equal(starting_model(lm.model, bare, 0).tokens.weight, lm.model.tokens.weight)


def test_a_family_without_such_a_class_says_so() -> None:
    with pytest.raises(UsageError, match="no head 'token-classification' for bart"):
        with_head(headed_bart(), FreshHead("token-classification", ("O", "B-PER")))


def headed_bart() -> arch.Architecture:
    from trivium.families import bart

    return bart.BART.preset(vocab=50, dim=24, depth=2, heads=2, positions=32)
