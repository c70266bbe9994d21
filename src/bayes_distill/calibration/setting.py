"""What all replicates of a study share: models, reference point, design and prior, not the runs.

Simulation-based calibration is exact only if simulator and fit use one prior. An ordinary fit
takes two things from its runs: the reference point, which is their median, and the ratio of their
losses to those of a joint supervised prior, which says in which unit they are. Both are taken here
from a template instead, the design with the losses that the prior is centred on, and are the same
for every replicate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayes_distill.cards import Card, load_card
from bayes_distill.errors import Fault, InputError
from bayes_distill.inference.fit import check_card
from bayes_distill.inference.model import Data, ModelSpec
from bayes_distill.inference.model_inputs import model_inputs, reference_point
from bayes_distill.inference.simulation import TYPICAL_LOSS
from bayes_distill.laws import Reference
from bayes_distill.laws.supervised import Supervised
from bayes_distill.runs import Runs, chinchilla_design, paper_design
from bayes_distill.runs.reading import examine

UNIT = Reference(1.0, 1.0, 1.0)
BUILT_IN = {"paper": paper_design, "chinchilla": chinchilla_design}
# measured losses never equal those of the centre exactly: a card that treats a ratio of exactly
# one differently is studied with the prior that real runs get
NEARLY_ONE = 1 + 1e-9


@dataclass(frozen=True)
class Model:
    """A card's model, with the numbers of its prior."""

    card: Card
    spec: ModelSpec
    hyper: dict[str, Any]


@dataclass(frozen=True)
class Setting:
    """What all replicates of a study share.

    Parameters
    ----------
    fitted, simulator
        The model that is fitted and the one that truths and runs come from; usually the same.
    reference
        Point from which both count.
    data
        The design, padded; the losses in it mean nothing.
    design
        The design as a canonical frame.
    """

    fitted: Model
    simulator: Model
    reference: Reference
    data: Data
    design: pd.DataFrame


def read_card(card: Card | str | Path) -> Card:
    """Take a card, its name or its path."""
    return card if isinstance(card, Card) else load_card(card)


def read_design(design: pd.DataFrame | str | Path) -> tuple[pd.DataFrame, str]:
    """Read a design: a canonical frame without losses, and a name for people.

    Raises
    ------
    InputError
        With every fault of the table.
    """
    named = isinstance(design, str) and design in BUILT_IN
    table = BUILT_IN[str(design)]() if named else design
    examined = examine(table, required=("params", "tokens"))
    if examined.faults:
        raise InputError(examined.faults)
    frame = examined.sound.drop(columns="loss", errors="ignore")
    return frame, str(design) if named else examined.source


def make_setting(card: Card, simulator: Card | None, design: pd.DataFrame) -> Setting:
    """Prepare a study of `card` on a design, with truths from the prior of `simulator`.

    Raises
    ------
    InputError
        If the card cannot be fitted to such runs, or the simulator is for others.
    """
    runs = _template(card, design)
    check_card(card, runs)
    reference = reference_point(card, runs.frame)
    spec, data, hyper, _ = model_inputs(card, runs, reference)
    fitted = Model(card, _simulated(spec), hyper)
    if simulator is None:
        return Setting(fitted, fitted, reference, data, design)
    faults = _simulator_faults(simulator, card, runs)
    if faults:
        raise InputError(faults)
    other = _template(simulator, design)
    spec, _, hyper, _ = model_inputs(simulator, other, reference)
    return Setting(fitted, Model(simulator, _simulated(spec), hyper), reference, data, design)


def _simulated(spec: ModelSpec) -> ModelSpec:
    """The model without what a card says of unlimited data, which no draw of a prior heeds."""
    return replace(spec, unlimited_data=False)


def _template(card: Card, design: pd.DataFrame) -> Runs:
    """Runs of the design whose losses are in the unit of the card's prior."""
    losses = np.full(len(design), TYPICAL_LOSS)
    if card.supervised is not None:
        centre = Supervised().from_published(card.supervised.centre, UNIT)
        params, tokens = (design[name].to_numpy(float) for name in ("params", "tokens"))
        losses = np.asarray(Supervised().supervised_loss(centre, params, tokens, UNIT)) * NEARLY_ONE
    frame = design.copy()
    frame.insert(2, "loss", losses)
    return Runs(frame, "the design")


def _simulator_faults(simulator: Card, card: Card, runs: Runs) -> list[Fault]:
    faults = []
    try:
        check_card(simulator, runs)
    except InputError as error:
        faults += [Fault(fault.problem, column="simulator") for fault in error.faults]
    stated = _stated(simulator.reference)
    if stated and stated != _stated(card.reference):
        faults.append(
            Fault(
                f"{simulator.name} counts from a reference point of its own, and a prior means "
                f"something else there: give it that of {card.name}, or none",
                column="simulator",
            )
        )
    return faults


def _stated(reference: Any) -> Mapping[str, float]:
    return {name: value for name, value in reference.model_dump().items() if value is not None}
