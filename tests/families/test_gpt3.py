"""GPT-3 against its equations, written plainly in float64: pre-norm blocks, of which every second sees a band only."""

import math

import pytest
import torch
from torch import Tensor

from trivium.errors import ModelError
from trivium.families import gpt2, gpt3
from trivium.model import Transformer
from trivium.nn.cache import Cache
from trivium.weights.folder import load_folder, save_folder

WINDOW = 3


def tiny() -> Transformer:
    model = Transformer(gpt3.preset(vocab=50, dim=24, depth=4, heads=3, positions=32, window=WINDOW)).eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=generator))
    return model


def norm(weights: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    centred = x - x.mean(-1, keepdim=True)
    spread = torch.sqrt(centred.pow(2).mean(-1, keepdim=True) + 1e-5)
    return centred / spread * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def linear(weights: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def attention(weights: dict[str, Tensor], name: str, x: Tensor, window: int | None) -> Tensor:
    query, key, value = (linear(weights, f"{name}.{part}", x) for part in ("query", "key", "value"))
    rows = []
    for i in range(len(x)):
        seen = [j for j in range(i + 1) if window is None or i - j < window]
        heads = []
        for head in range(3):
            part = slice(8 * head, 8 * head + 8)
            scores = torch.stack([query[i, part] @ key[j, part] / math.sqrt(8) for j in seen])
            shares = torch.exp(scores) / torch.exp(scores).sum()
            heads.append(sum(share * value[j, part] for share, j in zip(shares, seen, strict=True)))
        rows.append(torch.cat(heads))
    return linear(weights, f"{name}.output", torch.stack(rows))


def gelu(x: Tensor) -> Tensor:
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def paper(weights: dict[str, Tensor], ids: list[int]) -> Tensor:
    """Logits of one text. Layers 0, 2, … are dense, 1, 3, … banded (Brown et al. 2020, section 2.1)."""
    x = weights["tokens.weight"][ids] + weights["decoder.embedding.positions.weight"][: len(ids)]
    for depth in range(4):
        layer = f"decoder.layers.{depth}"
        band = WINDOW if depth % 2 else None
        x = x + attention(weights, f"{layer}.attention", norm(weights, f"{layer}.before_attention", x), band)
        inner = linear(weights, f"{layer}.mlp.up", norm(weights, f"{layer}.before_mlp", x))
        x = x + linear(weights, f"{layer}.mlp.down", gelu(inner))
    return norm(weights, "decoder.final_norm", x) @ weights["tokens.weight"].T


IDS = [5, 9, 1, 44, 20, 8, 8, 31, 2, 17]


def test_logits_and_gradients_are_the_equations() -> None:
    model = tiny()
    weights = {name: p.detach().double().requires_grad_() for name, p in model.named_parameters()}
    expected, found = paper(weights, IDS), model(torch.tensor([IDS]))[0]
    torch.testing.assert_close(found.double(), expected, atol=1e-4, rtol=0)
    expected.logsumexp(-1).sum().backward()
    found.logsumexp(-1).sum().backward()
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad.double(), weights[name].grad, atol=1e-4, rtol=1e-5, msg=name)


def test_padding_and_a_cache_change_nothing() -> None:
    model = tiny()
    expected = paper({name: p.detach().double() for name, p in model.named_parameters()}, IDS)
    ids = torch.tensor([[0, 0, 0, *IDS], [7, 7, 7, *IDS]])
    documents = torch.ones_like(ids)
    documents[0, :3] = 0
    with torch.no_grad():
        cache = Cache.empty(model.architecture.decoder, batch=2, capacity=13)
        said = [model.head(model.decode(ids[:, :6], documents[:, :6], cache=cache))]
        said += [model.head(model.decode(ids[:, i : i + 1], cache=cache)) for i in range(6, 13)]
        whole = model(ids, documents)
    torch.testing.assert_close(torch.cat(said, dim=1)[0, 3:].double(), expected, atol=1e-4, rtol=0)
    torch.testing.assert_close(whole[0, 3:].double(), expected, atol=1e-4, rtol=0)
    assert not torch.allclose(whole[1, 3:].double(), expected, atol=1e-2), "other tokens before it are read"


def test_it_goes_through_a_folder(tmp_path) -> None:
    model = tiny()
    save_folder(tmp_path, model)
    again = load_folder(tmp_path)
    assert again.architecture == model.architecture
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True))


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_layers_take_turns(depth: int) -> None:
    architecture = gpt3.preset(vocab=50, dim=24, depth=depth, heads=3, window=7)
    windows = [layer.attention.window for layer in architecture.decoder.layers]
    assert windows == [None, 7, None, 7, None][:depth]
    assert gpt3.read_config(gpt3.write_config(architecture)) == architecture
    assert architecture.parameters == gpt2.preset(vocab=50, dim=24, depth=depth, heads=3, positions=2048).parameters


def test_without_a_window_it_is_a_gpt2() -> None:
    assert gpt3.preset(window=None) == gpt2.preset(positions=2048)


def test_a_config_without_a_band_is_refused() -> None:
    config = gpt3.write_config(gpt3.preset())
    with pytest.raises(ModelError, match="'window'"):
        gpt3.read_config({key: value for key, value in config.items() if key != "window"})
