"""GPT-1 (Radford et al. 2018): a post-norm decoder with learned positions and a tied head."""

__all__ = ["GPT1", "preset", "read_config", "write_config"]

from typing import Any

from trivium import architecture as arch
from trivium.errors import ModelError
from trivium.families.family import (
    Config,
    Family,
    Ignored,
    Rule,
    Stacked,
    Tied,
    Transposed,
    config_value,
    require_values,
    size_of_heads,
)
from trivium.families.fields import read_number

#: The released code's "gelu" is the tanh form.
_ACTIVATIONS: dict[str, arch.Activation] = {"gelu": "gelu_tanh", "relu": "relu", "silu": "silu"}


def preset(
    *,
    vocab: int = 40_478,
    dim: int = 768,
    depth: int = 12,
    heads: int = 12,
    positions: int = 512,
    activation: arch.Activation = "gelu_tanh",
    eps: float = 1e-5,
    dropout: float = 0.0,
    attention_dropout: float = 0.0,
    embedding_dropout: float = 0.0,
) -> arch.Architecture:
    """The published model unless told otherwise (section 4.1)."""
    layer = arch.Layer(
        attention=arch.Attention(heads, size_of_heads(dim, heads), qkv_bias=True, out_bias=True),
        mlp=arch.MLP(hidden=4 * dim, activation=activation, bias=True),
        norms=arch.Norms(after=arch.LayerNorm(eps=eps)),
        dropout=arch.Dropout(residual=dropout, attention=attention_dropout),
    )
    return arch.Architecture(
        family="gpt1",
        vocab=vocab,
        dim=dim,
        decoder=arch.Stack(
            depth=depth,
            pattern=(layer,),
            causal=True,
            embedding=arch.Embedding(position=arch.Learned(positions), dropout=embedding_dropout),
        ),
        head=arch.Head(tied=True),
        initialisation=arch.Normal(std=0.02),
    )


def read_config(config: Config) -> arch.Architecture:
    """A published config.json as an architecture."""
    require_values(config, {"tie_word_embeddings": True})
    activation = config.get("afn", "gelu")
    if not isinstance(activation, str) or activation not in _ACTIVATIONS:
        raise ModelError(
            f"A GPT-1 with the activation '{activation}' is not known; there are {', '.join(_ACTIVATIONS)}."
        )
    return preset(
        vocab=config_value(config, "vocab_size"),
        dim=config_value(config, "n_embd"),
        depth=config_value(config, "n_layer"),
        heads=config_value(config, "n_head"),
        positions=config_value(config, "n_positions"),
        activation=_ACTIVATIONS[activation],
        eps=read_number(config, "layer_norm_epsilon", 1e-5),
        dropout=read_number(config, "resid_pdrop", 0.1, below=1),
        attention_dropout=read_number(config, "attn_pdrop", 0.1, below=1),
        embedding_dropout=read_number(config, "embd_pdrop", 0.1, below=1),
    )


def write_config(architecture: arch.Architecture) -> dict[str, Any]:
    """The config.json under which Hugging Face opens it."""
    stack = architecture.decoder
    assert stack is not None
    assert isinstance(stack.embedding.position, arch.Learned)
    layer = stack.pattern[0]
    names = {ours: theirs for theirs, ours in _ACTIVATIONS.items()}
    return {
        "vocab_size": architecture.vocab,
        "n_embd": architecture.dim,
        "n_layer": stack.depth,
        "n_head": layer.attention.heads,
        "n_positions": stack.embedding.position.positions,
        "afn": names[layer.mlp.activation],
        "layer_norm_epsilon": layer.norms.after.eps if layer.norms.after else 1e-5,
        "resid_pdrop": layer.dropout.residual,
        "attn_pdrop": layer.dropout.attention,
        "embd_pdrop": stack.embedding.dropout,
        "tie_word_embeddings": True,
    }


_ATTENTION = "decoder.layers.*.attention"
_TABLE: dict[str, Rule] = {
    "transformer.tokens_embed": "tokens",
    "transformer.positions_embed": "decoder.embedding.positions",
    "transformer.position_ids": Ignored("0, 1, 2, …, which old files carry"),
    "transformer.h.*.attn.c_attn": Stacked(
        (f"{_ATTENTION}.query", f"{_ATTENTION}.key", f"{_ATTENTION}.value"), transposed=True
    ),
    "transformer.h.*.attn.c_proj": Transposed(f"{_ATTENTION}.output"),
    "transformer.h.*.attn.bias": Ignored("the causal mask, which old files carry"),
    "transformer.h.*.ln_1": "decoder.layers.*.after_attention",
    "transformer.h.*.mlp.c_fc": Transposed("decoder.layers.*.mlp.up"),
    "transformer.h.*.mlp.c_proj": Transposed("decoder.layers.*.mlp.down"),
    "transformer.h.*.ln_2": "decoder.layers.*.after_mlp",
    "lm_head": Tied("tokens"),
}

GPT1 = Family(
    name="gpt1",
    kind="decoder",
    model_type="openai-gpt",
    classes="OpenAIGPTLMHeadModel",
    objective="causal",
    tokenizer="bpe",
    prefix="transformer.",
    preset=preset,
    read_config=read_config,
    write_config=write_config,
    table=lambda architecture: _TABLE,
    sizes={"117m": {}},
)
