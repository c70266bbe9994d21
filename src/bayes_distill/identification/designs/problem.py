"""The best design of several: greedy ones that weigh the cost of runs differently."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayes_distill.identification.designs.criteria import TargetCriterion
from bayes_distill.identification.designs.decision import Decision
from bayes_distill.identification.designs.greedy import POWERS, Picked, greedy
from bayes_distill.identification.designs.linear_update import LinearUpdate
from bayes_distill.identification.designs.value import DecisionGains, Value, value_of

BLOCKS = 10
"""Parts of the draws that are left out in turn for the Monte Carlo error."""


class DesignProblem:
    """Candidates with their outcomes and costs, and a budget."""

    def __init__(
        self,
        runs: np.ndarray,
        noise: np.ndarray,
        cost: np.ndarray,
        budget: float,
        most: int,
        seed: int,
    ) -> None:
        self.runs, self.noise, self.cost = runs, noise, cost
        self.budget, self.most, self.seed = budget, most, seed

    def for_targets(
        self, wanted: np.ndarray, rule: TargetCriterion, step: Any
    ) -> tuple[list[Picked], Value, np.ndarray]:
        """The design, its value, and the standard deviations (targets,) that it leaves."""
        best: list[Picked] = []
        most = -np.inf
        for power in POWERS:
            update = LinearUpdate(self.runs, self.noise, wanted)
            picked = greedy(
                lambda update=update: rule.gains(update),  # type: ignore[misc]
                lambda place, update=update: update.take(place),  # type: ignore[misc]
                self.cost,
                self.budget,
                self.most,
                power,
            )
            total = sum(each.gain for each in picked)
            if total > most:
                best, most = picked, total
            step()
        places = [each.candidate for each in best]
        draws = np.arange(len(wanted))
        part = [draws % BLOCKS != block for block in range(BLOCKS)]
        without = np.array([self._total(rule, wanted, places, rows)[0] for rows in part])
        total, left = self._total(rule, wanted, places, np.ones(len(draws), bool))
        spread = (BLOCKS - 1) / BLOCKS * ((without - without.mean()) ** 2).sum()
        return best, Value(total, float(np.sqrt(spread))), np.sqrt(np.maximum(left, 0.0))

    def _total(
        self, rule: TargetCriterion, wanted: np.ndarray, places: list[int], rows: np.ndarray
    ) -> tuple[float, np.ndarray]:
        """Gain of all runs by some of the draws, and the variances (targets,) that are left."""
        mine = wanted[rows]
        update = LinearUpdate(self.runs[rows][:, places], self.noise[places], mine)
        here = TargetCriterion(rule.name, mine.var(axis=0, ddof=1), rule.noise)
        gain = 0.0
        for place in range(len(places)):
            gain += float(here.gains(update)[place])
            update.take(place)
        return gain, np.diag(update.left)

    def for_decision(
        self, decision: Decision, spend_all: bool, in_flops: bool, step: Any
    ) -> tuple[list[Picked], Value, list[float], list[str]]:
        """The design, its value, what each run is worth over its cost, and notes."""
        wanted = np.hstack(decision.contrasts)
        per_flop = decision.per_flop if in_flops and not spend_all else 0.0
        best: tuple[float, list[Picked], Value] = (-np.inf, [], Value(0.0, 0.0))
        for power in POWERS:
            gains = DecisionGains(decision, LinearUpdate(self.runs, self.noise, wanted), self.seed)
            picked = greedy(gains, gains.take, self.cost, self.budget, self.most, power)
            picked = [Picked(p.candidate, g) for p, g in zip(picked, gains.taken, strict=True)]
            places = [each.candidate for each in picked]
            for length in [len(places)] if spend_all else _lengths(len(places)):
                some = places[:length]
                value = value_of(decision, self.runs[:, some], self.noise[some], self.seed)
                net = value.mean - per_flop * float(self.cost[some].sum())
                if net > best[0]:
                    best = (net, picked[:length], value)
            step()
        net, picked, value = best
        notes = []
        if picked and not spend_all and (net <= 0 or value.mean <= 2 * value.error):
            run = "run" if len(picked) == 1 else f"{len(picked)} runs"
            notes.append(
                f"no run is worth its cost: the best {run} would make the expected regret of "
                f"{decision.regret:.3g} fall by {value.mean:.2g} +- {value.error:.1g}, and the "
                f"same compute added to the plan's budget gains "
                f"{decision.per_flop * self.cost[[p.candidate for p in picked]].sum():.2g}; "
                "`spend_all=True` chooses all the same"
            )
            picked, value = [], Value(0.0, 0.0)
        worth = [
            each.gain / (decision.per_flop * self.cost[each.candidate])
            if in_flops and decision.per_flop > 0
            else np.nan
            for each in picked
        ]
        return picked, value, worth, notes


def _lengths(longest: int) -> list[int]:
    """Numbers of first runs of a design that are judged: some 20 at most."""
    return sorted({round(v) for v in np.geomspace(1, longest, 20)}) if longest else []
