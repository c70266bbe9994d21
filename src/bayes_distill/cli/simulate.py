"""``bayes-distill simulate``: a sweep of runs whose truth is known."""

from __future__ import annotations

from typing import Annotated

from bayes_distill._input.outputs import TABLE
from bayes_distill.cli.options import Card, Design, Overwrite, option
from bayes_distill.cli.output import late_bar, print_json, print_records, print_sentences
from bayes_distill.cli.shared_options import Common, spread_options


@spread_options
def simulate(
    card: Card,
    design: Design = None,
    out: Annotated[str | None, option("Where the runs go.", "RUNS.csv")] = None,
    coefficients: Annotated[
        str | None,
        option(
            "Published coefficients: a JSON file, or 'table6'. Default: those of the card, "
            "or one draw from its prior.",
            "FILE",
        ),
    ] = None,
    noise: Annotated[str, option("Residual scale, in the card's sense.", "NUMBER")] = "0.005",
    overwrite: Overwrite = False,
    *,
    common: Common,
) -> None:
    """Simulate runs from a card's law: the truth is known, so a fit can be judged."""
    collect = common.question()
    scale = collect.positive("noise", noise)
    collect.needed(design=design, out=out)
    inputs = (card, design, coefficients)
    collect.place("out", out, TABLE, inputs=inputs, overwrite=overwrite, endings=TABLE.endings)
    from bayes_distill.inference.simulation import simulate_from_card
    from bayes_distill.runs.writing import write_runs

    with collect.joined(), late_bar(common.quiet) as progress:
        if progress is not None:
            progress("simulating", 0, 1)
        runs, truth = simulate_from_card(
            card, design or "paper", coefficients=coefficients, noise=scale, seed=collect.seed
        )
    assert out is not None
    write_runs(runs, out, inputs=inputs, overwrite=overwrite)
    common.say_notes(runs.notes)
    if common.json:
        print_json(
            {
                "runs": len(runs),
                "out": out,
                "kind": runs.kind,
                "coefficients": truth,
                "noise": scale,
            }
        )
    else:
        told = {"distillation": "distilled", "mixed": "supervised and distilled"}
        kind = told.get(runs.kind, runs.kind)
        sentence = (
            f"{len(runs)} {kind} runs were written to {out}: losses of the law of {card} with "
            f"noise of {scale:g}. A fit of them is right where its intervals hold the truth below."
        )
        print_sentences([sentence])
        print_records(
            "The truth",
            [{"name": name, "value": value} for name, value in truth.items()],
            [("coefficient", "{name}"), ("value", "{value:.6g}")],
        )
