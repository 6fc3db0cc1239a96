"""Peak memory and time of loading a 135M model from a folder of safetensors, by Trivium and by `transformers`.

    python benchmarks/load.py [--dtype float32]

SmolLM2-135M of the catalogue (or the same shape with random weights, where the package cannot be had) is written to a
folder once. Each side then loads it in a process of its own from a warm file and looks at every weight once: only then
is a file that was mapped in memory, as it is after the first token. What counts is the growth of the process's peak
resident memory (VmHWM, set back before loading) over what it held after all imports: the limit for Trivium is 1.3
times the bytes of the weights. Times are the shortest of three processes.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

LIMIT = 1.3
REPEATS = 3

#: Run by each process: everything is imported and used once before it is measured.
MEASURE = """
import json, sys, time
from pathlib import Path
import torch
torch.set_num_threads(1)
torch.zeros(4).sum().item()
{imports}
def kilobytes(field):
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1])
before = kilobytes("VmRSS")
Path("/proc/self/clear_refs").write_text("5")  # the peak is now what is held now
start = time.perf_counter()
model = {load}
loaded = time.perf_counter() - start
for parameter in model.parameters():
    parameter.detach().view(-1)[:: 1024 // parameter.element_size()].sum().item()  # touches every page
seconds = time.perf_counter() - start
total = sum(p.numel() * p.element_size() for p in model.parameters())
peak = (kilobytes("VmHWM") - before) * 1024
print(json.dumps({{"peak": peak, "loaded": loaded, "seconds": seconds, "bytes": total}}))
"""

SIDES = {
    "trivium": (
        "from trivium.weights.folder import load_folder",
        "load_folder(Path(sys.argv[1]), None, 'cpu')",
    ),
    "transformers": (
        "from transformers import AutoModelForCausalLM, LlamaForCausalLM",
        "AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype='auto')",
    ),
}


def write_folder(folder: Path, dtype: str) -> str:
    """The model, written in a process of its own; what it is."""
    code = """
import sys
from pathlib import Path
import trivium
from trivium.errors import UnavailableError
from trivium.families import llama
from trivium.model import Transformer
from trivium.weights.folder import save_folder
import torch
try:
    model, what = trivium.load("smollm2-135m", device="cpu", dtype=sys.argv[2]).model, "SmolLM2-135M"
except UnavailableError:
    shape = llama.preset(vocab=49152, dim=576, depth=30, heads=9, kv_heads=3, hidden=1536)
    model, what = Transformer(shape).to(getattr(torch, sys.argv[2])), "random weights of SmolLM2-135M's shape"
save_folder(Path(sys.argv[1]), model)
print(what)
"""
    done = subprocess.run([sys.executable, "-c", code, str(folder), dtype], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def measure(side: str, folder: Path) -> dict[str, float]:
    """The best of several processes: peak memory and seconds."""
    imports, load = SIDES[side]
    runs = []
    for _ in range(REPEATS):
        code = MEASURE.format(imports=imports, load=load)
        done = subprocess.run([sys.executable, "-c", code, str(folder)], check=True, capture_output=True, text=True)
        runs.append(json.loads(done.stdout.splitlines()[-1]))
    return {
        "peak": max(run["peak"] for run in runs),
        "loaded": min(run["loaded"] for run in runs),
        "seconds": min(run["seconds"] for run in runs),
        "bytes": runs[0]["bytes"],
    }


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16", "float16"])
    dtype = parser.parse_args().dtype
    with tempfile.TemporaryDirectory() as temporary:
        what = write_folder(Path(temporary), dtype)
        found = {side: measure(side, Path(temporary)) for side in SIDES}
    size = found["trivium"]["bytes"]
    print(f"{what}, {dtype}: {size / 1e6:,.0f} MB of weights; {REPEATS} processes each")
    print(f"{'loaded by':<14}{'peak MB':>10}{'x size':>8}{'loaded s':>10}{'in use s':>10}")
    for side, numbers in found.items():
        peak, loaded, seconds = numbers["peak"], numbers["loaded"], numbers["seconds"]
        print(f"{side:<14}{peak / 1e6:>10,.0f}{peak / size:>8.2f}{loaded:>10.2f}{seconds:>10.2f}")
    ours, theirs = found["trivium"], found["transformers"]
    print(f"ratio: peak {ours['peak'] / theirs['peak']:.2f}, in use after {ours['seconds'] / theirs['seconds']:.2f}")
    return int(ours["peak"] > LIMIT * size)


if __name__ == "__main__":
    sys.exit(main())
