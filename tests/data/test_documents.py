import numpy as np

from trivium.data.documents import Documents, InMemoryDocuments


def test_lists_and_arrays_of_ids() -> None:
    documents = InMemoryDocuments([[5, 6, 7], [], np.array([8, 9], dtype=np.uint16)])
    assert isinstance(documents, Documents)
    assert (documents.documents, documents.tokens, documents.lengths.tolist()) == (3, 5, [3, 0, 2])
    assert documents.slice(0, 1, 9).tolist() == [6, 7]
    assert documents.slice(2, 0, 2).tolist() == [8, 9]
    assert InMemoryDocuments([]).tokens == 0
