from trivium.text.recipes import RECIPES


def test_special_tokens_are_those_of_the_papers() -> None:
    assert list(RECIPES) == ["bpe", "bpe-mask", "wordpiece", "unigram"]
    assert list(RECIPES["wordpiece"].specials.values()) == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    # The first ids of the published vocabularies of RoBERTa and BART; theirs has <mask> at its end.
    assert list(RECIPES["bpe-mask"].specials.values())[:5] == ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    assert list(RECIPES["unigram"].specials.values()) == ["<pad>", "</s>", "<unk>"]
    assert len(RECIPES["unigram"].last) == 100  # Raffel et al. 2020, section 3.1.4: at most 100 sentinels
    assert RECIPES["unigram"].last[-1] == "<extra_id_0>"
    assert RECIPES["bpe"].specials["pad_token"] != RECIPES["bpe"].specials["eos_token"]
