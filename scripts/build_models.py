"""Fit the cards that ship with a posterior, and write the posterior and the page of each.

    python scripts/build_models.py [NAME ...] [--fit FILE] [--validation FILE]

Without a name, all of them. It needs the named tables (a folder in BAYES_DISTILL_DATA, or a
download). `--fit` takes a file that `bayes-distill fit` wrote of the card instead of fitting again;
`--validation`, which may be repeated, a file that `bayes-distill validate --out` wrote of it. The
scores of its groups are then kept next to the posterior. Validations that are there already are
kept as long as they are of the same card.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

NAMES = ("busbridge2025", "busbridge2025-plain", "hoffmann2022")


def main(arguments: list[str] | None = None) -> int:
    """Build what the arguments name; 1 if a fit or a file is refused."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--fit", type=Path, help="a finished fit of the one card that is named")
    parser.add_argument("--validation", type=Path, action="append", default=[])
    parser.add_argument(
        "--validation-options",
        action="append",
        default=[],
        metavar="TEXT",
        help="what else that validate was told, such as \"--tail 'loss > 2.3'\"; one a file",
    )
    asked = parser.parse_args(arguments)
    names = asked.names or list(NAMES)
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        parser.error(
            f"no card with a posterior: {', '.join(unknown)} (there are {', '.join(NAMES)})"
        )
    if (asked.fit or asked.validation) and len(names) != 1:
        parser.error("--fit and --validation are about one card: name it")
    from bayes_distill.errors import BayesDistillError

    options = [*asked.validation_options, *[""] * len(asked.validation)]
    try:
        for name in names:
            build(name, asked.fit, list(zip(asked.validation, options, strict=False)))
    except BayesDistillError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def build(name: str, fitted: Path | None, validations: list[tuple[Path, str]]) -> None:
    """Fit a card, or take a fit of it, and write its folder."""
    from card_page import card_page

    from bayes_distill import load_card, load_posterior
    from bayes_distill._input.files import atomic_path
    from bayes_distill.cards import models_folder
    from bayes_distill.cli.output import progress_bar
    from bayes_distill.errors import InputError
    from bayes_distill.inference.fit import fit
    from bayes_distill.posterior.shipped import MOST_BYTES, compact, mismatches

    card, folder = load_card(name), models_folder() / name
    if fitted is None:
        with progress_bar(quiet=False) as progress:
            posterior = fit(str(card.data), card, progress=progress)
    else:
        posterior = load_posterior(fitted)
    small = compact(posterior)
    faults = mismatches(card, small)
    if faults:
        raise InputError([f"{fitted or name} is no fit of the card {name}", *faults])
    kept = {
        path.name: json.loads(path.read_text(encoding="utf-8"))
        for path in folder.glob("validation-*.json")
    }
    kept = {place: found for place, found in kept.items() if found["card"] == digest(card)}
    for path, options in validations:
        found = read_validation(path, card, options)
        kept[f"validation-{found['leave_out']}.json"] = found
    target = small.save(folder / "posterior.nc")
    size = target.stat().st_size
    if size > MOST_BYTES:
        raise InputError(f"{target} has {size} bytes, and {MOST_BYTES} may ship")
    for path in folder.glob("validation-*.json"):
        if path.name not in kept:
            path.unlink()
    for place, found in kept.items():
        with atomic_path(folder / place) as temporary:
            temporary.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    with atomic_path(folder / "CARD.md") as temporary:
        page = card_page(small, [kept[place] for place in sorted(kept)])
        temporary.write_text(page, encoding="utf-8")
    print(f"{name}: {small.n_draws} draws, {size / 1000:.0f} kB, {len(kept)} validations")


def read_validation(path: Path, card: Any, options: str) -> dict[str, Any]:
    """What may ship of a validation; it must be of this card's name."""
    from card_page import validation_summary

    from bayes_distill.errors import InputError

    found = json.loads(path.read_text(encoding="utf-8"))
    if found["model"] != card.name:
        raise InputError(f"{path} is a validation of {found['model']}, not of {card.name}")
    return validation_summary(found) | {"options": options, "card": digest(card)}


def digest(card: Any) -> str:
    """Checksum of what a card says, by which its validations are known.

    Settings at their defaults are left out: a new one does not make a validation stale.
    """
    return hashlib.sha256(card.model_dump_json(exclude_defaults=True).encode()).hexdigest()


if __name__ == "__main__":
    raise SystemExit(main())
