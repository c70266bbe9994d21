"""A small posterior, and what lies in a folder."""

from __future__ import annotations

import hashlib
from pathlib import Path

from bayes_distill.posterior import Posterior
from posteriors import posterior_of_law

CHECKS = {
    "verdict": "review",
    "checks": [{"name": "R-hat", "scope": "sampling", "verdict": "review", "value": 1.02}],
}


def small_posterior() -> Posterior:
    """Forty draws of a distillation law, with the runs that they are taken to be of."""
    whole = posterior_of_law("distillation", draws=40)
    info = {**whole.info, "verdict": "review", "diagnostics": CHECKS}
    return Posterior(whole.tree, whole.card, whole.reference, info)


def small_supervised() -> Posterior:
    """Forty draws of a supervised law, of which a report plans nothing."""
    return posterior_of_law("chinchilla", draws=40)


def contents(folder: Path) -> dict[str, str]:
    """Checksum of every file under a folder, where links lead, and what is no file."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = f"link to {path.readlink()}"
        elif path.is_file():
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        else:
            found[name] = "folder" if path.is_dir() else "other"
    return found
