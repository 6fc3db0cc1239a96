"""Which task examples teach, and to whom."""

import pytest

from tests.finetune.tiny import EXAMPLES, PAIRS, body
from trivium.data.examples import FORMS
from trivium.errors import UsageError
from trivium.finetune.registry import TASKS, task_of


def test_every_form_has_a_task() -> None:
    assert set(FORMS) | {"embedding", "reward"} == set(TASKS)


def test_the_task_is_that_of_the_form() -> None:
    for form, examples in EXAMPLES.items():
        assert task_of(body("bert").architecture, examples) == form


def test_pairs_teach_an_encoder_to_embed_and_others_to_write() -> None:
    told = {family: task_of(body(family).architecture, PAIRS) for family in ("bert", "gpt2", "t5")}
    assert told == {"bert": "embedding", "gpt2": "text-to-text", "t5": "text-to-text"}
    assert task_of(body("gpt2").architecture, PAIRS, "embedding") == "embedding"


def test_what_cannot_be_taught_is_refused() -> None:
    encoder = body("bert").architecture
    with pytest.raises(UsageError, match=r"no task 'taging'. Did you mean 'tagging'"):
        task_of(encoder, PAIRS, "taging")
    with pytest.raises(UsageError, match="holds examples of text-to-text, which do not teach tagging"):
        task_of(encoder, PAIRS, "tagging")
    with pytest.raises(UsageError, match="An encoder writes no texts"):
        task_of(encoder, PAIRS, "text-to-text")
