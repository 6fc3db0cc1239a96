"""The validation inside a run reads the same rows each time."""

import pytest
import torch

from trivium.model import Transformer
from trivium.plan.shapes import shape
from trivium.project.estimate import settings_of
from trivium.project.prepare import prepare
from trivium.project.read import parse_project
from trivium.project.validation import VALIDATION_ROWS, validation_of


@pytest.mark.parametrize("family", ["bert", "gpt2"])
def test_it_is_the_same_each_time_and_over_few_rows(small: dict, family: str) -> None:
    small["model"]["families"] = [family]
    project = parse_project(small)
    [material] = prepare(project)
    settings = settings_of(project, material, steps=10, parameters=10**6)
    torch.manual_seed(0)
    model = Transformer(shape(material.family, 32, material.tokenizer.vocabulary, material.length))
    found = validation_of(material, settings, 8)(model)
    assert found == validation_of(material, settings, 8)(model)
    assert 0 < found.targets <= VALIDATION_ROWS * material.length
    assert found.bits_per_byte is not None
