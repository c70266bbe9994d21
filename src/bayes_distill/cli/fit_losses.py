"""``bayes-distill fit --losses``: every loss of a table, one file each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes_distill._input.outputs import FIT
from bayes_distill.cli.fit_answer import fit_json
from bayes_distill.cli.options import Collector
from bayes_distill.cli.output import echo, print_json, print_sentences, print_table, progress_bar
from bayes_distill.cli.shared_options import Common
from bayes_distill.errors import Fault

if TYPE_CHECKING:
    from bayes_distill.inference.fit_losses import FittedLosses


def fit_every_loss(
    collect: Collector,
    runs: str,
    losses: str,
    model: str | None,
    target: Path,
    overwrite: bool,
    settings: dict[str, Any],
    common: Common,
) -> int:
    """Fit each loss and write it beside `target`, as ``STEM-LOSS.nc``; the exit status."""
    from bayes_distill.cards import load_card
    from bayes_distill.inference.fit_losses import fit_losses
    from bayes_distill.runs.several_losses import runs_of_losses

    card, tables = None, {}
    with collect.joined():
        card = None if model is None else load_card(model)
        law = None if card is None else card.scaling_law
        tables = runs_of_losses(runs, losses, law=law)
    targets = {name: target.with_name(f"{target.stem}-{_in_files(name)}.nc") for name in tables}
    if len(set(targets.values())) < len(targets):
        collect.add(Fault("two of them would go to one file: rename a column", column="losses"))
    for each in targets.values():
        collect.place("out", each, FIT, inputs=(runs, model), overwrite=overwrite)
    collect.check()
    with progress_bar(common.quiet) as progress:
        result = fit_losses(runs, card, list(tables), progress=progress, **settings)
    for name, posterior in result.fits.items():
        posterior.save(targets[name], overwrite=overwrite)
    if common.json:
        print_json(
            {
                "losses": [
                    {"loss": name, **fit_json(posterior, targets[name])}
                    for name, posterior in result.fits.items()
                ],
                "residual_correlations": result.correlations_to_json(),
            }
        )
    else:
        print_losses(result, targets, common)
    failed = any(posterior.verdict == "fail" for posterior in result.fits.values())
    return 3 if failed else 0


def print_losses(result: FittedLosses, targets: dict[str, Path], common: Common) -> None:
    """The fits for people: verdicts, irreducible losses, and how residuals go together."""
    for name, posterior in result.fits.items():
        common.say_notes(f"{name}: {note}" for note in posterior.info["notes"])
    verdicts = [posterior.verdict for posterior in result.fits.values()]
    counts = ", ".join(f"{verdicts.count(v)} {v}" for v in dict.fromkeys(verdicts))
    print_sentences([f"{len(verdicts)} losses were fitted one by one ({counts})."])
    rows = []
    for name, posterior in result.fits.items():
        law = posterior.info["diagnostics"].get("law", {}).get("verdict", "not checked")
        floor = next(c for c in posterior.info["coefficients"])
        of_floor = f"{floor['name']} {floor['median']:.4g} ({floor['lower']:.4g} to "
        end = f"{floor['upper']:.4g})"
        rows.append([name, str(posterior.info["n_runs"]), posterior.verdict, law, of_floor + end])
    print_table("Losses", ["loss", "runs", "sampling", "law", "first coefficient"], rows)
    if len(result.correlations):
        print_table(
            "What the laws leave of two losses",
            ["a", "b", "runs", "correlation"],
            [
                [r["a"], r["b"], str(r["runs"]), f"{r['correlation']:.2f}"]
                for r in result.correlations.to_dict("records")
            ],
            caption="Of the residuals of the same runs. Where it is high, errors go together.",
            left=2,
        )
    for target in targets.values():
        echo(f"Posterior written to {target}")


def _in_files(name: str) -> str:
    """The name of a loss as a part of a file's name."""
    return "".join(sign if sign.isalnum() or sign in "._-" else "_" for sign in name)
