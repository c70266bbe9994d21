"""Cards from TOML files and from plain data; an error names every fault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bayes_distill._input.files import text_of
from bayes_distill._input.text import shown
from bayes_distill._input.toml import TomlError, parse_toml
from bayes_distill.cards.card import Card, faults_with_law
from bayes_distill.cards.priors import FAMILIES
from bayes_distill.errors import Fault, InputError
from bayes_distill.laws.formula import FORMULA


def card_from_toml(text: str, source: str) -> Card:
    """Read a card from TOML text; `source` is named in the error.

    Raises
    ------
    InputError
        Naming every fault with the key it is under.
    """
    try:
        content = parse_toml(text)
    except TomlError as error:
        raise InputError(f"{source} is not valid TOML: {shown(str(error), 300)}") from None
    if "members" in content:
        raise InputError(
            f"model card {source} cannot be used: members are of a stack, which is made of fits "
            '(`stack([FIT, FIT]).save("stacked.nc")`)'
        )
    return card_from_dict(content, source)


def card_from_dict(content: dict[str, Any], source: str) -> Card:
    """Make a card from plain data, with every fault in one `InputError`."""
    try:
        return Card.model_validate(content)
    except RecursionError:
        raise InputError(f"model card {source} is nested too deeply") from None
    except ValidationError as error:
        faults = [
            Fault(problem["msg"].removeprefix("Value error, "), column=_key(problem["loc"]) or None)
            for problem in error.errors(include_url=False)
        ]
    # a card is held against its law only once its keys are sound
    if isinstance(content, dict) and not content.get("members"):
        faults += [fault for fault in _with_law(content) if fault not in faults]
    raise InputError([f"model card {source} cannot be used", *faults])


def _with_law(content: dict[str, Any]) -> list[Fault]:
    """What of plain data does not go with the law that they name."""
    formula, law = content.get("formula"), content.get("law")
    if isinstance(formula, str) and law is None:
        law = FORMULA
    if not isinstance(law, str):
        return []
    priors, points = content.get("priors"), content.get("coefficients")
    families = {
        str(name): str(prior.get("family")) if isinstance(prior, dict) else ""
        for name, prior in (priors.items() if isinstance(priors, dict) else ())
    }
    names = list(map(str, points)) if isinstance(points, dict) else None
    inputs = content.get("inputs")
    return faults_with_law(
        law,
        families,
        content.get("supervised") is not None,
        names,
        formula if isinstance(formula, str) else None,
        tuple(map(str, inputs)) if isinstance(inputs, dict) else (),
    )


def _key(location: tuple[int | str, ...]) -> str:
    """Key in the file: the location of pydantic, less the family that it adds under a prior."""
    parts = [str(part) for part in location]
    if len(parts) > 2 and parts[0] == "priors" and parts[2] in FAMILIES:
        del parts[2]
    return ".".join(parts)


def read_card(path: str | Path) -> Card:
    """Read a card from a TOML file; see `card_from_toml`."""
    path = Path(path)
    try:
        text = text_of(path)
    except FileNotFoundError:
        raise InputError(f"model card {path} does not exist") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"model card {path} cannot be read: {reason}") from None
    return card_from_toml(text, str(path))
