"""A fit in a sentence, from what it stores with its draws."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

SAMPLING = {
    "pass": "its draws passed the checks of the sampling",
    "review": "checks of the sampling ask for review",
    "fail": "its draws failed checks of the sampling",
}
LAW = {
    "pass": "the runs look like what the model would make",
    "review": "some runs do not look like what the model would make",
    "fail": "the runs do not look like what the model would make",
    "not checked": "whether the law holds was not checked",
}
USE = {"pass": "can be used", "review": "can be used with care", "fail": "should not be used"}
MOST = 3  # coefficients that are told with their intervals


def fit_sentence(info: Mapping[str, Any], card: str, published: Collection[str]) -> str:
    """Whether a fit can be used, what it says of the law, and what that rests on.

    Parameters
    ----------
    info
        Of the posterior: diagnostics, coefficients, runs.
    card
        Name of the card.
    published
        Names of the coefficients in which the law is published.
    """
    found = info["diagnostics"]
    sampling, law = found["verdict"], found["law"]["verdict"]
    verdicts = (sampling, {"not checked": "review"}.get(law, law))
    worst = next(v for v in ("fail", "review", "pass") if v in verdicts)
    percent = f"{100 * info['interval']:g}%"
    mine = [c for c in info["coefficients"] if c["name"] in published]
    known = [c for c in mine if c["identified"]]
    told = ", ".join(
        f"{c['name']} {c['median']:.3g} ({percent}: {c['lower']:.3g} to {c['upper']:.3g})"
        for c in known[:MOST]
    )
    more = f" and {len(known) - MOST} more" if len(known) > MOST else ""
    vague = [c["name"] for c in mine if not c["identified"]]
    says = f" Known from the runs: {told}{more}." if known else ""
    rest = f" {_listed(vague)} rest{'s' if len(vague) == 1 else ''} on the prior." if vague else ""
    return (
        f"The fit {USE[worst]}: {SAMPLING[sampling]}, and {LAW[law]}.{says}{rest} This rests on "
        f"{info['n_runs']} {info['kind']} runs and the card {card}."
    )


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
