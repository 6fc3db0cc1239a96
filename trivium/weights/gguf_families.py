"""The decoders that GGUF knows, a page each: names of tensors, and metadata to a published config and back.

Names map a published stem to GGUF's, `*` the layer; ".weight" and ".bias" stay. What becomes of a config is the
business of the family's own page in `trivium.families`.
"""

__all__ = ["PAGES", "ROPE", "Page", "stretching"]

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from trivium import architecture as arch
from trivium.errors import ModelError
from trivium.families.family import Config
from trivium.nn.rotary import Rotary
from trivium.weights.gguf_fields import Fields
from trivium.weights.gguf_file import GgufFile
from trivium.weights.gguf_layout import Layout, Swapped, Turned

#: LLaMA 3's tensor of what each pair's frequency is divided by.
ROPE = "rope_freqs.weight"
#: LLaMA 3.1's own numbers, which its converter leaves out because the tensor holds what follows from them.
_LOW, _HIGH, _ORIGINAL = 1.0, 4.0, 8192


@dataclass(frozen=True)
class Page:
    """One architecture of llama.cpp. `layouts` are by published stem.

    `metadata` raises `ModelError` for what llama.cpp would compute otherwise.
    """

    family: str
    names: Mapping[str, str]
    layouts: Callable[[Config], Mapping[str, Layout]]
    read_config: Callable[[GgufFile], dict[str, Any]]
    metadata: Callable[[Config], dict[str, Any]]


# ---- LLaMA ---------------------------------------------------------------------------------------------------------


def _llama_config(file: GgufFile) -> dict[str, Any]:
    fields = Fields(file)
    fields.only("expert_count", 0)
    vocabulary, _ = fields.shape("token_embd.weight")
    dim, heads = fields.size("embedding_length", "token_embd.weight", 1), fields.whole("attention.head_count")
    rows, _ = fields.shape("blk.0.attn_q.weight")
    head_dim = fields.whole("attention.key_length", max(dim // heads, 1))
    if head_dim * heads != rows:
        raise fields.error(f"has {heads} heads of {head_dim} channels, and holds 'blk.0.attn_q.weight' of {rows} rows")
    fields.only("attention.value_length", head_dim)
    fields.only("rope.dimension_count", head_dim)
    theta = fields.real("rope.freq_base", 10_000.0)
    return {
        "model_type": "llama",
        "vocab_size": vocabulary,
        "hidden_size": dim,
        "num_hidden_layers": fields.depth(),
        "num_attention_heads": heads,
        "num_key_value_heads": fields.whole("attention.head_count_kv", heads),
        "head_dim": head_dim,
        "intermediate_size": fields.size("feed_forward_length", "blk.0.ffn_up.weight", 0),
        "rms_norm_eps": fields.real("attention.layer_norm_rms_epsilon", 1e-6),
        "max_position_embeddings": fields.whole("context_length"),
        "rope_parameters": {"rope_theta": theta, **_scaling(file, fields, theta, head_dim)},
        "tie_word_embeddings": "output.weight" not in file.tensors,
        "attention_bias": "blk.0.attn_q.bias" in file.tensors,
        "mlp_bias": "blk.0.ffn_up.bias" in file.tensors,
    }


def _scaling(file: GgufFile, fields: Fields, theta: float, head_dim: int) -> dict[str, Any]:
    kind = fields.text("rope.scaling.type", "none")
    if kind not in ("none", "linear"):
        raise fields.error(f"stretches its rotary positions by '{kind}', and only 'linear' and LLaMA 3's way are known")
    if ROPE not in file.tensors:
        factor = fields.real("rope.scaling.factor", 1.0) if kind == "linear" else 1.0
        return {"rope_type": "default"} if factor == 1 else {"rope_type": "linear", "factor": factor}
    if fields.shape(ROPE, 1) != (head_dim // 2,):
        raise fields.error(f"holds '{ROPE}' as {fields.shape(ROPE, 1)}, and pairs {head_dim // 2} channels")
    stored = file.read(ROPE)
    low, high = fields.real("rope.scaling.low_freq_factor", _LOW), fields.real("rope.scaling.high_freq_factor", _HIGH)
    original = fields.whole("rope.scaling.original_context_length", _ORIGINAL)
    factor = round(float(stored.max()), 4)
    scaling = arch.LlamaScaling(factor, low, high, original)
    if not torch.allclose(stored, stretching(theta, scaling, head_dim), rtol=1e-3):
        raise fields.error(f"holds a '{ROPE}' that is not LLaMA 3's for the factor {factor:g}")
    names = ("factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings")
    return {"rope_type": "llama3", **dict(zip(names, (factor, low, high, original), strict=True))}


def stretching(theta: float, scaling: arch.LlamaScaling, head_dim: int) -> Tensor:
    """What llama.cpp divides each pair's frequency by."""
    plain, scaled = (Rotary(arch.Rotary(theta, how), head_dim).frequencies() for how in (None, scaling))
    return plain / scaled


def _llama_metadata(config: Config) -> dict[str, Any]:
    head_dim, rope = config["head_dim"], config["rope_parameters"]
    fields = {
        "vocab_size": config["vocab_size"],
        "context_length": config.get("max_position_embeddings", 2048),
        "embedding_length": config["hidden_size"],
        "block_count": config["num_hidden_layers"],
        "feed_forward_length": config["intermediate_size"],
        "attention.head_count": config["num_attention_heads"],
        "attention.head_count_kv": config["num_key_value_heads"],
        "attention.key_length": head_dim,
        "attention.value_length": head_dim,
        "attention.layer_norm_rms_epsilon": float(config["rms_norm_eps"]),
        "rope.dimension_count": head_dim,
        "rope.freq_base": float(rope["rope_theta"]),
    }
    match rope["rope_type"]:
        case "linear":
            fields |= {"rope.scaling.type": "linear", "rope.scaling.factor": float(rope["factor"])}
        case "llama3":  # the rest is in the tensor
            fields |= {
                "rope.scaling.low_freq_factor": float(rope["low_freq_factor"]),
                "rope.scaling.high_freq_factor": float(rope["high_freq_factor"]),
                "rope.scaling.original_context_length": int(rope["original_max_position_embeddings"]),
            }
    return fields


def _llama_layouts(config: Config) -> dict[str, Layout]:
    return {
        "model.layers.*.self_attn.q_proj": Swapped((config["num_attention_heads"], 2, -1), (1, 2)),
        "model.layers.*.self_attn.k_proj": Swapped((config["num_key_value_heads"], 2, -1), (1, 2)),
    }


_LLAMA = Page(
    family="llama",
    names={
        "model.embed_tokens": "token_embd",
        "model.layers.*.input_layernorm": "blk.*.attn_norm",
        "model.layers.*.self_attn.q_proj": "blk.*.attn_q",
        "model.layers.*.self_attn.k_proj": "blk.*.attn_k",
        "model.layers.*.self_attn.v_proj": "blk.*.attn_v",
        "model.layers.*.self_attn.o_proj": "blk.*.attn_output",
        "model.layers.*.post_attention_layernorm": "blk.*.ffn_norm",
        "model.layers.*.mlp.gate_proj": "blk.*.ffn_gate",
        "model.layers.*.mlp.up_proj": "blk.*.ffn_up",
        "model.layers.*.mlp.down_proj": "blk.*.ffn_down",
        "model.norm": "output_norm",
        "lm_head": "output",
    },
    layouts=_llama_layouts,
    read_config=_llama_config,
    metadata=_llama_metadata,
)


# ---- GPT-2 ---------------------------------------------------------------------------------------------------------


def _gpt2_config(file: GgufFile) -> dict[str, Any]:
    fields = Fields(file)
    vocabulary, _ = fields.shape("token_embd.weight")
    return {
        "model_type": "gpt2",
        "vocab_size": vocabulary,
        "n_embd": fields.size("embedding_length", "token_embd.weight", 1),
        "n_layer": fields.depth(),
        "n_head": fields.whole("attention.head_count"),
        "n_positions": fields.size("context_length", "position_embd.weight", 0),
        "n_inner": fields.size("feed_forward_length", "blk.0.ffn_up.weight", 0),
        "layer_norm_epsilon": fields.real("attention.layer_norm_epsilon", 1e-5),
    }


def _gpt2_metadata(config: Config) -> dict[str, Any]:
    if config["activation_function"] != "gelu_new":
        raise ModelError(
            f"llama.cpp runs GPT-2 with GELU's tanh form, and this one has '{config['activation_function']}': it "
            "cannot be written as GGUF. A Hugging Face folder keeps it."
        )
    return {
        "context_length": config["n_positions"],
        "embedding_length": config["n_embd"],
        "block_count": config["n_layer"],
        "feed_forward_length": config["n_inner"],
        "attention.head_count": config["n_head"],
        "attention.layer_norm_epsilon": float(config["layer_norm_epsilon"]),
    }


def _gpt2_layouts(config: Config) -> dict[str, Layout]:
    linears = ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj")
    return {f"transformer.h.*.{name}": Turned() for name in linears}


_GPT2 = Page(
    family="gpt2",
    names={
        "transformer.wte": "token_embd",
        "transformer.wpe": "position_embd",
        "transformer.h.*.ln_1": "blk.*.attn_norm",
        "transformer.h.*.attn.c_attn": "blk.*.attn_qkv",
        "transformer.h.*.attn.c_proj": "blk.*.attn_output",
        "transformer.h.*.ln_2": "blk.*.ffn_norm",
        "transformer.h.*.mlp.c_fc": "blk.*.ffn_up",
        "transformer.h.*.mlp.c_proj": "blk.*.ffn_down",
        "transformer.ln_f": "output_norm",
        "lm_head": "output",
    },
    layouts=_gpt2_layouts,
    read_config=_gpt2_config,
    metadata=_gpt2_metadata,
)


# ---- BLOOM ---------------------------------------------------------------------------------------------------------


def _bloom_config(file: GgufFile) -> dict[str, Any]:
    fields = Fields(file)
    vocabulary, _ = fields.shape("token_embd.weight")
    dim, heads = fields.size("embedding_length", "token_embd.weight", 1), fields.whole("attention.head_count")
    fields.only("attention.head_count_kv", heads)
    fields.only("feed_forward_length", 4 * dim)
    return {
        "model_type": "bloom",
        "vocab_size": vocabulary,
        "hidden_size": dim,
        "n_layer": fields.depth(),
        "n_head": heads,
        "seq_length": fields.whole("context_length"),
        "layer_norm_epsilon": fields.real("attention.layer_norm_epsilon", 1e-5),
    }


def _bloom_metadata(config: Config) -> dict[str, Any]:
    return {
        "context_length": config["seq_length"],
        "embedding_length": config["hidden_size"],
        "block_count": config["n_layer"],
        "feed_forward_length": 4 * config["hidden_size"],
        "attention.head_count": config["n_head"],
        "attention.head_count_kv": config["n_head"],
        "attention.layer_norm_epsilon": float(config["layer_norm_epsilon"]),
    }


_BLOOM = Page(
    family="bloom",
    names={
        "transformer.word_embeddings": "token_embd",
        "transformer.word_embeddings_layernorm": "token_embd_norm",
        "transformer.h.*.input_layernorm": "blk.*.attn_norm",
        "transformer.h.*.self_attention.query_key_value": "blk.*.attn_qkv",
        "transformer.h.*.self_attention.dense": "blk.*.attn_output",
        "transformer.h.*.post_attention_layernorm": "blk.*.ffn_norm",
        "transformer.h.*.mlp.dense_h_to_4h": "blk.*.ffn_up",
        "transformer.h.*.mlp.dense_4h_to_h": "blk.*.ffn_down",
        "transformer.ln_f": "output_norm",
        "lm_head": "output",
    },
    layouts=lambda config: {
        "transformer.h.*.self_attention.query_key_value": Swapped((config["n_head"], 3, -1), (0, 1))
    },
    read_config=_bloom_config,
    metadata=_bloom_metadata,
)


# ---- all of them ---------------------------------------------------------------------------------------------------

#: By the name that `general.architecture` gives.
PAGES: dict[str, Page] = {"llama": _LLAMA, "gpt2": _GPT2, "bloom": _BLOOM}
