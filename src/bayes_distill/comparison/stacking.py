"""Several fits of the same runs as one posterior: a share of the draws from each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from bayes_distill._input.intervals import draws_faults
from bayes_distill.cards import Card
from bayes_distill.comparison.fits import Source, groups_to_leave_out, load_fits
from bayes_distill.comparison.weights import weight_faults
from bayes_distill.inference.diagnostics import RANK
from bayes_distill.inference.law_checks import law_of_members
from bayes_distill.laws import STACKED
from bayes_distill.laws.discrepancy import NAMES
from bayes_distill.laws.smooth_discrepancy import SMOOTH, STUDENT_SMOOTH
from bayes_distill.laws.stacked import MEMBER, prefixed
from bayes_distill.posterior import Posterior
from bayes_distill.posterior.size_offsets import OFFSET, OFFSET_SIZE
from bayes_distill.predict.arguments import loaded_beside
from bayes_distill.runs.table import CANONICAL

NOISE = ("scale", "supervised_scale")
SHARED_INFO = (
    "fingerprint",
    "kind",
    "n_runs",
    "source",
    "where",
    "hull",
    "hulls",
    "interval",
    "versions",
)


def stack(
    fits: Sequence[Source],
    weights: Sequence[float] | str | None = None,
    *,
    draws: int = 4000,
    allow_failed: bool = False,
    **refits: Any,
) -> Posterior:
    """Stack fits of the same runs into one posterior, which is used like any other.

    Every draw belongs to one fit and is evaluated by its law, with its discrepancies and its noise:
    the predictive distribution is the mixture of theirs.

    Parameters
    ----------
    fits
        Posteriors, files written by `fit`, or cards with a posterior.
    weights
        Shares of the draws, in the order of `fits`; they are divided by their sum. By default
        stacking weights (Yao et al. 2018) by student sizes that are left out, or else labels of the
        column ``group``, which takes a refit of each card for each; by PSIS-LOO where there are no
        such groups, or with ``"loo"``. ``"params"`` and ``"group"`` name what is left out.
    draws
        Most draws of the stack. No draw is used twice, so there may be fewer. A fit whose share is
        less than half a draw is left out, and noted.
    allow_failed
        Whether fits that failed their checks may be used.
    refits
        Of the refits, as in `compare`: ``min_runs``, ``groups``, ``chains``, ``warmup``, ``draws``
        as ``refit_draws``, ``seed``, ``workers``, ``scheduler``, ``resume``, ``progress``.

    Raises
    ------
    InputError
        Naming every fit that cannot be used, which fits differ in their runs or reference point,
        and what is wrong with the weights.
    FailedFitError
        If a fit failed its checks and that is not allowed.
    """
    stated = weights is not None and not isinstance(weights, str)
    faults = weight_faults(weights, len(fits)) if stated else []  # type: ignore[arg-type]
    faults += draws_faults(draws)
    loaded = loaded_beside(
        faults, lambda lenient: load_fits(fits, allow_failed=lenient), allow_failed
    )
    if weights is None or isinstance(weights, str):
        weights = _found_weights(loaded, weights, refits)
    return stack_loaded(loaded, weights, draws)


def _found_weights(
    fits: Mapping[str, Posterior], kind: str | None, refits: dict[str, Any]
) -> list[float]:
    """Stacking weights by single runs, or by groups that are left out, which are refits."""
    from bayes_distill.comparison.ranking import compare

    chosen = kind or groups_to_leave_out(fits, refits.get("min_runs", 8)) or "loo"
    renamed = {{"refit_draws": "draws"}.get(name, name): each for name, each in refits.items()}
    found = compare(
        list(fits.values()),
        leave_out=() if chosen == "loo" else (chosen,),
        weights=chosen,
        allow_failed=True,  # what is not allowed was refused before
        **renamed,
    )
    return list(found.weights.values())


def stack_loaded(fits: Mapping[str, Posterior], weights: Sequence[float], draws: int) -> Posterior:
    """Stack posteriors that were found to go together; see `stack`."""
    share = np.asarray(weights, float) / np.sum(weights)
    counts = _counts(share, np.array([fit.n_draws for fit in fits.values()]), draws)
    used = [i for i, count in enumerate(counts) if count]
    names, members = list(fits), list(fits.values())
    stacked = [members[i] for i in used]
    picks = [_evenly(members[i].n_draws, int(counts[i])) for i in used]
    group = _draws(stacked, picks)
    tree = {"posterior": group}
    if "runs" in stacked[0].tree.children:
        runs = stacked[0].tree["runs"].dataset
        tree["runs"] = runs[[name for name in CANONICAL if name in runs]]
    cards = tuple(fit.card for fit in stacked)
    card = Card(
        name="-and-".join(dict.fromkeys(c.name for c in cards)),
        title=f"Stack of {len(cards)} fits",
        law=STACKED,
        members=cards,
    )
    info = _info(dict(zip([names[i] for i in used], stacked, strict=True)))
    info["stack"] = [
        {
            "fit": name,
            "card": fit.card.name,
            "law": fit.law.name,
            "weight": float(share[i]),
            "draws": int(counts[i]),
        }
        for i, (name, fit) in enumerate(fits.items())
    ]
    info["notes"] = [
        "a stack of "
        + ", ".join(f"{n} ({share[i]:.3g})" for i, n in enumerate(names) if counts[i]),
        *(
            f"{name} was left out of the stack: its weight {share[i]:.2g} is less than one draw"
            for i, name in enumerate(names)
            if not counts[i]
        ),
    ]
    return Posterior(xr.DataTree.from_dict(tree), card, stacked[0].reference, info)


def _counts(share: np.ndarray, available: np.ndarray, most: int) -> np.ndarray:
    """Draws of each fit (fits,): in proportion, none twice, at most so many together."""
    wanted = share > 0
    total = int(min(most, np.floor((available[wanted] / share[wanted]).min() * (1 + 1e-12))))
    total = max(total, 1)
    exact = share * total
    counts = np.floor(exact + 1e-9).astype(int)
    for place in np.argsort(counts - exact, kind="stable")[: total - counts.sum()]:
        counts[place] += 1
    return np.asarray(np.minimum(counts, available))


def _evenly(available: int, count: int) -> np.ndarray:
    """Positions of draws, evenly spaced."""
    return np.asarray(((np.arange(count) + 0.5) * available / count).astype(int))


def _draws(fits: Sequence[Posterior], picks: Sequence[np.ndarray]) -> xr.Dataset:
    """Draws of a stack, fit after fit, as one chain.

    Coordinates of the other fits are filled with their medians: a law is evaluated there and
    not used, and its gradients must stay finite. Everything else (discrepancies, effects) is zero
    where a fit has none.
    """
    counts = [len(pick) for pick in picks]
    values: dict[str, np.ndarray] = {
        MEMBER: np.repeat(np.arange(len(fits), dtype=float), counts),
    }
    for i, fit in enumerate(fits):
        for name in fit.law.coordinate_names:
            column = [np.full(n, np.median(fit.draws[name])) for n in counts]
            column[i] = fit.draws[name][picks[i]]
            values[prefixed(i, name)] = np.concatenate(column)
    own = [set(fit.draws) - set(fit.law.coordinate_names) for fit in fits]
    for name in sorted(set().union(*own)):
        values[name] = np.concatenate(
            [_noise(fit, name)[pick] for fit, pick in zip(fits, picks, strict=True)]
        )
    found: dict[str, Any] = {k: (("chain", "draw"), v[None]) for k, v in values.items()}
    coords: dict[str, Any] = {}
    for name in (SMOOTH, STUDENT_SMOOTH, OFFSET):
        groups = [fit.tree["posterior"].dataset for fit in fits]
        variable = next((group[name] for group in groups if name in group), None)
        if variable is None:
            continue
        count = variable.shape[-1]
        rows = [
            group[name].to_numpy().reshape(-1, count)[pick]
            if name in group
            else np.zeros((len(pick), count))
            for group, pick in zip(groups, picks, strict=True)
        ]
        found[name] = (variable.dims, np.concatenate(rows)[None])
        if name == OFFSET:
            coords[OFFSET_SIZE] = (variable.dims[-1], variable[OFFSET_SIZE].to_numpy())
    for name in NAMES:
        having = [fit for fit in fits if name in fit.discrepancies]
        if not having:
            continue
        sizes = having[0].tree["posterior"]["size"].to_numpy()
        coords["size"] = sizes
        seen = [
            fit.discrepancies[name].seen[pick]
            if name in fit.discrepancies
            else np.zeros((len(pick), len(sizes)))
            for fit, pick in zip(fits, picks, strict=True)
        ]
        if any(name in fit.tree["posterior"] for fit in having):
            found[name] = (("chain", "draw", "size"), np.concatenate(seen)[None])
        special = [
            fit.discrepancies[name].conditions if name in fit.discrepancies else None
            for fit in fits
        ]
        known = next((i for i, part in enumerate(special) if part is not None), None)
        if known is None:
            continue
        group = fits[known].tree["posterior"]
        for part in ("condition_params", "condition_tokens"):
            coords[part] = ("condition", group[part].to_numpy())
        count = group.sizes["condition"]
        rows = [
            np.zeros((len(pick), count)) if part is None else part.seen[pick]
            for part, pick in zip(special, picks, strict=True)
        ]
        found[f"condition_{name}"] = (
            ("chain", "draw", "condition"),
            np.concatenate(rows)[None],
        )
    return xr.Dataset(found, coords=coords)


def _noise(fit: Posterior, name: str) -> np.ndarray:
    """A fit's draws of a scale, as `Posterior.noise_scale` understands one that is not there."""
    if name not in fit.draws and name in NOISE:
        name = next((other for other in NOISE if other in fit.draws), name)
    return fit.draws.get(name, np.zeros(fit.n_draws))


def _info(fits: Mapping[str, Posterior]) -> dict[str, Any]:
    """What the fits share, and the worst of their checks."""
    first = next(iter(fits.values())).info
    info: dict[str, Any] = {name: first[name] for name in SHARED_INFO if name in first}
    verdicts = [fit.verdict for fit in fits.values() if fit.verdict in RANK]
    checked = {n: f.info["diagnostics"] for n, f in fits.items() if "diagnostics" in f.info}
    if len(checked) < len(fits):
        return info
    info["verdict"] = max(verdicts, key=lambda verdict: RANK[verdict])
    found = list(checked.values())
    info["diagnostics"] = {
        "verdict": info["verdict"],
        "rhat_max": max(d["rhat_max"] for d in found),
        "ess_bulk_min": min(d["ess_bulk_min"] for d in found),
        "ess_tail_min": min(d["ess_tail_min"] for d in found),
        "divergences": sum(d["divergences"] for d in found),
        "chains": sum(d["chains"] for d in found),
        "draws": max(d["draws"] for d in found),
        "checks": [
            {**check, "name": f"{check['name']} of {name}"}
            for name, d in checked.items()
            for check in d["checks"]
        ],
        "law": law_of_members(checked),
    }
    worst: dict[int, dict[str, Any]] = {}
    for fit in fits.values():
        for run in fit.info.get("flagged_runs", []):
            other = worst.get(run["row"])
            if other is None or abs(run["residual"]) > abs(other["residual"]):
                worst[run["row"]] = run
    info["flagged_runs"] = sorted(worst.values(), key=lambda run: -abs(run["residual"]))
    return info
