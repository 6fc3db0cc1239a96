import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tokenizers as library
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer, GPT2Tokenizer

from trivium.errors import DataError
from trivium.text.tokenizer import Tokenizer

KINDS = ("bpe", "bpe-mask", "wordpiece", "unigram")
SENTENCES = [
    "The list is sorted, then returned.",
    "  Two  spaces,\ttabs\nand lines; naïve café 日本 🙂 don't",
    "",
    "if x<=3: return '[MASK]' </s><pad>",
]
SPECIAL_STRINGS = ["<|endoftext|>", "<|pad|>", "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "<pad>", "</s>", "<unk>"]
SPECIAL_STRINGS += ["<extra_id_0>", "<extra_id_99>"]
TEXTS = st.lists(st.one_of(st.text(max_size=12), st.sampled_from(SPECIAL_STRINGS)), max_size=8).map("".join)


@pytest.fixture(params=KINDS)
def tokenizer(request: pytest.FixtureRequest, tokenizers: dict[str, Tokenizer]) -> Tokenizer:
    return tokenizers[request.param]


def test_roles_of_each_kind(tokenizers: dict[str, Tokenizer]) -> None:
    bpe, masked, wordpiece, unigram = (tokenizers[kind] for kind in KINDS)
    assert [bpe.token(bpe.begin_id), bpe.token(bpe.pad_id)] == ["<|endoftext|>", "<|pad|>"]
    assert bpe.begin_id == bpe.end_id != bpe.pad_id
    assert bpe.unknown_id is bpe.mask_id is None
    assert bpe.sentinel_ids == []
    roberta = [masked.begin_id, masked.pad_id, masked.end_id, masked.unknown_id, masked.mask_id]
    assert [masked.token(number) for number in roberta] == ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    assert roberta == [0, 1, 2, 3, 4]
    bert = [wordpiece.pad_id, wordpiece.unknown_id, wordpiece.begin_id, wordpiece.end_id, wordpiece.mask_id]
    assert [wordpiece.token(number) for number in bert] == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    assert bert == [0, 1, 2, 3, 4]
    assert [unigram.pad_id, unigram.end_id, unigram.unknown_id, unigram.begin_id] == [0, 1, 2, None]
    # T5: <extra_id_0> is the last id and they descend.
    assert unigram.sentinel_ids == [unigram.vocabulary - 1 - number for number in range(100)]
    assert unigram.token(unigram.sentinel_ids[7]) == "<extra_id_7>"
    assert unigram.id("<extra_id_7>") == unigram.sentinel_ids[7]
    assert unigram.id("no such token") is None


def test_special_ids_are_those_of_transformers(tokenizer: Tokenizer, tmp_path: Path) -> None:
    tokenizer.save(tmp_path)
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    assert set(theirs.all_special_ids) == tokenizer.special_ids
    assert theirs.pad_token_id == tokenizer.pad_id
    assert theirs.unk_token_id == tokenizer.unknown_id
    assert theirs.mask_token_id == tokenizer.mask_id
    assert (theirs.bos_token_id if theirs.cls_token_id is None else theirs.cls_token_id) == tokenizer.begin_id
    assert (theirs.eos_token_id if theirs.sep_token_id is None else theirs.sep_token_id) == tokenizer.end_id
    assert len(theirs) == tokenizer.vocabulary


@pytest.mark.parametrize("with_config", [False, True])
@pytest.mark.parametrize(
    ("kind", "family"),
    [
        ("bpe", "gpt2"),
        ("bpe", "llama"),
        ("bpe-mask", "roberta"),
        ("bpe-mask", "bart"),
        ("wordpiece", "bert"),
        ("unigram", "t5"),
    ],
)
def test_transformers_gives_the_same_ids(
    kind: str, family: str, with_config: bool, tokenizers: dict[str, Tokenizer], english: list[str], tmp_path: Path
) -> None:
    tokenizer = tokenizers[kind]
    tokenizer.save(tmp_path)
    if with_config:  # a run folder: the model's type must not bring another tokenizer
        (tmp_path / "config.json").write_text(json.dumps({"model_type": family}))
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    for text in [*english[:50], *SENTENCES[:3]]:
        ids = tokenizer.encode(text)
        assert theirs(text, add_special_tokens=False).input_ids == ids
        assert theirs.decode(ids, skip_special_tokens=True) == tokenizer.decode(ids)


def test_transformers_adds_what_the_family_adds(tokenizers: dict[str, Tokenizer], tmp_path: Path) -> None:
    for kind, before, after in (("bpe", [], []), ("bpe-mask", [0], [2]), ("wordpiece", [2], [3]), ("unigram", [], [1])):
        tokenizers[kind].save(tmp_path / kind)
        theirs = AutoTokenizer.from_pretrained(tmp_path / kind)
        ids = tokenizers[kind].encode("two words")
        assert theirs("two words").input_ids == [*before, *ids, *after]
        between = [*after, *after] if kind == "bpe-mask" else after  # RoBERTa separates a pair by two </s>
        assert theirs("two words", "two words").input_ids == [*before, *ids, *between, *ids, *after]


def test_what_transformers_saves_is_opened(tokenizer: Tokenizer, tmp_path: Path) -> None:
    tokenizer.save(tmp_path / "ours")
    AutoTokenizer.from_pretrained(tmp_path / "ours").save_pretrained(tmp_path / "theirs")
    loaded = Tokenizer.load(tmp_path / "theirs")
    assert [loaded.encode(text) for text in SENTENCES] == [tokenizer.encode(text) for text in SENTENCES]
    assert loaded.special_ids == tokenizer.special_ids
    for role in ("pad_id", "unknown_id", "begin_id", "end_id", "mask_id", "sentinel_ids"):
        assert getattr(loaded, role) == getattr(tokenizer, role)


@given(text=TEXTS)
def test_text_never_gives_a_special_token(text: str, tokenizers: dict[str, Tokenizer]) -> None:
    for tokenizer in tokenizers.values():
        assert not set(tokenizer.encode(text)) & (tokenizer.special_ids - {tokenizer.unknown_id})


@given(text=TEXTS)
def test_byte_level_loses_nothing(text: str, tokenizers: dict[str, Tokenizer]) -> None:
    bpe = tokenizers["bpe"]
    ids = bpe.encode(text)
    assert bpe.decode(ids, skip_special=False) == text
    assert bpe.token_bytes[ids].sum() == len(text.encode())


def test_token_bytes_are_those_of_the_decoded_text(tokenizers: dict[str, Tokenizer], english: list[str]) -> None:
    unigram, wordpiece = tokenizers["unigram"], tokenizers["wordpiece"]
    for text in english[:100]:
        ids = unigram.encode(text)
        if ids and unigram.unknown_id not in ids:  # "▁" at the start of a text is a space that decoding takes away
            assert unigram.token_bytes[ids].sum() == len(unigram.decode(ids).encode()) + 1
        ids = [number for number in wordpiece.encode(text) if number != wordpiece.unknown_id]
        assert wordpiece.token_bytes[ids].sum() == len("".join(text.split()).encode())
    for tokenizer in tokenizers.values():
        assert not tokenizer.token_bytes[sorted(tokenizer.special_ids)].any()


def test_words_start_where_they_start(tokenizers: dict[str, Tokenizer]) -> None:
    for tokenizer in tokenizers.values():
        ids = tokenizer.encode(" otherwise exceptionally sophisticated")
        starts = tokenizer.word_starts[ids]
        pieces = [tokenizer.decode(part.tolist()) for part in np.split(ids, np.flatnonzero(starts))[1:]]
        assert [piece.strip() for piece in pieces] == ["otherwise", "exceptionally", "sophisticated"]
        assert tokenizer.word_starts[sorted(tokenizer.special_ids)].all()
        assert not starts.all()  # the small vocabulary does cut them


def test_a_batch_is_its_texts(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode_batch(SENTENCES) == [tokenizer.encode(text) for text in SENTENCES]
    assert tokenizer.encode("") == []
    assert tokenizer.encode_batch([]) == []


def test_decode_leaves_special_tokens_out_only_when_asked(tokenizers: dict[str, Tokenizer]) -> None:
    bpe = tokenizers["bpe"]
    ids = [bpe.begin_id, *bpe.encode("a word"), bpe.end_id]
    assert bpe.decode(ids) == "a word"
    assert bpe.decode(ids, skip_special=False) == "<|endoftext|>a word<|endoftext|>"


def test_half_a_surrogate_pair_is_named(tokenizer: Tokenizer) -> None:
    with pytest.raises(DataError, match=r"Text 1 holds half of a surrogate pair \('\\ud800'\) at character 2"):
        tokenizer.encode_batch(["fine", "ab\ud800c"])


def test_saved_and_loaded_it_is_the_same(tokenizer: Tokenizer, tmp_path: Path) -> None:
    tokenizer.chat_template = "{{ messages }}"
    tokenizer.save(tmp_path / "a")
    loaded = Tokenizer.load(tmp_path / "a")
    tokenizer.chat_template = None
    assert loaded.fingerprint == tokenizer.fingerprint
    assert loaded.special_ids == tokenizer.special_ids
    assert loaded.chat_template == "{{ messages }}"
    assert [loaded.encode(text) for text in SENTENCES] == [tokenizer.encode(text) for text in SENTENCES]
    loaded.save(tmp_path / "b")
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_fingerprints_differ(tokenizers: dict[str, Tokenizer]) -> None:
    assert len({tokenizer.fingerprint for tokenizer in tokenizers.values()}) == len(KINDS)


def test_padding_of_a_foreign_file_is_switched_off(tokenizers: dict[str, Tokenizer], tmp_path: Path) -> None:
    tokenizers["wordpiece"].save(tmp_path)
    raw = library.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    raw.enable_padding(length=128)
    raw.enable_truncation(4)
    raw.save(str(tmp_path / "tokenizer.json"))
    assert len(Tokenizer.load(tmp_path).encode("one two three four five six")) == len(
        tokenizers["wordpiece"].encode("one two three four five six")
    )


def test_a_lone_tokenizer_json_has_roles_by_name(tokenizer: Tokenizer, tmp_path: Path) -> None:
    tokenizer.save(tmp_path)
    (tmp_path / "tokenizer_config.json").unlink()
    loaded = Tokenizer.load(tmp_path)
    assert [loaded.pad_id, loaded.begin_id, loaded.end_id, loaded.mask_id, loaded.unknown_id] == [
        tokenizer.pad_id, tokenizer.begin_id, tokenizer.end_id, tokenizer.mask_id, tokenizer.unknown_id,
    ]  # fmt: skip


def test_llama_style_byte_fallback_loads(tmp_path: Path) -> None:
    """Made as LLaMA's converted tokenizer is: BPE on characters, spaces as "▁", unseen characters as bytes."""
    bytes_ = [f"<0x{number:02X}>" for number in range(256)]
    tokens = ["<unk>", "<s>", "</s>", *bytes_, "▁", "t", "h", "e", "▁t", "he", "▁the"]
    merges = [("▁", "t"), ("h", "e"), ("▁t", "he")]
    raw = library.Tokenizer(
        library.models.BPE(
            vocab={token: number for number, token in enumerate(tokens)},
            merges=merges,
            unk_token="<unk>",
            byte_fallback=True,
            fuse_unk=True,
        )
    )
    raw.normalizer = library.normalizers.Sequence(
        [library.normalizers.Prepend("▁"), library.normalizers.Replace(" ", "▁")]
    )
    raw.decoder = library.decoders.Sequence(
        [
            library.decoders.Replace("▁", " "),
            library.decoders.ByteFallback(),
            library.decoders.Fuse(),
            library.decoders.Strip(" ", 1, 0),
        ]
    )
    raw.add_special_tokens(["<unk>", "<s>", "</s>"])
    raw.save(str(tmp_path / "tokenizer.json"))
    tokenizer = Tokenizer.load(tmp_path)
    ids = tokenizer.encode("the é </s>the")
    assert tokenizer.kind == "bpe"
    assert not tokenizer.byte_level
    assert tokenizer.decode(ids) == "the é </s>the"
    assert not set(ids) & tokenizer.special_ids
    assert tokenizer.token_bytes[ids].sum() == len(" the é </s>the".encode())
    assert (tokenizer.begin_id, tokenizer.end_id, tokenizer.unknown_id, tokenizer.pad_id) == (1, 2, 0, None)
    assert tokenizer.word_starts[tokenizer.encode("the the")].tolist() == [True, True]


def test_a_piece_that_is_special_is_cut_in_foreign_unigram_models(tmp_path: Path) -> None:
    """T5's published vocabulary holds "<pad>" as a piece, which its model would spell."""
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    pieces += [(character, -3.0) for character in "▁<>/pads"]
    raw = library.Tokenizer(library.models.Unigram(pieces, unk_id=2))
    raw.add_special_tokens(["<pad>", "</s>", "<unk>"])
    raw.pre_tokenizer = library.pre_tokenizers.Metaspace()
    raw.save(str(tmp_path / "tokenizer.json"))
    raw.encode_special_tokens = True
    assert 0 in raw.encode("a <pad>").ids  # the library's own switch is not enough
    tokenizer = Tokenizer.load(tmp_path)
    assert [tokenizer.token(number) for number in tokenizer.encode("a<pad>s</s>")] == list("▁a<pad>s</s>")


@pytest.mark.parametrize("content", [None, "{", '{"version": "1.0"}'])
def test_what_is_no_tokenizer_is_refused(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(DataError, match=r"no tokenizer in|no tokenizer that can be read"):
        Tokenizer.load(tmp_path)


def test_a_broken_config_is_refused(tokenizer: Tokenizer, tmp_path: Path) -> None:
    tokenizer.save(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text("{")
    with pytest.raises(DataError, match=r"tokenizer_config.json is not JSON"):
        Tokenizer.load(tmp_path)


def test_another_model_is_refused() -> None:
    with pytest.raises(DataError, match="WordLevel"):
        Tokenizer(library.Tokenizer(library.models.WordLevel({"a": 0}, unk_token="a")))


@pytest.mark.slow
def test_gpt2s_own_tokenizer(entry: Callable[[str], Path], english: list[str]) -> None:
    folder = entry("gpt2-tokenizer")
    tokenizer = Tokenizer.load(folder)
    theirs = GPT2Tokenizer.from_pretrained(folder)
    assert (tokenizer.vocabulary, tokenizer.begin_id, tokenizer.end_id, tokenizer.pad_id) == (50257, 50256, 50256, None)
    assert tokenizer.encode("Hello world") == [15496, 995]  # as published
    for text in english[:200]:
        assert tokenizer.encode(text) == theirs(text).input_ids
        assert tokenizer.token_bytes[tokenizer.encode(text)].sum() == len(text.encode())


@pytest.mark.slow
def test_a_published_bert_tokenizer(entry: Callable[[str], Path], english: list[str]) -> None:
    folder = entry("minilm")
    tokenizer = Tokenizer.load(folder)
    theirs = AutoTokenizer.from_pretrained(folder)
    bert = [tokenizer.pad_id, tokenizer.unknown_id, tokenizer.begin_id, tokenizer.end_id, tokenizer.mask_id]
    assert bert == [0, 100, 101, 102, 103]
    for text in english[:200]:
        assert tokenizer.encode(text) == theirs(text, add_special_tokens=False).input_ids
