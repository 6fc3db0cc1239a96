"""Gopher against its equations, written plainly in float64: RMSNorm and the scores of Dai et al. 2019, section 3.3."""

import math

import torch
from torch import Tensor

from trivium.families import gopher
from trivium.model import Transformer
from trivium.nn.cache import Cache
from trivium.weights.folder import load_folder, save_folder

HEADS, SIZE, DIM = 3, 6, 20


def tiny() -> Transformer:
    model = Transformer(gopher.preset(vocab=50, dim=DIM, depth=2, heads=HEADS, head_dim=SIZE, hidden=40)).eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=generator))
    return model


def norm(weights: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    return x / torch.sqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * weights[f"{name}.weight"]


def wave(distance: int) -> Tensor:
    """R of the paper: sines of all frequencies, then cosines (as in its authors' code)."""
    angles = [distance / 10_000 ** (2 * channel / DIM) for channel in range(DIM // 2)]
    return torch.tensor([math.sin(a) for a in angles] + [math.cos(a) for a in angles], dtype=torch.float64)


def attention(weights: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    """A_ij = (W_q x_i + u)ᵀ W_kE x_j + (W_q x_i + v)ᵀ W_kR R_{i−j}, over sqrt(size), softmax over j ≤ i."""
    rows = []
    for i in range(len(x)):
        heads = []
        for head in range(HEADS):
            part = slice(SIZE * head, SIZE * (head + 1))
            q, k, value = (weights[f"{name}.{kind}.weight"][part] for kind in ("query", "key", "value"))
            r = weights[f"{name}.distances.projection.weight"][part]
            u, v = weights[f"{name}.distances.content"][head, 0], weights[f"{name}.distances.distance"][head, 0]
            scores = torch.stack(
                [
                    ((q @ x[i] + u) @ (k @ x[j]) + (q @ x[i] + v) @ (r @ wave(i - j))) / math.sqrt(SIZE)
                    for j in range(i + 1)
                ]
            )
            shares = torch.exp(scores) / torch.exp(scores).sum()
            heads.append(sum(share * (value @ x[j]) for j, share in enumerate(shares)))
        rows.append(weights[f"{name}.output.weight"] @ torch.cat(heads))
    return torch.stack(rows)


def paper(weights: dict[str, Tensor], ids: list[int]) -> Tensor:
    """Logits of one text."""
    x = weights["tokens.weight"][ids]
    for depth in range(2):
        layer = f"decoder.layers.{depth}"
        x = x + attention(weights, f"{layer}.attention", norm(weights, f"{layer}.before_attention", x))
        inner = norm(weights, f"{layer}.before_mlp", x) @ weights[f"{layer}.mlp.up.weight"].T
        inner = inner * 0.5 * (1 + torch.erf(inner / math.sqrt(2)))
        x = x + inner @ weights[f"{layer}.mlp.down.weight"].T
    return norm(weights, "decoder.final_norm", x) @ weights["tokens.weight"].T


IDS = [5, 9, 1, 44, 20, 8, 8, 31]


def test_logits_and_gradients_are_the_equations() -> None:
    model = tiny()
    weights = {name: p.detach().double().requires_grad_() for name, p in model.named_parameters()}
    expected, found = paper(weights, IDS), model(torch.tensor([IDS]))[0]
    assert expected.abs().max() > 0.5
    torch.testing.assert_close(found.double(), expected, atol=1e-4, rtol=0)
    expected.logsumexp(-1).sum().backward()
    found.logsumexp(-1).sum().backward()
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad.double(), weights[name].grad, atol=1e-4, rtol=1e-5, msg=name)


def test_padding_a_neighbour_and_a_cache_change_nothing() -> None:
    model = tiny()
    expected = paper({name: p.detach().double() for name, p in model.named_parameters()}, IDS)
    ids = torch.tensor([[0, 0, 0, *IDS], [7, 7, 7, *IDS]])
    documents = torch.tensor([[0] * 3 + [1] * 8, [1] * 3 + [2] * 8])
    with torch.no_grad():
        whole = model(ids, documents)
        cache = Cache.empty(model.architecture.decoder, batch=1, capacity=11)
        said = [model.head(model.decode(ids[:1, :6], documents[:1, :6], cache=cache))]
        said += [model.head(model.decode(ids[:1, i : i + 1], cache=cache)) for i in range(6, 11)]
    for row in (0, 1):
        torch.testing.assert_close(whole[row, 3:].double(), expected, atol=1e-4, rtol=0)
    torch.testing.assert_close(torch.cat(said, dim=1)[0, 3:].double(), expected, atol=1e-4, rtol=0)


def test_it_goes_through_a_folder(tmp_path) -> None:
    model = tiny()
    save_folder(tmp_path, model)
    again = load_folder(tmp_path)
    assert again.architecture == model.architecture
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True))
