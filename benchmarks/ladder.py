"""A ladder on real text: small models foretell the held-out loss of a run of more than eight times the compute.

    python benchmarks/ladder.py                  # the news of the catalogue; about 5 + 10 minutes on two cores
    python benchmarks/ladder.py --minutes 10 --out runs/ladder-10

The prediction is on the disk before the large run begins. Stopped, it goes on; with everything done it only writes
benchmarks/ladder.md and docs/ladder.svg again.
"""

import argparse
import io
from pathlib import Path

from rich.console import Console

from trivium.project.ladder_run import LadderResult, run_ladder
from trivium.project.read import read_project
from trivium.scaling.parametric import ParametricLaw

ROOT = Path(__file__).parent.parent


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--family", default="llama")
    parser.add_argument("--vocabulary", type=int, default=300)
    parser.add_argument("--target", default="8.5x")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "ladder")
    asked = parser.parse_args()
    project = read_project(
        ROOT / "projects" / "quickstart.yaml", [f"model.vocabulary={asked.vocabulary}", "train.batch_tokens=1024"]
    )
    result = run_ladder(
        project,
        asked.family,
        asked.minutes,
        asked.target,
        out=asked.out,
        run_target=True,
        console=Console(stderr=True, markup=False, highlight=False),
    )
    page = table(result)
    (ROOT / "benchmarks" / "ladder.md").write_text(page, encoding="utf-8")
    drawn = io.StringIO()
    result.plot().savefig(drawn, format="svg", metadata={"Date": None})
    lines = (line.rstrip() for line in drawn.getvalue().splitlines())
    (ROOT / "docs" / "ladder.svg").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(page)


def table(result: LadderResult) -> str:
    """The page: every run beside the law, the law, the prediction and the outcome."""
    found, target, plan = result.forecast, result.target, result.plan
    assert found is not None
    assert target is not None
    assert result.measured is not None
    law = found.fit.law
    assert isinstance(law, ParametricLaw)
    rows = [
        f"| {run.parameters:,} | {run.dim} | {run.tokens:,} | {run.flops / 1e12:.3f} | {run.loss:.4f} "
        f"| {run.loss / found.law(run.parameters, run.body_parameters, run.tokens) - 1:+.2%} |"
        for run in result.runs
    ]
    backtest = "" if found.backtest is None else f"; the others foretold the largest size to {found.backtest:.2%}"
    interval = f"{target.low:.3f} to {target.high:.3f}"
    size = f"{target.parameters:,} parameters, {target.dim} wide, {target.tokens:,.0f} tokens"
    compute = f"{target.flops / 1e12:.2f} TFLOPs, {target.times:.2f} times the largest rung"
    return f"""# A ladder on the news of the catalogue

`python benchmarks/ladder.py` wrote this page and `docs/ladder.svg`. Family {result.family}, held-out loss in nats a
token on {plan.held_out_rows} rows that no model trains on, the same for all: other rows would move all losses together,
by a standard error of {result.runs[-1].standard_error:.3f}.

| parameters | width | tokens | TFLOPs | held-out loss | off the law |
|---:|---:|---:|---:|---:|---:|
{chr(10).join(rows)}

{len(plan.rungs)} sizes, {len(result.runs)} runs, {plan.flops / 1e12:.2f} TFLOPs; runs of their own would take
{plan.separate_flops / 1e12:.2f}. The law: L = {law.irreducible:.3f} + {law.size_scale:.4g} / N^{law.size_exponent:.3f}
+ {law.data_scale:.4g} / D^{law.data_exponent:.3f}, N of {found.size} parameters{backtest}.

| the large run | predicted | measured | error |
|---|---:|---:|---:|
| {size}, {compute} | {target.loss:.4f} ({interval}) | {result.measured:.4f} | {result.error:+.2%} |
"""


if __name__ == "__main__":
    main()
