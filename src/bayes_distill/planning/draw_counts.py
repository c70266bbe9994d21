"""How many posterior draws each part of a plan uses at most."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from bayes_distill.errors import Fault, InputError


@dataclass(frozen=True, slots=True)
class DrawCounts:
    """Most draws of each part of a plan; a posterior with more is thinned evenly.

    A part that searches needs fewer draws than one that reports, and its cost is in proportion to
    them. A part never uses more than `plan`.

    Parameters
    ----------
    plan
        Draws of everything that is reported of recipes and optima: losses, intervals, regret.
        With 500 the standard error of a mean is a twentieth of the posterior's sd.
    recipe_search
        Draws that move the search for a recipe first. Its last steps, and the choice between
        candidates, are by all draws of the plan, so fewer here cost steps at the end and no
        accuracy.
    student_size
        Draws that choose the student's size, where tokens served are paid: some 45 sizes are
        solved, and the criterion is flat in the size.
    crossover
        Draws of crossovers and targets. Each is the root of an optimum, which takes 33 budgets on
        a grid and a dozen more; intervals of 90% leave a dozen draws in either tail.
    near_optimal
        Draws of the range of teachers that do nearly as well: 3,000 recipes are tried for each
        budget, and the range is read off a grid of sizes anyway.

    Raises
    ------
    InputError
        Naming every count that is less than 1.
    """

    plan: int = 500
    recipe_search: int = 256
    student_size: int = 128
    crossover: int = 250
    near_optimal: int = 64

    def __post_init__(self) -> None:
        faults = [
            Fault(f"{count} is less than 1", column="draws" if name == "plan" else name)
            for name, count in asdict(self).items()
            if count < 1
        ]
        if faults:
            raise InputError(faults)

    def of(self, n_draws: int) -> dict[str, int]:
        """Draws that each part uses of a posterior with `n_draws`."""
        used = thinned(n_draws, self.plan)
        return {
            name: used if name == "plan" else thinned(used, count)
            for name, count in asdict(self).items()
        }


def thinned(n_draws: int, most: int) -> int:
    """How many of `n_draws` evenly spaced draws are left, at most `most`."""
    stride = max(1, -(-n_draws // most))
    return -(-n_draws // stride)


DRAW_COUNTS = DrawCounts()
