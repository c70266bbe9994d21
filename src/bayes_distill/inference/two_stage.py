"""A supervised fit first, and its posterior as the prior of a distillation fit.

The draws of the supervised fit are taken to the reference point of the new one through their
published coefficients, and there to the six numbers of `joint_prior`, in which a posterior of
supervised runs is close to normal: their mean and covariance are the prior of the second stage.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayes_distill.cards import Card, card_from_dict
from bayes_distill.cards.joint_prior import SUPERVISED
from bayes_distill.errors import FailedFitError, Fault, InputError
from bayes_distill.inference.joint_prior import LAW, NAMES, unconstrain
from bayes_distill.laws import Reference
from bayes_distill.posterior import Posterior, load_posterior

if TYPE_CHECKING:
    from bayes_distill.runs import Runs

LEAST_DRAWS = 200  # for a covariance of six numbers
FIXED_SD = 1e-3  # of the logarithm of a coefficient that the supervised law fixes, such as gamma
SAME_UNIT, ODD_UNIT = 0.15, 0.06  # of the median ratio of losses seen and predicted: fault, note


@dataclass(frozen=True)
class FirstStageResults:
    """What the posterior of a second stage stores of the first.

    Parameters
    ----------
    cut
        Whether the supervised law is cut off from the runs of the second stage.
    verdict
        That of the first stage.
    before
        Prior draws of the supervised coordinates (any number of draws,), before both stages.
    noise
        What a posterior holds of the noise of supervised runs, one number for every draw of the
        second stage: name of a variable -> (draws,).
    """

    cut: bool
    verdict: str
    before: dict[str, np.ndarray]
    noise: dict[str, np.ndarray]


def load_supervised(source: Posterior | str | Path) -> Posterior:
    """Load the supervised fit of a first stage.

    Raises
    ------
    InputError
        If there is none, it failed its checks, it is of a law with a teacher, or it has too few
        draws.
    """
    try:
        posterior = load_posterior(source)
    except FailedFitError:
        again = f"{source} failed its checks: fit it again with more `warmup` or another card"
        raise InputError(Fault(again, column="supervised")) from None
    what = "this posterior" if isinstance(source, Posterior) else str(source)
    if posterior.law.has_teacher:
        raise InputError(
            Fault(
                f"{what} is a fit of the {posterior.law.name} law: name the fit of a supervised "
                'law (`fit(RUNS, model="supervised")`)',
                column="supervised",
            )
        )
    if posterior.n_draws < LEAST_DRAWS:
        raise InputError(
            Fault(
                f"{what} has {posterior.n_draws} draws: at least {LEAST_DRAWS} are needed",
                column="supervised",
            )
        )
    return posterior


def check_stages(
    table: Runs, supervised: Posterior | str | Path | None, cut: bool, card: Card | None
) -> None:
    """Refuse runs and flags that do not make two stages.

    Raises
    ------
    InputError
        Naming every flag at fault.
    """
    faults = []
    if card is not None and card.factors and (cut or supervised is not None):
        together = "is of laws without factors: fit all runs together, or remove [factors]"
        faults.append(Fault(together, column="cut" if cut else "supervised"))
    if supervised is not None and table.kind == "supervised":
        faults.append(
            Fault(
                f"{table.source} has no runs with a teacher for a supervised fit to inform",
                column="supervised",
            )
        )
    if cut and table.kind == "supervised":
        faults.append(Fault("there are no distillation runs to cut off", column="cut"))
    if cut and table.kind == "distillation" and supervised is None:
        faults.append(
            Fault(
                "needs the supervised law from elsewhere: add `supervised=FIT`, or supervised "
                f"runs to {table.source}",
                column="cut",
            )
        )
    if cut and table.kind == "mixed" and supervised is not None:
        faults.append(
            Fault(
                f"{table.source} has supervised runs of its own, which `cut=True` fits first: "
                "leave out either `supervised` or those runs (`where='teacher_loss.notna()'`)",
                column="supervised",
            )
        )
    if faults:
        raise InputError(faults)


def check_against(table: Runs, posterior: Posterior) -> list[str]:
    """Refuse a first stage in another unit of loss, or of runs that are in the table again.

    Returns
    -------
    list of str
        Notes on what is odd but no fault.

    Raises
    ------
    InputError
        Naming every fault.
    """
    frame, faults, notes = table.frame, [], []
    params, tokens, loss = (frame[n].to_numpy(float) for n in ("params", "tokens", "loss"))
    predicted = np.median(posterior.supervised_loss(params, tokens), axis=0)
    ratio = float(np.median(loss / predicted))
    differ = (
        f"losses of {table.source} are {ratio:.3g} times those that the supervised fit predicts"
    )
    if abs(ratio - 1) > SAME_UNIT:
        fix = "both must be in one unit, on one validation set and tokenizer"
        faults.append(Fault(f"{differ}: {fix}", column="supervised"))
    elif abs(ratio - 1) > ODD_UNIT:
        notes.append(f"{differ}: are both on one validation set?")
    twice = _again(frame[~table.distilled], posterior)
    if twice:
        faults.append(
            Fault(
                f"{twice} supervised runs of {table.source} were in the supervised fit already and "
                "would count twice: leave them out (`where='teacher_loss.notna()'`)",
                column="supervised",
            )
        )
    if faults:
        raise InputError(faults)
    return notes


def supervised_numbers(posterior: Posterior, reference: Reference) -> np.ndarray:
    """Draws of a supervised fit as the six numbers of `joint_prior`, (draws, 6).

    `reference` is their reference point. Coefficients that the law fixes have their fixed value.
    """
    published = {**_fixed(posterior, posterior.n_draws), **posterior.published}
    coordinates = LAW.from_published(published, reference)
    numbers = unconstrain({name: np.asarray(value) for name, value in coordinates.items()})
    if not np.isfinite(numbers).all():
        raise InputError(
            Fault(
                "some of its coefficients are not finite: give its card tighter priors",
                column="supervised",
            )
        )
    return numbers


def two_stage_card(
    card: Card, posterior: Posterior, reference: Reference, source: str
) -> tuple[Card, list[str]]:
    """Card whose prior on the supervised coordinates is the posterior of a supervised fit.

    It states `reference`, which the prior rests on. Returns notes on what was replaced.
    """
    numbers = supervised_numbers(posterior, reference)
    covariance = np.cov(numbers.T)
    notes = [f"The prior on the supervised coordinates is the posterior of {source}."]
    if card.supervised is not None:
        notes.append(f"It takes the place of [supervised] in the card {card.name}.")
    replaced = [name for name in card.priors if name in SUPERVISED]
    if replaced:
        notes.append(f"It takes the place of the card's priors on {', '.join(replaced)}.")
    for name, value in posterior.law.fixed.items():
        place = NAMES.index(name)
        covariance[place, place] = FIXED_SD**2
        notes.append(
            f"{source} has {name} = {value:g}, and so has this fit, within {FIXED_SD:.1%}."
        )
    content: dict[str, Any] = card.model_dump(mode="json")
    content["priors"] = {n: p for n, p in content["priors"].items() if n not in SUPERVISED}
    fitted = {"source": source, "centre": numbers.mean(0).tolist()}
    content["supervised"] = {"fitted": fitted | {"covariance": covariance.tolist()}}
    content["reference"] = _pinned(reference)
    return card_from_dict(content, card.name), notes


def first_stage_card(card: Card, reference: Reference) -> Card:
    """Card of the supervised runs, with the priors and the likelihood that `card` has for them."""
    of_distilled = {"prior", "teacher_effect", "condition_effect"}
    content = {
        "name": f"{card.name}-supervised",
        "law": "supervised",
        "reference": _pinned(reference),
        "likelihood": card.likelihood.model_dump(mode="json", exclude=of_distilled),
        "priors": {
            name: prior.model_dump(mode="json")
            for name, prior in card.priors.items()
            if name in SUPERVISED
        },
        "supervised": None if card.supervised is None else card.supervised.model_dump(mode="json"),
        "target_accept": card.target_accept,
    }
    return card_from_dict(content, f"for the supervised runs alone, after {card.name},")


def supervised_noise(
    posterior: Posterior, card: Card, reference: Reference
) -> dict[str, np.ndarray]:
    """Noise of supervised runs as a posterior of `card` holds it: name of a variable -> (draws,).

    The residual scale is in units of the new reference loss, and the parameters of the likelihood
    that were sampled come with it. Empty if the two cards have different likelihoods. If one card
    counts noise relative to the loss and the other does not, they agree at the middle of the
    supervised runs.
    """
    first, second = posterior.card.likelihood, card.likelihood
    scale = posterior.draws.get("supervised_scale")
    if scale is None or not first.same_family(second):
        return {}
    if second.scale != "relative":
        scale = scale * posterior.reference.loss / reference.loss
    parameters = {f"supervised_{name}": posterior.draws[name] for name in first.priors}
    return {"supervised_scale": scale, **parameters}


def supervised_before(posterior: Posterior, reference: Reference) -> dict[str, np.ndarray]:
    """Prior draws (draws,) of the supervised coordinates in the first stage.

    Without those that the law fixes.
    """
    if "prior" not in posterior.tree:
        return {}
    group = posterior.tree["prior"].dataset
    before = {n: group[n].to_numpy().reshape(-1) for n in posterior.law.coordinate_names}
    published = posterior.law.to_published(before, posterior.reference)
    count = len(next(iter(before.values())))
    # a wide prior of gamma overflows some coefficients; those draws are left out below
    with np.errstate(all="ignore"):
        coordinates = LAW.from_published({**_fixed(posterior, count), **published}, reference)
    values = {name: np.asarray(value) for name, value in coordinates.items()}
    sound = np.all([np.isfinite(value) for value in values.values()], axis=0)
    return {n: value[sound] for n, value in values.items() if n not in posterior.law.fixed}


def _fixed(posterior: Posterior, count: int) -> dict[str, np.ndarray]:
    """Coefficients (count,) that the law of a posterior fixes."""
    return {name: np.full(count, value) for name, value in posterior.law.fixed.items()}


def _pinned(reference: Reference) -> dict[str, float]:
    return {"params": reference.params, "tokens": reference.tokens, "loss": reference.loss}


def _again(frame: pd.DataFrame, posterior: Posterior) -> int:
    """How many runs of a frame are among those that a posterior was fitted to."""
    if "runs" not in posterior.tree or frame.empty:
        return 0
    columns = ["params", "tokens", "loss"]
    seen = posterior.tree["runs"].dataset[columns].to_dataframe()[columns]
    return int(frame[columns].apply(tuple, axis=1).isin(set(map(tuple, seen.to_numpy()))).sum())
