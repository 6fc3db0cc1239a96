"""LLaMA (Touvron et al. 2023): a pre-norm decoder with RMSNorm, rotary positions, a gated MLP and no biases.

LLaMA 2's largest shares key-value heads, LLaMA 3 has a larger vocabulary and theta, LLaMA 3.1 stretches its positions.
"""

__all__ = ["LLAMA", "SIZES", "preset", "read_config", "write_config"]

from collections.abc import Mapping
from typing import Any

from trivium import architecture as arch
from trivium.errors import ModelError
from trivium.families.family import Config, Family, Ignored, Rule, config_value, require_values, size_of_heads
from trivium.families.fields import read_flag, read_number, read_size


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
    scaling: arch.RotaryScaling | None = None,
    attention_bias: bool = False,
    mlp_bias: bool = False,
    eps: float = 1e-6,
    tied: bool = True,
    attention_dropout: float = 0.0,
) -> arch.Architecture:
    """The 7B's shape unless told otherwise, but tied.

    `hidden` is 8/3 · dim, up to a multiple of 32. Rotary positions set no limit: `positions` is only noted.
    """
    width = size_of_heads(dim, heads)
    norm = arch.RMSNorm(eps=eps)
    layer = arch.Layer(
        attention=arch.Attention(
            heads,
            head_dim or width,
            kv_heads=heads if kv_heads is None else kv_heads,
            qkv_bias=attention_bias,
            out_bias=attention_bias,
        ),
        mlp=arch.MLP(hidden=hidden or -(-8 * dim // 96) * 32, activation="silu", gated=True, bias=mlp_bias),
        norms=arch.Norms(before=norm),
        position=arch.Rotary(theta, scaling),
        dropout=arch.Dropout(attention=attention_dropout),
    )
    return arch.Architecture(
        family="llama",
        vocab=vocab,
        dim=dim,
        decoder=arch.Stack(depth, (layer,), causal=True, final_norm=norm, trained_length=positions),
        head=arch.Head(tied=tied),
        initialisation=arch.Normal(std=0.02),
    )


def read_config(config: Config) -> arch.Architecture:
    """A published config.json as an architecture; rope settings in the old places or in `rope_parameters`."""
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    if not isinstance(rope, Mapping):
        raise ModelError(
            f"The config of this llama says of its rotary positions {rope!r}, and that is no table of fields."
        )
    fields = {**config, **{key: value for key, value in rope.items() if value is not None}}
    require_values(fields, {"hidden_act": "silu", "partial_rotary_factor": 1.0})
    return preset(
        vocab=config_value(config, "vocab_size"),
        dim=config_value(config, "hidden_size"),
        depth=config_value(config, "num_hidden_layers"),
        heads=config_value(config, "num_attention_heads"),
        positions=config_value(config, "max_position_embeddings"),
        hidden=config_value(config, "intermediate_size"),
        kv_heads=read_size(config, "num_key_value_heads"),
        head_dim=read_size(config, "head_dim"),
        theta=read_number(fields, "rope_theta", 10_000.0) or 10_000.0,
        scaling=_read_scaling(rope, config),
        attention_bias=read_flag(config, "attention_bias", False),
        mlp_bias=read_flag(config, "mlp_bias", False),
        eps=read_number(config, "rms_norm_eps", 1e-6),
        tied=read_flag(config, "tie_word_embeddings", False),
        attention_dropout=read_number(config, "attention_dropout", 0.0, below=1),
    )


def _read_scaling(rope: Config, config: Config) -> arch.RotaryScaling | None:
    kind = rope.get("rope_type") or rope.get("type") or "default"
    if kind == "default":
        return None
    if kind not in ("linear", "llama3"):
        raise ModelError(
            f"This LLaMA stretches its rotary positions by '{kind}'; known are default, linear and llama3."
        )
    try:
        factor = float(rope["factor"])
        if factor <= 0:
            raise ValueError(factor)
        if kind == "linear":
            return arch.LinearScaling(factor)
        original = rope.get("original_max_position_embeddings") or config["max_position_embeddings"]
        return arch.LlamaScaling(factor, float(rope["low_freq_factor"]), float(rope["high_freq_factor"]), int(original))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"This LLaMA stretches its rotary positions by '{kind}', and its settings do not say how ({error!r}):"
            f" {rope}."
        ) from error


def _write_scaling(scaling: arch.RotaryScaling | None) -> dict[str, Any]:
    match scaling:
        case None:
            return {"rope_type": "default"}
        case arch.LinearScaling(factor):
            return {"rope_type": "linear", "factor": factor}
        case arch.LlamaScaling(factor, low, high, original):
            return {
                "rope_type": "llama3",
                "factor": factor,
                "low_freq_factor": low,
                "high_freq_factor": high,
                "original_max_position_embeddings": original,
            }


def write_config(architecture: arch.Architecture) -> dict[str, Any]:
    """The config.json under which Hugging Face opens it, with the rope settings where old and new programs look."""
    stack = architecture.decoder
    assert stack is not None
    assert architecture.head is not None
    layer = stack.pattern[0]
    assert isinstance(layer.position, arch.Rotary)
    rope = _write_scaling(layer.position.scaling)
    old = {} if layer.position.scaling is None else {"rope_scaling": rope}
    return {
        "vocab_size": architecture.vocab,
        "hidden_size": architecture.dim,
        "num_hidden_layers": stack.depth,
        "num_attention_heads": layer.attention.heads,
        "num_key_value_heads": layer.attention.key_value_heads,
        "head_dim": layer.attention.head_dim,
        "intermediate_size": layer.mlp.hidden,
        "hidden_act": "silu",
        "max_position_embeddings": stack.trained_length,
        "rms_norm_eps": layer.norms.before.eps if layer.norms.before else 1e-6,
        "rope_parameters": {**rope, "rope_theta": layer.position.theta},
        "rope_theta": layer.position.theta,
        **old,
        "attention_dropout": layer.dropout.attention,
        "attention_bias": layer.attention.qkv_bias,
        "mlp_bias": layer.mlp.bias,
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

_7B = {"dim": 4096, "depth": 32, "heads": 32, "hidden": 11_008}
_13B = {"dim": 5120, "depth": 40, "heads": 40, "hidden": 13_824}
_70B = {"dim": 8192, "depth": 80, "heads": 64, "kv_heads": 8, "hidden": 28_672}
_1 = {"tied": False}
_2 = {"tied": False, "positions": 4096, "eps": 1e-5}
_3 = {"tied": False, "vocab": 128_256, "positions": 8192, "theta": 500_000.0, "eps": 1e-5}
_31 = {**_3, "positions": 131_072, "scaling": arch.LlamaScaling(8.0, 1.0, 4.0, 8192)}
_32 = {**_31, "tied": True, "scaling": arch.LlamaScaling(32.0, 1.0, 4.0, 8192)}
_8B = {"dim": 4096, "depth": 32, "heads": 32, "kv_heads": 8, "hidden": 14_336}

#: The published models: LLaMA's four, those of the later versions, and two small ones of others in the same form.
SIZES: dict[str, dict[str, Any]] = {
    "7b": {**_7B, **_1},
    "13b": {**_13B, **_1},
    "33b": {"dim": 6656, "depth": 60, "heads": 52, "hidden": 17_920, **_1},
    "65b": {"dim": 8192, "depth": 80, "heads": 64, "hidden": 22_016, "eps": 1e-5, **_1},
    "2-7b": {**_7B, **_2},
    "2-13b": {**_13B, **_2},
    "2-70b": {**_70B, **_2},
    "3-8b": {**_8B, **_3},
    "3-70b": {**_70B, **_3},
    "3.1-8b": {**_8B, **_31},
    "3.1-70b": {**_70B, **_31},
    "3.1-405b": {"dim": 16_384, "depth": 126, "heads": 128, "kv_heads": 8, "hidden": 53_248, **_31},
    "3.2-1b": {"dim": 2048, "depth": 16, "heads": 32, "kv_heads": 8, "hidden": 8192, **_32},
    "3.2-3b": {"dim": 3072, "depth": 28, "heads": 24, "kv_heads": 8, "hidden": 8192, **_32},
    "tinyllama-1.1b": {"dim": 2048, "depth": 22, "heads": 32, "kv_heads": 4, "hidden": 5632, "eps": 1e-5, **_1},
    "smollm2-135m": {
        "vocab": 49_152, "dim": 576, "depth": 30, "heads": 9, "kv_heads": 3, "hidden": 1536, "positions": 8192,
        "theta": 100_000.0, "eps": 1e-5,
    },
}  # fmt: skip

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
    sizes=SIZES,
)
