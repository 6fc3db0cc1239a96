"""How good a finished model is at what it was taught, on examples that it never saw: by the measure of its task."""

__all__ = ["Measured", "measured"]

from pathlib import Path

from trivium.data.examples import Examples
from trivium.evaluate.evaluation import Evaluation, evaluate
from trivium.evaluate.head_predictor import HeadPredictor
from trivium.finetune.preference import Preferred, preferred, prepare_preference
from trivium.finetune.reward import Ranked, prepare_reward, ranked
from trivium.finetune.run import FineTuned
from trivium.finetune.settings import FineTuneSettings
from trivium.finetune.stopping import Stopping, stopping
from trivium.finetune.text_to_text import as_text_pairs
from trivium.language_model import LanguageModel

#: Each has `metrics`, `remarks` and `to_dict()`.
Measured = Evaluation | Preferred | Ranked | Stopping


def measured(
    done: FineTuned,
    start: LanguageModel,
    held_out: Examples,
    settings: FineTuneSettings,
    folder: Path | None = None,
    identity: str = "",
) -> Measured | None:
    """Metrics of labels and texts, the margin of preferences over `start` (the model before), how a reward ranks them,
    the share of answers that end. None for vectors, which have no right and wrong here.
    """
    device = start.model.tokens.weight.device
    lm = done.load(device)
    match done.task:
        case "embedding":
            return None
        case "preference":
            return preferred(lm.model, prepare_preference(start, held_out, (), settings), settings.preference.beta)
        case "reward":
            return ranked(lm.model, prepare_reward(lm, held_out, (), settings))
        case "conversation":
            return stopping(lm, held_out)
        case _:
            if done.task == "text-to-text":
                held_out = as_text_pairs(held_out)
            return evaluate(HeadPredictor(lm), held_out, folder=folder, identity=identity)
