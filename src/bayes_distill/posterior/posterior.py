"""The posterior: draws with everything that is needed to use them, in one file."""

from __future__ import annotations

import gc
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from bayes_distill._input.files import atomic_path
from bayes_distill.cards import Card, card_from_dict, load_card, model_names, shipped_posterior
from bayes_distill.errors import FailedFitError, InputError
from bayes_distill.laws import LAWS, STACKED, Law, Reference
from bayes_distill.posterior import evaluate
from bayes_distill.posterior import observation_noise as scatter
from bayes_distill.posterior.discrepancy import Discrepancy, JoinedDiscrepancy, discrepancies
from bayes_distill.posterior.hull import Hull

FORMAT = "bayes-distill posterior"
FORMAT_VERSION = 1
CHECKED = {"fletcher32": True}  # a checksum, so that a flipped bit is noticed on reading
COMPRESSED = {"zlib": True, "complevel": 4, "shuffle": True, **CHECKED}
CHAIN = "fitted_chain"  # of each draw, where thinning has put all chains into one
POINT = Reference(1e9, 2e10, 2.3)  # published coefficients count from nowhere: any point will do


@dataclass(frozen=True)
class Posterior:
    """Draws of a law's coordinates and of the noise, with their provenance.

    Parameters
    ----------
    tree
        The groups ``posterior`` (chain, draw) and, for a fit, ``prior``, ``log_prior``,
        ``sample_stats``, ``log_likelihood`` and ``runs``, as ArviZ names them; ``effects`` holds
        what its runs share, where the model has that.
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
        """What whoever uses this posterior should be told: a fit that is not beyond doubt."""
        if self.verdict not in ("review", "fail"):
            return ()
        wanting = [
            check["name"]
            for check in self.info.get("diagnostics", {}).get("checks", [])
            if check["scope"] == "sampling" and check["verdict"] != "pass"
        ]
        state = "failed its checks" if self.verdict == "fail" else "asks for review"
        return (f"the fit {state} ({', '.join(wanting)}): its answers may be off",)

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
        """How students depart from the law, by name; empty for the law alone."""
        models = [(c.discrepancy.lengths if c.discrepancy else {}, rows) for c, rows in self.parts]
        if not any(lengths for lengths, _ in models):
            return {}
        return discrepancies(self.tree["posterior"].dataset, models)

    def student(self, params: float) -> dict[str, np.ndarray]:
        """Draws with the discrepancies of one student size, under a condition that nobody has seen.

        They are what a plan is made from, whose tokens are still open.
        """
        own = {name: each.at(np.array([params]))[:, 0] for name, each in self.discrepancies.items()}
        return self.draws | own

    @property
    def n_draws(self) -> int:
        """Number of draws, all chains together."""
        return len(next(iter(self.draws.values())))

    @cached_property
    def chains(self) -> np.ndarray:
        """Chain of the fit that each draw is of, (draws,), in the order of `draws`."""
        group = self.tree["posterior"].dataset
        if CHAIN in group.coords:
            return np.asarray(group[CHAIN])
        return np.repeat(np.arange(group.sizes["chain"]), group.sizes["draw"])

    @cached_property
    def published(self) -> dict[str, np.ndarray]:
        """Coefficients under the paper's names: name -> (draws,)."""
        found = self.law.to_published(self.draws, self.reference)
        return {name: np.asarray(value) for name, value in found.items()}

    @cached_property
    def hull(self) -> Hull | None:
        """Where the runs were; ``None`` for a posterior that did not come from runs."""
        stored = self.info.get("hull")
        if stored is None:
            return None
        teacher = stored["teacher_loss"]
        return Hull(tuple(map(tuple, stored["points"])), tuple(teacher) if teacher else None)

    def supervised_loss(
        self, params: np.ndarray, tokens: np.ndarray, unique_tokens: np.ndarray | None = None
    ) -> np.ndarray:
        """Supervised loss L(N, D) (eq. 1), (draws, points), of models (points,).

        `unique_tokens` (points,) says how many tokens are different ones, all where it is NaN; only
        a law that knows of repeats heeds it.
        """
        return evaluate.supervised_loss(
            self.law, self.draws, params, tokens, self.reference, unique_tokens
        )

    def distilled_loss(
        self, params: np.ndarray, tokens: np.ndarray, teacher_loss: np.ndarray
    ) -> np.ndarray:
        """Student loss L_S (eq. 8, and what its size departs from it), (draws, points).

        `teacher_loss` is (points,), or (draws, points) where it is itself uncertain.
        """
        own = {name: each.at(params, tokens) for name, each in self.discrepancies.items()}
        return evaluate.distilled_loss(
            self.law, self.draws, params, tokens, teacher_loss, self.reference, own
        )

    def noise_scale(self, mean: np.ndarray, distilled: np.ndarray) -> np.ndarray:
        """Scale of a single run's scatter around `mean` (draws, points), in the unit of the loss.

        `distilled` (points,) says which points have a teacher; the two kinds of run may scatter
        differently. It is zero for a posterior without noise. What runs share is not in it.
        """
        zero = np.zeros(self.n_draws)
        scale, supervised = (self.draws.get(k) for k in ("scale", "supervised_scale"))
        own = scale if scale is not None else supervised if supervised is not None else zero
        plain = supervised if supervised is not None else own
        spread: np.ndarray = np.where(distilled, own[:, None], plain[:, None]) * scatter.unit_of(
            self._likelihoods, mean, self.reference.loss
        )
        return spread

    @property
    def _likelihoods(self) -> scatter.Parts:
        return [(card.likelihood, rows) for card, rows in self.parts]

    def shared_effects(
        self,
        distilled: np.ndarray,
        generator: np.random.Generator,
        *,
        teacher: np.ndarray | None = None,
        condition: np.ndarray | None = None,
    ) -> np.ndarray:
        """Offsets (draws, points), in the unit of the loss, that new runs share.

        `teacher` and `condition` (points,) are whole numbers that say which points have one
        teacher, and which one size and number of tokens (`levels`); by default none do. Zero for
        a model without such effects, and for points without a teacher.
        """
        offsets = np.zeros((self.n_draws, len(distilled)))
        for name, labels in (("teacher_sd", teacher), ("condition_sd", condition)):
            if name not in self.draws:
                continue
            level = np.arange(len(distilled))
            if labels is not None:
                level = np.unique(labels, return_inverse=True)[1].reshape(-1)
            z = generator.standard_normal((self.n_draws, int(level.max(initial=-1)) + 1))
            offsets += self.draws[name][:, None] * z[:, level]
        return np.asarray(np.where(distilled, offsets * self.reference.loss, 0.0))

    def new_run(
        self,
        mean: np.ndarray,
        distilled: np.ndarray,
        generator: np.random.Generator,
        *,
        teacher: np.ndarray | None = None,
        condition: np.ndarray | None = None,
    ) -> np.ndarray:
        """Losses that single new runs would measure around `mean` (draws, points).

        `distilled`, `teacher` and `condition` are as in `noise_scale` and `shared_effects`. A
        posterior without noise gives `mean` back.
        """
        spread = self.noise_scale(mean, distilled)
        noise = scatter.standard_noise(self._likelihoods, mean.shape, generator)
        shared = self.shared_effects(distilled, generator, teacher=teacher, condition=condition)
        found: np.ndarray = mean + shared + spread * noise
        return found

    def log_density(self, loss: np.ndarray, mean: np.ndarray, distilled: np.ndarray) -> np.ndarray:
        """Log density (draws, points) of measured losses (points,) around `mean`, per unit of loss.

        `distilled` is as in `noise_scale`; the posterior must have noise.
        """
        spread = self.noise_scale(mean, distilled)
        return scatter.log_density(self._likelihoods, loss, mean, spread)

    def thin(self, draws: int) -> Posterior:
        """Keep at most `draws` draws, evenly spaced, and nothing that using them does not need.

        They are stored as one chain; `chains` still says which chain each is of.
        """
        stride = max(1, -(-self.n_draws // draws))
        group = self.tree["posterior"].dataset
        kept: dict[str, Any] = {
            name: (("chain", "draw"), values[None, ::stride]) for name, values in self.draws.items()
        }
        coords: dict[str, Any] = {CHAIN: ("draw", self.chains[::stride])}
        for name, each in self.discrepancies.items():
            if name in group:  # what only conditions have is not stored for sizes
                kept[name] = (("chain", "draw", "size"), each.seen[None, ::stride])
            coords["size"] = group["size"].to_numpy()
            if each.conditions is not None:
                seen = each.conditions.seen[None, ::stride]
                kept[f"condition_{name}"] = (("chain", "draw", "condition"), seen)
                for part in ("condition_params", "condition_tokens"):
                    coords[part] = ("condition", group[part].to_numpy())
        tree = xr.DataTree.from_dict({"posterior": xr.Dataset(kept, coords=coords)})
        stride *= int(self.info.get("thinned_by", 1))
        return Posterior(tree, self.card, self.reference, {**self.info, "thinned_by": stride})

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
        found = card.scaling_law.from_published(coefficients, reference)
        values = {name: float(value) for name, value in found.items()}
        values["scale"] = noise / (1 if card.likelihood.scale == "relative" else reference.loss)
        data = xr.Dataset({k: (("chain", "draw"), [[v]]) for k, v in values.items()})
        return cls(xr.DataTree.from_dict({"posterior": data}), card, reference, info)

    def save(self, path: str | Path) -> Path:
        """Write one netCDF file, whole or not at all.

        Raises
        ------
        InputError
            If the place cannot be written to.
        """
        tree = self.tree.copy()
        tree.attrs = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "law": self.law.name,
            "card": self.card.model_dump_json(),
            "reference": json.dumps(
                [self.reference.params, self.reference.tokens, self.reference.loss]
            ),
            "info": json.dumps(self.info),
        }
        encoding = {
            node.path: {
                str(name): COMPRESSED if variable.size > 64 else CHECKED
                for name, variable in node.variables.items()
                if variable.dtype.kind in "fib" and variable.ndim > 0
            }
            for node in tree.subtree
        }
        with atomic_path(path) as temporary:
            tree.to_netcdf(temporary, engine="netcdf4", encoding=encoding)
        return Path(path)

    @classmethod
    def load(cls, path: str | Path) -> Posterior:
        """Read a posterior; see `load_posterior` for names of shipped ones.

        Raises
        ------
        InputError
            If the file is missing, damaged, of another kind or from a newer format.
        """
        path = Path(path)
        if not path.exists():
            raise InputError(f"{path} does not exist")
        if path.is_dir():
            raise InputError(f"{path} is a folder, not a file written by fit")
        problem = None
        try:
            with xr.open_datatree(path, engine="netcdf4") as opened:
                tree = opened.load()
        except Exception as error:  # damage comes up in many shapes from the layers below
            problem = type(error).__name__
        if problem is not None:
            # what was opened half-way would stay open, and a file copied anew to this place be
            # read from HDF5's memory of the damaged one
            gc.collect()
            raise InputError(
                f"{path} is not a file written by fit, or is damaged ({problem}); "
                "fit again or copy it again"
            )
        attributes = tree.attrs
        if attributes.get("format") != FORMAT:
            raise InputError(f"{path} is a netCDF file, but not one written by bayes-distill fit")
        lacking = {"format_version", "law", "card", "reference", "info"} - set(attributes)
        if lacking:
            raise InputError(f"{path} is damaged: it lacks {', '.join(sorted(lacking))}")
        if int(attributes["format_version"]) > FORMAT_VERSION:
            raise InputError(
                f"{path} has format {attributes['format_version']}, and this version reads up to "
                f"{FORMAT_VERSION}: upgrade bayes-distill"
            )
        if attributes["law"] not in {*LAWS, STACKED}:
            raise InputError(
                f"{path} was fitted with the law {attributes['law']!r}, which this version does "
                "not have: upgrade bayes-distill"
            )
        try:
            card = card_from_dict(json.loads(attributes["card"]), str(path))
            reference = Reference(*json.loads(attributes["reference"]))
            info = json.loads(attributes["info"])
            missing = set(card.scaling_law.coordinate_names) - set(tree["posterior"].data_vars)
        except (KeyError, ValueError, TypeError) as error:
            raise InputError(f"{path} is damaged: {error}") from None
        if missing:
            raise InputError(f"{path} is damaged: it lacks draws of {', '.join(sorted(missing))}")
        tree.attrs = {}
        return cls(tree, card, reference, info)


def load_posterior(source: str | Path | Posterior, *, allow_failed: bool = False) -> Posterior:
    """Load a file written by `fit`, or the posterior that ships with a model card.

    Raises
    ------
    InputError
        If there is no such file or card, or it cannot be used.
    FailedFitError
        If the fit failed its checks and `allow_failed` is not set.
    """
    if isinstance(source, Posterior):
        posterior = source
    elif (shipped := shipped_posterior(str(source))) is not None:
        posterior = Posterior.load(shipped)
    elif str(source) not in model_names() and (Path(source).exists() or Path(source).suffix):
        posterior = Posterior.load(source)
    else:
        card = load_card(source)  # raises for a name that is no card
        if card.coefficients is not None:
            return Posterior.from_coefficients(card, card.coefficients, POINT, card.noise)
        runs = f'"{card.data}"' if card.data else "RUNS"
        raise InputError(
            f"the model card {card.name} has no posterior yet: run "
            f'`fit({runs}, model="{card.name}").save("fit.nc")` and use fit.nc'
        )
    if posterior.verdict == "fail" and not allow_failed:
        name = "this fit" if isinstance(source, Posterior) else f"the fit {source}"
        raise FailedFitError(
            f"{name} failed its checks; look at its diagnostics, fit again with more "
            "warm-up or another card, or pass `allow_failed=True` to use it all the same"
        )
    return posterior
