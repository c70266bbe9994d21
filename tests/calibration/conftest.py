"""A card and a design so small that a replicate takes no time, and a study of each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

if TYPE_CHECKING:
    from bayes_distill.calibration.result import Calibration
    from bayes_distill.cards import Card

SHORT: dict[str, Any] = {"chains": 2, "warmup": 200, "draws": 150}


def narrow_card(shift: float = 0.0) -> Card:
    """Supervised card with narrow priors; `shift` moves that of the level, in its sd."""
    from bayes_distill.cards import load_card
    from bayes_distill.cards.card import Card

    content = load_card("supervised-plain").model_dump()
    for prior in content["priors"].values():
        prior["sd"] = 0.1
    content["priors"]["level"]["median"] *= float(np.exp(0.1 * shift))
    content["likelihood"]["supervised_prior"] |= {"median": 0.05, "sd": 0.3}
    return Card.model_validate(content | {"name": "narrow"})


@pytest.fixture(scope="session")
def nine_runs() -> pd.DataFrame:
    params, tokens = np.meshgrid([1e8, 3e8, 1e9], [2e9, 1e10, 5e10])
    return pd.DataFrame({"params": params.ravel(), "tokens": tokens.ravel()})


@pytest.fixture(scope="session")
def card() -> Card:
    return narrow_card()


@pytest.fixture(scope="session")
def shifted() -> Callable[[float], Card]:
    return narrow_card


@pytest.fixture(scope="session")
def settings() -> dict[str, Any]:
    return SHORT


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the replicates of `right`."""
    return tmp_path_factory.mktemp("replicates")


@pytest.fixture(scope="session")
def right(card: Card, nine_runs: pd.DataFrame, store: Path) -> Calibration:
    """Forty replicates fitted with the prior that they come from."""
    from bayes_distill.calibration.study import calibrate

    return calibrate(card, nine_runs, replicates=40, resume=store, **SHORT)


@pytest.fixture(scope="session")
def wrong(card: Card, nine_runs: pd.DataFrame) -> Calibration:
    """Fifteen replicates whose truths come from a prior three standard deviations away."""
    from bayes_distill.calibration.study import calibrate

    return calibrate(card, nine_runs, replicates=15, simulator=narrow_card(3.0), **SHORT)
