"""Tokens per second of greedy decoding with a cache, ours beside `transformers`, on the same random weights.

    python benchmarks/decode.py [rounds] [shape ...]

In one process the two take turns; both continue the same prompts by the same number of tokens, and the tokens are
compared. Prints the median and the fastest round of each, in tokens per second over all rows, prompt included in the
time. A second table holds one step of attention over a filled cache: two matrix products against torch's fused kernel.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
import transformers as hf
from transformers.utils import logging

from trivium.decode.rules import ABSENT
from trivium.decode.sampling import Sampling
from trivium.decode.steps import steps
from trivium.families import gpt2, llama, t5
from trivium.model import Transformer
from trivium.nn.attention import attend
from trivium.nn.mask import Mask
from trivium.weights.folder import save_folder

PROMPT, NEW, START = 64, 64, 0
SHAPES = {
    "gpt2 5M": gpt2.preset(vocab=8192, dim=256, depth=4, heads=4, positions=512),
    "gpt2 124M": gpt2.preset(),
    "llama 5M": llama.preset(vocab=8192, dim=256, depth=4, heads=4),
    "t5 8M": t5.preset(vocab=8192, dim=256, depth=4, heads=4),
    "t5 60M": t5.preset(),
}
CLASSES = {"gpt2": hf.AutoModelForCausalLM, "llama": hf.AutoModelForCausalLM, "t5": hf.AutoModelForSeq2SeqLM}


def ours(model: Transformer, prompts: torch.Tensor) -> list[list[int]]:
    rows = prompts.tolist()
    sampling = Sampling(temperature=0, max_tokens=NEW).resolve()
    said = [step.ids for step in steps(model, rows, sampling, [NEW] * len(rows), [False] * len(rows), START)]
    tokens = torch.stack(said, dim=1)
    assert bool((tokens != ABSENT).all())
    return tokens.tolist()


def theirs(model: hf.PreTrainedModel, prompts: torch.Tensor) -> list[list[int]]:
    mask = torch.ones_like(prompts)
    out = model.generate(input_ids=prompts, attention_mask=mask, max_new_tokens=NEW, do_sample=False)
    return out[:, -NEW:].tolist()


def both(name: str) -> tuple[Transformer, hf.PreTrainedModel]:
    model = Transformer(SHAPES[name], torch.Generator().manual_seed(0)).eval()
    with tempfile.TemporaryDirectory() as folder:
        save_folder(Path(folder), model, {"pad_token_id": 0, "decoder_start_token_id": START})
        other = CLASSES[model.architecture.family].from_pretrained(folder).eval()
    other.generation_config = hf.GenerationConfig(decoder_start_token_id=START, pad_token_id=0)  # nothing ends a text
    return model, other


def in_turn(rounds: int, *runs: Callable[[], object]) -> list[list[float]]:
    """Seconds of each run in each round; the first round warms up and does not count."""
    seconds: list[list[float]] = [[] for _ in runs]
    for _ in range(rounds + 1):
        for times, run in zip(seconds, runs, strict=True):
            start = time.perf_counter()
            run()
            times.append(time.perf_counter() - start)
    return [times[1:] for times in seconds]


def attention(rounds: int) -> None:
    print(f"\n{'one query over a cache':<34}{'products':>10}{'fused':>10}{'ratio':>8}   microseconds, median")
    for dtype in (torch.float32, torch.bfloat16):
        for rows, heads, groups, keys in ((1, 12, 12, 128), (1, 12, 12, 1024), (1, 16, 4, 1024), (8, 12, 12, 256)):
            query = torch.randn(rows, heads, 1, 64, dtype=dtype)
            key, value = (torch.randn(rows, groups, 2 * keys, 64, dtype=dtype)[:, :, :keys] for _ in range(2))

            def products(query=query, key=key, value=value) -> None:
                for _ in range(50):
                    attend(query, key, value, Mask(), 0.125)

            def fused(query=query, key=key, value=value, gqa=heads != groups) -> None:
                for _ in range(50):
                    F.scaled_dot_product_attention(query, key, value, scale=0.125, enable_gqa=gqa)

            first, second = (statistics.median(times) / 50 * 1e6 for times in in_turn(5 * rounds, products, fused))
            what = f"{str(dtype)[6:]}, {rows} x {heads}/{groups} heads, {keys} keys"
            print(f"{what:<34}{first:>10.0f}{second:>10.0f}{second / first:>8.2f}")


@torch.inference_mode()
def main() -> None:
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(f"{PROMPT} tokens read, {NEW} said, float32, {torch.get_num_threads()} threads, torch {torch.__version__}")
    print(f"{'tokens/s: median (fastest)':<28}{'trivium':>18}{'transformers':>18}{'ratio':>8}   tokens")
    for name in sys.argv[2:] or SHAPES:
        model, other = both(name)
        for rows in (1, 8):
            vocab = model.architecture.vocab
            prompts = torch.randint(3, vocab, (rows, PROMPT), generator=torch.Generator().manual_seed(1))
            equal = ours(model, prompts) == theirs(other, prompts)
            mine, his = in_turn(rounds, lambda: ours(model, prompts), lambda: theirs(other, prompts))  # noqa: B023
            rates = [[rows * NEW / seconds for seconds in times] for times in (mine, his)]
            cells = [f"{statistics.median(rate):,.0f} ({max(rate):,.0f})" for rate in rates]
            ratio = statistics.median(rates[0]) / statistics.median(rates[1])
            print(
                f"{f'{name}, {rows} rows':<28}{cells[0]:>18}{cells[1]:>18}{ratio:>8.2f}   {'equal' * equal or 'DIFFER'}"
            )
    attention(rounds)


if __name__ == "__main__":
    main()
