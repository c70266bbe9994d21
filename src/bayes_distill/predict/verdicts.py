"""The two verdicts on a fit, as whatever is computed from it repeats them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayes_distill.posterior import Posterior

NOT_CHECKED = "not checked"
UNKNOWN: Mapping[str, str] = {"sampling": "none", "law": NOT_CHECKED}


def fit_verdicts(posterior: Posterior) -> dict[str, str]:
    """Verdicts on the ``sampling`` and on the ``law``.

    The first is ``none`` for draws that no fit made, the second ``not checked`` for these and for
    files from before there was one.
    """
    return {"sampling": posterior.verdict, "law": str(_law(posterior).get("verdict", NOT_CHECKED))}


def law_checks_of(posterior: Posterior) -> list[dict[str, Any]]:
    """Checks of the law, as `fit` made them; empty without any."""
    return list(_law(posterior).get("checks", []))


def law_notes(posterior: Posterior) -> tuple[str, ...]:
    """A sentence for people, if the law did not pass its checks: the advice of the worst."""
    verdict = fit_verdicts(posterior)["law"]
    if verdict not in ("review", "fail"):
        return ()
    amiss = [c for c in law_checks_of(posterior) if c["verdict"] in ("review", "fail")]
    # what forecasts will do says more than how the residuals look
    worst = min(amiss, key=lambda c: (not c["name"].startswith("forward"), c["value"]))
    names = ", ".join(c["name"] for c in amiss)
    state = "failed its checks" if verdict == "fail" else "asks for review"
    return (f"the law {state} ({names}): {worst['advice']}",)


def one_line(fit: Mapping[str, str]) -> str:
    """Both verdicts in one line."""
    return f"fit: sampling {fit['sampling']}, law {fit['law']}"


def _law(posterior: Posterior) -> dict[str, Any]:
    return dict(posterior.info.get("diagnostics", {}).get("law", {}))
