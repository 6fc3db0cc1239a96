"""A language model as one uses it: the network, its tokenizer, and how it likes to decode, in one object.

    lm = trivium.load("runs/decoder")
    lm.generate("Once upon a time", max_tokens=40, temperature=0.8).text

Letters: B rows, T input tokens, U decoder tokens, D channels, V vocabulary.
"""

__all__ = ["LanguageModel", "load"]

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, overload

import torch
from jaxtyping import Float, Int
from torch import Tensor

from trivium.adapt.copies import merged
from trivium.adapt.low_rank import adapted_layers
from trivium.architecture import Architecture, Pooling
from trivium.decode import fill
from trivium.decode.fill import MaskFilling, SpanFilling
from trivium.decode.generate import Completion, Delta, generate, stream
from trivium.decode.prompt import prompt_ids
from trivium.decode.sampling import Sampling, unsupported
from trivium.decode.score import Score, score
from trivium.errors import UsageError
from trivium.files import atomic_write
from trivium.loading import Loaded, put_on, read_model
from trivium.model import Transformer
from trivium.tasks.answer import Answer, answers
from trivium.tasks.classify import Classification, classify
from trivium.tasks.embed import embed
from trivium.tasks.pooling import TextVectors
from trivium.tasks.reading import Text
from trivium.tasks.tag import Tags, tag, tag_words
from trivium.tasks.text_to_text import TextTask, chosen_task, say, written_tasks
from trivium.text.chat import Message, chat_ids
from trivium.text.tokenizer import Tokenizer
from trivium.weights.folder import save_folder
from trivium.weights.reference import model_folder

_GENERATION_CONFIG = "generation_config.json"


def load(
    reference: str | Path,
    device: torch.device | str | None = None,
    dtype: torch.dtype | str | None = None,
    base: str | Path | None = None,
) -> "LanguageModel":
    """A model by its reference: the same everywhere, and offline.

    A local folder, a run folder, a `.gguf` file (or a folder with one and nothing else to load), a name of the
    catalogue (`trivium data list`: "minilm", "smollm2-135m"), a hub id, or an adapter's folder, whose base is where it
    says, or `base`. On the GPU if there is one, in the precision of its file (float32 for GGUF), unless told otherwise.
    Raises `UsageError` for a reference that is nothing, `UnavailableError` for one that cannot be fetched, `ModelError`
    for a folder without a whole model and for an adapter without its base, `DataError` for one without a tokenizer.
    """
    return LanguageModel(**vars(read_model(reference, device, dtype, base)))


@dataclass(frozen=True)
class LanguageModel:
    """A model, its tokenizer, and what its folder says of decoding (`generation_config.json`), vectors and texts."""

    model: Transformer
    tokenizer: Tokenizer
    generation_config: Mapping[str, Any] = field(default_factory=dict)
    vectors: TextVectors | None = None
    text_tasks: Mapping[str, TextTask] = field(default_factory=dict)

    @property
    def architecture(self) -> Architecture:
        """The description that the model was built from."""
        return self.model.architecture

    @property
    def start_id(self) -> int | None:
        """The token that starts the decoder of an encoder-decoder; T5 takes its padding."""
        start: int | None = self.generation_config.get("decoder_start_token_id")
        return self.tokenizer.pad_id if start is None else start

    @property
    def ignored(self) -> dict[str, Any]:
        """What `generation_config.json` asks for that Trivium does not do."""
        return unsupported(self.generation_config)

    def logits(
        self,
        input_ids: Int[Tensor, "B T"],
        attention_mask: Int[Tensor, "B T"] | None = None,
        decoder_input_ids: Int[Tensor, "B U"] | None = None,
    ) -> Float[Tensor, "B _ V"]:
        """Logits at every position, an encoder's too; at the decoder's positions where there are two sides."""
        self._require_head()
        with torch.inference_mode():
            logits: Tensor = self.model(input_ids, attention_mask, decoder_input_ids)
        return logits

    @overload
    def generate(self, prompt: str, **options: Any) -> Completion: ...
    @overload
    def generate(self, prompt: Sequence[str], **options: Any) -> list[Completion]: ...
    def generate(self, prompt: str | Sequence[str], **options: Any) -> Completion | list[Completion]:
        """Continue a prompt, or answer it (encoder-decoder); several are decoded together.

        The options are those of `Sampling`, by name: max_tokens, temperature, top_k, top_p, min_p, seed, stop, ... What
        is not given comes from the model's folder (`options`). Raises `UsageError` for a bad or unknown option and for
        a prompt that is too long.
        """
        texts = [prompt] if isinstance(prompt, str) else list(prompt)
        done = generate(self.model, self.tokenizer, self._prompts(texts), self.options(**options), self.start_id)
        return done[0] if isinstance(prompt, str) else done

    def stream(self, prompt: str | Sequence[str], **options: Any) -> Iterator[Delta]:
        """The same, token by token: `delta.text` is new text of row `delta.row`."""
        texts = [prompt] if isinstance(prompt, str) else list(prompt)
        return stream(self.model, self.tokenizer, self._prompts(texts), self.options(**options), self.start_id)

    def chat(self, messages: Sequence[Message], **options: Any) -> Completion:
        """The model's answer to a conversation: `lm.chat([{"role": "user", "content": "Hello"}])`.

        The messages are put into the form of the tokenizer's own chat template; a special token that a message spells
        stays text. The options are those of `generate`. Raises `UsageError` also for a model that is no decoder, has no
        template, or whose template refuses the messages.
        """
        ids = self._conversation(messages)
        return generate(self.model, self.tokenizer, [ids], self.options(**options), self.start_id)[0]

    def stream_chat(self, messages: Sequence[Message], **options: Any) -> Iterator[Delta]:
        """The same answer, token by token."""
        ids = self._conversation(messages)
        return stream(self.model, self.tokenizer, [ids], self.options(**options), self.start_id)

    def options(self, **options: Any) -> Sampling:
        """The options of one call with everything set, as `generate` uses them; they print well.

        What the call does not set comes from `generation_config.json`, and then from `decode.sampling.BUILT_IN`.
        """
        ends = () if self.tokenizer.end_id is None else (self.tokenizer.end_id,)
        folder = Sampling.from_generation_config(self.generation_config)
        return Sampling.of(**options).resolve(folder, Sampling(end_ids=ends))

    def score(self, prompt: str, completions: Sequence[str]) -> list[Score]:
        """How probable each completion is after the prompt.

        A decoder reads prompt and completion as one text, so that a token over their border counts with the completion.
        """
        self._require_head()
        kind = self.architecture.kind
        if kind != "decoder":
            read = prompt_ids(self.tokenizer, kind, prompt)
            return score(self.model, [(read, self.tokenizer.encode(text)) for text in completions], self.start_id)
        pairs = []
        for text in completions:
            whole = prompt_ids(self.tokenizer, kind, prompt + text)
            alone = prompt_ids(self.tokenizer, kind, prompt)
            shared = next((at for at, (a, b) in enumerate(zip(whole, alone, strict=False)) if a != b), len(alone))
            pairs.append((whole[:shared], whole[shared:]))
        return score(self.model, pairs)

    def fill_mask(self, text: str, top_k: int = 5) -> MaskFilling:
        """The most probable tokens for each mask of a text, by an encoder: `fill_mask("The [MASK] sat.")`."""
        return fill.fill_mask(self.model, self.tokenizer, text, top_k)

    def fill_spans(self, text: str, **options: Any) -> SpanFilling:
        """What an encoder-decoder says for the gaps of a text: `fill_spans("The <extra_id_0> sat.")`."""
        return fill.fill_spans(self.model, self.tokenizer, text, self.options(**options), self.start_id)

    @overload
    def translate(self, texts: str, task: str | None = None, truncate: bool = False, **options: Any) -> Completion: ...
    @overload
    def translate(
        self, texts: list[str], task: str | None = None, truncate: bool = False, **options: Any
    ) -> list[Completion]: ...
    def translate(
        self, texts: str | list[str], task: str | None = None, truncate: bool = False, **options: Any
    ) -> Completion | list[Completion]:
        """A text in another language, as the model's own task has it: its only translation, or the one that is named.

        The options are those of `generate`. Raises `UsageError` also for a model that has no such task, or several.
        """
        done = self._said(texts, chosen_task(self.text_tasks, "translation", task), truncate, options)
        return done[0] if isinstance(texts, str) else done

    @overload
    def summarize(self, texts: str, task: str | None = None, truncate: bool = False, **options: Any) -> Completion: ...
    @overload
    def summarize(
        self, texts: list[str], task: str | None = None, truncate: bool = False, **options: Any
    ) -> list[Completion]: ...
    def summarize(
        self, texts: str | list[str], task: str | None = None, truncate: bool = False, **options: Any
    ) -> Completion | list[Completion]:
        """A summary of a text; the rest is as in `translate`."""
        done = self._said(texts, chosen_task(self.text_tasks, "summarization", task), truncate, options)
        return done[0] if isinstance(texts, str) else done

    @overload
    def classify(self, texts: Text, truncate: bool = False) -> Classification: ...
    @overload
    def classify(self, texts: list[Text] | list[str], truncate: bool = False) -> list[Classification]: ...
    def classify(
        self, texts: Text | list[Text] | list[str], truncate: bool = False
    ) -> Classification | list[Classification]:
        """The label of a text with the scores of all; of each text of a list; a tuple is a pair read together."""
        done = classify(self.model, self.tokenizer, texts if isinstance(texts, list) else [texts], truncate)
        return done if isinstance(texts, list) else done[0]

    @overload
    def tag(self, texts: str, truncate: bool = False) -> Tags: ...
    @overload
    def tag(self, texts: list[str], truncate: bool = False) -> list[Tags]: ...
    def tag(self, texts: str | list[str], truncate: bool = False) -> Tags | list[Tags]:
        """The label of every word of a text, or of each of several, and the entities that words make."""
        done = tag(self.model, self.tokenizer, texts if isinstance(texts, list) else [texts], truncate)
        return done if isinstance(texts, list) else done[0]

    def tag_words(self, sentences: Sequence[Sequence[str]]) -> list[Tags]:
        """The same of sentences that come as words: one label for each given word."""
        return tag_words(self.model, self.tokenizer, sentences)

    @overload
    def answer(self, question: str, context: str, max_tokens: int = 15, or_none: bool = False) -> Answer: ...
    @overload
    def answer(
        self, question: list[str], context: list[str], max_tokens: int = 15, or_none: bool = False
    ) -> list[Answer]: ...
    def answer(
        self, question: str | list[str], context: str | list[str], max_tokens: int = 15, or_none: bool = False
    ) -> Answer | list[Answer]:
        """The part of the context that answers the question, and where it stands; of each question with its context.

        A context that is too long to be read at once is read in windows. With `or_none` the answer is empty where the
        model thinks it more probable that there is none.
        """
        questions, contexts = ([each] if isinstance(each, str) else each for each in (question, context))
        if len(questions) != len(contexts):
            raise UsageError(f"{len(questions)} questions need a context each, and there are {len(contexts)}.")
        pairs = list(zip(questions, contexts, strict=True))
        done = answers(self.model, self.tokenizer, pairs, max_tokens, or_none=or_none)
        return done[0] if isinstance(question, str) else done

    def embed(
        self,
        texts: Sequence[str],
        pooling: Pooling | None = None,
        normalize: bool | None = None,
        truncate: bool = False,
    ) -> Float[Tensor, "B D"]:
        """A vector for each text, of its tokens' hidden states (of the encoder, where there is one).

        What is not given is as the folder says (sentence-transformers), or the mean, not scaled to length 1.
        """
        how = self.vectors or TextVectors()
        how = replace(
            how,
            pooling=how.pooling if pooling is None else pooling,
            normalize=how.normalize if normalize is None else normalize,
        )
        return embed(self.model, self.tokenizer, texts, how, truncate)

    def with_adapter(self, folder: str | Path) -> "LanguageModel":
        """A second model: this one with the adapter of a folder or a hub id. Both share the weights.

        So several adapters stand on one base in memory, side by side. Raises `UsageError` for a model that has an
        adapter, and `ModelError` for an adapter that is not whole or of another base.
        """
        return LanguageModel(**vars(put_on(Loaded(**vars(self)), model_folder(folder))))

    def merged(self) -> "LanguageModel":
        """A plain model with the adapter in its weights. Raises `UsageError` where there is no adapter."""
        if not adapted_layers(self.model):
            raise UsageError("This model has no adapter: there is nothing to merge.")
        return replace(self, model=merged(self.model))

    def save(self, folder: Path | str, max_shard_bytes: int | None = None) -> None:
        """Write a Hugging Face folder: config, weights, tokenizer, and how to decode.

        With `max_shard_bytes`, weights of more bytes go into several files with an index.
        """
        if adapted_layers(self.model):
            raise UsageError("This model is a base with an adapter: save `lm.merged()`, or the adapter (save_adapter).")
        folder = Path(folder)
        words = self.tokenizer
        ids = {"pad_token_id": words.pad_id}
        if self.architecture.decoder is not None:
            ids |= {"bos_token_id": words.begin_id, "eos_token_id": words.end_id}
        if self.architecture.kind == "encoder-decoder":
            ids["decoder_start_token_id"] = self.start_id
        words.save(folder)
        if self.architecture.decoder is not None:
            config = {name: number for name, number in ids.items() if number is not None}
            config |= Sampling.from_generation_config(self.generation_config).to_generation_config()
            atomic_write(folder / _GENERATION_CONFIG, json.dumps(config, indent=2) + "\n")
        if self.vectors is not None:
            self.vectors.write(folder, self.architecture.dim)
        save_folder(
            folder, self.model, tokens=ids, extra=written_tasks(self.text_tasks), max_shard_bytes=max_shard_bytes
        )

    def __repr__(self) -> str:
        shown = self.architecture
        return f"LanguageModel({shown.family}, {shown.kind}, {shown.parameters:,} parameters, {self.tokenizer!r})"

    def _said(
        self, texts: str | list[str], task: TextTask, truncate: bool, options: Mapping[str, Any]
    ) -> list[Completion]:
        self._require_head()
        sources, sampling = [texts] if isinstance(texts, str) else texts, {"max_tokens": task.answer_tokens, **options}
        return say(self.model, self.tokenizer, sources, task, self.options(**sampling), self.start_id, truncate)

    def _require_head(self) -> None:
        if self.model.head is None:
            raise UsageError("This model has no language-model head, so it says nothing: it labels, answers or embeds.")

    def _conversation(self, messages: Sequence[Message]) -> list[int]:
        if self.architecture.kind != "decoder":
            raise UsageError(f"Only a decoder holds a conversation, and this is an {self.architecture.kind}.")
        self._require_head()
        return chat_ids(self.tokenizer, messages)

    def _prompts(self, texts: Sequence[str]) -> list[list[int]]:
        self._require_head()
        return [prompt_ids(self.tokenizer, self.architecture.kind, text) for text in texts]
