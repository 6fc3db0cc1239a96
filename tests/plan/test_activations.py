"""What each part saves, and what it gives back, beside the page's own table."""

import pytest

from trivium import architecture as arch
from trivium.adapt.lora import Lora
from trivium.plan.activations import Lengths, Parts, Sight
from trivium.plan.tape import Tape, Tensor

ROWS, TOKENS, DIM, HEADS = 3, 10, 16, 2
NUMBERS = ROWS * TOKENS * DIM


def made(low: bool = False, lora: Lora | None = None) -> tuple[Parts, Tensor]:
    """Parts, and a hidden state that wants a gradient."""
    tape = Tape(low)
    parts = Parts(tape, DIM, lora, accumulates=False)
    table = parts.weight("tokens", 5, DIM, adapted=True)
    return parts, tape.operation(NUMBERS, 4, [(table, 4 * table.elements)])


def test_norms_save_what_they_read() -> None:
    parts, x = made()
    out = parts.norm("norm", arch.LayerNorm(), x)
    del x, out
    assert parts.tape.ledger.total == 4 * NUMBERS + 8 * ROWS * TOKENS
    parts, x = made()
    out = parts.norm("norm", arch.RMSNorm(), x)
    del x, out
    assert parts.tape.ledger.total == 2 * 4 * NUMBERS + 4 * ROWS * TOKENS


@pytest.mark.parametrize(("activation", "hidden"), [("gelu", 2), ("silu", 2), ("relu", 1)])
def test_an_mlp_saves_its_inside_before_and_behind_the_activation(activation: arch.Activation, hidden: int) -> None:
    parts, x = made()
    out = parts.mlp("mlp", arch.MLP(hidden=4 * DIM, activation=activation), x, share=0.0)
    del x, out
    assert parts.tape.ledger.total == 4 * NUMBERS * (1 + 4 * hidden)


def test_a_gated_mlp_saves_four_insides() -> None:
    parts, x = made()
    out = parts.mlp("mlp", arch.MLP(hidden=4 * DIM, activation="silu", gated=True), x, share=0.0)
    del x, out
    assert parts.tape.ledger.total == 4 * NUMBERS * (1 + 4 * 4)


def attended(parts: Parts, x: Tensor, sight: Sight, share: float) -> int:
    lengths = Lengths(ROWS, HEADS, TOKENS, TOKENS)
    attention = arch.Attention(heads=HEADS, head_dim=DIM // HEADS)
    out = parts.attention("attention", attention, x, x, lengths, sight, share)
    del out, x
    return parts.tape.ledger.total


def test_attention_saves_no_scores_unless_it_must() -> None:
    scores = ROWS * HEADS * TOKENS**2
    lines = ROWS * HEADS * TOKENS
    parts, x = made()
    assert attended(parts, x, Sight(causal=True), 0.0) == 4 * (5 * NUMBERS + lines)
    # Dropout: the weights, the weights that are left, and which those are.
    parts, x = made()
    assert attended(parts, x, Sight(), 0.1) == 4 * (5 * NUMBERS + 3 * scores)


def test_autocast_saves_a_copy_of_the_input_for_each_product() -> None:
    parts, x = made(low=True)
    parts.tape.kind = "x"
    out = parts.linear("a", x, DIM, DIM, bias=False), parts.linear("b", x, DIM, DIM, bias=False)
    del x, out
    assert parts.tape.ledger.alive["x"] == 2 * 2 * NUMBERS
    assert parts.tape.ledger.alive["copies of weights"] == 2 * 2 * DIM**2


def test_a_frozen_product_saves_nothing_and_its_adaptation_its_input() -> None:
    lora = Lora(rank=2, targets=("adapted",))
    parts, x = made(lora=lora)
    x_bytes = parts.tape.ledger.total
    out = parts.linear("frozen", x, DIM, DIM, bias=True)
    del x, out
    assert parts.tape.ledger.total == 0
    parts, x = made(lora=lora)
    out = parts.linear("adapted", x, DIM, DIM, bias=True)
    del x, out
    assert parts.tape.ledger.total == x_bytes + 4 * ROWS * TOKENS * lora.rank
