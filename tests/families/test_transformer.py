"""The 2017 Transformer against its equations, written out in float64 one token and one head at a time.

`transformers` has no such model, so nothing here is shared with the parts that it tests.
"""

import math

import pytest
import torch
from torch import Tensor

from trivium.architecture import Dropout, Xavier
from trivium.errors import ModelError
from trivium.families import transformer
from trivium.model import Transformer
from trivium.nn.cache import Cache
from trivium.weights.folder import load_folder, save_folder

DIM, HEADS = 24, 3


def tiny(**options) -> Transformer:
    """With every weight away from where it starts, biases and norms too."""
    architecture = transformer.preset(vocab=41, dim=DIM, depth=2, decoder_depth=3, heads=HEADS, hidden=37, **options)
    generator = torch.Generator().manual_seed(3)
    model = Transformer(architecture, generator)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return model.eval()


# ---- the paper ------------------------------------------------------------------------------------------------------


def encoding(position: int) -> Tensor:
    """Section 3.5."""
    waves = [position / 10_000 ** (2 * (i // 2) / DIM) for i in range(DIM)]
    return torch.tensor([math.cos(w) if i % 2 else math.sin(w) for i, w in enumerate(waves)], dtype=torch.float64)


def embed(weights: dict[str, Tensor], ids: list[int]) -> Tensor:
    """Sections 3.4 and 3.5."""
    return torch.stack([weights["tokens.weight"][t] * math.sqrt(DIM) + encoding(p) for p, t in enumerate(ids)])


def norm(weights: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    centred = x - x.mean(dim=-1, keepdim=True)
    scale = torch.sqrt((centred**2).mean(dim=-1, keepdim=True) + 1e-6)
    return centred / scale * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def attention(weights: dict[str, Tensor], name: str, x: Tensor, memory: Tensor, causal: bool) -> Tensor:
    """Equation 1 for each head, and section 3.2.2."""
    size, rows = DIM // HEADS, []
    for t in range(len(x)):
        heads = []
        for head in range(HEADS):
            part = slice(head * size, (head + 1) * size)
            query, key, value = (weights[f"{name}.{kind}.weight"][part] for kind in ("query", "key", "value"))
            seen = memory[: t + 1] if causal else memory
            scores = torch.stack([(query @ x[t]) @ (key @ m) / math.sqrt(size) for m in seen])
            shares = torch.exp(scores) / torch.exp(scores).sum()
            heads.append(sum(share * (value @ m) for share, m in zip(shares, seen, strict=True)))
        rows.append(weights[f"{name}.output.weight"] @ torch.cat(heads))
    return torch.stack(rows)


def feed_forward(weights: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    """Equation 2."""
    hidden = torch.clamp(x @ weights[f"{name}.up.weight"].T + weights[f"{name}.up.bias"], min=0)
    return hidden @ weights[f"{name}.down.weight"].T + weights[f"{name}.down.bias"]


def exact(model: Transformer) -> dict[str, Tensor]:
    return {name: parameter.detach().double() for name, parameter in model.named_parameters()}


def paper(weights: dict[str, Tensor], ids: list[int], written: list[int]) -> Tensor:
    """Logits of one pair of texts: section 3.1, LayerNorm(x + Sublayer(x))."""
    x = embed(weights, ids)
    for depth in range(2):
        layer = f"encoder.layers.{depth}"
        x = norm(weights, f"{layer}.after_attention", x + attention(weights, f"{layer}.attention", x, x, False))
        x = norm(weights, f"{layer}.after_mlp", x + feed_forward(weights, f"{layer}.mlp", x))
    y = embed(weights, written)
    for depth in range(3):
        layer = f"decoder.layers.{depth}"
        y = norm(weights, f"{layer}.after_attention", y + attention(weights, f"{layer}.attention", y, y, True))
        read = attention(weights, f"{layer}.cross_attention", y, x, False)
        y = norm(weights, f"{layer}.after_cross_attention", y + read)
        y = norm(weights, f"{layer}.after_mlp", y + feed_forward(weights, f"{layer}.mlp", y))
    return y @ weights["tokens.weight"].T


# ---- against it -----------------------------------------------------------------------------------------------------

TEXTS = [[5, 6, 7, 8, 9, 10, 11], [12, 3], [13, 14, 15, 16]]
WRITTEN = [[2, 20, 21], [2, 22, 23, 24, 25], [2]]


def padded(texts: list[list[int]], left: bool) -> tuple[Tensor, Tensor]:
    width = max(map(len, texts))
    ids, documents = torch.zeros(2, len(texts), width, dtype=torch.long)
    for row, text in enumerate(texts):
        place = slice(width - len(text), width) if left else slice(0, len(text))
        ids[row, place], documents[row, place] = torch.tensor(text), 1
    return ids, documents


@pytest.mark.parametrize("left", [False, True])
@pytest.mark.parametrize("written_left", [False, True])
def test_logits_are_the_papers(left: bool, written_left: bool) -> None:
    model = tiny()
    (ids, documents), (written, written_documents) = padded(TEXTS, left), padded(WRITTEN, written_left)
    with torch.no_grad():
        logits = model(ids, documents, written, written_documents).double()
    for row, (text, answer) in enumerate(zip(TEXTS, WRITTEN, strict=True)):
        expected = paper(exact(model), text, answer)
        assert expected.abs().max() > 0.5
        torch.testing.assert_close(logits[row][written_documents[row].bool()], expected, atol=1e-5, rtol=0)


def test_gradients_are_the_papers() -> None:
    model = tiny()
    weights = {name: weight.requires_grad_() for name, weight in exact(model).items()}
    paper(weights, TEXTS[0], WRITTEN[1]).logsumexp(-1).sum().backward()
    model(torch.tensor(TEXTS[:1]), None, torch.tensor(WRITTEN[1:2])).logsumexp(-1).sum().backward()
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad.double(), weights[name].grad, atol=1e-4, rtol=1e-5, msg=name)


def test_step_by_step_with_a_cache() -> None:
    model = tiny()
    ids, documents = padded(TEXTS, left=False)
    answer = [2, 30, 31, 32, 33, 34]
    written = torch.tensor([answer] * 3)
    with torch.no_grad():
        memory = model.encode(ids, documents)
        cache = Cache.empty(model.architecture.decoder, batch=3, capacity=6)
        steps = [model.head(model.decode(written[:, t : t + 1], None, memory, documents, cache)) for t in range(6)]
    logits = torch.cat(steps, dim=1).double()
    for row, text in enumerate(TEXTS):
        torch.testing.assert_close(logits[row], paper(exact(model), text, answer), atol=1e-5, rtol=0)


def test_the_papers_two_models() -> None:
    """Table 3 prints 65 and 213 million; its vocabulary is of about 37,000 tokens."""
    base, big = (transformer.TRANSFORMER.size(name) for name in ("base", "big"))
    assert (base.parameters, big.parameters) == (63_045_632, 214_171_648)
    for printed, architecture in ((65e6, base), (213e6, big)):
        assert abs(architecture.parameters / printed - 1) < 0.035
    for architecture, dim, hidden, heads in ((base, 512, 2048, 8), (big, 1024, 4096, 16)):
        layer = architecture.encoder.pattern[0]
        assert (architecture.dim, layer.mlp.hidden, layer.attention.heads) == (dim, hidden, heads)
        assert (layer.attention.head_dim, layer.mlp.activation) == (64, "relu")
        assert architecture.encoder.embedding.scale == dim**0.5
        assert (architecture.encoder.depth, architecture.decoder.depth) == (6, 6)
        assert architecture.initialisation == Xavier()


def test_dropout_is_where_section_5_4_has_it() -> None:
    architecture = transformer.preset(dropout=0.1)
    for stack in (architecture.encoder, architecture.decoder):
        assert stack.embedding.dropout == 0.1
        assert stack.pattern[0].dropout == Dropout(residual=0.1)
        assert stack.final_dropout == 0.0
    model = tiny(dropout=0.3)
    ids = torch.tensor(TEXTS[:1])
    with torch.no_grad():
        still, torn = model(ids, None, ids), model.train()(ids, None, ids)
    assert (still - torn).abs().max() > 0.1


def test_folders_go_round_exactly(tmp_path) -> None:
    model = tiny(eps=1e-5)
    save_folder(tmp_path, model)
    again = load_folder(tmp_path)
    assert again.architecture == model.architecture
    ids = torch.tensor(TEXTS[:1])
    with torch.no_grad():
        assert torch.equal(again(ids, None, ids), model(ids, None, ids))


def test_variants_go_both_ways() -> None:
    architecture = transformer.preset(dim=24, depth=2, decoder_depth=3, heads=3, hidden=50, eps=1e-3, dropout=0.2)
    assert transformer.read_config(transformer.write_config(architecture)) == architecture


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tie_word_embeddings": False}, "tie_word_embeddings: False"),
        ({"is_encoder_decoder": False}, "is_encoder_decoder: False"),
        ({"num_heads": 7}, "512 cannot be split into 7 heads"),
        ({"d_ff": 0}, "d_ff: 0"),
    ],
)
def test_what_would_give_other_logits_is_refused(change: dict, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        transformer.read_config(transformer.write_config(transformer.preset()) | change)
