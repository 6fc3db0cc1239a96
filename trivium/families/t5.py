"""T5 (Raffel et al. 2020): a pre-norm encoder-decoder with RMSNorm, no biases, and shared relative-position biases.

v1.0 has ReLU and a tied head behind dim^−0.5; v1.1 has a gated GELU and a head of its own.
"""

__all__ = ["SIZES", "T5", "preset", "read_config", "table", "write_config"]

from dataclasses import replace
from typing import Any

from trivium import architecture as arch
from trivium.families.family import Config, Family, Ignored, Rule, Tied, config_value, size_of_heads
from trivium.families.fields import activation_name, read_activation, read_flag, read_number, read_size


def preset(
    *,
    vocab: int = 32_128,
    dim: int = 512,
    depth: int = 6,
    heads: int = 8,
    positions: int = 512,
    decoder_depth: int | None = None,
    head_dim: int | None = None,
    hidden: int | None = None,
    activation: arch.Activation = "relu",
    gated: bool = False,
    tied: bool = True,
    buckets: int = 32,
    max_distance: int = 128,
    eps: float = 1e-6,
    dropout: float = 0.0,
) -> arch.Architecture:
    """T5-small v1.0 unless told otherwise, with `depth` layers on each side.

    Relative biases set no limit; `positions` is the length of its training.
    """
    norm = arch.RMSNorm(eps=eps)
    attention = arch.Attention(heads=heads, head_dim=head_dim or size_of_heads(dim, heads), scale=1.0)
    layer = arch.Layer(
        attention=attention,
        mlp=arch.MLP(hidden=hidden or 4 * dim, activation=activation, gated=gated),
        norms=arch.Norms(before=norm),
        position=arch.RelativeBuckets(buckets, max_distance),
        dropout=arch.Dropout(residual=dropout, attention=dropout, hidden=dropout),
    )
    embedding = arch.Embedding(dropout=dropout)
    return arch.Architecture(
        family="t5",
        vocab=vocab,
        dim=dim,
        encoder=arch.Stack(
            depth,
            (layer,),
            causal=False,
            embedding=embedding,
            final_norm=norm,
            final_dropout=dropout,
            trained_length=positions,
        ),
        decoder=arch.Stack(
            depth if decoder_depth is None else decoder_depth,
            (replace(layer, cross_attention=attention),),
            causal=True,
            embedding=embedding,
            final_norm=norm,
            final_dropout=dropout,
            trained_length=positions,
        ),
        head=arch.Head(tied=tied, scale=dim**-0.5 if tied else 1.0),
        initialisation=arch.FanIn(),
    )


def read_config(config: Config) -> arch.Architecture:
    """A published config.json as an architecture.

    An unscaled head is v1.1's own, and a scaled one is tied. transformers 5 writes `scale_decoder_outputs` for this,
    and `tie_word_embeddings` as true for both.
    """
    feed_forward = str(config.get("feed_forward_proj", "relu"))
    gated = feed_forward.startswith("gated-")
    # "gated-gelu" has always meant the approximation.
    activation = "gelu_new" if feed_forward == "gated-gelu" else feed_forward.removeprefix("gated-")
    return preset(
        vocab=config_value(config, "vocab_size"),
        positions=read_size(config, "n_positions", 512) or 512,
        dim=config_value(config, "d_model"),
        depth=config_value(config, "num_layers"),
        decoder_depth=read_size(config, "num_decoder_layers"),
        heads=config_value(config, "num_heads"),
        head_dim=config_value(config, "d_kv"),
        hidden=config_value(config, "d_ff"),
        activation=read_activation({**config, "feed_forward_proj": activation}, "feed_forward_proj", "relu"),
        gated=gated,
        tied=read_flag(config, "scale_decoder_outputs", read_flag(config, "tie_word_embeddings", True)),
        buckets=read_size(config, "relative_attention_num_buckets") or 32,
        max_distance=read_size(config, "relative_attention_max_distance") or 128,
        eps=read_number(config, "layer_norm_epsilon", 1e-6),
        dropout=read_number(config, "dropout_rate", 0.1, below=1),
    )


def write_config(architecture: arch.Architecture) -> dict[str, Any]:
    """The config.json under which Hugging Face opens it."""
    encoder, decoder, head = architecture.encoder, architecture.decoder, architecture.head
    assert encoder is not None
    assert decoder is not None
    assert head is not None
    layer = encoder.pattern[0]
    assert isinstance(layer.position, arch.RelativeBuckets)
    activation = activation_name(layer.mlp.activation)
    if layer.mlp.gated:
        activation = "gated-gelu" if activation == "gelu_new" else f"gated-{activation}"
    return {
        "vocab_size": architecture.vocab,
        "n_positions": encoder.trained_length,
        "d_model": architecture.dim,
        "num_layers": encoder.depth,
        "num_decoder_layers": decoder.depth,
        "num_heads": layer.attention.heads,
        "d_kv": layer.attention.head_dim,
        "d_ff": layer.mlp.hidden,
        "feed_forward_proj": activation,
        "relative_attention_num_buckets": layer.position.buckets,
        "relative_attention_max_distance": layer.position.max_distance,
        "layer_norm_epsilon": layer.norms.before.eps if layer.norms.before else 1e-6,
        "dropout_rate": layer.dropout.residual,
        "is_encoder_decoder": True,
        "tie_word_embeddings": head.tied,
    }


def _sublayers(side: str, index: int, published: str, ours: str) -> dict[str, Rule]:
    stem = f"{side}.block.*.layer.{index}"
    return {
        f"{stem}.layer_norm": f"{side}.layers.*.before_{ours}",
        f"{stem}.{published}.q": f"{side}.layers.*.{ours}.query",
        f"{stem}.{published}.k": f"{side}.layers.*.{ours}.key",
        f"{stem}.{published}.v": f"{side}.layers.*.{ours}.value",
        f"{stem}.{published}.o": f"{side}.layers.*.{ours}.output",
    }


def _mlp(side: str, index: int, gated: bool) -> dict[str, Rule]:
    stem, mlp = f"{side}.block.*.layer.{index}", f"{side}.layers.*.mlp"
    up = {"wi_0": f"{mlp}.gate", "wi_1": f"{mlp}.up"} if gated else {"wi": f"{mlp}.up"}
    return {
        f"{stem}.layer_norm": f"{side}.layers.*.before_mlp",
        **{f"{stem}.DenseReluDense.{name}": ours for name, ours in up.items()},
        f"{stem}.DenseReluDense.wo": f"{mlp}.down",
    }


def table(architecture: arch.Architecture) -> dict[str, Rule]:
    """The names of v1.0, or of v1.1 where the MLP is gated."""
    gated = architecture.output_stack.pattern[0].mlp.gated
    bias = "block.0.layer.0.SelfAttention.relative_attention_bias"
    return {
        "shared": "tokens",
        "encoder.embed_tokens": Tied("tokens"),
        f"encoder.{bias}": "encoder.positions.0.table",
        **_sublayers("encoder", 0, "SelfAttention", "attention"),
        **_mlp("encoder", 1, gated),
        "encoder.final_layer_norm": "encoder.final_norm",
        "decoder.embed_tokens": Tied("tokens"),
        f"decoder.{bias}": "decoder.positions.0.table",
        **_sublayers("decoder", 0, "SelfAttention", "attention"),
        **_sublayers("decoder", 1, "EncDecAttention", "cross_attention"),
        "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias": Ignored("old files carry it"),
        **_mlp("decoder", 2, gated),
        "decoder.final_layer_norm": "decoder.final_norm",
        "lm_head": "head.projection",
    }


_SHAPES = {
    "small": {"dim": 512, "depth": 6, "heads": 8, "head_dim": 64, "hidden": 2048},
    "base": {"dim": 768, "depth": 12, "heads": 12, "head_dim": 64, "hidden": 3072},
    "large": {"dim": 1024, "depth": 24, "heads": 16, "head_dim": 64, "hidden": 4096},
    "3b": {"dim": 1024, "depth": 24, "heads": 32, "head_dim": 128, "hidden": 16_384},
    "11b": {"dim": 1024, "depth": 24, "heads": 128, "head_dim": 128, "hidden": 65_536},
}
_SHAPES_V11 = {
    "small": {"dim": 512, "depth": 8, "heads": 6, "head_dim": 64, "hidden": 1024},
    "base": {"dim": 768, "depth": 12, "heads": 12, "head_dim": 64, "hidden": 2048},
    "large": {"dim": 1024, "depth": 24, "heads": 16, "head_dim": 64, "hidden": 2816},
    "xl": {"dim": 2048, "depth": 24, "heads": 32, "head_dim": 64, "hidden": 5120},
    "xxl": {"dim": 4096, "depth": 24, "heads": 64, "head_dim": 64, "hidden": 10_240},
}
_V11 = {"activation": "gelu_tanh", "gated": True, "tied": False}

#: The published models; Flan-T5 (Chung et al. 2022) continues v1.1.
SIZES: dict[str, dict[str, Any]] = {
    **_SHAPES,
    **{f"v1.1-{name}": {**shape, **_V11} for name, shape in _SHAPES_V11.items()},
    **{f"flan-{name}": {**shape, **_V11} for name, shape in _SHAPES_V11.items()},
}

T5 = Family(
    name="t5",
    kind="encoder-decoder",
    model_type="t5",
    classes="T5ForConditionalGeneration",
    objective="span",
    tokenizer="unigram",
    prefix="",
    preset=preset,
    read_config=read_config,
    write_config=write_config,
    table=table,
    sizes=SIZES,
)
