"""BART (Lewis et al. 2020): a post-norm encoder-decoder with learned positions two rows late on both sides."""

__all__ = ["BART", "SIZES", "preset", "read_config", "table", "write_config"]

from dataclasses import replace
from typing import Any

from trivium import architecture as arch
from trivium.families.family import (
    Config,
    Family,
    Ignored,
    Rule,
    Tied,
    Zeros,
    config_value,
    require_values,
    size_of_heads,
)
from trivium.families.fields import activation_name, read_activation, read_flag, read_number

_OFFSET = 2


def preset(
    *,
    vocab: int = 50_265,
    dim: int = 768,
    depth: int = 6,
    heads: int = 12,
    positions: int = 1024,
    decoder_depth: int | None = None,
    hidden: int | None = None,
    activation: arch.Activation = "gelu",
    scaled: bool = False,
    dropout: float = 0.0,
    attention_dropout: float = 0.0,
    hidden_dropout: float = 0.0,
) -> arch.Architecture:
    """BART-base unless told otherwise, with `depth` layers on each side. `scaled` multiplies tokens by sqrt(dim)."""
    norm = arch.LayerNorm(eps=1e-5)
    attention = arch.Attention(heads, size_of_heads(dim, heads), qkv_bias=True, out_bias=True)
    layer = arch.Layer(
        attention=attention,
        mlp=arch.MLP(hidden=hidden or 4 * dim, activation=activation, bias=True),
        norms=arch.Norms(after=norm),
        dropout=arch.Dropout(residual=dropout, attention=attention_dropout, hidden=hidden_dropout),
    )
    embedding = arch.Embedding(
        position=arch.Learned(positions, offset=_OFFSET), scale=dim**0.5 if scaled else 1.0, norm=norm, dropout=dropout
    )
    return arch.Architecture(
        family="bart",
        vocab=vocab,
        dim=dim,
        encoder=arch.Stack(depth, (layer,), causal=False, embedding=embedding),
        decoder=arch.Stack(
            depth if decoder_depth is None else decoder_depth,
            (replace(layer, cross_attention=attention),),
            causal=True,
            embedding=embedding,
        ),
        head=arch.Head(tied=True),
        initialisation=arch.Normal(std=0.02),
    )


def read_config(config: Config) -> arch.Architecture:
    """A published config.json as an architecture. Both sides must have layers of one shape."""
    heads, hidden = config_value(config, "decoder_attention_heads"), config_value(config, "decoder_ffn_dim")
    for key, value in {"encoder_attention_heads": heads, "encoder_ffn_dim": hidden}.items():
        require_values({"model_type": "bart", key: config_value(config, key)}, {key: value})
    require_values(config, {"is_encoder_decoder": True, "is_decoder": False, "tie_word_embeddings": True})
    # What the first files said of relatives that never became models of this type.
    relatives = {"normalize_before": False, "normalize_embedding": True, "add_final_layer_norm": False}
    require_values(config, {**relatives, "static_position_embeddings": False, "add_bias_logits": False})
    return preset(
        vocab=config_value(config, "vocab_size"),
        dim=config_value(config, "d_model"),
        depth=config_value(config, "encoder_layers"),
        decoder_depth=config_value(config, "decoder_layers"),
        heads=heads,
        positions=config_value(config, "max_position_embeddings"),
        hidden=hidden,
        activation=read_activation(config, "activation_function", "gelu"),
        scaled=read_flag(config, "scale_embedding", False),
        dropout=read_number(config, "dropout", 0.1, below=1),
        attention_dropout=read_number(config, "attention_dropout", 0.0, below=1),
        hidden_dropout=read_number(config, "activation_dropout", 0.0, below=1),
    )


def write_config(architecture: arch.Architecture) -> dict[str, Any]:
    """The config.json under which Hugging Face opens it."""
    encoder, decoder = architecture.encoder, architecture.decoder
    assert encoder is not None
    assert decoder is not None
    position, layer = encoder.embedding.position, encoder.pattern[0]
    assert isinstance(position, arch.Learned)
    shape = {"attention_heads": layer.attention.heads, "ffn_dim": layer.mlp.hidden}
    return {
        "vocab_size": architecture.vocab,
        "d_model": architecture.dim,
        "encoder_layers": encoder.depth,
        "decoder_layers": decoder.depth,
        **{f"{side}_{name}": value for side in ("encoder", "decoder") for name, value in shape.items()},
        "max_position_embeddings": position.positions,
        "activation_function": activation_name(layer.mlp.activation),
        "scale_embedding": encoder.embedding.scale != 1.0,
        "dropout": layer.dropout.residual,
        "attention_dropout": layer.dropout.attention,
        "activation_dropout": layer.dropout.hidden,
        "is_encoder_decoder": True,
        "tie_word_embeddings": True,
    }


def _side(side: str) -> dict[str, Rule]:
    attentions = {"self_attn": "attention"} | ({"encoder_attn": "cross_attention"} if side == "decoder" else {})
    projections = {"q_proj": "query", "k_proj": "key", "v_proj": "value", "out_proj": "output"}
    stem, layers = f"model.{side}.layers.*", f"{side}.layers.*"
    rules: dict[str, Rule] = {
        f"model.{side}.version": Ignored("a number of the first files"),
        f"model.{side}.embed_tokens": Tied("tokens"),
        f"model.{side}.embed_positions": f"{side}.embedding.positions",
        f"model.{side}.layernorm_embedding": f"{side}.embedding.norm",
    }
    for theirs, ours in attentions.items():
        rules |= {f"{stem}.{theirs}.{name}": f"{layers}.{ours}.{projections[name]}" for name in projections}
        rules[f"{stem}.{theirs}_layer_norm"] = f"{layers}.after_{ours}"
    return rules | {
        f"{stem}.fc1": f"{layers}.mlp.up",
        f"{stem}.fc2": f"{layers}.mlp.down",
        f"{stem}.final_layer_norm": f"{layers}.after_mlp",
    }


def table(architecture: arch.Architecture) -> dict[str, Rule]:
    """The published names."""
    return {
        "model.shared": "tokens",
        **_side("encoder"),
        **_side("decoder"),
        "lm_head": Tied("tokens"),
        "final_logits_bias": Zeros("a bias of the head that was never trained"),
    }


_LARGE = {"dim": 1024, "depth": 12, "heads": 16}

#: The published models.
SIZES: dict[str, dict[str, Any]] = {"base": {}, "large": _LARGE, "large-cnn": {"vocab": 50_264, **_LARGE}}

BART = Family(
    name="bart",
    kind="encoder-decoder",
    model_type="bart",
    classes="BartForConditionalGeneration",
    objective="denoising",
    tokenizer="bpe-mask",
    prefix="model.",
    preset=preset,
    read_config=read_config,
    write_config=write_config,
    table=table,
    sizes=SIZES,
)
