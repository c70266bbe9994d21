"""What is said of a fit: JSON, and tables for people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes_distill.cli.output import echo, print_sentences, print_table, wrapped
from bayes_distill.cli.shared_options import Common
from bayes_distill.cli.spelling import as_typed
from bayes_distill.cli.tables import PIPED

if TYPE_CHECKING:
    from bayes_distill.posterior import Posterior

MEANING = {
    "pass": "the draws can be used",
    "review": "usable with care: see the advice",
    "fail": "not to be used: see the advice",
}
OF_LAW = {
    "pass": "the runs look like what the model would make",
    "review": "some runs do not look like what the model would make",
    "fail": "the runs do not look like what the model would make",
}


def fit_json(posterior: Posterior, target: Path) -> dict[str, Any]:
    """What a script learns of a fit."""
    info = posterior.info
    return {
        "fit": str(target),
        "model": posterior.card.name,
        "law": posterior.law.name,
        "runs": info["n_runs"],
        "kind": info["kind"],
        "seconds": info["seconds"]["total"],
        "timing": info["seconds"],
        "warmed_up": info["warmed_up"],
        "extensions": info["extensions"],
        "interval": info["interval"],
        "diagnostics": info["diagnostics"],
        "coefficients": info["coefficients"],
        "flagged_runs": info["flagged_runs"],
        "loo": info["loo"],
        "notes": info["notes"],
        "stages": info.get("stages"),
        "fingerprint": info["fingerprint"],
        "versions": info["versions"],
    }


def _checks(posterior: Posterior) -> list[dict[str, Any]]:
    return list(posterior.info["diagnostics"]["checks"])


def _print_law(law: dict[str, Any]) -> None:
    """Checks of the law that did not pass, with their advice; a sentence if all did."""
    made = [c for c in law["checks"] if c["verdict"] != "not checked"]
    amiss = [c for c in made if c["verdict"] != "pass"]
    if not amiss:
        least = min(c["value"] for c in made)
        said = f"{OF_LAW[law['verdict']]}; {len(made)} checks, least adjusted p-value {least:.2g}"
        echo(wrapped(f"Law: {law['verdict']} ({said})", most=PIPED) + "\n")
        return
    print_table(
        f"Law: {law['verdict']} ({OF_LAW[law['verdict']]})",
        ["check", "adjusted p-value", "threshold", "verdict"],
        [
            [c["name"], f"{c['value']:.2g}", f"{c['threshold']:.2g}", c["verdict"]]
            for c in sorted(amiss, key=lambda c: c["value"])
        ],
        caption=as_typed("\n".join(f"{c['name']}: {c['advice']}" for c in amiss)),
    )


def print_fit(posterior: Posterior, target: Path, common: Common) -> None:
    """A fit for people: a sentence, its checks, coefficients and flagged runs."""
    info = posterior.info
    common.say_notes(info["notes"])
    from bayes_distill.inference.words import fit_sentence

    print_sentences([fit_sentence(info, posterior.card.name, posterior.published)])
    print_table(
        f"Verdict: {posterior.verdict} ({MEANING[posterior.verdict]})",
        ["check", "value", "threshold", "verdict"],
        [
            [c["name"], f"{c['value']:.4g}", f"{c['threshold']:.4g}", c["verdict"]]
            for c in _checks(posterior)
        ],
        caption=as_typed(
            "\n".join(f"{c['name']}: {c['advice']}" for c in _checks(posterior) if c["advice"])
        )
        or None,
    )
    _print_law(info["diagnostics"]["law"])
    percent = f"{100 * info['interval']:g}%"
    print_table(
        f"{posterior.card.name}: {info['n_runs']} {info['kind']} runs, "
        f"{info['seconds']['total']:.0f} s",
        ["coefficient", "median", f"{percent} credible interval", "known from the data"],
        [
            [
                c["name"],
                f"{c['median']:.4g}",
                f"{c['lower']:.4g} to {c['upper']:.4g}",
                "yes" if c["identified"] else "no",
            ]
            for c in info["coefficients"]
        ],
        caption="Above are the coefficients in which the law is published, below them the "
        "coordinates that were sampled. Those not known from the data rest on their priors; "
        "forecasts can be precise even so.",
    )
    flagged = info["flagged_runs"]
    if flagged:
        print_table(
            f"Runs worth a second look: {len(flagged)} (rows count from 0)",
            ["row", "Pareto k", "reason"],
            [[str(f["row"]), f"{f['pareto_k']:.2f}", f["reason"]] for f in flagged],
        )
    echo(f"Posterior written to {target}")
