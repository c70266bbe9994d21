"""What Busbridge et al. (2025) find, asked of a posterior: the probability of each claim.

Claims are evaluated draw by draw at named students and budgets. Beside the probability stands what
it rests on: the runs, where students like those of the claim and teachers like theirs were run, or
the law, beyond them. `--truths` fits the card `distillation` to tables that are simulated from
table 6 (with beta' = 0.437), and from laws in which some claims are false: one without a capacity
gap, and one whose gap hardly moves with data.

    python benchmarks/claims.py [FIT] [--truths]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np

from bayes_distill import fit, load_posterior
from bayes_distill.compute import SCENARIOS
from bayes_distill.laws import LAWS, TABLE_6
from bayes_distill.planning import Problem, optimise
from bayes_distill.posterior import Posterior
from bayes_distill.predict.optimal_teacher import optimal_teacher
from bayes_distill.runs import paper_design, simulate
from common import markdown_table

DRAWS = 200
STUDENT, TOKENS = 143e6, np.array([3.7e9, 28.9e9])
SIZES, TWENTY = np.array([143e6, 546e6, 1.82e9]), 20.0
BEST, INFERENCE, PRETRAINING, BOTH = list(SCENARIOS.values())[1:]
Claim = Callable[[Posterior], np.ndarray]


def gains(posterior: Posterior, params: np.ndarray, tokens: np.ndarray) -> np.ndarray:
    """What the best teacher gains on supervised training (draws, students), nats."""
    alone = posterior.supervised_loss(params, tokens)
    return np.asarray(alone - optimal_teacher(posterior, params, tokens).student_loss)


def plans(posterior: Posterior, scenario: Any, budgets: list[float], params: float = 1e9) -> Any:
    """Every draw's own optimum at each budget."""
    problem = Problem(posterior.law, posterior.draws, posterior.reference, params, scenario)
    return optimise(problem, np.array(budgets))


def gap_inside(posterior: Posterior) -> np.ndarray:
    """Whether a 143M student on 3.7B tokens is worse under a teacher of 1.9 than under its best."""
    at = np.array([STUDENT]), TOKENS[:1]
    best = optimal_teacher(posterior, *at).student_loss[:, 0]
    strong = posterior.distilled_loss(*at, np.array([1.9]))[:, 0]
    return np.asarray(strong > best + 0.003)


def stronger_for_larger(posterior: Posterior) -> np.ndarray:
    """Whether the best teacher is stronger for larger students, at 20 tokens per parameter."""
    best = optimal_teacher(posterior, SIZES, TWENTY * SIZES).teacher_loss
    return np.asarray((np.diff(best, axis=1) < 0).all(axis=1))


def stronger_with_data(posterior: Posterior) -> np.ndarray:
    """Whether the best teacher of a 143M student is stronger on 28.9B tokens than on 3.7B."""
    best = optimal_teacher(posterior, np.repeat(STUDENT, 2), TOKENS).teacher_loss
    return np.asarray(best[:, 1] < best[:, 0])


def gain_falls(posterior: Posterior) -> np.ndarray:
    """Whether the gain of a 143M student falls by a fifth or more from 3.7B to 28.9B tokens."""
    found = gains(posterior, np.repeat(STUDENT, 2), TOKENS)
    return np.asarray(found[:, 1] < 0.8 * found[:, 0])


def free_teacher_wins(posterior: Posterior) -> np.ndarray:
    """Whether a free teacher beats supervised training for 1B parameters at 1e21 FLOPs."""
    alone, taught = (plans(posterior, s, [1e21]).loss for s in (SCENARIOS["supervised"], BEST))
    return np.asarray(taught[:, 0] < alone[:, 0])


def paid_teacher_loses(posterior: Posterior) -> np.ndarray:
    """Whether supervised training beats a teacher paid in full, 1B parameters at 1e21 FLOPs."""
    alone, taught = (plans(posterior, s, [1e21]).loss for s in (SCENARIOS["supervised"], BOTH))
    return np.asarray(alone[:, 0] < taught[:, 0])


def teacher_share_falls(posterior: Posterior) -> np.ndarray:
    """Whether the share of a teacher's pretraining falls from 1e21 to 1e24 FLOPs."""
    share = plans(posterior, PRETRAINING, [1e21, 1e24]).shares["teacher"]
    return np.asarray(share[:, 1] < share[:, 0])


def logits_share_rises(posterior: Posterior) -> np.ndarray:
    """Whether the share of the logits rises from 1e21 to 1e24 FLOPs."""
    share = plans(posterior, INFERENCE, [1e21, 1e24]).shares["logits"]
    return np.asarray(share[:, 1] > share[:, 0])


def advantage_ends(posterior: Posterior) -> np.ndarray:
    """Whether supervised training of 1B parameters wins at 1e27 FLOPs against a free teacher."""
    alone, taught = (plans(posterior, s, [1e27]).loss for s in (SCENARIOS["supervised"], BEST))
    return np.asarray(alone[:, 0] <= taught[:, 0])


CLAIMS: dict[str, tuple[Claim, str]] = {
    "a teacher can be too strong (143M on 3.7B)": (gap_inside, "runs"),
    "larger students want stronger teachers": (stronger_for_larger, "runs"),
    "so do students with more data (143M)": (stronger_with_data, "runs"),
    "the gain falls with data (143M)": (gain_falls, "runs"),
    "a free teacher wins (1B, 1e21 FLOPs)": (free_teacher_wins, "runs, and table 6 for its side"),
    "a teacher paid in full loses (1B, 1e21)": (paid_teacher_loses, "runs, and table 6"),
    "the share of pretraining falls (1e21 to 1e24)": (teacher_share_falls, "law beyond the runs"),
    "the share of logits rises (1e21 to 1e24)": (logits_share_rises, "law beyond the runs"),
    "a free teacher's advantage ends (1B, by 1e27)": (advantage_ends, "law, 1e5 times beyond"),
}


def truths() -> dict[str, tuple[str, dict[str, float]]]:
    """Laws and coefficients of simulated tables."""
    flat = {**TABLE_6, "rN": 1.0, "rD": 0.55}  # the gap opens as if data counted half
    laws = {
        "table 6": ("distillation", dict(TABLE_6)),
        "no capacity gap": ("distillation-no-gap", dict(TABLE_6)),
        "gap that data hardly move": ("distillation-own-gap", flat),
    }
    return {
        name: (law, {n: v for n, v in values.items() if n in LAWS[law].coefficient_names})
        for name, (law, values) in laws.items()
    }


def exact(law: str, coefficients: dict[str, float], like: Posterior) -> Posterior:
    """The posterior of one draw that is the truth."""
    import xarray as xr

    from bayes_distill import Card

    values = LAWS[law].from_published(coefficients, like.reference)
    draws = {name: (("chain", "draw"), np.reshape(float(v), (1, 1))) for name, v in values.items()}
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset(draws)})
    card = Card(name="truth", law=law, coefficients=coefficients)
    return Posterior(tree, card, like.reference, {})


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("fit", nargs="?", default="busbridge2025")
    parser.add_argument("--truths", action="store_true")
    options = parser.parse_args()
    if not options.truths:
        posterior = load_posterior(options.fit).thin(DRAWS)
        rows = [
            [name, f"{claim(posterior).mean():.2f}", rests_on]
            for name, (claim, rests_on) in CLAIMS.items()
        ]
        print(markdown_table(["claim", "probability", "rests on"], rows))
        return
    rows = []
    for name, (law, coefficients) in truths().items():
        runs = simulate(LAWS[law], coefficients, paper_design(), noise=0.003, seed=1)
        posterior = fit(runs, "distillation", warmup=500, draws=500).thin(DRAWS)
        truth = exact(law, coefficients, posterior)
        for claim_name, (claim, _) in CLAIMS.items():
            holds, p = bool(claim(truth).all()), float(claim(posterior).mean())
            rows.append([name, claim_name, "true" if holds else "false", f"{p:.2f}"])
            print(rows[-1], flush=True)
    print(markdown_table(["table simulated from", "claim", "there it is", "probability"], rows))


if __name__ == "__main__":
    main()
