"""How each kind of tokenizer is made: what the published family does, a page each.

    kind        pieces are found by                 family         source
    bpe         merging the most frequent pair      GPT-2          Sennrich et al. 2016; on bytes: Radford et al. 2019
    bpe-mask    the same, with a mask               RoBERTa, BART  Liu et al. 2019; Lewis et al. 2020
    wordpiece   the same; read by longest match     BERT           Schuster and Nakajima 2012; Devlin et al. 2019
    unigram     pruning by likelihood (EM)          T5             Kudo 2018; Raffel et al. 2020

A recipe holds the family's normalizer, its words, its special tokens and their places, and the template by which
Hugging Face's `tokenizer(text)` adds them. Training itself is the `tokenizers` library's.
"""

__all__ = ["RECIPES", "Corpus", "Recipe"]

import json
import string
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

_FEWEST_CHARACTERS: Final = 128  # room for printable ASCII
_MOST_CHARACTERS: Final = 1000  # BERT's trainer keeps as many
_T5_SENTINELS: Final = 100


@dataclass(frozen=True)
class Corpus:
    """What a recipe trains on: a sample of the texts, and how often each character stands in all of them."""

    texts: list[str]
    characters: Counter[str]


@dataclass(frozen=True)
class Recipe:
    """How one kind is trained."""

    #: Role in `tokenizer_config.json` -> token. The first ids of the vocabulary, in this order.
    specials: Mapping[str, str]
    #: Tokens at the end of the vocabulary, in the order of their ids (T5's sentinels descend to the first).
    last: tuple[str, ...]
    #: Pieces that every vocabulary of this kind holds, whatever the text: 256 bytes, or a character.
    fewest: int
    #: Bytes of text that training looks at; of a longer corpus, a sample.
    sample_bytes: int
    #: (corpus, vocabulary without `last`, specials) -> a trained tokenizer without a template.
    train: Callable[[Corpus, int, Mapping[str, str]], Tokenizer]
    #: (tokenizer, specials) -> what Hugging Face's `tokenizer(text)` adds around a text.
    template: Callable[[Tokenizer, Mapping[str, str]], processors.PostProcessor]


# ---- byte-level BPE, as GPT-2 ---------------------------------------------------------------------------------------


def _train_bpe(corpus: Corpus, vocabulary: int, specials: Mapping[str, str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=_unique(specials),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus.texts, trainer)
    return tokenizer


def _gpt2_template(tokenizer: Tokenizer, specials: Mapping[str, str]) -> processors.PostProcessor:
    return processors.ByteLevel(trim_offsets=False)  # it adds nothing


def _roberta_template(tokenizer: Tokenizer, specials: Mapping[str, str]) -> processors.PostProcessor:
    begin, end = specials["bos_token"], specials["eos_token"]
    ids = tokenizer.get_vocab()
    return processors.RobertaProcessing(
        (end, ids[end]), (begin, ids[begin]), trim_offsets=False, add_prefix_space=False
    )


# ---- WordPiece, as BERT (cased) -------------------------------------------------------------------------------------


def _train_wordpiece(corpus: Corpus, vocabulary: int, specials: Mapping[str, str]) -> Tokenizer:
    """Train with the characters that may stand inside a word listed beforehand.

    The library numbers them in the order of a hash table and breaks ties by number, which would give another tokenizer
    each time. They are trained as special tokens in a fixed order, and are ordinary ones in what is made of it.
    """
    tokenizer = _empty_wordpiece(models.WordPiece(unk_token=specials["unk_token"]))
    normalized: Counter[str] = Counter()
    for character, count in corpus.characters.items():
        for kept in tokenizer.normalizer.normalize_str(character).strip():
            normalized[kept] += count
    alphabet = _alphabet(normalized, vocabulary // 4)
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocabulary,
        special_tokens=[*_unique(specials), *(f"##{character}" for character in alphabet)],
        initial_alphabet=alphabet,
        limit_alphabet=len(alphabet),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus.texts, trainer)
    model = models.WordPiece(tokenizer.get_vocab(), unk_token=specials["unk_token"])
    tokenizer = _empty_wordpiece(model)
    tokenizer.add_special_tokens(_added(_unique(specials)))
    return tokenizer


def _empty_wordpiece(model: models.WordPiece) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def _bert_template(tokenizer: Tokenizer, specials: Mapping[str, str]) -> processors.PostProcessor:
    begin, end = specials["cls_token"], specials["sep_token"]
    return processors.TemplateProcessing(
        single=f"{begin}:0 $A:0 {end}:0",
        pair=f"{begin}:0 $A:0 {end}:0 $B:1 {end}:1",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in (begin, end)],
    )


# ---- Unigram, as T5 -------------------------------------------------------------------------------------------------


def _train_unigram(corpus: Corpus, vocabulary: int, specials: Mapping[str, str]) -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=vocabulary,
        special_tokens=_unique(specials),
        unk_token=specials["unk_token"],
        initial_alphabet=_alphabet(corpus.characters, vocabulary // 8),
        shrinking_factor=0.5,  # with one round of EM between prunings: twice as fast as the defaults, 1.3 % more tokens
        n_sub_iterations=1,
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus.texts, trainer)
    # Log probabilities of six decimals: JSON gives them back exactly as they were written.
    pieces = [(piece, round(score, 6)) for piece, score in json.loads(tokenizer.to_str())["model"]["vocab"]]
    tokenizer.model = models.Unigram(pieces, unk_id=tokenizer.token_to_id(specials["unk_token"]))
    return tokenizer


def _t5_template(tokenizer: Tokenizer, specials: Mapping[str, str]) -> processors.PostProcessor:
    end = specials["eos_token"]
    ids = [(end, tokenizer.token_to_id(end))]
    return processors.TemplateProcessing(single=f"$A {end}", pair=f"$A {end} $B {end}", special_tokens=ids)


# ---- pieces of recipes ----------------------------------------------------------------------------------------------


def _alphabet(characters: Counter[str], limit: int) -> list[str]:
    """The most frequent characters, then printable ASCII where there is room for it: about `limit` of them."""
    seen = sorted((character for character in characters if character.strip()), key=lambda one: (-characters[one], one))
    unseen = [one for one in sorted(string.printable.strip()) if one.strip() and one not in characters]
    return [*seen, *unseen][: min(_MOST_CHARACTERS, max(_FEWEST_CHARACTERS, limit))]


def _unique(specials: Mapping[str, str]) -> list[str]:
    return list(dict.fromkeys(specials.values()))  # GPT-2's begin and end are one token


def _added(tokens: list[str]) -> list[AddedToken | str]:
    return [AddedToken(token, special=True, normalized=False) for token in tokens]


#: The recipes by kind.
RECIPES: Final[dict[str, Recipe]] = {
    "bpe": Recipe(
        specials={"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "pad_token": "<|pad|>"},
        last=(),
        fewest=256,
        sample_bytes=200_000_000,
        train=_train_bpe,
        template=_gpt2_template,
    ),
    "bpe-mask": Recipe(
        specials={
            "bos_token": "<s>",
            "pad_token": "<pad>",
            "eos_token": "</s>",
            "unk_token": "<unk>",
            "mask_token": "<mask>",
            "cls_token": "<s>",
            "sep_token": "</s>",
        },
        last=(),
        fewest=256,
        sample_bytes=200_000_000,
        train=_train_bpe,
        template=_roberta_template,
    ),
    "wordpiece": Recipe(
        specials={
            "pad_token": "[PAD]",
            "unk_token": "[UNK]",
            "cls_token": "[CLS]",
            "sep_token": "[SEP]",
            "mask_token": "[MASK]",
        },
        last=(),
        fewest=1,
        sample_bytes=200_000_000,
        train=_train_wordpiece,
        template=_bert_template,
    ),
    "unigram": Recipe(
        specials={"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"},
        last=tuple(f"<extra_id_{number}>" for number in reversed(range(_T5_SENTINELS))),
        fewest=1,
        sample_bytes=3_000_000,  # every round of EM reads every distinct word: seconds for 3 MB, half a minute for 12
        train=_train_unigram,
        template=_t5_template,
    ),
}
