"""How long a plan takes: CPU seconds of the quote of every published model, and what it allocates.

python benchmarks/plan.py
"""

import json
import resource
import sys
import time

from trivium.plan.named import PUBLISHED
from trivium.quotes.quote import quote


def main() -> None:
    """Print a line a model, the slowest first, and the totals."""
    quote("gpt2-small", device="h100")  # imports what is imported once
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    taken = {}
    for name in PUBLISHED:
        start = time.process_time()
        quote(name, device="8xh100")
        taken[name] = time.process_time() - start
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    for name, seconds in sorted(taken.items(), key=lambda item: -item[1]):
        print(f"{name:28} {seconds:6.3f} s")
    slowest = max(taken, key=lambda name: taken[name])
    print(
        json.dumps(
            {
                "models": len(taken),
                "slowest": slowest,
                "slowest_seconds": taken[slowest],
                "mean_seconds": sum(taken.values()) / len(taken),
                "grown_kilobytes": grown,
                "torch_imported": "torch" in sys.modules,
            }
        )
    )


if __name__ == "__main__":
    main()
