from trivium.text.recipes import RECIPES


def test_special_tokens_are_those_of_the_papers() -> None:
    assert list(RECIPES) == ["bpe", "wordpiece", "unigram"]
    assert list(RECIPES["wordpiece"].specials.values()) == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    assert list(RECIPES["unigram"].specials.values()) == ["<pad>", "</s>", "<unk>"]
    assert len(RECIPES["unigram"].last) == 100  # Raffel et al. 2020, section 3.1.4: at most 100 sentinels
    assert RECIPES["unigram"].last[-1] == "<extra_id_0>"
    assert RECIPES["bpe"].specials["pad_token"] != RECIPES["bpe"].specials["eos_token"]
