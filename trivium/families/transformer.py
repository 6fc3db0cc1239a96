"""The Transformer (Vaswani et al. 2017): a post-norm encoder-decoder with sinusoidal positions, made for translation.

No one publishes it in Hugging Face's form, so the model type and the names of the weights are Trivium's own.
"""

__all__ = ["SIZES", "TRANSFORMER", "preset", "read_config", "table", "write_config"]

from dataclasses import replace
from typing import Any

from trivium import architecture as arch
from trivium.families.family import Config, Family, Rule, config_value, require_values, size_of_heads
from trivium.families.fields import read_number


def preset(
    *,
    vocab: int = 37_000,
    dim: int = 512,
    depth: int = 6,
    heads: int = 8,
    positions: int = 512,
    decoder_depth: int | None = None,
    hidden: int | None = None,
    eps: float = 1e-6,
    dropout: float = 0.0,
) -> arch.Architecture:
    """The base model of table 3 unless told otherwise, with `depth` layers on each side.

    The projections of attention have no biases (section 3.2.2), the MLP has (equation 2). Both sides and the head share
    one table, multiplied by sqrt(dim) on the way in (section 3.4). `dropout` falls on what a sublayer adds and on the
    sums of tokens and positions (section 5.4). Sinusoids set no limit, so `positions` is not used.
    """
    del positions
    norm = arch.LayerNorm(eps=eps)
    attention = arch.Attention(heads, size_of_heads(dim, heads))
    layer = arch.Layer(
        attention=attention,
        mlp=arch.MLP(hidden=hidden or 4 * dim, activation="relu", bias=True),
        norms=arch.Norms(after=norm),
        dropout=arch.Dropout(residual=dropout),
    )
    embedding = arch.Embedding(position=arch.Sinusoidal(), scale=dim**0.5, dropout=dropout)
    return arch.Architecture(
        family="transformer",
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
        initialisation=arch.Xavier(),
    )


def read_config(config: Config) -> arch.Architecture:
    """Our own config.json as an architecture."""
    require_values(config, {"is_encoder_decoder": True, "tie_word_embeddings": True})
    return preset(
        vocab=config_value(config, "vocab_size"),
        dim=config_value(config, "d_model"),
        depth=config_value(config, "encoder_layers"),
        decoder_depth=config_value(config, "decoder_layers"),
        heads=config_value(config, "num_heads"),
        hidden=config_value(config, "d_ff"),
        eps=read_number(config, "layer_norm_eps", 1e-6),
        dropout=read_number(config, "dropout", 0.1, below=1),
    )


def write_config(architecture: arch.Architecture) -> dict[str, Any]:
    """Sizes by the paper's letters: N layers, d_model, d_ff, h heads, P_drop."""
    encoder, decoder = architecture.encoder, architecture.decoder
    assert encoder is not None
    assert decoder is not None
    layer = encoder.pattern[0]
    assert layer.norms.after is not None
    return {
        "vocab_size": architecture.vocab,
        "d_model": architecture.dim,
        "encoder_layers": encoder.depth,
        "decoder_layers": decoder.depth,
        "num_heads": layer.attention.heads,
        "d_ff": layer.mlp.hidden,
        "layer_norm_eps": layer.norms.after.eps,
        "dropout": layer.dropout.residual,
        "is_encoder_decoder": True,
        "tie_word_embeddings": True,
    }


def table(architecture: arch.Architecture) -> dict[str, Rule]:
    """Our own names, unchanged."""
    parts = ("attention", "cross_attention", "after_attention", "after_cross_attention", "mlp", "after_mlp")
    projections = ("query", "key", "value", "output")
    inner = {"attention": projections, "cross_attention": projections, "mlp": ("up", "down")}
    names = ["tokens"]
    for side in ("encoder", "decoder"):
        for part in parts:
            stem = f"{side}.layers.*.{part}"
            names += [f"{stem}.{name}" for name in inner[part]] if part in inner else [stem]
    return {name: name for name in names}


_BIG = {"dim": 1024, "heads": 16}

#: The two models of table 3, whose vocabularies of about 37,000 tokens are those of English and German (section 5.1).
SIZES: dict[str, dict[str, Any]] = {"base": {}, "big": _BIG}

TRANSFORMER = Family(
    name="transformer",
    kind="encoder-decoder",
    model_type="transformer",
    classes="Transformer",
    objective="prefix",
    tokenizer="bpe",
    prefix="",
    preset=preset,
    read_config=read_config,
    write_config=write_config,
    table=table,
    sizes=SIZES,
)
