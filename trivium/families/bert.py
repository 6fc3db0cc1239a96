"""BERT (Devlin et al. 2019): a post-norm encoder with learned positions and segments, and a masked-LM head."""

__all__ = ["BERT", "SIZES", "preset", "read_config", "write_config"]

from typing import Any

from trivium import architecture as arch
from trivium.families.family import Config, Family, Ignored, Rule, Tied, config_value, require_values, size_of_heads
from trivium.families.fields import activation_name, read_activation, read_number, read_size


def preset(
    *,
    vocab: int = 30_522,
    dim: int = 768,
    depth: int = 12,
    heads: int = 12,
    positions: int = 512,
    hidden: int | None = None,
    activation: arch.Activation = "gelu",
    segments: int = 2,
    eps: float = 1e-12,
    dropout: float = 0.0,
    attention_dropout: float = 0.0,
) -> arch.Architecture:
    """BERT-base uncased unless told otherwise."""
    norm = arch.LayerNorm(eps=eps)
    layer = arch.Layer(
        attention=arch.Attention(heads=heads, head_dim=size_of_heads(dim, heads), qkv_bias=True, out_bias=True),
        mlp=arch.MLP(hidden=hidden or 4 * dim, activation=activation, bias=True),
        norms=arch.Norms(after=norm),
        dropout=arch.Dropout(residual=dropout, attention=attention_dropout),
    )
    return arch.Architecture(
        family="bert",
        vocab=vocab,
        dim=dim,
        encoder=arch.Stack(
            depth=depth,
            pattern=(layer,),
            causal=False,
            embedding=arch.Embedding(position=arch.Learned(positions), segments=segments, norm=norm, dropout=dropout),
        ),
        head=arch.Head(tied=True, bias=True, transform=activation, norm=norm),
        initialisation=arch.Normal(std=0.02),
    )


def read_config(config: Config) -> arch.Architecture:
    """A published config.json as an architecture."""
    covered = {"is_decoder": False, "position_embedding_type": "absolute", "tie_word_embeddings": True}
    require_values(config, covered)
    return preset(
        vocab=config_value(config, "vocab_size"),
        dim=config_value(config, "hidden_size"),
        depth=config_value(config, "num_hidden_layers"),
        heads=config_value(config, "num_attention_heads"),
        positions=config_value(config, "max_position_embeddings"),
        hidden=config_value(config, "intermediate_size"),
        activation=read_activation(config, "hidden_act", "gelu"),
        segments=read_size(config, "type_vocab_size") or 2,
        eps=read_number(config, "layer_norm_eps", 1e-12),
        dropout=read_number(config, "hidden_dropout_prob", 0.1, below=1),
        attention_dropout=read_number(config, "attention_probs_dropout_prob", 0.1, below=1),
    )


def write_config(architecture: arch.Architecture) -> dict[str, Any]:
    """The config.json under which Hugging Face opens it."""
    stack = architecture.encoder
    assert stack is not None
    assert isinstance(stack.embedding.position, arch.Learned)
    layer = stack.pattern[0]
    return {
        "vocab_size": architecture.vocab,
        "hidden_size": architecture.dim,
        "num_hidden_layers": stack.depth,
        "num_attention_heads": layer.attention.heads,
        "intermediate_size": layer.mlp.hidden,
        "hidden_act": activation_name(layer.mlp.activation),
        "max_position_embeddings": stack.embedding.position.positions,
        "type_vocab_size": stack.embedding.segments,
        "layer_norm_eps": layer.norms.after.eps if layer.norms.after else 1e-12,
        "hidden_dropout_prob": layer.dropout.residual,
        "attention_probs_dropout_prob": layer.dropout.attention,
        "tie_word_embeddings": True,
    }


_TABLE: dict[str, Rule] = {
    "bert.embeddings.word_embeddings": "tokens",
    "bert.embeddings.position_embeddings": "encoder.embedding.positions",
    "bert.embeddings.token_type_embeddings": "encoder.embedding.segments",
    "bert.embeddings.LayerNorm": "encoder.embedding.norm",
    "bert.embeddings.position_ids": Ignored("0, 1, 2, …, which old files carry"),
    "bert.encoder.layer.*.attention.self.query": "encoder.layers.*.attention.query",
    "bert.encoder.layer.*.attention.self.key": "encoder.layers.*.attention.key",
    "bert.encoder.layer.*.attention.self.value": "encoder.layers.*.attention.value",
    "bert.encoder.layer.*.attention.output.dense": "encoder.layers.*.attention.output",
    "bert.encoder.layer.*.attention.output.LayerNorm": "encoder.layers.*.after_attention",
    "bert.encoder.layer.*.intermediate.dense": "encoder.layers.*.mlp.up",
    "bert.encoder.layer.*.output.dense": "encoder.layers.*.mlp.down",
    "bert.encoder.layer.*.output.LayerNorm": "encoder.layers.*.after_mlp",
    "bert.pooler.dense": Ignored("the first token's vector for a sentence, no part of the language model"),
    "cls.seq_relationship": Ignored("the head of next-sentence prediction"),
    "cls.predictions.transform.dense": "head.transform",
    "cls.predictions.transform.LayerNorm": "head.norm",
    "cls.predictions.bias": "head.projection.bias",
    "cls.predictions.decoder.weight": Tied("tokens.weight"),
    "cls.predictions.decoder.bias": Tied("head.projection.bias"),
}

_LARGE = {"dim": 1024, "depth": 24, "heads": 16}

#: The published models.
SIZES: dict[str, dict[str, Any]] = {
    "base-uncased": {},
    "large-uncased": _LARGE,
    "base-cased": {"vocab": 28_996},
    "large-cased": {"vocab": 28_996, **_LARGE},
}

BERT = Family(
    name="bert",
    kind="encoder",
    model_type="bert",
    classes="BertForMaskedLM",
    objective="masked",
    tokenizer="wordpiece",
    prefix="bert.",
    preset=preset,
    read_config=read_config,
    write_config=write_config,
    table=lambda architecture: _TABLE,
    sizes=SIZES,
)
