"""``bayes-distill demo``: what ships is asked, then a sweep is fitted whose truth is known."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from bayes_distill._input.outputs import FIT, PICTURE
from bayes_distill.cli.demo_ready import MODEL, Ready, ask_ready
from bayes_distill.cli.options import Collector, option
from bayes_distill.cli.output import echo, print_json, print_table, progress_bar, say, wrapped
from bayes_distill.cli.shared_options import Common, spread_options
from bayes_distill.errors import Fault

if TYPE_CHECKING:
    import pandas as pd

STUDENT = (1e9, 1e11)
TEACHERS = {"far too strong": 1.9, "about right": 2.15, "weak": 2.5}
SMALL_STUDENT = (198e6, 4.9e9)


@spread_options
def demo(
    out: Annotated[str, option("Folder for the fit and the plot.", "FOLDER")] = "out",
    *,
    common: Common,
) -> int:
    """Ask the posterior that ships; then fit a simulated sweep and hold it against the truth."""
    collect = Collector()
    number = collect.integer("seed", common.seed)
    probability = collect.probability("interval", common.interval)
    folder = Path(out)
    try:
        if folder.exists() and not folder.is_dir():
            raise FileExistsError(errno.EEXIST, "it exists and is no folder")
        if not collect.faults:
            folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        collect.add(Fault(f"{out} cannot be made a folder: {reason}", column="out"))
    collect.check()
    picture = folder / "student-against-teacher.png"
    collect.place("out", folder / "demo.nc", FIT)
    collect.place("out", picture, PICTURE)
    collect.check()
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    import numpy as np

    from bayes_distill._input.files import atomic_path
    from bayes_distill._input.numbers import format_probability, format_quantity
    from bayes_distill.inference.fit import fit
    from bayes_distill.inference.simulation import simulate_from_card
    from bayes_distill.laws import TeacherLaw
    from bayes_distill.plots.student_against_teacher import student_against_teacher
    from bayes_distill.predict.capacity_gap import risk
    from bayes_distill.predict.forecast import forecast

    say(f"Asking the posterior that ships with {MODEL} (the first plan compiles) ...", common.quiet)
    ready = ask_ready(probability, number)
    if not common.json:
        _print_ready(ready)
    say(
        "Simulating a sweep on the paper's design, with the coefficients of table 6 "
        "(beta' = 0.437) and noise of 0.005 nats ...",
        common.quiet,
    )
    runs, truth = simulate_from_card(
        "busbridge2025-plain", "paper", coefficients="table6", seed=number
    )
    with progress_bar(common.quiet) as progress:
        posterior = fit(
            runs,
            "busbridge2025-plain",
            warmup=600,
            draws=1000,
            seed=number,
            interval=probability,
            progress=progress,
        )
    posterior.save(folder / "demo.nc")
    student = forecast(posterior, *STUDENT, teacher_loss=2.0, interval=probability, seed=number)
    small = risk(
        posterior, *SMALL_STUDENT, teacher_loss=list(TEACHERS.values()), interval=probability
    )
    curves = forecast(
        posterior, at=_curves(np.linspace(1.75, 2.75, 60)), interval=probability, seed=number
    )
    figure, axes = plt.subplots(figsize=(7, 5), layout="constrained")
    student_against_teacher(curves, runs, axes)
    axes.set_title("Simulated sweep: a stronger teacher helps, until it does not", loc="left")
    with atomic_path(picture, PICTURE) as temporary:
        figure.savefig(temporary, dpi=150)
    plt.close(figure)

    reference = posterior.reference
    law = posterior.law
    true = {k: float(v) for k, v in law.from_published(truth, reference).items()} | truth
    rows = [c for c in posterior.info["coefficients"] if c["name"] in true]
    if common.json:
        print_json(
            {
                "ready": ready.answers,
                "runs": len(runs),
                "verdict": posterior.verdict,
                "seconds": posterior.info["seconds"]["total"],
                "coefficients": [{**c, "truth": true[c["name"]]} for c in rows],
                "forecast": student.to_json(),
                "risk": small.to_json(),
                "fit": str(folder / "demo.nc"),
                "plot": str(picture),
            }
        )
        return 0 if posterior.verdict != "fail" else 3
    percent = f"{100 * probability:g}%"
    print_table(
        f"A fit of {len(runs)} simulated runs, whose truth is known: verdict {posterior.verdict}",
        ["coefficient", "truth", "median", f"{percent} credible", "holds the truth", "known"],
        [
            [
                c["name"],
                f"{true[c['name']]:.4g}",
                f"{c['median']:.4g}",
                f"{c['lower']:.4g} to {c['upper']:.4g}",
                "yes" if c["lower"] <= true[c["name"]] <= c["upper"] else "no",
                "yes" if c["identified"] else "no",
            ]
            for c in rows
        ],
        caption="known: identified by these runs. A', B' and c1 trade off with others; forecasts "
        "do not suffer.",
    )
    r = student.table.iloc[0]
    assert isinstance(law, TeacherLaw)
    exact = law.distilled_loss(law.from_published(truth, reference), *STUDENT, 2.0, reference)
    size, data = (format_quantity(value) for value in STUDENT)
    said = (
        f"A {size} student on {data} tokens from a teacher of loss 2.0 reaches "
        f"{r['loss_mean']:.4f} nats ({percent} credible {r['loss_lower']:.4f} to "
        f"{r['loss_upper']:.4f}; one run {r['new_run_lower']:.4f} to {r['new_run_upper']:.4f}; the "
        f"truth is {float(exact):.4f}; it beats supervised training with probability "
        f"{format_probability(r['p_beats_supervised'])})."
    )
    echo(wrapped(said, indent="   ") + "\n")
    names = list(TEACHERS)
    print_table(
        f"Three teachers for a {format_quantity(SMALL_STUDENT[0])} student on "
        f"{format_quantity(SMALL_STUDENT[1])} tokens",
        ["teacher", "its loss", "P(stronger one hurts)", "student loss", "above the best"],
        [
            [
                names[i],
                f"{t['teacher_loss_mean']:.2f}",
                format_probability(t["p_stronger_teacher_hurts"]),
                f"{t['loss_mean']:.4f}",
                f"{t['excess_loss_mean']:.4f}",
            ]
            for i, t in enumerate(small.table.to_dict("records"))
        ],
        caption=f"The best teacher's loss is {small.table['optimal_teacher_loss_lower'][0]:.3f} to "
        f"{small.table['optimal_teacher_loss_upper'][0]:.3f} ({percent} credible).",
    )
    echo(f"Fit: {folder / 'demo.nc'}   Plot: {picture}")
    return 0 if posterior.verdict != "fail" else 3


def _print_ready(ready: Ready) -> None:
    echo(f"The posterior that ships with {MODEL}, {ready.answers['seconds']:.1f} s\n")
    for sentence in ready.sentences:
        echo(wrapped(f"  {sentence}", indent="    "))
    echo("")


def _curves(teacher_losses: Iterable[float]) -> pd.DataFrame:
    import pandas as pd

    students = [(198e6, 4.9e9), (546e6, 12.3e9), (1.82e9, 38.9e9)]
    return pd.DataFrame(
        [{"params": n, "tokens": d, "teacher_loss": t} for n, d in students for t in teacher_losses]
    )
