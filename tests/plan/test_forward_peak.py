"""Temporaries of a forward pass, against sums by hand. Real models: test_measured_inference.py."""

from trivium.families import llama
from trivium.families.registry import FAMILIES
from trivium.plan.forward_peak import Pass, forward_peak

LONG = 8


def test_gpt2_by_hand() -> None:
    architecture = FAMILIES["gpt2"].preset(vocab=100, dim=64, depth=2, heads=4, positions=1024)
    assert architecture.decoder is not None
    hidden = 3 * 10 * 64 * 4
    # The tokens' vectors, the layer's input, what attention gave, their sum, its norm; the MLP before and after GELU.
    by_hand = 5 * hidden + 2 * 4 * hidden
    assert forward_peak(architecture.decoder, 64, Pass(rows=3, new=10)) == by_hand + LONG * (2 * 30 + 10)


def test_a_gated_mlp_holds_three() -> None:
    architecture = llama.preset(vocab=100, dim=64, depth=2, heads=4, hidden=512)
    assert architecture.decoder is not None
    hidden, inner, angles = 30 * 64 * 2, 30 * 512 * 2, 2 * 10 * 16 * 4
    by_hand = 5 * hidden + 3 * inner + angles
    assert forward_peak(architecture.decoder, 64, Pass(rows=3, new=10, number=2)) == by_hand + LONG * (2 * 30 + 10)


def test_scores_appear_only_where_there_is_a_bias() -> None:
    """Fused attention is linear in the length; a bias on the scores makes it quadratic."""
    for family, quadratic in (("gpt2", False), ("llama", False), ("bloom", True), ("gopher", True)):
        stack = FAMILIES[family].preset(vocab=100, dim=64, depth=2, heads=4, positions=1024).decoder
        assert stack is not None
        growth = forward_peak(stack, 64, Pass(1, 4000)) / forward_peak(stack, 64, Pass(1, 2000))
        assert (growth > 3) == quadratic, family
        assert growth > 1.9


def test_padding_costs_a_matrix() -> None:
    stack = FAMILIES["gpt2"].preset(vocab=100, dim=64, depth=2, heads=4, positions=1024).decoder
    assert stack is not None
    plain, padded = (forward_peak(stack, 64, Pass(4, 500, padded=padded)) for padded in (False, True))
    assert padded - plain >= 4 * 500 * 500
