"""RoBERTa (Liu et al. 2019): BERT's encoder without sentence pairs, its positions two rows late.

The rows before the first position belong to the padding: positions begin behind the padding's own id, which is 1.
XLM-R (Conneau et al. 2020) and CamemBERT (Martin et al. 2020) are published in the same form.
"""

__all__ = ["ROBERTA", "SIZES", "preset", "read_config", "write_config"]

from dataclasses import replace
from typing import Any

from trivium import architecture as arch
from trivium.errors import ModelError
from trivium.families import bert
from trivium.families.family import Config, Family, Ignored, Rule, Tied, config_value

_PADDING_ID = 1


def preset(
    *,
    vocab: int = 50_265,
    dim: int = 768,
    depth: int = 12,
    heads: int = 12,
    positions: int = 512,
    hidden: int | None = None,
    activation: arch.Activation = "gelu",
    segments: int = 1,
    eps: float = 1e-5,
    dropout: float = 0.0,
    attention_dropout: float = 0.0,
) -> arch.Architecture:
    """RoBERTa-base unless told otherwise. The head's activation is GELU whatever the layers' is."""
    like = bert.preset(
        vocab=vocab, dim=dim, depth=depth, heads=heads, positions=positions, hidden=hidden, activation=activation,
        segments=segments, eps=eps, dropout=dropout, attention_dropout=attention_dropout,
    )  # fmt: skip
    return _from_bert(like, arch.Learned(positions, offset=_PADDING_ID + 1))


def _from_bert(like: arch.Architecture, position: arch.Learned) -> arch.Architecture:
    assert like.encoder is not None
    assert like.head is not None
    encoder = replace(like.encoder, embedding=replace(like.encoder.embedding, position=position))
    return replace(like, family="roberta", encoder=encoder, head=replace(like.head, transform="gelu"))


def read_config(config: Config) -> arch.Architecture:
    """A published config.json as an architecture; it counts the rows before the first position as positions."""
    like = bert.read_config(config)
    padding, rows = config.get("pad_token_id", _PADDING_ID), config_value(config, "max_position_embeddings")
    if type(padding) is not int or padding < 0 or rows <= padding + 1:
        raise ModelError(
            f"A RoBERTa's positions begin behind its pad_token_id, and this one has pad_token_id: {padding!r} in a "
            f"table of {rows} positions."
        )
    return _from_bert(like, arch.Learned(rows - padding - 1, offset=padding + 1))


def write_config(architecture: arch.Architecture) -> dict[str, Any]:
    """The config.json under which Hugging Face opens it."""
    assert architecture.encoder is not None
    position = architecture.encoder.embedding.position
    assert isinstance(position, arch.Learned)
    return {
        **bert.write_config(architecture),
        "max_position_embeddings": position.positions + position.offset,
        "pad_token_id": position.offset - 1,
    }


_TABLE: dict[str, Rule] = {
    "roberta.embeddings.word_embeddings": "tokens",
    "roberta.embeddings.position_embeddings": "encoder.embedding.positions",
    "roberta.embeddings.token_type_embeddings": "encoder.embedding.segments",
    "roberta.embeddings.LayerNorm": "encoder.embedding.norm",
    "roberta.embeddings.position_ids": Ignored("0, 1, 2, …, which old files carry"),
    "roberta.encoder.layer.*.attention.self.query": "encoder.layers.*.attention.query",
    "roberta.encoder.layer.*.attention.self.key": "encoder.layers.*.attention.key",
    "roberta.encoder.layer.*.attention.self.value": "encoder.layers.*.attention.value",
    "roberta.encoder.layer.*.attention.output.dense": "encoder.layers.*.attention.output",
    "roberta.encoder.layer.*.attention.output.LayerNorm": "encoder.layers.*.after_attention",
    "roberta.encoder.layer.*.intermediate.dense": "encoder.layers.*.mlp.up",
    "roberta.encoder.layer.*.output.dense": "encoder.layers.*.mlp.down",
    "roberta.encoder.layer.*.output.LayerNorm": "encoder.layers.*.after_mlp",
    "roberta.pooler.dense": Ignored("the first token's vector for a sentence, no part of the language model"),
    "lm_head.dense": "head.transform",
    "lm_head.layer_norm": "head.norm",
    "lm_head.bias": "head.projection.bias",
    "lm_head.decoder.weight": Tied("tokens.weight"),
    "lm_head.decoder.bias": Tied("head.projection.bias"),
}

_LARGE = {"dim": 1024, "depth": 24, "heads": 16}

#: The published models.
SIZES: dict[str, dict[str, Any]] = {
    "base": {},
    "large": _LARGE,
    "camembert-base": {"vocab": 32_005},
    "xlm-base": {"vocab": 250_002},
    "xlm-large": {"vocab": 250_002, **_LARGE},
}

ROBERTA = Family(
    name="roberta",
    kind="encoder",
    model_type="roberta",
    classes="RobertaForMaskedLM",
    objective="masked",
    tokenizer="bpe-mask",
    prefix="roberta.",
    preset=preset,
    read_config=read_config,
    write_config=write_config,
    table=lambda architecture: _TABLE,
    sizes=SIZES,
    other_types=("xlm-roberta", "camembert"),
)
