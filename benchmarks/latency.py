"""One request's time as `trivium.plan.serving` computes it, held against a real one on this processor.

    python benchmarks/latency.py [rounds]

A row of tokens is read and more are said, greedily, in float32. Reading is the time until the first token is there, a
token the mean of those after it. The computed times are of products at 40 % of the measured rate and of weights that
are read once a token at the measured bandwidth, so that a true request should take longer: ratios above 1.
"""

import statistics
import sys
import time

import torch

from trivium.decode.sampling import Sampling
from trivium.decode.steps import steps
from trivium.families import bart, gpt2, llama, t5
from trivium.model import Transformer
from trivium.plan.devices import measured_device
from trivium.plan.serving import serving

READ, SAID = 128, 32
SHAPES = {
    "gpt2 5M": gpt2.preset(vocab=8192, dim=256, depth=4, heads=4, positions=512),
    "gpt2 124M": gpt2.preset(),
    "llama 5M": llama.preset(vocab=8192, dim=256, depth=4, heads=4),
    "llama 85M": llama.preset(vocab=8192, dim=768, depth=12, heads=12),
    "t5 60M": t5.preset(),
    "bart 139M": bart.preset(),
}


@torch.inference_mode()
def request(model: Transformer, prompt: list[int]) -> tuple[float, float]:
    """Seconds until the first token, and of each one after it."""
    sampling = Sampling(temperature=0, max_tokens=SAID).resolve()
    moments = [time.perf_counter()]
    for _ in steps(model, [prompt], sampling, [SAID], [False], 0):
        moments.append(time.perf_counter())
    return moments[1] - moments[0], (moments[-1] - moments[1]) / (len(moments) - 2)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    device = measured_device()
    rate = next(iter(device.flops_per_second.values()))
    print(
        f"{device.title}, {torch.get_num_threads()} threads: {rate / 1e9:.0f} GFLOP/s, "
        f"{device.bandwidth / 1e9:.1f} GB/s; {READ} tokens read, {SAID} said"
    )
    print(f"{'milliseconds':<14}{'read':>9}{'computed':>10}{'ratio':>7}{'a token':>10}{'computed':>10}{'ratio':>7}")
    for name, architecture in SHAPES.items():
        model = Transformer(architecture, torch.Generator().manual_seed(0)).eval()
        prompt = torch.randint(3, architecture.vocab, (READ,), generator=torch.Generator().manual_seed(1)).tolist()
        taken = [request(model, prompt) for _ in range(rounds + 1)][1:]
        read, token = (statistics.median(part) for part in zip(*taken, strict=True))
        computed = serving(architecture, READ, SAID, "float32", device)
        assert computed.read_seconds is not None
        assert computed.token_seconds is not None
        cells = (
            f"{taken * 1e3:>{width}.2f}{expected * 1e3:>10.2f}{taken / expected:>7.2f}"
            for taken, expected, width in ((read, computed.read_seconds, 9), (token, computed.token_seconds, 10))
        )
        print(f"{name:<14}" + "".join(cells))


if __name__ == "__main__":
    main()
