"""The posterior: draws with everything that is needed to use them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xarray as xr

from bayes_distill.cards import Card
from bayes_distill.laws import Law, Reference
from bayes_distill.laws.smooth_discrepancy import SMOOTH, STUDENT_SMOOTH
from bayes_distill.likelihoods import Likelihood
from bayes_distill.posterior import display, effects, evaluate, io
from bayes_distill.posterior.discrepancy import Discrepancy, JoinedDiscrepancy, discrepancies
from bayes_distill.posterior.hull import Hull, Hulls
from bayes_distill.posterior.size_offsets import OFFSET, OFFSET_SIZE, SizeOffsets
from bayes_distill.posterior.thinning import chains_of, thinned

Conditions = Literal["own", "new", "none", "smooth"]


@dataclass(frozen=True, repr=False)
class Posterior:
    """Draws of a law's coordinates and of the noise, with their provenance.

    Parameters
    ----------
    tree
        The groups ``posterior`` (chain, draw) and, for a fit, ``prior``, ``log_prior``,
        ``sample_stats``, ``log_likelihood`` and ``runs``, as ArviZ names them; ``effects`` holds
        the offsets that runs share, where the model has such.
    card
        The model card.
    reference
        The point from which the coordinates count.
    info
        Plain data: seed, versions, fingerprint, kind of runs, hull, verdict, diagnostics, ...
    """

    tree: xr.DataTree
    card: Card
    reference: Reference
    info: Mapping[str, Any]

    def __repr__(self) -> str:
        coefficients = self.info.get("coefficients") or []
        return "\n".join([self._headline(), *display.console_lines(coefficients)])

    def _repr_html_(self) -> str:
        """Verdicts, coefficients with their intervals, and notes."""
        coefficients = self.info.get("coefficients") or []
        notes = [*self.warnings, *self.info.get("notes", ())]
        return display.html(self._headline(), coefficients, notes)

    def _headline(self) -> str:
        return display.headline(self.card.name, self.law.name, self.n_draws, self.info)

    @property
    def law(self) -> Law:
        """The scaling law."""
        return self.card.scaling_law

    @property
    def verdict(self) -> str:
        """``pass``, ``review`` or ``fail``; ``none`` for a posterior that was not sampled."""
        return str(self.info.get("verdict", "none"))

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences for people, if the fit did not pass all its checks."""
        if self.verdict not in ("review", "fail"):
            return ()
        not_passed = [
            check["name"]
            for check in self.info.get("diagnostics", {}).get("checks", [])
            if check["scope"] == "sampling" and check["verdict"] != "pass"
        ]
        state = "failed its checks" if self.verdict == "fail" else "asks for review"
        return (f"the fit {state} ({', '.join(not_passed)}): its answers may be off",)

    @cached_property
    def draws(self) -> dict[str, np.ndarray]:
        """Every coordinate and noise scale, chains joined: name -> (draws,)."""
        data = self.tree["posterior"].dataset
        return {
            str(name): variable.to_numpy().reshape(-1)
            for name, variable in data.data_vars.items()
            if variable.ndim == 2
        }

    @cached_property
    def coordinates(self) -> dict[str, np.ndarray]:
        """The law's coordinates (draws,) and weights of its discrepancies (draws, weights).

        Chains are joined.
        """
        group = self.tree["posterior"].dataset
        found = {name: self.draws[name] for name in self.law.coordinate_names}
        for name in (SMOOTH, STUDENT_SMOOTH):
            if name in group:
                weights = group[name].to_numpy()
                found[name] = weights.reshape(-1, weights.shape[-1])
        return found

    @cached_property
    def parts(self) -> tuple[tuple[Card, slice], ...]:
        """Cards with the draws that follow each: a stack has several, in the order of its draws."""
        members = self.card.members
        if not members:
            return ((self.card, slice(None)),)
        edges = np.searchsorted(self.draws["member"], np.arange(len(members) + 1))
        return tuple(
            (card, slice(int(edges[i]), int(edges[i + 1]))) for i, card in enumerate(members)
        )

    @cached_property
    def discrepancies(self) -> dict[str, Discrepancy | JoinedDiscrepancy]:
        """Discrepancies of students from the law, by name; empty for a model without them."""
        models = [(c.discrepancy.lengths if c.discrepancy else {}, rows) for c, rows in self.parts]
        if not any(lengths for lengths, _ in models):
            return {}
        return discrepancies(self.tree["posterior"].dataset, models)

    @cached_property
    def size_offsets(self) -> SizeOffsets | None:
        """Offsets that supervised runs of one size share; ``None`` for a model without them."""
        group = self.tree["posterior"].dataset
        if OFFSET not in group:
            return None
        seen = group[OFFSET].to_numpy()
        return SizeOffsets(
            np.log(group[OFFSET_SIZE].to_numpy()),
            seen.reshape(-1, seen.shape[-1]),
            self.draws[f"{OFFSET}_sd"],
            self.draws[f"{OFFSET}_key"],
        )

    def student(self, params: float | np.ndarray) -> dict[str, np.ndarray]:
        """Draws with the discrepancies of one student size, which all its conditions share.

        `params` is the size, or (draws,) a size for each draw. A plan is made from these: its
        tokens are not chosen yet.
        """
        sizes = np.atleast_1d(params)
        # of every size in every draw, of which each draw's own is on the diagonal
        own = (np.arange(self.n_draws), np.arange(self.n_draws) if sizes.size > 1 else 0)
        of_size = {name: each.at(sizes)[own] for name, each in self.discrepancies.items()}
        return self.draws | self.coordinates | of_size

    @property
    def n_draws(self) -> int:
        """Number of draws, all chains together."""
        return len(next(iter(self.draws.values())))

    @cached_property
    def chains(self) -> np.ndarray:
        """Chain of the fit that each draw is of, (draws,), in the order of `draws`."""
        return chains_of(self.tree["posterior"].dataset)

    @cached_property
    def published(self) -> dict[str, np.ndarray]:
        """Coefficients under the paper's names: name -> (draws,)."""
        coefficients = self.law.to_published(self.draws, self.reference)
        return {name: np.asarray(value) for name, value in coefficients.items()}

    @cached_property
    def hull(self) -> Hull | None:
        """Where all the runs were; ``None`` for a posterior that did not come from runs."""
        stored = self.info.get("hull")
        return None if stored is None else Hull.from_json(stored)

    @cached_property
    def hulls(self) -> Hulls | None:
        """Where supervised and distilled runs were; ``None`` if it did not come from runs."""
        if self.hull is None:
            return None
        if (stored := self.info.get("hulls")) is not None:
            return Hulls.from_json(stored)
        # a file from before hulls were kept by kind
        if "runs" in self.tree.children:
            runs = self.tree["runs"].dataset
            sizes, tokens = (runs[name].to_numpy() for name in ("params", "tokens"))
            alone = np.full(sizes.shape, np.nan)
            return Hulls.of(
                sizes, tokens, runs["teacher_loss"].to_numpy() if "teacher_loss" in runs else alone
            )
        whole = replace(self.hull, runs=self.info.get("n_runs"))
        kind = self.info.get("kind")
        return Hulls(
            None if kind == "distillation" else whole, None if kind == "supervised" else whole
        )

    def supervised_loss(
        self,
        params: np.ndarray,
        tokens: np.ndarray,
        unique_tokens: np.ndarray | None = None,
        inputs: Mapping[str, np.ndarray] | None = None,
    ) -> np.ndarray:
        """Supervised loss L(N, D) (eq. 1), (draws, points), of models (points,).

        `unique_tokens` (points,) is the number of different tokens; NaN stands for all of them.
        Only a law with an input for repeated tokens uses it. `inputs` (points,) are the columns
        of `Law.extra_inputs`; what is left out is at its default, or as in the middle of the runs.
        """
        return evaluate.supervised_loss(
            self.law, self.coordinates, params, tokens, self.reference, unique_tokens, inputs
        )

    def distilled_loss(
        self,
        params: np.ndarray,
        tokens: np.ndarray,
        teacher_loss: np.ndarray,
        *,
        conditions: Conditions = "own",
        inputs: Mapping[str, np.ndarray] | None = None,
    ) -> np.ndarray:
        """Student loss L_S (eq. 8, with the discrepancies of its size), (draws, points).

        `teacher_loss` is (points,), or (draws, points) where it is itself uncertain. `conditions`
        says whose discrepancies besides: each point's ``own``, those of one ``new`` condition that
        all points share, or ``none``, as the optimum of a plan (`student`). ``smooth`` leaves out
        what is particular to a size as well: a curve over sizes has no kinks at those of the runs.
        `inputs` are as in `supervised_loss`.
        """
        of_students = {
            name: self._discrepancy(each, params, tokens, conditions)
            for name, each in self.discrepancies.items()
        }
        return evaluate.distilled_loss(
            self.law,
            self.coordinates,
            params,
            tokens,
            teacher_loss,
            self.reference,
            of_students,
            inputs,
        )

    @staticmethod
    def _discrepancy(
        each: Discrepancy | JoinedDiscrepancy,
        params: np.ndarray,
        tokens: np.ndarray,
        conditions: Conditions,
    ) -> np.ndarray:
        """One kind of discrepancy of students (draws, points)."""
        if conditions == "new":
            return each.at_new_condition(params)
        if conditions == "smooth":
            return each.shared_at(params)
        return each.at(params, tokens if conditions == "own" else None)

    def noise_scale(self, mean: np.ndarray, distilled: np.ndarray) -> np.ndarray:
        """Residual scale of a single run about `mean` (draws, points), in the unit of the loss.

        `distilled` (points,) says which points have a teacher; the two kinds of run may have
        different noise. It is zero for a posterior without noise. What runs share is not in it.
        """
        zero = np.zeros(self.n_draws)
        scale, supervised = (self.draws.get(k) for k in ("scale", "supervised_scale"))
        with_teacher = next((s for s in (scale, supervised) if s is not None), zero)
        without = supervised if supervised is not None else with_teacher
        unit = np.full_like(mean, self.reference.loss)
        for card, rows in self.parts:
            if card.likelihood.scale == "relative":
                unit[rows] = mean[rows]
        spread: np.ndarray = unit * np.where(distilled, with_teacher[:, None], without[:, None])
        return spread

    def likelihoods(self, distilled: np.ndarray) -> list[tuple[Likelihood, slice]]:
        """Likelihoods of the standardised residuals of single runs, with the draws of each.

        There is one, or one for each member of a stack, in the order of the draws. Parameters that
        were sampled broadcast with (draws of the member, points). `distilled` is as in
        `noise_scale`: after a two-stage fit supervised runs have the parameters of its first stage.
        """
        by_part = []
        for card, rows in self.parts:
            values = {}
            for name in card.likelihood.priors:
                values[name] = self.draws[name][rows, None]
                if (supervised := self.draws.get(f"supervised_{name}")) is not None:
                    values[name] = np.where(distilled, values[name], supervised[rows, None])
            by_part.append((card.likelihood.at(values), rows))
        return by_part

    def shared_effects(
        self,
        distilled: np.ndarray,
        seed: int,
        *,
        teacher: np.ndarray | None = None,
        condition: np.ndarray | None = None,
        run: np.ndarray | None = None,
    ) -> np.ndarray:
        """Offsets (draws, points), in the unit of the loss, that new runs share.

        `teacher`, `condition` and `run` (points,) are whole numbers that say which points have one
        teacher, which one size and number of tokens, and which are checkpoints of one run; by
        default none do. The effect of a number follows from the draw and the seed: it is the same
        whatever other points there are. Zero for a model without such effects; points without a
        teacher have that of a run alone.
        """
        labels = {"teacher": teacher, "condition": condition, effects.RUN: run}
        of = partial(effects.shared_effects, self.draws, len(distilled), seed, labels)
        offsets = np.where(distilled, of(effects.OF_TAUGHT), 0.0) + of((effects.RUN,))
        return np.asarray(offsets * self.reference.loss)

    def new_run(
        self,
        mean: np.ndarray,
        distilled: np.ndarray,
        generator: np.random.Generator,
        *,
        params: np.ndarray | None = None,
        teacher: np.ndarray | None = None,
        condition: np.ndarray | None = None,
        run: np.ndarray | None = None,
        effects_seed: int | None = None,
    ) -> np.ndarray:
        """Losses that single new runs would measure around `mean` (draws, points).

        `distilled`, `teacher`, `condition` and `run` are as in `noise_scale` and `shared_effects`,
        and `params` (points,) are the sizes of the students, which supervised runs share an offset
        by. `effects_seed` is that of what runs share, by default drawn from `generator`, which
        draws their noise. A posterior without noise gives `mean` back.
        """
        if effects_seed is None:
            effects_seed = int(generator.integers(2**32))
        spread = self.noise_scale(mean, distilled)
        noise = np.empty(mean.shape)
        for likelihood, rows in self.likelihoods(distilled):
            noise[rows] = likelihood.sample(generator, noise[rows].shape)
        shared = self.shared_effects(
            distilled, effects_seed, teacher=teacher, condition=condition, run=run
        )
        if params is not None:
            shared += self.size_effects(mean, params, distilled)
        losses: np.ndarray = mean + shared + spread * noise
        return losses

    def size_effects(
        self, mean: np.ndarray, params: np.ndarray, distilled: np.ndarray
    ) -> np.ndarray:
        """Offsets (draws, points), in the unit of the loss, of the sizes of supervised students.

        `mean` is the mean curve (draws, points). Zero for a model without such offsets, and for
        points with a teacher.
        """
        if self.size_offsets is None:
            return np.zeros_like(mean)
        return np.asarray(np.where(distilled, 0.0, mean * self.size_offsets.at(params)))

    def of_its_size(self, supervised: np.ndarray, params: np.ndarray) -> np.ndarray:
        """Supervised losses (draws, points) with the offsets of sizes (points,).

        What a distilled student is held against, whose loss has the discrepancies of its size.
        """
        alone = np.zeros(len(params), bool)
        return np.asarray(supervised + self.size_effects(supervised, params, alone))

    def log_density(self, loss: np.ndarray, mean: np.ndarray, distilled: np.ndarray) -> np.ndarray:
        """Log density (draws, points) of measured losses (points,) about `mean`, per unit of loss.

        `distilled` is as in `noise_scale`; the posterior must have noise.
        """
        spread, density = self.noise_scale(mean, distilled), np.empty_like(mean)
        for likelihood, rows in self.likelihoods(distilled):
            density[rows] = likelihood.log_density(loss, mean[rows], spread[rows])
        return density

    def thin(self, draws: int, *, keep_runs: bool = True) -> Posterior:
        """Keep at most `draws` draws, evenly spaced, as one chain.

        The draws come with the runs that were fitted and with what these share, unless `keep_runs`
        is false. Draws of the prior, log densities and statistics of the sampler are dropped.
        `chains` still says which chain each draw is of.
        """
        stride = max(1, -(-self.n_draws // draws))
        tree = thinned(self.tree, self.discrepancies, stride, keep_runs=keep_runs)
        info = {**self.info, "thinned_by": stride * int(self.info.get("thinned_by", 1))}
        return Posterior(tree, self.card, self.reference, info)

    @classmethod
    def from_coefficients(
        cls,
        card: Card,
        coefficients: Mapping[str, float],
        reference: Reference,
        noise: float = 0.0,
        **info: Any,
    ) -> Posterior:
        """Posterior with a single draw: published point values under the paper's names."""
        coordinates = card.scaling_law.from_published(coefficients, reference)
        values = {name: float(value) for name, value in coordinates.items()}
        values["scale"] = noise / (1 if card.likelihood.scale == "relative" else reference.loss)
        data = xr.Dataset({k: (("chain", "draw"), [[v]]) for k, v in values.items()})
        return cls(xr.DataTree.from_dict({"posterior": data}), card, reference, info)

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write one netCDF file, whole or not at all; see `posterior.io.write`.

        A file of another kind than a posterior is replaced only with `overwrite`.
        """
        content = io.Content(self.tree, self.card, self.reference, self.info)
        return io.write(path, content, overwrite=overwrite)

    @cached_property
    def fingerprint(self) -> str:
        """Sha256 in hex over draws, card and provenance: that which its file states."""
        return io.fingerprint(io.Content(self.tree, self.card, self.reference, self.info))

    @classmethod
    def load(cls, path: str | Path) -> Posterior:
        """Read a file, see `posterior.io.read`; `load_posterior` also takes names of cards."""
        return cls(*io.read(path))
