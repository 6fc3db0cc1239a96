"""How long `trivium --help` takes, from the start of the process to its end: the limit is 0.3 s.

    python benchmarks/startup.py

A timing is no test (a busy machine would fail it): that help imports nothing heavy is one, in tests/test_cli.py.
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

LIMIT_SECONDS = 0.3
REPEATS = 15


def seconds(*command: str) -> list[float]:
    """The wall time of every repetition, the first (a cold disk) left out."""
    times = []
    for _ in range(REPEATS + 1):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    return times[1:]


def main() -> int:
    trivium = str(Path(sys.executable).with_name("trivium"))
    lines = {
        "python -c pass": (sys.executable, "-c", "pass"),
        "trivium --help": (trivium, "--help"),
        "trivium --version": (trivium, "--version"),
    }
    worst = 0.0
    print(f"{'command':<20}{'median':>10}{'slowest':>10}   seconds, {REPEATS} runs")
    for name, command in lines.items():
        times = seconds(*command)
        print(f"{name:<20}{statistics.median(times):>10.3f}{max(times):>10.3f}")
        worst = max(worst, statistics.median(times))
    return int(worst > LIMIT_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
