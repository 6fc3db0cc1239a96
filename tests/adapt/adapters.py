"""Adapters away from their beginning, where B is zero and every mistake is silent; and PEFT's own."""

import warnings
from pathlib import Path

import peft
import torch
import transformers as hf

from tests.families.tiny import VOCAB
from trivium.adapt.lora import Lora
from trivium.adapt.low_rank import DoraLinear, adapted_layers, add_lora
from trivium.model import Transformer

INPUTS = torch.tensor([[5, 6, 7, 8, 9, 10, 11], [20, 30, 40, 50, 60, 70, 80]])
OUTPUTS = torch.tensor([[0, 5, 6, 7], [0, 50, 60, 70]])


def adapted(model: Transformer, lora: Lora) -> Transformer:
    """The model with updates that change what it says, in evaluation mode."""
    add_lora(model, lora)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for layer in adapted_layers(model).values():
            for weight in (layer.down.weight, layer.up.weight):
                weight.normal_(std=0.1, generator=generator)
            if isinstance(layer, DoraLinear):
                layer.magnitude.mul_(1 + 0.3 * torch.rand(layer.magnitude.shape, generator=generator))
    return model.eval()


def logits(model: Transformer) -> torch.Tensor:
    """What ours says."""
    return model(INPUTS, None, OUTPUTS if model.architecture.kind == "encoder-decoder" else None)


def their_logits(model: torch.nn.Module) -> torch.Tensor:
    """What PEFT's model, or transformers', says."""
    extra = {"decoder_input_ids": OUTPUTS} if model.config.is_encoder_decoder else {}
    found: torch.Tensor = model(input_ids=INPUTS, **extra).logits
    return found


def in_peft(base: hf.PreTrainedModel, folder: Path) -> peft.PeftModel:
    """A folder as PEFT opens it, to train it further."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it says of Conv1D; a missing or unexpected key is looked for here
        model = peft.PeftModel.from_pretrained(base, folder, is_trainable=True)
    return model.eval()


def peft_adapter(base: hf.PreTrainedModel, folder: Path, targets: list[str], **options) -> peft.PeftModel:
    """An adapter that PEFT makes and saves."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = peft.get_peft_model(base, peft.LoraConfig(target_modules=targets, **options)).eval()
        torch.manual_seed(2)
        with torch.no_grad():
            for name, weight in model.named_parameters():
                if "lora_A" in name or "lora_B" in name:
                    weight.normal_(std=0.1)
                elif "magnitude" in name:
                    weight.mul_(1 + 0.3 * torch.rand_like(weight))
        model.save_pretrained(folder)
    return model


assert int(OUTPUTS.max()) < VOCAB
