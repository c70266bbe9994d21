"""Checks of a fit in sentences, from their plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MOST = 4  # answers that are named


def predictive_sentence(content: Mapping[str, Any]) -> str:
    """Whether a fit predicts runs like its own: `PredictiveChecks.to_json()`."""
    quantities = content["posterior_predictive"]["quantities"]
    amiss = [q["meaning"] for q in quantities if q["verdict"] != "pass"]
    pit = content["loo_pit"]
    level = content["interval"]
    near = min(pit["coverage"], key=lambda each: abs(each["level"] - level))
    fine = not amiss and pit["verdict"] == "pass"
    answer = "predicts" if fine else "does not quite predict"
    do = (
        "Nothing speaks against its law here"
        if fine
        else "Look at that before you rely on forecasts in this direction"
    )
    which = f" ({'; '.join(amiss)})" if amiss else ""
    passed = len(quantities) - len(amiss)
    return (
        f"The fit {answer} runs like its own: {passed} of {len(quantities)} test quantities are as "
        f"replicated{which}, and its {100 * near['level']:.0f}% intervals hold "
        f"{100 * near['held']:.0f}% of the runs, each left out. {do}. This rests on the runs that "
        "were fitted: of runs beyond them 'validate' tells."
    )


def sensitivity_sentence(content: Mapping[str, Any]) -> str:
    """What rests on the runs and what on the prior: `Sensitivity.to_json()`."""
    rows = content["rows"]
    of_prior = [r["name"] for r in rows if r["diagnosis"] == "rests on the prior"]
    both = [r["name"] for r in rows if r["diagnosis"] == "prior and runs pull on it"]
    forecasts = [r for r in rows if r["kind"] == "forecast"]
    on_runs = sum(r["diagnosis"] not in ("rests on the prior",) for r in forecasts)
    said = f"{on_runs} of {len(forecasts)} forecasts rest on the runs. " if forecasts else ""
    said += f"The prior alone decides {_few(of_prior)}. " if of_prior else ""
    said += f"Prior and runs both pull on {_few(both)}. " if both else ""
    do = (
        "State and justify the prior with these answers"
        if of_prior or both
        else "Another prior as wide would give the same answers"
    )
    return f"{said}{do}. This rests on priors a little wider and narrower, not on other laws."


def _few(names: list[str]) -> str:
    more = len(names) - MOST
    return ", ".join(names[:MOST]) + (f" and {more} more" if more > 0 else "")
