"""Drawing a picture by its name, and writing it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes_distill._input.files import atomic_path, unwritable
from bayes_distill.errors import Fault, InputError
from bayes_distill.pictures.kind import LIMITS, Kind, Request, Source
from bayes_distill.pictures.kinds import KINDS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bayes_distill.calibration.result import Calibration
    from bayes_distill.posterior import Posterior
    from bayes_distill.validation.result import Validation

SUFFIXES = (".png", ".svg", ".pdf")
# no dates in files: the same picture is the same bytes
METADATA: Mapping[str, dict[str, None]] = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
LISTS = ("params", "tokens", "teacher_loss", "teacher_params", "teacher_tokens", "budget", *LIMITS)
LOSS_UNIT = "nats per token"
WANTED: Mapping[Source, str] = {
    "fit": "a file written by fit, or a card's name",
    "validation": "a file written by `validate(RUNS).save(FILE)`, or a card that ships with a "
    "validation",
    "calibration": "a file written by `calibrate(CARD).save(FILE)`",
}


@dataclass(frozen=True)
class Drawing:
    """A picture: its kind's full name, the figure, and sentences for people."""

    kind: str
    figure: Figure
    notes: tuple[str, ...]


def plot(
    kind: str,
    posterior: Posterior | Validation | Calibration | str | Path,
    *,
    out: str | Path | None = None,
    interval: float = 0.9,
    seed: int = 0,
    unit: str = LOSS_UNIT,
    allow_failed: bool = False,
    **options: Any,
) -> Figure:
    """Draw a picture of a fit.

    Parameters
    ----------
    kind
        A name out of `KINDS`, or so much of its beginning that it is the only one.
    posterior
        A `Posterior`, a file written by `fit`, or a card's name. For kinds whose ``source`` is
        ``validation`` or ``calibration``, what `validate` or `calibrate` gave, or its file.
    out
        File to write, whole or not at all: ``.png``, ``.svg`` or ``.pdf``.
    interval
        Probability inside every band.
    seed
        Seed of the scatter of new runs.
    unit
        Unit of the losses, for the labels.
    allow_failed
        Whether a posterior whose fit failed its checks may be used.
    **options
        What the kind takes: ``KINDS[kind].takes`` names it. Lists are as in `forecast`.

    Raises
    ------
    InputError
        Naming every argument at fault; nothing is written then.
    FailedFitError
        If the fit failed its checks and that is not allowed.
    """
    return draw(
        kind,
        posterior,
        options,
        out=out,
        interval=interval,
        seed=seed,
        unit=unit,
        allow_failed=allow_failed,
    ).figure


def draw(
    kind: str | None,
    posterior: Posterior | Validation | Calibration | str | Path | None,
    options: Mapping[str, Any],
    *,
    out: str | Path | None,
    interval: float = 0.9,
    seed: int = 0,
    unit: str = LOSS_UNIT,
    allow_failed: bool = False,
    faults: tuple[Fault, ...] = (),
) -> Drawing:
    """Do what `plot` does, and give what else there is to say.

    `faults` are what the caller has found already: they are raised with the others.

    Raises
    ------
    InputError, FailedFitError
        As `plot` does.
    """
    import matplotlib.pyplot as plt

    from bayes_distill._input.intervals import interval_fault
    from bayes_distill.plots.style import house_style

    given = {name: value for name, value in options.items() if value is not None}
    found = list(faults)
    chosen = _chosen(kind, found)
    if out is not None:
        found += [Fault(problem, column="out") for problem in _out_problems(Path(out))]
    wrong = interval_fault(interval)
    found += [wrong] if wrong is not None and wrong.column not in {f.column for f in faults} else []
    if chosen is not None:
        found += _option_faults(chosen, given)
    source = "fit" if chosen is None else chosen.source
    loaded = None
    if posterior is None:
        found.append(Fault(f"is needed: {WANTED[source]}", column="FIT"))
    else:
        try:
            loaded = _loaded(posterior, source, allow_failed or bool(found))
        except InputError as error:
            found = [*error.faults, *found]
    if found:
        raise InputError(found)
    assert chosen is not None
    assert loaded is not None
    before = set(plt.get_fignums())
    try:
        figure, notes = chosen.draw(Request(loaded, given, interval, seed, unit))
        if out is not None:
            with house_style(), atomic_path(out) as temporary:
                suffix = temporary.suffix.lower()
                figure.savefig(temporary, metadata=METADATA.get(suffix))
    finally:
        for number in set(plt.get_fignums()) - before:
            plt.close(number)  # the caller has the figure; pyplot need not keep it
    return Drawing(chosen.name, figure, notes)


def _loaded(of: Any, source: Source, allow_failed: bool) -> Any:
    """Give what a picture is of: a posterior, or results that a command has written."""
    if source == "validation":
        from bayes_distill.validation.read import read_validation
        from bayes_distill.validation.result import Validation

        return of if isinstance(of, Validation) else read_validation(of)
    if source == "calibration":
        from bayes_distill.calibration.result import Calibration, read_calibration

        return of if isinstance(of, Calibration) else read_calibration(of)
    from bayes_distill.posterior import load_posterior

    return load_posterior(of, allow_failed=allow_failed)


def _chosen(name: str | None, faults: list[Fault]) -> Kind | None:
    """The kind that a name, or its beginning, stands for."""
    if not name:
        faults.append(Fault(f"is needed: one of {', '.join(KINDS)}", column="KIND"))
        return None
    if name in KINDS:
        return KINDS[name]
    begins = [known for known in KINDS if known.startswith(name)]
    if len(begins) == 1:
        return KINDS[begins[0]]
    near = begins or difflib.get_close_matches(name, KINDS, n=1)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(KINDS)}"
    faults.append(Fault(f"no plot {name!r}; {hint}", column="KIND"))
    return None


def _out_problems(out: Path) -> list[str]:
    problems = []
    if out.suffix.lower() not in SUFFIXES:
        end = out.suffix or "no suffix"
        problems.append(f"{out.name} ends in {end}: write {', '.join(SUFFIXES)}")
    problem = unwritable(out)
    return [*problems, problem] if problem else problems


def _option_faults(kind: Kind, given: Mapping[str, Any]) -> list[Fault]:
    """What is not understood, lacking, or no list of numbers."""
    from bayes_distill.predict.points import quantities

    takes = ", ".join(f"`{name}`" for name in kind.takes) or "no options of its own"
    faults = [
        Fault(f"means nothing to {kind.name}, which takes {takes}", column=name)
        for name in given
        if name not in kind.takes
    ]
    for ways in kind.needs:
        if not any(name in given for name in ways):
            others = " or ".join(f"`{name}`" for name in ways[1:])
            faults.append(
                Fault("is needed" + (f" (or {others})" if others else ""), column=ways[0])
            )
    for name in LISTS:
        if name not in given or name not in kind.takes:
            continue
        try:
            numbers = quantities(given[name])
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
