"""BLOOM (Le Scao et al. 2022): a pre-norm decoder with ALiBi and a norm over its embedding, as BloombergGPT."""

__all__ = ["BLOOM", "SIZES", "preset", "read_config", "table", "write_config"]

from typing import Any

from trivium import architecture as arch
from trivium.families.family import Config, Family, Rule, Stacked, Tied, config_value, require_values, size_of_heads
from trivium.families.fields import read_number, read_size


def preset(
    *,
    vocab: int = 250_880,
    dim: int = 1024,
    depth: int = 24,
    heads: int = 16,
    positions: int = 2048,
    eps: float = 1e-5,
    std: float = 0.02,
    dropout: float = 0.0,
    attention_dropout: float = 0.0,
) -> arch.Architecture:
    """BLOOM-560m unless told otherwise.

    Its vocabulary counts 200 rows that stand for no token. ALiBi sets no limit; `positions` is the length of its
    training. Weights that write to the residual stream start smaller, as in Megatron, which trained it.
    """
    norm = arch.LayerNorm(eps=eps)
    layer = arch.Layer(
        attention=arch.Attention(heads, size_of_heads(dim, heads), qkv_bias=True, out_bias=True),
        mlp=arch.MLP(hidden=4 * dim, activation="gelu_tanh", bias=True),
        norms=arch.Norms(before=norm),
        position=arch.Alibi(),
        dropout=arch.Dropout(residual=dropout, attention=attention_dropout),
    )
    return arch.Architecture(
        family="bloom",
        vocab=vocab,
        dim=dim,
        decoder=arch.Stack(
            depth=depth,
            pattern=(layer,),
            causal=True,
            embedding=arch.Embedding(norm=norm),
            final_norm=norm,
            trained_length=positions,
        ),
        head=arch.Head(tied=True),
        initialisation=arch.Normal(std=std, scale_residual=True),
    )


def read_config(config: Config) -> arch.Architecture:
    """A published config.json as an architecture; the oldest say `n_embed` and `num_attention_heads`."""
    require_values(config, {"apply_residual_connection_post_layernorm": False, "tie_word_embeddings": True})
    return preset(
        vocab=config_value(config, "vocab_size"),
        dim=config_value(config, "n_embed" if "n_embed" in config else "hidden_size"),
        depth=config_value(config, "num_hidden_layers" if "num_hidden_layers" in config else "n_layer"),
        heads=config_value(config, "num_attention_heads" if "num_attention_heads" in config else "n_head"),
        positions=read_size(config, "seq_length") or 2048,
        eps=read_number(config, "layer_norm_epsilon", 1e-5),
        std=read_number(config, "initializer_range", 0.02),
        dropout=read_number(config, "hidden_dropout", 0.0, below=1),
        attention_dropout=read_number(config, "attention_dropout", 0.0, below=1),
    )


def write_config(architecture: arch.Architecture) -> dict[str, Any]:
    """The config.json under which Hugging Face opens it."""
    stack, start = architecture.decoder, architecture.initialisation
    assert stack is not None
    assert isinstance(start, arch.Normal)
    layer = stack.pattern[0]
    return {
        "vocab_size": architecture.vocab,
        "hidden_size": architecture.dim,
        "n_layer": stack.depth,
        "n_head": layer.attention.heads,
        "seq_length": stack.trained_length,
        "layer_norm_epsilon": layer.norms.before.eps if layer.norms.before else 1e-5,
        "initializer_range": start.std,
        "hidden_dropout": layer.dropout.residual,
        "attention_dropout": layer.dropout.attention,
        "apply_residual_connection_post_layernorm": False,
        "tie_word_embeddings": True,
    }


def table(architecture: arch.Architecture) -> dict[str, Rule]:
    """Queries, keys and values stand in one tensor, head by head: q₀ k₀ v₀ q₁ k₁ v₁ …"""
    attention = "decoder.layers.*.attention"
    return {
        "transformer.word_embeddings": "tokens",
        "transformer.word_embeddings_layernorm": "decoder.embedding.norm",
        "transformer.h.*.input_layernorm": "decoder.layers.*.before_attention",
        "transformer.h.*.self_attention.query_key_value": Stacked(
            (f"{attention}.query", f"{attention}.key", f"{attention}.value"),
            groups=architecture.output_stack.pattern[0].attention.heads,
        ),
        "transformer.h.*.self_attention.dense": f"{attention}.output",
        "transformer.h.*.post_attention_layernorm": "decoder.layers.*.before_mlp",
        "transformer.h.*.mlp.dense_h_to_4h": "decoder.layers.*.mlp.up",
        "transformer.h.*.mlp.dense_4h_to_h": "decoder.layers.*.mlp.down",
        "transformer.ln_f": "decoder.final_norm",
        "lm_head": Tied("tokens"),
    }


#: The models of table 3, and BloombergGPT (Wu et al. 2023, table 4).
SIZES: dict[str, dict[str, Any]] = {
    "560m": {},
    "1b1": {"dim": 1536},
    "1b7": {"dim": 2048},
    "3b": {"dim": 2560, "depth": 30, "heads": 32},
    "7b1": {"dim": 4096, "depth": 30, "heads": 32},
    "176b": {"dim": 14_336, "depth": 70, "heads": 112},
    "bloomberggpt": {"vocab": 131_072, "dim": 7680, "depth": 70, "heads": 40},
}

BLOOM = Family(
    name="bloom",
    kind="decoder",
    model_type="bloom",
    classes="BloomForCausalLM",
    objective="causal",
    tokenizer="bpe",
    prefix="transformer.",
    preset=preset,
    read_config=read_config,
    write_config=write_config,
    table=table,
    sizes=SIZES,
)
