"""``bayes-distill calibrate``: whether posteriors cover the truths of a card's prior."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from bayes_distill._input.outputs import PICTURE, RESULT
from bayes_distill.cli.interrupts import kept_in
from bayes_distill.cli.options import Card, Collector, Count, Design, KeptDraws, Overwrite, option
from bayes_distill.cli.output import (
    echo,
    print_json,
    print_sentences,
    print_table,
    progress_bar,
    say,
    wrapped,
)
from bayes_distill.cli.shared_options import Common, Sampling, Spread, spread_options

if TYPE_CHECKING:
    from bayes_distill.calibration.result import Calibration


@dataclass(frozen=True)
class ReplicateSampling(Sampling):
    """Options of each fit to a replicate."""

    chains: Count = "2"
    warmup: Count = "400"
    draws: KeptDraws = "750"


@dataclass(frozen=True)
class ReplicateSpread(Spread):
    """Options that spread replicates."""

    workers: Annotated[str | None, option("Replicates at a time, each a process.", "INTEGER")] = (
        None
    )
    resume: Annotated[
        str | None, option("Keeps finished replicates; a second call goes on.", "FOLDER")
    ] = None


@spread_options
def calibrate(
    card: Card,
    design: Design = None,
    replicates: Annotated[
        str | None, option("Simulated replicates, 200 by default.", "INTEGER")
    ] = None,
    sweeps: Annotated[str | None, option("The same as --replicates.", "INTEGER")] = None,
    *,
    sampling: ReplicateSampling,
    simulator: Annotated[
        str | None, option("Another card, that truths and runs come from.", "CARD")
    ] = None,
    spread: ReplicateSpread,
    out: Annotated[str | None, option("Where everything goes, with ranks.", "FILE.json")] = None,
    plot: Annotated[str | None, option("Draw the ranks: a PNG, SVG or PDF file.", "FILE")] = None,
    overwrite: Overwrite = False,
    common: Common,
) -> int:
    """Simulate replicates from a card's prior, fit each, and test the ranks of the truths."""
    collect = Collector()
    collect.probability("interval", common.interval)
    settings = {
        **collect.whole(replicates=replicates, sweeps=sweeps),
        **sampling.settings(collect, common),
        **collect.whole(workers=spread.workers),
        "scheduler": spread.scheduler,
        "simulator": simulator,
    }
    collect.needed(design=design)
    inputs = (card, design, simulator)
    collect.place("out", out, RESULT, inputs=inputs, overwrite=overwrite)
    collect.place(
        "plot", plot, PICTURE, inputs=(*inputs, out), overwrite=overwrite, endings=PICTURE.endings
    )
    from bayes_distill.calibration.study import calibrate as call
    from bayes_distill.calibration.study import prepare

    if collect.faults:  # the rest of them, before anything is fitted
        with collect.joined():
            prepare(card, design or "paper", **settings)
    assert design is not None
    with kept_in(spread.resume), progress_bar(common.quiet) as progress:
        result = call(card, design, resume=spread.resume, progress=progress, **settings)
    common.say_notes(result.notes)
    if out is not None:
        result.save(out, overwrite=overwrite)
    if plot is not None:
        _draw(result, plot, overwrite)
    if common.json:
        print_json(result.to_json(ranks=False))
    else:
        _print(result, out)
    if result.verdict == "fail":
        say(f"ranks are not uniform: {', '.join(result.failing())}")
        return 3
    return 0


def _draw(result: Calibration, place: str, overwrite: bool) -> None:
    from matplotlib import pyplot as plt

    from bayes_distill._input.files import atomic_path
    from bayes_distill.plots.ranks import ranks

    figure = ranks(result).reshape(-1)[0].figure
    with atomic_path(place, PICTURE, overwrite=overwrite) as temporary:
        figure.savefig(temporary)
    plt.close(figure)


def _print(result: Calibration, out: str | None) -> None:
    from bayes_distill.calibration.words import calibration_sentence

    print_sentences([calibration_sentence(result.to_json(ranks=False))])
    study, fits = result.study, result.fits
    counts = fits["verdict"].value_counts()
    counted = ", ".join(f"{counts.get(name, 0)} {name}" for name in ("pass", "review", "fail"))
    of = "" if study.simulator == study.model else f", truths from {study.simulator}"
    print_table(
        f"Verdict: {result.verdict} ({study.model} on {study.design}{of}; {len(fits)} replicates; "
        f"fits: {counted})",
        [
            "quantity",
            "p",
            "adjusted p",
            "verdict",
            "in 50%",
            "in 80%",
            "in 90%",
            "in 95%",
            "shift",
            "spread",
        ],
        [
            [
                r["name"],
                f"{r['p_value']:.3f}",
                f"{r['p_adjusted']:.3f}",
                r["verdict"],
                *(f"{100 * r[f'coverage_{level}']:.0f}%" for level in (50, 80, 90, 95)),
                f"{r['shift']:+.3f}",
                f"{r['spread']:.2f}",
            ]
            for r in result.table.to_dict("records")
        ],
        caption="p: of ranks this far from uniform, if the posterior is right; adjusted for the "
        "number of quantities. In 90%: share of 90% intervals that hold the truth. Shift: above "
        "0 the posterior lies too low. Spread: above 1 it is too narrow.",
    )
    meanings = [
        wrapped(f"  {r['name']}: {r['meaning']}", indent="    ")
        for r in result.table.to_dict("records")
        if r["kind"] == "forecast"
    ]
    if meanings:
        echo("Forecasts:\n" + "\n".join(meanings))
    if out is not None:
        echo(f"Written to {out}")
