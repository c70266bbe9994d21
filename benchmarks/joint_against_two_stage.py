"""Joint, two-stage and cut fits of simulated mixed tables: coverage and sharpness of each.

Every sweep has 36 supervised runs of 143M to 5B parameters and 90 distillation runs, a fifth of
them with teachers known by size and data only; with ``--design few`` only 12 supervised runs of
1.2B to 5B, as of a team that trained teachers and little else. Its truth is a draw from the prior
of the card that fits it (a narrow one around table 6, see `simulation_card`), so that 90% intervals
should hold 90% of the truths. The table is fitted three times: jointly; in two stages (supervised
runs first, their posterior as prior); and with the cut.

    python benchmarks/joint_against_two_stage.py --sweeps 60 --out joint.jsonl
    python benchmarks/joint_against_two_stage.py --summary joint.jsonl

Results are appended as they come, one line a sweep; a second call goes on where the first stopped.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayes_distill.cards import Card, load_card
from bayes_distill.errors import InputError
from bayes_distill.inference.fit import fit
from bayes_distill.inference.simulation import prior_draw
from bayes_distill.laws import LAWS, TABLE_6, Reference
from bayes_distill.posterior import Posterior
from bayes_distill.predict.capacity_gap import risk
from bayes_distill.predict.points import grid
from bayes_distill.runs import Runs, simulate

NOISE = 0.005
NARROW = 1e-6  # nats
HERE = Reference(6e8, 2e10, 2.5)
WAYS = ("joint", "two-stage", "cut")
COORDINATES = (
    "floor",
    "level",
    "share",
    "slope_params",
    "slope_tokens",
    "gamma",
    "student_level",
    "c0",
    "kappa",
    "width",
)


def simulation_card() -> Card:
    """The card `joint` with priors around table 6, a third as wide: truths as sweeps could be."""
    card = load_card("joint")
    centre = LAWS[card.law].from_published(TABLE_6, HERE)
    content = card.model_dump()
    for name, prior in content["priors"].items():
        prior.update(median=float(centre[name]), sd=min(prior["sd"] / 3, 0.2))
    for name in ("prior", "supervised_prior"):
        content["likelihood"][name].update(median=NOISE / HERE.loss, sd=0.2)
    content["reference"] = {"params": HERE.params, "tokens": HERE.tokens, "loss": HERE.loss}
    return Card.model_validate(content)


SUPERVISED = {
    "many": ([143e6, 3e8, 6e8, 1.2e9, 2.5e9, 5e9], [10, 20, 40, 100, 200, 500]),
    "few": ([1.2e9, 2.5e9, 5e9], [20, 40, 100, 200]),
}


def design(name: str) -> pd.DataFrame:
    """Supervised runs, and 90 students of five sizes, every fifth with a teacher by size."""
    params, ratio = np.meshgrid(*SUPERVISED[name])
    alone = pd.DataFrame({"params": params.ravel(), "tokens": (params * ratio).ravel()})
    cells = [(n, n * r) for n in (143e6, 198e6, 546e6, 975e6, 1.82e9) for r in (20.0, 60.0, 150.0)]
    taught = pd.DataFrame(
        [(n, d, t) for n, d in cells for t in np.linspace(1.95, 2.75, 6)],
        columns=["params", "tokens", "teacher_loss"],
    )
    sized = taught.index % 5 == 2
    taught.loc[sized, "teacher_loss"] = np.nan
    taught.loc[sized, "teacher_params"] = np.resize([546e6, 1.82e9, 4.82e9, 975e6], sized.sum())
    taught.loc[sized, "teacher_tokens"] = taught.loc[sized, "teacher_params"] * np.resize(
        [20.0, 40.0, 100.0], sized.sum()
    )
    return pd.concat([alone, taught], ignore_index=True)


def answers(posterior: Posterior) -> dict[str, np.ndarray]:
    """The quantities that are held against the truth, (draws,) each."""
    results = {name: posterior.draws[name] for name in COORDINATES}
    points = {
        "supervised loss, 600M on 20B": grid(6e8, 2e10),
        "supervised loss, 7B on 140B": grid(7e9, 1.4e11),
        "student, weak teacher (2.6)": grid(6e8, 2e10, 2.6),
        "student, strong teacher (2.0)": grid(6e8, 2e10, 2.0),
        "student, teacher of 5B on 200B": grid(6e8, 2e10, None, 5e9, 2e11),
        "student of 3B on 100B, teacher 2.0": grid(3e9, 1e11, 2.0),
    }
    for name, point in points.items():
        results[name] = point.loss_draws(posterior)[:, 0]
    point = grid(6e8, 2e10, 2.3)
    alone = posterior.supervised_loss(point.params, point.tokens)[:, 0]
    results["gain on supervised, teacher 2.3"] = alone - point.loss_draws(posterior)[:, 0]
    gap = risk(posterior, 6e8, 2e10, teacher_loss=2.3, allow_failed=True)
    results["optimal teacher's loss"] = gap.draws["optimal_teacher_loss"].to_numpy()[:, 0]
    return results


def one_sweep(index: int, name: str, settings: dict[str, int]) -> dict[str, Any]:
    """Simulate, fit three times, compare."""
    card = simulation_card()
    true = prior_draw(card, HERE, seed=1000 + index)
    law = LAWS[card.law]
    coordinates = {name: true[name] for name in law.coordinate_names}
    published = {k: float(v) for k, v in law.to_published(coordinates, HERE).items()}
    runs = simulate(law, published, design(name), noise=NOISE, seed=index)
    frame = runs.frame.copy()
    frame.loc[frame["teacher_params"].notna(), "teacher_loss"] = np.nan  # not measured
    table = Runs(frame, "sweep")
    truth = answers(Posterior.from_coefficients(card, published, HERE))
    seconds, verdicts, results = {}, {}, {}
    for way in WAYS:
        clock = time.perf_counter()
        if way == "joint":
            posterior = fit(table, card, seed=index, **settings)
        elif way == "two-stage":
            alone = fit_supervised(table, card, index, settings)
            taught = Runs(frame[table.distilled], "sweep")
            posterior = fit(taught, card, supervised=alone, seed=index, **settings)
        else:
            posterior = fit(table, card, cut=True, seed=index, **settings)
        seconds[way], verdicts[way] = time.perf_counter() - clock, posterior.verdict
        results[way] = {
            name: {
                "width": float(np.diff(np.quantile(draws, (0.05, 0.95)))[0]),
                "held": bool(
                    np.quantile(draws, 0.05) <= truth[name][0] <= np.quantile(draws, 0.95)
                ),
                "error": float(draws.mean() - truth[name][0]),
            }
            for name, draws in answers(posterior).items()
        }
    return {"sweep": index, "seconds": seconds, "verdicts": verdicts, "found": results}


def fit_supervised(table: Runs, card: Card, seed: int, settings: dict[str, int]) -> Posterior:
    """Fit the supervised runs by themselves, under the same prior as the joint fit has."""
    from bayes_distill.inference.two_stage import first_stage_card

    alone = Runs(table.frame[~table.distilled], "sweep")
    posterior = fit(alone, first_stage_card(card, HERE), seed=seed, **settings)
    # a short fit that failed is judged by the second stage's verdict, as that of the cut is
    return Posterior(posterior.tree, posterior.card, HERE, {**posterior.info, "verdict": "review"})


def summary(path: Path) -> None:
    """Print the table of the docs."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    sweeps = [line for line in lines if "refused" not in line]
    n = len(sweeps)
    print(f"{n} sweeps; {len(lines) - n} more were refused by the two-stage fit.")
    print("Held: share of truths inside 90% intervals. Width: over the joint fit's, median.\n")
    print("| quantity | joint held | two-stage held | cut held | two-stage width | cut width |")
    print("|---|---|---|---|---|---|")
    held: dict[str, list[float]] = {way: [] for way in WAYS}
    ratios: dict[str, list[float]] = {way: [] for way in WAYS}
    for name in sweeps[0]["found"]["joint"]:
        of = {way: [s["found"][way][name] for s in sweeps] for way in WAYS}
        cells = []
        for way in WAYS:
            held[way].append(float(np.mean([x["held"] for x in of[way]])))
            cells.append(f"{held[way][-1]:.0%}")
        for way in WAYS[1:]:
            ratios[way].append(
                float(
                    np.median(
                        [
                            x["width"] / joint["width"]
                            for x, joint in zip(of[way], of["joint"], strict=True)
                            if joint["width"] > NARROW  # else a student that copies its teacher
                        ]
                    )
                )
            )
            cells.append(f"{ratios[way][-1]:.2f}")
        print(f"| {name} | {' | '.join(cells)} |")
    cells = [f"{np.mean(held[way]):.0%}" for way in WAYS]
    cells += [f"{np.exp(np.mean(np.log(ratios[way]))):.2f}" for way in WAYS[1:]]
    print(f"| **all** | {' | '.join(cells)} |")
    for way in WAYS:
        verdicts = [s["verdicts"][way] for s in sweeps]
        time_ = np.median([s["seconds"][way] for s in sweeps])
        counts = {v: verdicts.count(v) for v in sorted(set(verdicts))}
        print(f"\n{way}: {counts}, {time_:.0f} s a sweep")


def main() -> None:
    """Run sweeps, or summarise them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sweeps", type=int, default=60)
    parser.add_argument("--design", choices=tuple(SUPERVISED), default="many")
    parser.add_argument("--first", type=int, default=0, help="number of the first sweep")
    parser.add_argument("--out", type=Path, default=Path("joint.jsonl"))
    parser.add_argument("--summary", type=Path)
    parser.add_argument("--warmup", type=int, default=1000)
    parser.add_argument("--draws", type=int, default=1000)
    options = parser.parse_args()
    if options.summary:
        summary(options.summary)
        return
    done = set()
    if options.out.exists():
        done = {json.loads(line)["sweep"] for line in options.out.read_text().splitlines()}
    settings = {"warmup": options.warmup, "draws": options.draws}
    for index in range(options.first, options.first + options.sweeps):
        if index in done:
            continue
        try:
            result = one_sweep(index, options.design, settings)
        except InputError as error:  # the two-stage fit takes the losses for those of another unit
            result = {"sweep": index, "refused": str(error)}
            print(index, error)
        with options.out.open("a") as file:
            file.write(json.dumps(result) + "\n")
        if "refused" in result:
            continue
        print(index, {k: round(v, 1) for k, v in result["seconds"].items()}, result["verdicts"])
    summary(options.out)


if __name__ == "__main__":
    main()
