"""What a model can be taught, by name, and who makes the examples ready for it.

classification, multi-label, regression    a label, labels or a number for a text    any family
tagging                                    a label for each word                     encoders, decoders
extraction                                 the part of a context that answers        any family
text-to-text                               a text for a text                         decoders, encoder-decoders
conversation                               answers, in a chat template           decoders, encoder-decoders
preference                                 the better one of two answers            decoders, encoder-decoders
reward                                     how good an answer is                    any family
embedding                                  a vector, near that of the text's pair    any family
"""

__all__ = ["TASKS", "Prepare", "TaskName", "task_of"]

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from trivium.architecture import Architecture
from trivium.data.examples import Examples, Form
from trivium.errors import UsageError, nearest
from trivium.finetune.classification import prepare_classification
from trivium.finetune.conversation import prepare_conversation
from trivium.finetune.embedding import prepare_embedding
from trivium.finetune.extraction import prepare_extraction
from trivium.finetune.preference import prepare_preference
from trivium.finetune.prepared import Prepared
from trivium.finetune.reward import prepare_reward
from trivium.finetune.settings import FineTuneSettings
from trivium.finetune.tagging import prepare_tagging
from trivium.finetune.text_to_text import prepare_text_to_text
from trivium.language_model import LanguageModel

TaskName = Form | Literal["reward", "embedding"]

#: Examples of one form become the rows of one model: called for the training examples, and for the held-out ones with
#: the same labels.
Prepare = Callable[[LanguageModel, Examples, Sequence[str], FineTuneSettings], Prepared]

TASKS: Mapping[str, Prepare] = {
    "classification": prepare_classification,
    "multi-label": prepare_classification,
    "regression": prepare_classification,
    "tagging": prepare_tagging,
    "extraction": prepare_extraction,
    "text-to-text": prepare_text_to_text,
    "conversation": prepare_conversation,
    "preference": prepare_preference,
    "reward": prepare_reward,
    "embedding": prepare_embedding,
}


def task_of(architecture: Architecture, examples: Examples, asked: str | None = None) -> str:
    """The task that examples teach: that of their form, or the one asked for.

    Pairs of texts teach an encoder to embed, as it writes nothing. Raises `UsageError` for a task that there is not,
    and for one that the examples do not show.
    """
    natural = "embedding" if examples.form == "text-to-text" and architecture.decoder is None else examples.form
    if asked is not None and asked not in TASKS:
        raise UsageError(f"There is no task '{asked}'.{nearest(asked, TASKS)} There are: {', '.join(TASKS)}.")
    task = asked or natural
    shows = "text-to-text" if task == "embedding" else task
    if task == "conversation" and examples.form == "text-to-text":
        shows = examples.form  # a question and its answer
    if task == "reward":
        shows = "preference"
    if shows != examples.form and task != "text-to-text":  # which any example can be written as
        raise UsageError(f"{examples.where} holds examples of {examples.form}, which do not teach {task}.")
    if task == "text-to-text" and architecture.decoder is None:
        raise UsageError("An encoder writes no texts: take a decoder or an encoder-decoder, or the task 'embedding'.")
    return task
