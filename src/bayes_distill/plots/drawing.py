"""Drawing a plot by its name, and writing it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes_distill._input.files import atomic_path, unwritable
from bayes_distill._input.outputs import PICTURE
from bayes_distill.errors import Fault, InputError
from bayes_distill.plots.registry import PLOTS, Drawing, Plot, Request, Source

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayes_distill.calibration.result import Calibration
    from bayes_distill.posterior import Posterior
    from bayes_distill.validation.registered.result import Scores
    from bayes_distill.validation.result import Validation

SUFFIXES = (".png", ".svg", ".pdf")
# no dates in files: the same plot is the same bytes
METADATA: Mapping[str, dict[str, None]] = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
LIMITS = ("max_tokens", "max_teacher_tokens", "max_teacher_params")
LISTS = ("params", "tokens", "teacher_loss", "teacher_params", "teacher_tokens", "budget", *LIMITS)
LOSS_UNIT = "nats per token"
SUBJECTS: Mapping[Source, str] = {
    "fit": "a file written by fit, or a card's name",
    "validation": "a file written by `validate(RUNS).save(FILE)`, or a card that ships with a "
    "validation",
    "calibration": "a file written by `calibrate(CARD).save(FILE)`",
    "scores": "a file written by `score(FORECASTS, RUNS).save(FILE)`",
}


def plot(
    kind: str,
    posterior: Posterior | Validation | Calibration | Scores | str | Path,
    *,
    out: str | Path | None = None,
    ax: Axes | None = None,
    interval: float = 0.9,
    seed: int = 0,
    unit: str = LOSS_UNIT,
    allow_failed: bool = False,
    overwrite: bool = False,
    **options: Any,
) -> Figure:
    """Draw one of the named plots.

    Parameters
    ----------
    kind
        A name out of `bayes_distill.plots.PLOTS`, or a beginning that only one of them has.
    posterior
        A `Posterior`, a file written by `fit`, or a card's name. For plots whose ``source`` is
        ``validation`` or ``calibration``, what `validate` or `calibrate` returned, or its file.
    out
        File to write, whole or not at all: ``.png``, ``.svg`` or ``.pdf``.
    ax
        Axes to draw on, for plots of one axes; legends then lie inside of them. By default a new
        figure is made.
    interval, seed, allow_failed
        As in `forecast`.
    overwrite
        Whether `out` may replace an input, or a file that is no picture.
    unit
        Unit of the losses, for the labels.
    **options
        What the plot takes: ``PLOTS[kind].takes`` names it. Lists are as in `forecast`.

    Raises
    ------
    InputError
        Naming every argument at fault; nothing is written then.
    FailedFitError
        If the fit failed its checks and that is not allowed.
    """
    return draw_plot(
        kind,
        posterior,
        options,
        out=out,
        ax=ax,
        interval=interval,
        seed=seed,
        unit=unit,
        allow_failed=allow_failed,
        overwrite=overwrite,
    )[1].figure


def draw_plot(
    kind: str | None,
    posterior: Posterior | Validation | Calibration | Scores | str | Path | None,
    options: Mapping[str, Any],
    *,
    out: str | Path | None,
    ax: Axes | None = None,
    interval: float = 0.9,
    seed: int = 0,
    unit: str = LOSS_UNIT,
    allow_failed: bool = False,
    overwrite: bool = False,
    faults: tuple[Fault, ...] = (),
) -> tuple[Plot, Drawing]:
    """Draw as `plot` does; the plot's entry, and the figure with its notes.

    `faults` are those that the caller found before; they are raised with the others.

    Raises
    ------
    InputError, FailedFitError
        As `plot` does.
    """
    import matplotlib.pyplot as plt

    from bayes_distill._input.intervals import interval_fault
    from bayes_distill.plots.figures import SEVERAL, drawing_on
    from bayes_distill.plots.style import house_style, plain_powers

    options = {name: value for name, value in options.items() if value is not None}
    every = list(faults)
    given: dict[str, Any] = {"inputs": (posterior, *options.values()), "overwrite": overwrite}
    entry = _entry(kind, every)
    if out is not None:
        every += [Fault(problem, column="out") for problem in _out_problems(Path(out), given)]
    wrong = interval_fault(interval)
    every += [wrong] if wrong is not None and wrong.column not in {f.column for f in faults} else []
    if entry is not None:
        every += _option_faults(entry, options)
    source = "fit" if entry is None else entry.source
    subject = None
    if posterior is None:
        every.append(Fault(f"is needed: {SUBJECTS[source]}", column="posterior"))
    else:
        try:
            subject = _subject(posterior, source, allow_failed or bool(every))
        except InputError as error:
            every = [*error.faults, *every]
    if entry is not None and entry.needs_teacher and source == "fit" and subject is not None:
        every += _teacher_faults(entry, subject)
    if every:
        raise InputError(every)
    assert entry is not None
    before = set(plt.get_fignums())
    try:
        with drawing_on(ax):
            result = entry.draw(Request(subject, options, interval, seed, unit))
            drawing = result if isinstance(result, Drawing) else Drawing(result)
            if ax is not None and drawing.figure is not ax.get_figure():
                raise InputError(Fault(SEVERAL, column="ax"))
        plain_powers(drawing.figure)
        if out is not None:
            with house_style(), atomic_path(out, PICTURE, **given) as temporary:
                suffix = temporary.suffix.lower()
                drawing.figure.savefig(temporary, metadata=METADATA.get(suffix))
    finally:
        for number in set(plt.get_fignums()) - before:
            plt.close(number)  # the caller has the figure; pyplot need not keep it
    return entry, drawing


def _subject(source: Any, kind: Source, allow_failed: bool) -> Any:
    """The posterior, or the results that a command has written, that a plot shows."""
    if kind == "validation":
        from bayes_distill.validation.read import read_validation
        from bayes_distill.validation.result import Validation

        return source if isinstance(source, Validation) else read_validation(source)
    if kind == "calibration":
        from bayes_distill.calibration.result import Calibration, read_calibration

        return source if isinstance(source, Calibration) else read_calibration(source)
    if kind == "scores":
        from bayes_distill.validation.registered.result import Scores, read_scores

        return source if isinstance(source, Scores) else read_scores(source)
    from bayes_distill.posterior import load_posterior

    return load_posterior(source, allow_failed=allow_failed)


def _entry(name: str | None, faults: list[Fault]) -> Plot | None:
    """The plot that a name, or its beginning, stands for."""
    if not name:
        faults.append(Fault(f"is needed: one of {', '.join(PLOTS)}", column="kind"))
        return None
    if name in PLOTS:
        return PLOTS[name]
    matches = [known for known in PLOTS if known.startswith(name)]
    if len(matches) == 1:
        return PLOTS[matches[0]]
    near = matches or difflib.get_close_matches(name, PLOTS, n=1)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(PLOTS)}"
    faults.append(Fault(f"no plot {name!r}; {hint}", column="kind"))
    return None


def _out_problems(out: Path, given: Mapping[str, Any]) -> list[str]:
    problems = []
    if out.suffix.lower() not in SUFFIXES:
        end = out.suffix or "no suffix"
        problems.append(f"{out.name} ends in {end}: write {', '.join(SUFFIXES)}")
    # a wrong ending is told once, and whether the folder takes a picture all the same
    problem = unwritable(Path(f"{out}.png") if problems else out, PICTURE, **given)
    return [*problems, problem] if problem else problems


def _teacher_faults(entry: Plot, posterior: Posterior) -> list[Fault]:
    if posterior.law.has_teacher:
        return []
    return [
        Fault(
            f"{entry.name} is about teachers, and {posterior.card.name} is of the law "
            f"{posterior.law.name}, which has none: use a distillation fit",
            column="posterior",
        )
    ]


def _option_faults(entry: Plot, options: Mapping[str, Any]) -> list[Fault]:
    """Options that the plot does not take, that it lacks, and that are no lists of numbers."""
    from bayes_distill.predict.points import quantities

    takes = ", ".join(f"`{name}`" for name in entry.takes) or "no options of its own"
    faults = [
        Fault(f"means nothing to {entry.name}, which takes {takes}", column=name)
        for name in options
        if name not in entry.takes
    ]
    for ways in entry.needs:
        if not any(name in options for name in ways):
            others = " or ".join(f"`{name}`" for name in ways[1:])
            faults.append(
                Fault("is needed" + (f" (or {others})" if others else ""), column=ways[0])
            )
    for name in LISTS:
        if name not in options or name not in entry.takes:
            continue
        try:
            numbers = quantities(options[name])
        except ValueError as error:
            faults.append(Fault(str(error), column=name))
            continue
        faults += [
            Fault(f"{number:g} is not a positive number", column=name)
            for number in numbers
            if not 0 < number < float("inf")
        ]
        if name in LIMITS and len(numbers) != 1:
            faults.append(Fault("must be a single number", column=name))
    return faults
