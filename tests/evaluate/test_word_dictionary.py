"""The word-for-word dictionary: a textbook's example of its equations, and what it makes of texts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.data.examples import Examples, LabelledText, TextPair
from trivium.errors import DataError
from trivium.evaluate.word_dictionary import WordDictionary, _ibm_1, words

PAIRS = (("das Haus", "the house"), ("das Buch", "the book"), ("ein Buch", "a book"))


def _links(pairs: tuple[tuple[str, str], ...]) -> tuple[list[tuple[str, str]], np.ndarray, np.ndarray, np.ndarray]:
    """The kinds of link, and for each link its kind and its target word, as the dictionary numbers them."""
    said = [(source.split(), word) for source, target in pairs for word in target.split()]
    links = [((e, f), place) for place, (sources, f) in enumerate(said) for e in sources]
    kinds = sorted({link for link, _ in links})
    sources = sorted({e for e, _ in kinds})
    kind = np.array([kinds.index(link) for link, _ in links])
    return kinds, kind, np.array([sources.index(e) for e, _ in kinds]), np.array([place for _, place in links])


def test_the_first_rounds_of_a_textbook() -> None:
    """Koehn 2010, "Statistical Machine Translation", figure 4.4: t(f | e) after one, two and three rounds."""
    kinds, kind, source, place = _links(PAIRS)
    expected = {
        ("das", "the"): (0.5, 0.6364, 0.7479),
        ("das", "book"): (0.25, 0.1818, 0.1208),
        ("das", "house"): (0.25, 0.1818, 0.1313),
        ("Buch", "book"): (0.5, 0.6364, 0.7479),
        ("ein", "a"): (0.5, 0.5714, 0.6534),
        ("Haus", "house"): (0.5, 0.5714, 0.6534),
    }
    for round_ in (1, 2, 3):
        found = dict(zip(kinds, _ibm_1(kind, source, place, round_), strict=True))
        for link, values in expected.items():
            assert found[link] == pytest.approx(values[round_ - 1], abs=5e-5), (link, round_)


@given(st.lists(st.tuples(st.text("abc ", min_size=1), st.text("xyz ", min_size=1)), min_size=1, max_size=8))
def test_every_round_makes_the_pairs_likelier(texts: list[tuple[str, str]]) -> None:
    pairs = tuple((" ".join(source), " ".join(target)) for source, target in texts if source.split() and target.split())
    if not pairs:
        return
    _, kind, source, place = _links(pairs)
    likelihoods = []
    for rounds in range(1, 5):
        probability = _ibm_1(kind, source, place, rounds)
        assert np.bincount(source, probability) == pytest.approx(1)
        likelihoods.append(np.log(np.bincount(place, probability[kind])).sum())
    assert (np.diff(likelihoods) > -1e-9).all()


def test_a_text_word_by_word() -> None:
    pairs = [("Acute fever", "Fièvre aiguë"), ("Acute pain", "Douleur aiguë"), ("Fever, other", "Fièvre, autre")]
    pairs += [("Pain (chest)", "Douleur (thorax)"), ("Chest", "Thorax"), ("other", "autre")]
    train = Examples("text-to-text", tuple(TextPair(source, (target,)) for source, target in pairs))
    dictionary = WordDictionary.of(train, rounds=10)
    assert dictionary.entries["acute"] == "aiguë"
    assert dictionary.translate("Acute fever, other") == "Aiguë Fièvre, autre"
    assert dictionary.translate("Pain (Ebola)") == "Douleur (Ebola)"  # a word that was never seen stays
    assert [one.said for one in dictionary.predict(train.pick([2]))] == ["Fièvre, autre"]
    assert str(len(dictionary.entries)) in dictionary.how["baseline"]


def test_words_keep_what_belongs_together() -> None:
    assert words("L'os (X-ray), 50%") == ["L'os", "(", "X-ray", ")", ",", "50", "%"]


def test_labels_make_no_dictionary() -> None:
    with pytest.raises(DataError, match="a dictionary needs text-to-text"):
        WordDictionary.of(Examples("classification", (LabelledText("a", "b"),)))
