"""Gopher (Rae et al. 2021) and Chinchilla (Hoffmann et al. 2022): a pre-norm decoder with RMSNorm and the relative
positions of Transformer-XL.

Its weights were never published, so the model type and the names of the weights are Trivium's own.
"""

__all__ = ["GOPHER", "SIZES", "preset", "read_config", "table", "write_config"]

from typing import Any

from trivium import architecture as arch
from trivium.families.family import Config, Family, Rule, config_value, size_of_heads
from trivium.families.fields import read_number, read_size


def preset(
    *,
    vocab: int = 32_000,
    dim: int = 512,
    depth: int = 8,
    heads: int = 16,
    positions: int = 2048,
    head_dim: int | None = None,
    hidden: int | None = None,
    eps: float = 1e-6,
    dropout: float = 0.0,
) -> arch.Architecture:
    """Gopher's 44M unless told otherwise.

    The papers give sizes and parts, but neither biases, activation nor initial weights. That the head is tied follows
    from their counts (one token table beside 13 · depth · dim²). GELU, N(0, 0.02²) and no biases are our choice: biases
    would add less than 0.1 %, which the printed counts cannot show. `positions` is the length of its training.
    """
    norm = arch.RMSNorm(eps=eps)
    layer = arch.Layer(
        attention=arch.Attention(heads, head_dim or size_of_heads(dim, heads)),
        mlp=arch.MLP(hidden=hidden or 4 * dim, activation="gelu"),
        norms=arch.Norms(before=norm),
        position=arch.RelativeSinusoids(),
        dropout=arch.Dropout(residual=dropout),
    )
    return arch.Architecture(
        family="gopher",
        vocab=vocab,
        dim=dim,
        decoder=arch.Stack(depth, (layer,), causal=True, final_norm=norm, trained_length=positions),
        head=arch.Head(tied=True),
        initialisation=arch.Normal(std=0.02),
    )


def read_config(config: Config) -> arch.Architecture:
    """What `write_config` writes."""
    return preset(
        vocab=config_value(config, "vocab_size"),
        dim=config_value(config, "hidden_size"),
        depth=config_value(config, "num_hidden_layers"),
        heads=config_value(config, "num_attention_heads"),
        head_dim=read_size(config, "head_dim"),
        hidden=config_value(config, "intermediate_size"),
        positions=config_value(config, "max_position_embeddings"),
        eps=read_number(config, "rms_norm_eps", 1e-6),
        dropout=read_number(config, "dropout", 0.0, below=1),
    )


def write_config(architecture: arch.Architecture) -> dict[str, Any]:
    """A config.json in the words of Hugging Face's."""
    stack = architecture.decoder
    assert stack is not None
    layer = stack.pattern[0]
    return {
        "vocab_size": architecture.vocab,
        "hidden_size": architecture.dim,
        "num_hidden_layers": stack.depth,
        "num_attention_heads": layer.attention.heads,
        "head_dim": layer.attention.head_dim,
        "intermediate_size": layer.mlp.hidden,
        "max_position_embeddings": stack.trained_length,
        "rms_norm_eps": layer.norms.before.eps if layer.norms.before else 1e-6,
        "dropout": layer.dropout.residual,
        "tie_word_embeddings": True,
    }


def table(architecture: arch.Architecture) -> dict[str, Rule]:
    """Our own names, unchanged."""
    attention = ("query", "key", "value", "output", "distances.projection", "distances.content", "distances.distance")
    layer = [f"attention.{name}" for name in attention]
    layer += ["before_attention", "before_mlp", "mlp.up", "mlp.down"]
    names = ["tokens", *(f"decoder.layers.*.{name}" for name in layer), "decoder.final_norm"]
    return {name: name for name in names}


#: Gopher's models (table 1), and Chinchilla (table 4).
SIZES: dict[str, dict[str, Any]] = {
    "44m": {},
    "117m": {"dim": 768, "depth": 12, "heads": 12},
    "417m": {"dim": 1536, "depth": 12, "heads": 12},
    "1.4b": {"dim": 2048, "depth": 24, "heads": 16},
    "7.1b": {"dim": 4096, "depth": 32, "heads": 32},
    "280b": {"dim": 16_384, "depth": 80, "heads": 128},
    "chinchilla": {"dim": 8192, "depth": 80, "heads": 64},
}

GOPHER = Family(
    name="gopher",
    kind="decoder",
    model_type="gopher",
    classes="Gopher",
    objective="causal",
    tokenizer="bpe",
    prefix="",
    preset=preset,
    read_config=read_config,
    write_config=write_config,
    table=table,
    sizes=SIZES,
)
