"""OPT (Zhang et al. 2022): a pre-norm decoder with learned positions, ReLU and a tied head, in GPT-3's sizes."""

__all__ = ["OPT", "SIZES", "preset", "read_config", "write_config"]

from typing import Any

from trivium import architecture as arch
from trivium.errors import ModelError
from trivium.families.family import Config, Family, Rule, Tied, config_value, require_values, size_of_heads
from trivium.families.fields import activation_name, read_activation, read_number


def preset(
    *,
    vocab: int = 50_272,
    dim: int = 768,
    depth: int = 12,
    heads: int = 12,
    positions: int = 2048,
    hidden: int | None = None,
    activation: arch.Activation = "relu",
    dropout: float = 0.0,
    attention_dropout: float = 0.0,
) -> arch.Architecture:
    """OPT-125m unless told otherwise.

    Weights start at N(0, 0.006²), those that write to the residual stream divided by sqrt(2 · depth) (section 2.2). The
    table of positions starts two rows late, as in RoBERTa's code, from which it comes.
    """
    norm = arch.LayerNorm(eps=1e-5)
    layer = arch.Layer(
        attention=arch.Attention(heads, size_of_heads(dim, heads), qkv_bias=True, out_bias=True),
        mlp=arch.MLP(hidden=hidden or 4 * dim, activation=activation, bias=True),
        norms=arch.Norms(before=norm),
        dropout=arch.Dropout(residual=dropout, attention=attention_dropout),
    )
    return arch.Architecture(
        family="opt",
        vocab=vocab,
        dim=dim,
        decoder=arch.Stack(
            depth=depth,
            pattern=(layer,),
            causal=True,
            embedding=arch.Embedding(position=arch.Learned(positions, offset=2)),
            final_norm=norm,
        ),
        head=arch.Head(tied=True),
        initialisation=arch.Normal(std=0.006, scale_residual=True),
    )


def read_config(config: Config) -> arch.Architecture:
    """A published config.json as an architecture. OPT-350m, post-norm and narrower outside, is refused."""
    covered = {"do_layer_norm_before": True, "_remove_final_layer_norm": False, "enable_bias": True}
    require_values(config, {**covered, "layer_norm_elementwise_affine": True, "tie_word_embeddings": True})
    dim = config_value(config, "hidden_size")
    if config.get("word_embed_proj_dim") not in (None, dim):
        raise ModelError(
            f"The config of this opt has word_embed_proj_dim: {config['word_embed_proj_dim']!r} beside a width of "
            f"{dim}: only token vectors as wide as the model are supported."
        )
    return preset(
        vocab=config_value(config, "vocab_size"),
        dim=dim,
        depth=config_value(config, "num_hidden_layers"),
        heads=config_value(config, "num_attention_heads"),
        positions=config_value(config, "max_position_embeddings"),
        hidden=config_value(config, "ffn_dim"),
        activation=read_activation(config, "activation_function", "relu"),
        dropout=read_number(config, "dropout", 0.1, below=1),
        attention_dropout=read_number(config, "attention_dropout", 0.0, below=1),
    )


def write_config(architecture: arch.Architecture) -> dict[str, Any]:
    """The config.json under which Hugging Face opens it."""
    stack = architecture.decoder
    assert stack is not None
    assert isinstance(stack.embedding.position, arch.Learned)
    layer = stack.pattern[0]
    return {
        "vocab_size": architecture.vocab,
        "hidden_size": architecture.dim,
        "word_embed_proj_dim": architecture.dim,
        "num_hidden_layers": stack.depth,
        "num_attention_heads": layer.attention.heads,
        "ffn_dim": layer.mlp.hidden,
        "max_position_embeddings": stack.embedding.position.positions,
        "activation_function": activation_name(layer.mlp.activation),
        "do_layer_norm_before": True,
        "dropout": layer.dropout.residual,
        "attention_dropout": layer.dropout.attention,
        "tie_word_embeddings": True,
    }


_TABLE: dict[str, Rule] = {
    "model.decoder.embed_tokens": "tokens",
    "model.decoder.embed_positions": "decoder.embedding.positions",
    "model.decoder.layers.*.self_attn_layer_norm": "decoder.layers.*.before_attention",
    "model.decoder.layers.*.self_attn.q_proj": "decoder.layers.*.attention.query",
    "model.decoder.layers.*.self_attn.k_proj": "decoder.layers.*.attention.key",
    "model.decoder.layers.*.self_attn.v_proj": "decoder.layers.*.attention.value",
    "model.decoder.layers.*.self_attn.out_proj": "decoder.layers.*.attention.output",
    "model.decoder.layers.*.final_layer_norm": "decoder.layers.*.before_mlp",
    "model.decoder.layers.*.fc1": "decoder.layers.*.mlp.up",
    "model.decoder.layers.*.fc2": "decoder.layers.*.mlp.down",
    "model.decoder.final_layer_norm": "decoder.final_norm",
    "lm_head": Tied("tokens"),
}

#: Table 1, but for 350m.
SIZES: dict[str, dict[str, Any]] = {
    "125m": {},
    "1.3b": {"dim": 2048, "depth": 24, "heads": 32},
    "2.7b": {"dim": 2560, "depth": 32, "heads": 32},
    "6.7b": {"dim": 4096, "depth": 32, "heads": 32},
    "13b": {"dim": 5120, "depth": 40, "heads": 40},
    "30b": {"dim": 7168, "depth": 48, "heads": 56},
    "66b": {"dim": 9216, "depth": 64, "heads": 72},
    "175b": {"dim": 12_288, "depth": 96, "heads": 96},
}

OPT = Family(
    name="opt",
    kind="decoder",
    model_type="opt",
    classes="OPTForCausalLM",
    objective="causal",
    tokenizer="bpe",
    prefix="model.",
    preset=preset,
    read_config=read_config,
    write_config=write_config,
    table=lambda architecture: _TABLE,
    sizes=SIZES,
)
