from itertools import islice

from trivium.data.docstrings import docstrings


def test_documented_modules_are_documents_without_repetitions() -> None:
    documents = list(islice(docstrings(), 40))
    assert len(documents) == len(set(documents)) == 40
    assert all(len(text) >= 40 for text in documents)
    assert sum(len(text.split()) for text in documents) > 10_000
    assert any("Abstract Base Classes" in text for text in documents)  # abc, the first that is documented
