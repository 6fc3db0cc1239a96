"""Trivium's models inside lm-eval (EleutherAI's evaluation harness), in process, through its own model interface.

    from lm_eval import simple_evaluate
    from trivium.evaluate.lm_eval import EvalModel

    simple_evaluate(model=EvalModel(trivium.load("smollm2-135m")), tasks=["lambada_openai"])

What lm-eval asks of a model, and which families answer:

                            decoder                encoder-decoder              encoder
    loglikelihood           log p(text | before)   the text by the decoder      pseudo-log-likelihood
    loglikelihood_rolling   windows, first after   as lm-eval's own: windows    no: a sum of masked predictions
                            the begin token        by the decoder               is no perplexity
    generate_until          yes                    yes                          no

Tokens are those that `lm.score` and `lm.generate` read: texts of a decoder start with the begin token unless the
tokenizer's files say otherwise, while lm-eval's own model for `transformers` adds none where that tokenizer adds none.
`EvalOptions(begin=False)` leaves it out, and gives that model's numbers. A context that is too long loses its
beginning, as there; how many lost it is said in `truncated`.
"""

__all__ = ["EvalModel", "EvalOptions"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from trivium.decode.draw import SEEDS
from trivium.decode.generate import generate
from trivium.decode.prompt import surround
from trivium.decode.score import score
from trivium.errors import UsageError
from trivium.evaluate.pseudo_likelihood import pseudo_scores
from trivium.language_model import LanguageModel

try:
    from lm_eval import utils as rolling
    from lm_eval.api.instance import Instance
    from lm_eval.api.model import TemplateLM
except ModuleNotFoundError as error:
    raise UsageError("lm-eval is not installed: `pip install 'trivium[lm-eval]'` brings it.") from error

#: Where a model has no limit of its own.
_MAX_TOKENS: Final = 2048
_MAX_NEW_TOKENS: Final = 256
#: What lm-eval's tasks say of decoding -> our option.
_OPTIONS: Final = {
    "temperature": "temperature",
    "top_k": "top_k",
    "top_p": "top_p",
    "min_p": "min_p",
    "repetition_penalty": "repetition_penalty",
    "no_repeat_ngram_size": "no_repeat_ngram",
    "min_new_tokens": "min_tokens",
}
_NEW_TOKENS: Final = ("max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens")

_Pair = tuple[list[int], list[int]]


@dataclass(frozen=True)
class EvalOptions:
    """How a model is read: rows at a time, the longest input (None: the model's own), and the seed of drawn texts.

    `begin` is whether a decoder's texts start with the begin token; None: as `lm.score` has it.
    """

    rows: int = 16
    max_tokens: int | None = None
    begin: bool | None = None
    seed: int = 0


class EvalModel(TemplateLM):  # type: ignore[misc]  # lm-eval has no types
    """A language model as lm-eval knows one. Raises `UsageError` for a model that neither says nor fills anything."""

    def __init__(self, lm: LanguageModel, options: EvalOptions | None = None) -> None:
        super().__init__()
        if lm.model.head is None:
            raise UsageError("lm-eval asks for the probabilities of texts, and this model has no language-model head.")
        self.lm, self.options = lm, options or EvalOptions()
        self.backend = "seq2seq" if lm.architecture.kind == "encoder-decoder" else "causal"
        self.truncated = 0

    # ---- what lm-eval asks of a tokenizer ---------------------------------------------------------------------------

    @property
    def eot_token_id(self) -> int:
        """The token that ends a text. Raises `UsageError` where the tokenizer has none."""
        end = self.lm.tokenizer.end_id
        if end is None:
            raise UsageError("This tokenizer has no end token, which lm-eval puts before an empty context.")
        return end

    @property
    def prefix_token_id(self) -> int:
        """What a text without a context follows: the begin token, or else the end token."""
        begin = self.lm.tokenizer.begin_id
        return self.eot_token_id if begin is None else begin

    @property
    def max_length(self) -> int:
        """The tokens that are read at once."""
        bounds = (self.lm.architecture.context, self.options.max_tokens)
        return min((bound for bound in bounds if bound is not None), default=_MAX_TOKENS)

    @property
    def tokenizer_name(self) -> str:
        """The tokenizer's fingerprint: lm-eval keeps requests by it."""
        return self.lm.tokenizer.fingerprint

    def tok_encode(self, string: str, add_special_tokens: bool | None = None, **_: Any) -> list[int]:
        """The tokens of a text, with the family's special tokens around them unless told otherwise."""
        ids, kind = self.lm.tokenizer.encode(string), self.lm.architecture.kind
        if add_special_tokens is False or kind == "encoder":
            return ids
        if kind == "decoder" and self.options.begin is not None:
            return [self.prefix_token_id, *ids] if self.options.begin else ids
        return surround(self.lm.tokenizer, kind, ids)

    def apply_chat_template(self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
        """Refuse: a conversation is put together as tokens here, so that a message cannot spell a special one."""
        raise UsageError("lm-eval's chat templates are not supported here: leave apply_chat_template out.")

    # ---- what lm-eval asks of a model -------------------------------------------------------------------------------

    def _loglikelihood_tokens(
        self, requests: Sequence[tuple[Any, list[int], list[int]]], disable_tqdm: bool = False, **_: Any
    ) -> list[tuple[float, bool]]:
        """The log-likelihood of each text after its context, and whether greedy decoding would say it."""
        pairs = [self._fitting(before, text) for _, before, text in requests]
        if self.lm.architecture.kind == "encoder":
            scores = pseudo_scores(self.lm.model, self.lm.tokenizer, pairs, self.options.rows)
        else:
            scores = score(self.lm.model, pairs, self.lm.start_id, self.options.rows)
        found = [(one.logprob, one.greedy) for one in scores]
        for request, answer in zip(requests, found, strict=True):
            if request[0] is not None:
                self.cache_hook.add_partial("loglikelihood", request[0], answer)
        return found

    def loglikelihood_rolling(self, requests: Sequence[Instance], disable_tqdm: bool = False) -> list[float]:
        """The log-likelihood of whole texts, each token predicted once, in windows that do not overlap.

        Raises `UsageError` for an encoder: its masked predictions are of no one distribution over texts.
        """
        if self.lm.architecture.kind == "encoder":
            raise UsageError(
                "An encoder gives no probability to a text as a whole, so it has no perplexity: use a task of multiple "
                "choice, or a decoder."
            )
        asked: list[tuple[None, list[int], list[int]]] = []
        counts = []
        for request in requests:
            (text,) = request.args
            # What begins a text stands before the first window and is not predicted; what ends T5's is.
            ids = self.tok_encode(text, None if self.backend == "seq2seq" else False)
            cut = rolling.get_rolling_token_windows(ids, self.prefix_token_id, self.max_length, 1)
            parts = [rolling.make_disjoint_window(window) for window in cut]
            asked += [(None, before, said) for before, said in parts]
            counts.append(len(parts))
        scores = iter(self._loglikelihood_tokens(asked))
        sums = [sum(next(scores)[0] for _ in range(count)) for count in counts]
        for request, total in zip(requests, sums, strict=True):
            self.cache_hook.add_partial("loglikelihood_rolling", request.args, total)
        return sums

    def generate_until(self, requests: Sequence[Instance], disable_tqdm: bool = False) -> list[str]:
        """What the model says after each context, up to a stop string.

        Raises `UsageError` for an encoder, and for options of decoding that are not known.
        """
        texts: dict[int, str] = {}
        groups: dict[str, list[int]] = {}
        for number, request in enumerate(requests):
            groups.setdefault(repr(request.args[1]), []).append(number)
        for numbers in groups.values():
            asked = requests[numbers[0]].args[1]
            options = _decoding(asked)
            room = self._room(options["max_tokens"])
            prompts = [self._tail(self.tok_encode(requests[number].args[0]), room) for number in numbers]
            sampling = self.lm.options(**options, seed=(self.options.seed + numbers[0]) % SEEDS)
            done = generate(
                self.lm.model, self.lm.tokenizer, prompts, sampling, self.lm.start_id, rows=self.options.rows
            )
            for number, completion in zip(numbers, done, strict=True):
                texts[number] = completion.text
                self.cache_hook.add_partial("generate_until", requests[number].args, completion.text)
        return [texts[number] for number in range(len(requests))]

    # ---- what fits --------------------------------------------------------------------------------------------------

    def _fitting(self, before: list[int], text: list[int]) -> _Pair:
        """The pair without what is too long at the beginning of the context; the text itself stays whole."""
        kind = self.lm.architecture.kind
        room = self.max_length
        if len(text) > room:
            raise UsageError(
                f"A text to score has {len(text):,} tokens, and this model reads {room:,} at once: leave the item out."
            )
        if kind == "encoder":
            if before[:1] == [self.prefix_token_id]:  # what lm-eval puts before an empty context; it frames every text
                before = before[1:]
            return self._tail(before, room - len(text) - 2), text  # beside [CLS] and [SEP]
        return self._tail(before, room if self.backend == "seq2seq" else room + 1 - len(text)), text

    def _room(self, new_tokens: int) -> int:
        """The tokens that a context may have so that the answer fits behind it."""
        if self.backend == "seq2seq":
            return self.max_length
        room = self.max_length - new_tokens
        if room < 1:
            raise UsageError(
                f"The task wants {new_tokens:,} new tokens, and this model has {self.max_length:,} positions: say "
                "fewer, for example `gen_kwargs={'max_gen_toks': 64}`."
            )
        return room

    def _tail(self, ids: list[int], room: int) -> list[int]:
        self.truncated += len(ids) > room
        return ids[len(ids) - room :] if len(ids) > room else ids


def _decoding(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a task's `generation_kwargs`. Greedy unless the task samples, as in lm-eval."""
    options = dict(asked)
    until = options.pop("until", None)
    limits = [options.pop(name, None) for name in _NEW_TOKENS]
    sampled = options.pop("do_sample", None)
    temperature = options.pop("temperature", None)
    unknown = [name for name in options if name not in _OPTIONS]
    if unknown:
        raise UsageError(
            f"The task decodes with {', '.join(unknown)}, which Trivium does not do; there are {', '.join(_OPTIONS)}."
        )
    stops = [until] if isinstance(until, str) else [stop for stop in until or [] if stop]
    named = {_OPTIONS[name]: value for name, value in options.items()}
    drawn = (1.0 if sampled and temperature is None else temperature or 0.0) if sampled is not False else 0.0
    limit = next((limit for limit in limits if limit is not None), _MAX_NEW_TOKENS)
    return {**named, "stop": stops or None, "max_tokens": int(limit), "temperature": float(drawn)}
