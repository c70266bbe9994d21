"""The cards that ship, beside the installed package or in the checkout."""

from __future__ import annotations

import errno
from functools import cache
from pathlib import Path

from bayes_distill._input.suggestions import did_you_mean
from bayes_distill._input.text import shown
from bayes_distill._runtime.jax_setup import require_float64
from bayes_distill.cards.card import Card
from bayes_distill.cards.reading import read_card
from bayes_distill.errors import InputError


@cache
def models_folder() -> Path:
    """Folder of the shipped cards: inside an installed wheel, else at the checkout's top."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "_models"
    return installed if installed.is_dir() else package.parents[1] / "models"


def model_names() -> list[str]:
    """Names of the shipped cards, sorted."""
    return sorted(path.parent.name for path in models_folder().glob("*/card.toml"))


def load_card(name: str | Path) -> Card:
    """Load a shipped card by name, or any card by the path of its TOML file.

    Raises
    ------
    InputError
        If there is no such card, or it is at fault.
    BayesDistillError
        If JAX computes in float32 here.
    """
    require_float64()
    if str(name) in model_names():
        return read_card(models_folder() / str(name) / "card.toml")
    path = Path(name)
    if path.suffix == ".toml" or _is_there(path):
        return read_card(path)
    hint = did_you_mean(str(name), model_names(), f"there are {', '.join(model_names())}")
    raise InputError(
        f"there is no model card {shown(str(name), 200)} ({hint}; or give the path of a .toml file)"
    )


def _is_there(path: Path) -> bool:
    """Whether a path leads to a file, or to one that cannot be looked at, which is a card's too."""
    try:
        return path.is_file()
    except OSError as error:
        return error.errno not in (errno.ENAMETOOLONG, errno.ELOOP)
    except ValueError:  # a NUL in the name
        return False


def shipped_posterior(name: str) -> Path | None:
    """Path of the posterior that ships with a card, or ``None`` if there is none."""
    path = models_folder() / name / "posterior.nc"
    return path if name in model_names() and path.is_file() else None
