"""Do the planner's 90% intervals hold the truth? Simulated sweeps with known coefficients.

Each sweep has a truth of its own, drawn from the prior of the card that it is fitted with (so that
90% intervals should hold 90% of the truths), on the paper's design with Student t noise. It is
fitted with short chains; then, for one student, the intervals of the optimal teacher loss (best
case), of the optimal teacher size, its tokens, the student's tokens and the loss (both costs paid),
and of the crossover budget (best case) are held against the same quantities of the truth.

    python benchmarks/coverage_of_plans.py --sweeps 200 --out coverage.jsonl [--jobs 2]
    python benchmarks/coverage_of_plans.py --summary coverage.jsonl

Results are appended as they come, one line a sweep; a second call goes on where the first stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

STUDENT, BUDGET = 3e9, 1e22
PAID = "teacher-pretraining-and-inference"
PLAN_DRAWS = 400
CROSSOVER_DRAWS = 120
NOISE = 0.005


def simulation_card() -> Any:
    """The default card with priors around table 6 so narrow that most truths have a crossover."""
    from bayes_distill.cards import load_card
    from bayes_distill.cards.card import Card, ReferencePoint
    from bayes_distill.laws import LAWS, TABLE_6, Reference

    card, reference = load_card("busbridge2025-plain"), Reference(5e8, 2e10, 2.5)
    centre = LAWS["distillation"].from_published(TABLE_6, reference)
    content = card.model_dump()
    for name, prior in content["priors"].items():
        prior.update(median=float(centre[name]), sd=min(prior["sd"], 0.1))
    content["reference"] = ReferencePoint(
        params=reference.params, tokens=reference.tokens, loss=reference.loss
    ).model_dump()
    content["likelihood"]["prior"].update(median=NOISE / reference.loss, sd=0.2)
    content["supervised"]["same_unit_within"] = 0.5
    return Card.model_validate(content)


def answers(posterior: Any) -> dict[str, Any]:
    """The quantities under test, (draws,) each."""
    import numpy as np

    from bayes_distill.compute import SCENARIOS
    from bayes_distill.planning import Problem, crossover, optimise

    thin = posterior.thin(PLAN_DRAWS)
    free, paid = (
        optimise(Problem(thin.law, thin.draws, thin.reference, STUDENT, SCENARIOS[name]), [BUDGET])
        for name in ("best-case", PAID)
    )
    few = posterior.thin(CROSSOVER_DRAWS)
    cross = crossover(Problem(few.law, few.draws, few.reference, STUDENT, SCENARIOS["best-case"]))
    return {
        "teacher_loss (best case)": free.teacher_loss[:, 0],
        "teacher_params (both paid)": paid.teacher_params[:, 0],
        "teacher_tokens (both paid)": paid.teacher_tokens[:, 0],
        "student_tokens (both paid)": paid.student_tokens[:, 0],
        "loss at the optimum (both paid)": paid.loss[:, 0],
        "crossover budget (best case)": np.nan_to_num(cross.budget, nan=0.0, posinf=1e99),
    }


def one_sweep(index: int) -> dict[str, Any]:
    """Simulate, fit, plan, compare."""
    import numpy as np

    from bayes_distill.inference.fit import fit
    from bayes_distill.inference.simulation import prior_draw
    from bayes_distill.laws import Reference
    from bayes_distill.posterior import Posterior
    from bayes_distill.runs import paper_design, simulate

    card = simulation_card()
    reference = Reference(card.reference.params, card.reference.tokens, card.reference.loss)
    truth = prior_draw(card, reference, seed=1_000_000 + index)
    coordinates = {name: truth[name] for name in card.scaling_law.coordinate_names}
    runs = simulate(
        card.scaling_law,
        coordinates,
        paper_design(),
        noise=truth["scale"] * reference.loss,
        seed=index,
        reference=reference,
    )
    posterior = fit(runs, card, warmup=400, draws=250, seed=index)
    published = {k: float(v) for k, v in card.scaling_law.to_published(truth, reference).items()}
    exact = answers(Posterior.from_coefficients(card, published, reference))
    estimates = answers(posterior)
    rows = {}
    for name, draws in estimates.items():
        lower, upper = np.quantile(draws, [0.05, 0.95], method="nearest")
        rows[name] = {
            "truth": float(exact[name][0]),
            "lower": float(lower),
            "upper": float(upper),
            "rank": float((draws < exact[name][0]).mean()),
        }
    diagnostics = posterior.info["diagnostics"]
    return {
        "sweep": index,
        "verdict": posterior.verdict,
        "rhat_max": diagnostics["rhat_max"],
        "divergences": diagnostics["divergences"],
        "quantities": rows,
    }


def summarise(path: Path) -> None:
    """Print how often each interval held the truth."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    print(f"{len(lines)} sweeps; verdicts: ", end="")
    verdicts = [line["verdict"] for line in lines]
    print(", ".join(f"{verdicts.count(v)} {v}" for v in ("pass", "review", "fail")))
    for name in lines[0]["quantities"]:
        rows = [line["quantities"][name] for line in lines]
        # a truth without a crossover has no budget to hold
        rows = [row for row in rows if 0 < row["truth"] < 1e99]
        held = sum(row["lower"] <= row["truth"] <= row["upper"] for row in rows)
        print(f"  {name:34s} {held:4d} of {len(rows):4d}  {100 * held / max(1, len(rows)):5.1f}%")


def work(indices: list[int], out: Path) -> None:
    """Run some sweeps in this process."""
    for index in indices:
        line = json.dumps(one_sweep(index)) + "\n"
        with out.open("a") as file:  # one write of one line: safe between processes
            file.write(line)


def main() -> None:
    """Run, or summarise."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sweeps", type=int, default=200)
    parser.add_argument("--out", type=Path, default=Path("coverage.jsonl"))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--summary", type=Path)
    parser.add_argument("--indices", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.summary:
        summarise(arguments.summary)
        return
    if arguments.indices:
        work([int(i) for i in arguments.indices.split(",")], arguments.out)
        return
    done = set()
    if arguments.out.exists():
        done = {json.loads(line)["sweep"] for line in arguments.out.read_text().splitlines()}
    rest = [i for i in range(arguments.sweeps) if i not in done]
    jobs = [rest[k :: arguments.jobs] for k in range(arguments.jobs)]
    running = [
        subprocess.Popen(
            [
                sys.executable,
                __file__,
                "--out",
                str(arguments.out),
                "--indices",
                ",".join(map(str, job)),
            ],
            env={**os.environ, "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"},
        )
        for job in jobs
        if job
    ]
    failed = [process.wait() for process in running]
    if any(failed):
        sys.exit("a worker failed; call again to go on")
    summarise(arguments.out)


if __name__ == "__main__":
    main()
