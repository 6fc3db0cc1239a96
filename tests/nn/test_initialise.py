"""Initial weights: the standard deviation of every kind of weight, as its paper or its published code has it."""

import pytest
import torch

from trivium.architecture import Architecture
from trivium.families import bart, bert, bloom, gopher, gpt1, gpt2, gpt3, llama, opt, roberta, t5, transformer
from trivium.model import Transformer

DIM, DEPTH, HEADS, HEAD_DIM, HIDDEN, VOCAB = 64, 3, 4, 24, 144, 300
SIZE = {"vocab": VOCAB, "dim": DIM, "depth": DEPTH, "heads": HEADS, "hidden": HIDDEN}

MODELS = {
    "bart": bart.preset(**SIZE),
    "bert": bert.preset(**SIZE),
    "bloom": bloom.preset(vocab=VOCAB, dim=DIM, depth=DEPTH, heads=HEADS),
    "gopher": gopher.preset(**SIZE),
    "gpt1": gpt1.preset(vocab=VOCAB, dim=DIM, depth=DEPTH, heads=HEADS),
    "gpt2": gpt2.preset(**SIZE),
    "gpt3": gpt3.preset(vocab=VOCAB, dim=DIM, depth=DEPTH, heads=HEADS),
    "llama": llama.preset(**SIZE, kv_heads=2, head_dim=HEAD_DIM, tied=False),
    "opt": opt.preset(**SIZE),
    "roberta": roberta.preset(**SIZE),
    "t5": t5.preset(**SIZE, head_dim=HEAD_DIM),
    "t5 v1.1": t5.preset(**SIZE, head_dim=HEAD_DIM, gated=True, activation="gelu_tanh", tied=False),
    "transformer": transformer.preset(**SIZE),
}

#: What a name ends in → its standard deviation; the first that fits counts.
GPT2_RESIDUAL = 0.02 / (2 * DEPTH) ** 0.5  # Radford et al. 2019, section 2.3: 1/sqrt(N) of N residual layers
NORMAL = {"": 0.02}
FAN_IN = {  # Raffel et al. 2020: what the authors' code does, and transformers' `_init_weights`
    "query.weight": (DIM * HEAD_DIM) ** -0.5,
    "output.weight": (HEADS * HEAD_DIM) ** -0.5,
    "down.weight": HIDDEN**-0.5,
    "tokens.weight": 1.0,
    "": DIM**-0.5,
}
OPT_RESIDUAL = 0.006 / (2 * DEPTH) ** 0.5  # Zhang et al. 2022, section 2.2
XAVIER = {  # Glorot & Bengio 2010, equation 16, which the 2017 code draws by; its tokens are scaled by sqrt(dim) later
    "tokens.weight": DIM**-0.5,
    "mlp.up.weight": (2 / (DIM + HIDDEN)) ** 0.5,
    "mlp.down.weight": (2 / (DIM + HIDDEN)) ** 0.5,
    "": DIM**-0.5,
}
RESIDUAL = {"output.weight": GPT2_RESIDUAL, "down.weight": GPT2_RESIDUAL, **NORMAL}
EXPECTED = {
    "bart": NORMAL,
    "bert": NORMAL,
    "bloom": RESIDUAL,  # Shoeybi et al. 2019, section 3, whose code trained it
    "gopher": NORMAL,
    "gpt1": NORMAL,
    "gpt2": RESIDUAL,
    "gpt3": RESIDUAL,
    "opt": {"output.weight": OPT_RESIDUAL, "down.weight": OPT_RESIDUAL, "": 0.006},
    "roberta": NORMAL,
    "transformer": XAVIER,
    "llama": NORMAL,
    "t5": FAN_IN,
    "t5 v1.1": FAN_IN,
}


def built(architecture: Architecture, seed: int) -> Transformer:
    return Transformer(architecture, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", MODELS)
def test_every_weight_has_the_spread_of_its_kind(name: str) -> None:
    for parameter_name, weight in built(MODELS[name], 0).named_parameters():
        parameter = weight.detach()
        if parameter_name.endswith("bias"):
            assert not parameter.any(), parameter_name
        elif parameter.dim() == 1:
            assert torch.equal(parameter, torch.ones_like(parameter)), parameter_name
        else:
            std = next(std for ending, std in EXPECTED[name].items() if parameter_name.endswith(ending))
            noise = std / parameter.numel() ** 0.5  # of the mean; that of the spread is 1/sqrt(2) of it
            assert abs(float(parameter.mean())) < 4 * noise, parameter_name
            assert abs(float(parameter.std()) - std) < 4 * noise, parameter_name


@pytest.mark.parametrize("name", MODELS)
def test_the_generator_alone_decides(name: str) -> None:
    first, other = built(MODELS[name], 0), built(MODELS[name], 1)
    torch.manual_seed(1)
    again = built(MODELS[name], 0)
    for one, two, three in zip(first.parameters(), again.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two)
        assert torch.equal(one, three) == (one.dim() == 1)


def test_a_fresh_model_hesitates_between_all_tokens() -> None:
    """The loss before the first step is that of guessing, log V, or a little above."""
    ids = torch.randint(0, VOCAB, (8, 16), generator=torch.Generator().manual_seed(0))
    for name, architecture in MODELS.items():
        decoder_ids = ids if architecture.kind == "encoder-decoder" else None
        with torch.no_grad():
            entropy = torch.distributions.Categorical(logits=built(architecture, 0)(ids, None, decoder_ids)).entropy()
        assert float(entropy.mean()) > 0.85 * torch.tensor(float(VOCAB)).log(), name
