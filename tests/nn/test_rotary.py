"""Rotary positions against multiplication by a complex number, and their stretching against transformers."""

import pytest
import torch
import transformers as hf
from hypothesis import given
from hypothesis import strategies as st
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

from trivium import architecture as arch
from trivium.errors import ModelError
from trivium.nn.rotary import Rotary, rotate


def turned(x: torch.Tensor, positions: torch.Tensor, theta: float) -> torch.Tensor:
    """Channels i and i + E/2 as one complex number, times exp(√−1 · position · theta^(−2i/E)), in double precision."""
    half = x.shape[-1] // 2
    frequencies = torch.tensor([theta ** (-2 * i / x.shape[-1]) for i in range(half)], dtype=torch.float64)
    angles = positions[:, None, :, None].double() * frequencies
    z = torch.complex(x[..., :half].double(), x[..., half:].double()) * torch.exp(1j * angles)
    return torch.cat((z.real, z.imag), dim=-1)


@pytest.mark.parametrize("theta", [10_000.0, 500_000.0])
@pytest.mark.parametrize("head_dim", [2, 6, 64])
def test_rotary_is_multiplication_by_a_complex_number(theta: float, head_dim: int) -> None:
    x = torch.randn(2, 3, 11, head_dim)
    positions = torch.stack([torch.arange(11), torch.tensor([0, 1, 2, 0, 1, 2, 3, 2000, 40, 0, 1])])
    found = rotate(x, Rotary(arch.Rotary(theta), head_dim)(positions))
    torch.testing.assert_close(found, turned(x, positions, theta).float(), atol=5e-4, rtol=0)


@given(query=st.integers(0, 500), key=st.integers(0, 500), shift=st.integers(0, 500))
def test_a_rotated_product_knows_the_distance_only(query: int, key: int, shift: int) -> None:
    generator = torch.Generator().manual_seed(query)
    q, k = torch.randn(2, 1, 1, 1, 16, generator=generator)
    rotary = Rotary(arch.Rotary(), 16)

    def product(at: int, other: int) -> torch.Tensor:
        return (rotate(q, rotary(torch.tensor([[at]]))) * rotate(k, rotary(torch.tensor([[other]])))).sum()

    torch.testing.assert_close(product(query + shift, key + shift), product(query, key), atol=2e-3, rtol=0)
    torch.testing.assert_close(rotate(q, rotary(torch.tensor([[query]]))).norm(), q.norm())


def test_angles_stay_exact_in_a_model_of_low_precision() -> None:
    rotary, position = Rotary(arch.Rotary(), 8), torch.tensor([[1999]])
    for exact, cast in zip(rotary(position), rotary.bfloat16()(position), strict=True):
        assert torch.equal(exact, cast)


@pytest.mark.parametrize(
    ("scaling", "published"),
    [
        (arch.LinearScaling(4.0), {"rope_type": "linear", "factor": 4.0}),
        (
            arch.LlamaScaling(8.0, low=1.0, high=4.0, original_positions=8192),
            {
                "rope_type": "llama3",
                "factor": 8.0,
                "low_freq_factor": 1.0,
                "high_freq_factor": 4.0,
                "original_max_position_embeddings": 8192,
            },
        ),
    ],
)
def test_stretched_frequencies_equal_the_oracle(scaling: arch.RotaryScaling, published: dict) -> None:
    rope = {**published, "rope_theta": 500_000.0}
    config = hf.LlamaConfig(
        hidden_size=512, num_attention_heads=4, max_position_embeddings=131_072, rope_parameters=rope
    )
    expected, attention_factor = ROPE_INIT_FUNCTIONS[published["rope_type"]](config, torch.device("cpu"))
    assert attention_factor == 1.0
    found = Rotary(arch.Rotary(500_000.0, scaling), 128).frequencies()
    torch.testing.assert_close(found, expected, atol=0, rtol=1e-6)
    assert not torch.allclose(found, Rotary(arch.Rotary(500_000.0), 128).frequencies())


def test_scaling_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(ModelError, match="low < high"):
        arch.LlamaScaling(8.0, low=4.0, high=1.0, original_positions=8192)
