import torch

from trivium.objectives.batch import IGNORE, Batch


def test_tokens_are_what_is_read_and_targets_what_is_asked() -> None:
    ids = torch.arange(8).reshape(2, 4)
    targets = torch.tensor([[5, IGNORE, 6], [IGNORE, IGNORE, 7]])
    documents = torch.tensor([[1, 1, 2, 0], [1, 0, 0, 0]])
    assert Batch(ids, ids).tokens == 8
    assert Batch(ids, ids, documents).tokens == 4
    decoder = torch.zeros(2, 3, dtype=torch.int64)
    assert Batch(ids, targets, documents, decoder).tokens == 4 + 6
    both = Batch(ids, targets, documents, decoder, torch.tensor([[1, 1, 2], [1, 1, 0]]))
    assert (both.tokens, both.target_tokens) == (4 + 5, 3)


def test_it_moves_as_a_whole() -> None:
    ids = torch.zeros(1, 2, dtype=torch.int64)
    moved = Batch(ids, ids, decoder_input_ids=ids).to("meta")
    assert moved.input_ids.device.type == moved.targets.device.type == "meta"
    assert moved.decoder_input_ids is not None
    assert moved.decoder_input_ids.device.type == "meta"
    assert moved.documents is None
