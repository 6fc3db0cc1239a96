"""GPT-2 (Radford et al. 2019): a pre-norm decoder with learned positions and a tied head."""

__all__ = ["GPT2", "SIZES", "preset", "read_config", "write_config"]

from typing import Any

from trivium import architecture as arch
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
from trivium.families.fields import activation_name, read_activation, read_number, read_size


def preset(
    *,
    vocab: int = 50_257,
    dim: int = 768,
    depth: int = 12,
    heads: int = 12,
    positions: int = 1024,
    hidden: int | None = None,
    activation: arch.Activation = "gelu_tanh",
    eps: float = 1e-5,
    dropout: float = 0.0,
    attention_dropout: float = 0.0,
    embedding_dropout: float = 0.0,
) -> arch.Architecture:
    """GPT-2 small unless told otherwise; its weights that write to the residual stream start smaller (section 2.3)."""
    norm = arch.LayerNorm(eps=eps)
    layer = arch.Layer(
        attention=arch.Attention(heads=heads, head_dim=size_of_heads(dim, heads), qkv_bias=True, out_bias=True),
        mlp=arch.MLP(hidden=hidden or 4 * dim, activation=activation, bias=True),
        norms=arch.Norms(before=norm),
        dropout=arch.Dropout(residual=dropout, attention=attention_dropout),
    )
    return arch.Architecture(
        family="gpt2",
        vocab=vocab,
        dim=dim,
        decoder=arch.Stack(
            depth=depth,
            pattern=(layer,),
            causal=True,
            embedding=arch.Embedding(position=arch.Learned(positions), dropout=embedding_dropout),
            final_norm=norm,
        ),
        head=arch.Head(tied=True),
        initialisation=arch.Normal(std=0.02, scale_residual=True),
    )


def read_config(config: Config) -> arch.Architecture:
    """A published config.json as an architecture."""
    covered = {"scale_attn_weights": True, "scale_attn_by_inverse_layer_idx": False, "tie_word_embeddings": True}
    require_values(config, {**covered, "add_cross_attention": False})
    return preset(
        vocab=config_value(config, "vocab_size"),
        dim=config_value(config, "n_embd"),
        depth=config_value(config, "n_layer"),
        heads=config_value(config, "n_head"),
        positions=config_value(config, "n_positions"),
        hidden=read_size(config, "n_inner"),
        activation=read_activation(config, "activation_function", "gelu_new"),
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
    return {
        "vocab_size": architecture.vocab,
        "n_embd": architecture.dim,
        "n_layer": stack.depth,
        "n_head": layer.attention.heads,
        "n_positions": stack.embedding.position.positions,
        "n_inner": layer.mlp.hidden,
        "activation_function": activation_name(layer.mlp.activation),
        "layer_norm_epsilon": layer.norms.before.eps if layer.norms.before else 1e-5,
        "resid_pdrop": layer.dropout.residual,
        "attn_pdrop": layer.dropout.attention,
        "embd_pdrop": stack.embedding.dropout,
        "tie_word_embeddings": True,
    }


_TABLE: dict[str, Rule] = {
    "transformer.wte": "tokens",
    "transformer.wpe": "decoder.embedding.positions",
    "transformer.h.*.ln_1": "decoder.layers.*.before_attention",
    "transformer.h.*.attn.c_attn": Stacked(
        (
            "decoder.layers.*.attention.query",
            "decoder.layers.*.attention.key",
            "decoder.layers.*.attention.value",
        ),
        transposed=True,
    ),
    "transformer.h.*.attn.c_proj": Transposed("decoder.layers.*.attention.output"),
    "transformer.h.*.ln_2": "decoder.layers.*.before_mlp",
    "transformer.h.*.mlp.c_fc": Transposed("decoder.layers.*.mlp.up"),
    "transformer.h.*.mlp.c_proj": Transposed("decoder.layers.*.mlp.down"),
    "transformer.ln_f": "decoder.final_norm",
    "transformer.h.*.attn.bias": Ignored("the causal mask, which old files carry"),
    "transformer.h.*.attn.masked_bias": Ignored("a constant that old files carry"),
    "lm_head": Tied("tokens"),
}

#: The published models; their parameters are more than the paper's figures (its table 2).
SIZES: dict[str, dict[str, Any]] = {
    "small": {},
    "medium": {"dim": 1024, "depth": 24, "heads": 16},
    "large": {"dim": 1280, "depth": 36, "heads": 20},
    "xl": {"dim": 1600, "depth": 48, "heads": 25},
}

GPT2 = Family(
    name="gpt2",
    kind="decoder",
    model_type="gpt2",
    classes="GPT2LMHeadModel",
    objective="causal",
    tokenizer="bpe",
    prefix="transformer.",
    preset=preset,
    read_config=read_config,
    write_config=write_config,
    table=lambda architecture: _TABLE,
    sizes=SIZES,
)
