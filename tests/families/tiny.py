"""Tiny models of every family, built at random by `transformers`: the oracle of the other tests."""

import json
from pathlib import Path

import torch
import transformers as hf

from trivium.model import Transformer
from trivium.weights.folder import load_folder

VOCAB = 97


def _bert() -> hf.PreTrainedModel:
    config = hf.BertConfig(
        vocab_size=VOCAB, hidden_size=32, num_hidden_layers=3, num_attention_heads=4, intermediate_size=80,
        max_position_embeddings=64,
    )  # fmt: skip
    return hf.BertForMaskedLM(config)


def _gpt2() -> hf.PreTrainedModel:
    return hf.GPT2LMHeadModel(
        hf.GPT2Config(vocab_size=VOCAB, n_embd=32, n_layer=3, n_head=4, n_positions=64, n_inner=80)
    )


def _llama() -> hf.PreTrainedModel:
    config = hf.LlamaConfig(
        vocab_size=VOCAB, hidden_size=32, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2,
        intermediate_size=80, rms_norm_eps=1e-5, tie_word_embeddings=False,
    )  # fmt: skip
    return hf.LlamaForCausalLM(config)


def _t5() -> hf.PreTrainedModel:
    config = hf.T5Config(
        vocab_size=VOCAB, d_model=32, d_kv=12, num_layers=3, num_decoder_layers=2, num_heads=4, d_ff=80,
        relative_attention_num_buckets=8, relative_attention_max_distance=20, decoder_start_token_id=0,
    )  # fmt: skip
    return hf.T5ForConditionalGeneration(config)


def _roberta() -> hf.PreTrainedModel:
    config = hf.RobertaConfig(
        vocab_size=VOCAB, hidden_size=32, num_hidden_layers=3, num_attention_heads=4, intermediate_size=80,
        max_position_embeddings=66, type_vocab_size=1, layer_norm_eps=1e-5,
    )  # fmt: skip
    return hf.RobertaForMaskedLM(config)


def _bart(**options) -> hf.PreTrainedModel:
    config = hf.BartConfig(
        vocab_size=VOCAB, d_model=32, encoder_layers=3, decoder_layers=2, encoder_attention_heads=4,
        decoder_attention_heads=4, encoder_ffn_dim=80, decoder_ffn_dim=80, max_position_embeddings=64, **options,
    )  # fmt: skip
    return hf.BartForConditionalGeneration(config)


def _bart_scaled() -> hf.PreTrainedModel:
    return _bart(scale_embedding=True, activation_function="relu")


class UntiedT5(hf.T5ForConditionalGeneration):
    """v1.1: transformers 5 ties every T5 that it builds, and keeps the two tables of one that it reads."""

    _tied_weights_keys = {f"{side}.embed_tokens.weight": "shared.weight" for side in ("encoder", "decoder")}


def _t5_v11() -> hf.PreTrainedModel:
    config = hf.T5Config(
        vocab_size=VOCAB, d_model=32, d_kv=12, num_layers=2, num_heads=4, d_ff=80, feed_forward_proj="gated-gelu",
        tie_word_embeddings=False, decoder_start_token_id=0,
    )  # fmt: skip
    return UntiedT5(config)


def _llama_stretched(**rope) -> hf.PreTrainedModel:
    config = hf.LlamaConfig(
        vocab_size=VOCAB, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=1,
        head_dim=12, intermediate_size=80, tie_word_embeddings=True, attention_bias=True, mlp_bias=True,
        rope_parameters={"rope_theta": 100.0, **rope},
    )  # fmt: skip
    return hf.LlamaForCausalLM(config)


def _llama_linear() -> hf.PreTrainedModel:
    return _llama_stretched(rope_type="linear", factor=3.0)


def _llama_31() -> hf.PreTrainedModel:
    return _llama_stretched(
        rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32
    )


def _bloom(heads: int = 4) -> hf.PreTrainedModel:
    return hf.BloomForCausalLM(hf.BloomConfig(vocab_size=VOCAB, hidden_size=48, n_layer=2, n_head=heads))


def _bloom_six_heads() -> hf.PreTrainedModel:
    return _bloom(heads=6)  # ALiBi's slopes are another sequence where there is no power of two


def _gpt1() -> hf.PreTrainedModel:
    return hf.OpenAIGPTLMHeadModel(hf.OpenAIGPTConfig(vocab_size=VOCAB, n_embd=32, n_layer=3, n_head=4, n_positions=64))


def _opt() -> hf.PreTrainedModel:
    config = hf.OPTConfig(
        vocab_size=VOCAB, hidden_size=32, num_hidden_layers=3, num_attention_heads=4, ffn_dim=80,
        max_position_embeddings=64, word_embed_proj_dim=32,
    )  # fmt: skip
    return hf.OPTForCausalLM(config)


BUILDERS = {
    "bart": _bart,
    "bart scaled": _bart_scaled,
    "bert": _bert,
    "bloom": _bloom,
    "bloom six heads": _bloom_six_heads,
    "gpt1": _gpt1,
    "gpt2": _gpt2,
    "llama": _llama,
    "llama linear": _llama_linear,
    "llama 3.1": _llama_31,
    "opt": _opt,
    "roberta": _roberta,
    "t5": _t5,
    "t5 v1.1": _t5_v11,
}


def oracle(family: str, seed: int = 0) -> hf.PreTrainedModel:
    """A tiny random model of Hugging Face's, with every weight away from its initial value (biases and norms too)."""
    torch.manual_seed(seed)
    return _shaken(BUILDERS[family]())


def with_dropout(family: str, share: float = 0.25) -> hf.PreTrainedModel:
    """The same with every share of dropout that its config knows."""
    plain = BUILDERS[family]()
    for name, value in plain.config.to_dict().items():
        if isinstance(value, float) and ("dropout" in name or name.endswith("pdrop")):
            setattr(plain.config, name, share)
    torch.manual_seed(0)
    return _shaken(type(plain)(plain.config))


def _shaken(model: hf.PreTrainedModel) -> hf.PreTrainedModel:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model.eval()


def ours(model: hf.PreTrainedModel, folder: Path) -> Transformer:
    """The same model as Trivium reads it from the folder that Hugging Face wrote."""
    model.save_pretrained(folder)
    assert json.loads((folder / "config.json").read_text())["model_type"] == model.config.model_type
    return load_folder(folder)


def oracle_logits(
    model: hf.PreTrainedModel,
    input_ids: torch.Tensor,
    mask: torch.Tensor | None = None,
    decoder_ids: torch.Tensor | None = None,
) -> torch.Tensor:
    """Hugging Face's logits; for an encoder-decoder, at the decoder's positions."""
    extra = {} if decoder_ids is None else {"decoder_input_ids": decoder_ids}
    with torch.no_grad():
        return model(input_ids=input_ids, attention_mask=mask, **extra).logits
