"""The measured choice of a number format."""

import pytest
import torch

from trivium.train.precision import Precision, autocast, measure_matmul, resolve_precision

CPU = torch.device("cpu")


def test_auto_takes_what_was_measured_to_be_faster() -> None:
    found = resolve_precision("auto", CPU)
    full, half = found.float32_flops_per_second, found.bfloat16_flops_per_second
    assert found.format == ("bfloat16" if half > 1.2 * full else "float32")
    assert found.flops_per_second == (half if found.format == "bfloat16" else full)
    assert Precision(**found.to_dict()) == found


@pytest.mark.parametrize(("wanted", "dtype"), [("float32", torch.float32), ("bfloat16", torch.bfloat16)])
def test_a_wish_is_kept(wanted: str, dtype: torch.dtype) -> None:
    found = resolve_precision(wanted, CPU)
    assert found.dtype == dtype
    assert found.flops_per_second > 1e6


def test_the_rate_is_that_of_a_product() -> None:
    """Between a thousandth and ten thousand times 1 GFLOP/s, and the same twice within a factor of three."""
    first, second = measure_matmul(torch.float32, CPU), measure_matmul(torch.float32, CPU)
    assert 1e6 < first < 1e13
    assert 1 / 3 < first / second < 3


def test_autocast_multiplies_in_the_format() -> None:
    a = torch.randn(4, 4)
    with autocast(Precision("bfloat16"), CPU):
        assert (a @ a).dtype == torch.bfloat16
    with autocast(Precision("float32"), CPU):
        assert (a @ a).dtype == torch.float32
