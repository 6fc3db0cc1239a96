"""LLaMA (Touvron et al. 2023): a pre-norm decoder with RMSNorm, rotary positions, a gated MLP and no biases."""

__all__ = ["LLAMA", "preset", "read_config", "write_config"]

from typing import Any

from trivium import architecture as arch
from trivium.errors import ModelError
from trivium.families.family import Config, Family, Ignored, Rule, config_value, require_values, size_of_heads


def preset(
    *,
    vocab: int = 32_000,
    dim: int = 4096,
    depth: int = 32,
    heads: int = 32,
    positions: int = 2048,
    hidden: int | None = None,
    kv_heads: int | None = None,
    head_dim: int | None = None,
    theta: float = 10_000.0,
    eps: float = 1e-6,
    tied: bool = True,
    attention_dropout: float = 0.0,
) -> arch.Architecture:
    """The 7B's shape unless told otherwise, but tied.

    `hidden` is 8/3 · dim, up to a multiple of 32. Rotary positions set no limit, so `positions` is not used.
    """
    del positions
    width = size_of_heads(dim, heads)
    norm = arch.RMSNorm(eps=eps)
    layer = arch.Layer(
        attention=arch.Attention(heads, head_dim or width, kv_heads=heads if kv_heads is None else kv_heads),
        mlp=arch.MLP(hidden=hidden or -(-8 * dim // 96) * 32, activation="silu", gated=True),
        norms=arch.Norms(before=norm),
        position=arch.Rotary(theta=theta),
        dropout=arch.Dropout(attention=attention_dropout),
    )
    return arch.Architecture(
        family="llama",
        vocab=vocab,
        dim=dim,
        decoder=arch.Stack(depth=depth, pattern=(layer,), causal=True, final_norm=norm),
        head=arch.Head(tied=tied),
        initialisation=arch.Normal(std=0.02),
    )


def read_config(config: Config) -> arch.Architecture:
    """A published config.json as an architecture; rope settings in the old place or in `rope_parameters`."""
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    kind = rope.get("rope_type", rope.get("type", "default"))
    if kind != "default":
        raise ModelError(f"This LLaMA stretches its rotary positions by '{kind}', and only 'default' is known.")
    require_values(config, {"hidden_act": "silu", "attention_bias": False, "mlp_bias": False})
    return preset(
        vocab=config_value(config, "vocab_size"),
        dim=config_value(config, "hidden_size"),
        depth=config_value(config, "num_hidden_layers"),
        heads=config_value(config, "num_attention_heads"),
        hidden=config_value(config, "intermediate_size"),
        kv_heads=config.get("num_key_value_heads"),
        head_dim=config.get("head_dim"),
        theta=float(rope.get("rope_theta") or config.get("rope_theta") or 10_000.0),
        eps=config.get("rms_norm_eps", 1e-6),
        tied=config.get("tie_word_embeddings", False),
        attention_dropout=config.get("attention_dropout", 0.0),
    )


def write_config(architecture: arch.Architecture) -> dict[str, Any]:
    """The config.json under which Hugging Face opens it."""
    stack = architecture.decoder
    assert stack is not None
    assert architecture.head is not None
    layer = stack.pattern[0]
    assert isinstance(layer.position, arch.Rotary)
    return {
        "vocab_size": architecture.vocab,
        "hidden_size": architecture.dim,
        "num_hidden_layers": stack.depth,
        "num_attention_heads": layer.attention.heads,
        "num_key_value_heads": layer.attention.key_value_heads,
        "head_dim": layer.attention.head_dim,
        "intermediate_size": layer.mlp.hidden,
        "hidden_act": "silu",
        "rms_norm_eps": layer.norms.before.eps if layer.norms.before else 1e-6,
        "rope_parameters": {"rope_type": "default", "rope_theta": layer.position.theta},
        "rope_theta": layer.position.theta,
        "attention_dropout": layer.dropout.attention,
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": architecture.head.tied,
    }


_TABLE: dict[str, Rule] = {
    "model.embed_tokens": "tokens",
    "model.layers.*.input_layernorm": "decoder.layers.*.before_attention",
    "model.layers.*.self_attn.q_proj": "decoder.layers.*.attention.query",
    "model.layers.*.self_attn.k_proj": "decoder.layers.*.attention.key",
    "model.layers.*.self_attn.v_proj": "decoder.layers.*.attention.value",
    "model.layers.*.self_attn.o_proj": "decoder.layers.*.attention.output",
    "model.layers.*.self_attn.rotary_emb.inv_freq": Ignored("computed from theta; old files carry it"),
    "model.layers.*.post_attention_layernorm": "decoder.layers.*.before_mlp",
    "model.layers.*.mlp.gate_proj": "decoder.layers.*.mlp.gate",
    "model.layers.*.mlp.up_proj": "decoder.layers.*.mlp.up",
    "model.layers.*.mlp.down_proj": "decoder.layers.*.mlp.down",
    "model.norm": "decoder.final_norm",
    "lm_head": "head.projection",
}

LLAMA = Family(
    name="llama",
    kind="decoder",
    model_type="llama",
    classes="LlamaForCausalLM",
    objective="causal",
    tokenizer="bpe",
    prefix="model.",
    preset=preset,
    read_config=read_config,
    write_config=write_config,
    table=lambda architecture: _TABLE,
)
