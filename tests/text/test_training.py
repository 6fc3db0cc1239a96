import pytest

from trivium.errors import DataError, UsageError
from trivium.text.tokenizer import Tokenizer
from trivium.text.training import train_tokenizer

KINDS = ("bpe", "bpe-mask", "wordpiece", "unigram")


@pytest.mark.parametrize("kind", KINDS)
def test_the_vocabulary_is_exactly_as_asked(kind: str, tokenizers: dict[str, Tokenizer]) -> None:
    tokenizer = tokenizers[kind]
    assert tokenizer.kind == kind.removesuffix("-mask")
    assert tokenizer.vocabulary == {"bpe": 600, "bpe-mask": 600, "wordpiece": 700, "unigram": 700}[kind]
    assert all(tokenizer.token(number) for number in range(tokenizer.vocabulary))


def test_sennrich_example() -> None:
    """Sennrich et al. 2016, section 3.2: the first merges of low, lowest, newer, wider are e-r before l-o, lo-w."""
    words = ["low"] * 5 + ["lowest"] * 2 + ["newer"] * 6 + ["wider"] * 3
    tokenizer = train_tokenizer("bpe", [" " + " ".join(words)], 258 + 5)
    merged = [tokenizer.token(number) for number in range(258, 263)]
    assert merged[0] == "er"
    assert {"lo", "low", "Ġlow"} & set(merged)
    assert [tokenizer.token(number) for number in tokenizer.encode("lower")][-1] == "er"


@pytest.mark.parametrize("kind", ["bpe", "bpe-mask", "wordpiece"])
def test_training_twice_gives_the_same(kind: str, tokenizers: dict[str, Tokenizer], english: list[str]) -> None:
    again = train_tokenizer(kind, english, tokenizers[kind].vocabulary)
    assert again.fingerprint == tokenizers[kind].fingerprint


def test_unigram_again_gives_the_same_pieces(tokenizers: dict[str, Tokenizer], english: list[str]) -> None:
    again = train_tokenizer("unigram", english, 700)
    ours = {again.token(number) for number in range(700)}
    assert ours == {tokenizers["unigram"].token(number) for number in range(700)}


def test_the_sample_is_bounded_and_blind_to_order(english: list[str]) -> None:
    once = train_tokenizer("bpe", english, 400, sample_bytes=20_000)
    reverse = train_tokenizer("bpe", english[::-1], 400, sample_bytes=20_000)
    whole = train_tokenizer("bpe", english, 400)
    assert once.fingerprint == reverse.fingerprint != whole.fingerprint


def test_printable_ascii_is_known_unseen(english: list[str]) -> None:
    letters = [" ".join(word for word in text.split() if word.isalpha()) for text in english]
    for kind in ("wordpiece", "unigram"):
        tokenizer = train_tokenizer(kind, letters, 600)
        assert tokenizer.unknown_id not in tokenizer.encode("~ ^ Q # 1")
        assert tokenizer.unknown_id in tokenizer.encode("日")


@pytest.mark.parametrize("kind", KINDS)
def test_a_vocabulary_larger_than_the_data_supports(kind: str) -> None:
    with pytest.raises(DataError, match="larger than the data supports") as caught:
        train_tokenizer(kind, ["the cat sat on the mat"], 5000)
    if kind == "unigram":
        return  # its pruning decides for itself how many pieces to keep
    supported = int(str(caught.value).split("tokenizer of ")[1].split(" ")[0].replace(",", ""))
    assert train_tokenizer(kind, ["the cat sat on the mat"], supported).vocabulary == supported


@pytest.mark.parametrize(("kind", "vocabulary"), [("bpe", 258), ("bpe-mask", 261), ("wordpiece", 6), ("unigram", 104)])
def test_a_vocabulary_without_room(kind: str, vocabulary: int) -> None:
    with pytest.raises(DataError, match="leaves no room"):
        train_tokenizer(kind, ["the cat sat on the mat"], vocabulary)


def test_a_vocabulary_too_small_for_the_characters() -> None:
    text = "".join(chr(number) for number in range(0x4E00, 0x4E00 + 500))
    with pytest.raises(DataError, match="cannot be trained on this text"):
        train_tokenizer("unigram", [text], 300)
    with pytest.raises(DataError, match="too small for the characters"):
        train_tokenizer("wordpiece", [text], 100)


@pytest.mark.parametrize("texts", [[], [""], ["  \n", "\t"]])
def test_no_text_is_refused(texts: list[str]) -> None:
    with pytest.raises(DataError, match="no text"):
        train_tokenizer("bpe", texts, 300)


def test_other_special_tokens(english: list[str]) -> None:
    names = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}
    tokenizer = train_tokenizer("bpe", english[:50], 300, specials=names)
    assert [tokenizer.token(number) for number in range(3)] == ["<s>", "</s>", "<pad>"]
    assert (tokenizer.begin_id, tokenizer.end_id, tokenizer.pad_id) == (0, 1, 2)


def test_wrong_use_is_named(english: list[str]) -> None:
    with pytest.raises(UsageError, match="Did you mean 'wordpiece'"):
        train_tokenizer("wordpeice", english, 300)
    with pytest.raises(UsageError, match="eos_token"):
        train_tokenizer("bpe", english, 300, specials={"bos_token": "<s>", "pad_token": "<pad>"})
