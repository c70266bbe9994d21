"""Where the posterior of busbridge2025 puts the best teacher, and where the runs do.

Twelve cells of student size and tokens (143M, 198M and 546M, four token counts each) show an
optimum in the runs. For each: the 90% interval of the optimal teacher loss, and the losses of the
teachers whose students are within 0.003 nats of the best one.

    python benchmarks/optimal_teachers.py [CARD or FIT.nc ...]
"""

from __future__ import annotations

import sys

import numpy as np

from bayes_distill import fit, load_posterior, read_runs
from bayes_distill.predict.optimal_teacher import optimal_teacher

STUDENTS = (143e6, 198e6, 546e6)
NEARLY = 0.003


def main() -> None:
    """Fit each card and print its twelve cells."""
    runs = read_runs("busbridge2025")
    for card in sys.argv[1:] or ["busbridge2025", "busbridge2025-loose"]:
        posterior = load_posterior(card) if card.endswith(".nc") else fit(runs, card)
        agree = 0
        print(f"{card} (verdict {posterior.verdict}, LOO {posterior.info['loo']['elpd']:.1f})")
        for params in STUDENTS:
            mine = runs.frame[np.isclose(runs.frame["params"], params)]
            for _, cell in mine.groupby(mine["tokens"].round(-8)):
                tokens = float(cell["tokens"].median())
                best = optimal_teacher(posterior, np.array([params]), np.array([tokens]))
                low, high = np.quantile(best.teacher_loss[:, 0], [0.05, 0.95])
                near = cell.loc[cell["loss"] <= cell["loss"].min() + NEARLY, "teacher_loss"]
                overlap = bool(near.min() <= high and near.max() >= low)
                agree += overlap
                print(
                    f"  {params:9.3g} on {tokens:9.3g}: {low:.3f} to {high:.3f}; the runs "
                    f"{near.min():.3f} to {near.max():.3f}{'' if overlap else '   disagree'}"
                )
        print(f"  {agree} of 12 agree")


if __name__ == "__main__":
    main()
