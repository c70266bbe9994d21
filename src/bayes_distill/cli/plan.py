"""``bayes-distill plan``: how to spend a budget, with how sure each answer is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bayes_distill.cli.artefacts import log_answer
from bayes_distill.cli.interrupts import kept_in
from bayes_distill.cli.options import (
    DEVICE,
    AcceleratorName,
    AllowFailed,
    Collector,
    Fit,
    Inputs,
    LogTo,
    Params,
    RegisterFile,
    Utilisation,
    option,
)
from bayes_distill.cli.output import LONG, progress_bar
from bayes_distill.cli.shared_options import Common, Spread, spread_options
from bayes_distill.errors import Fault, InputError

if TYPE_CHECKING:
    from bayes_distill.compute import Scenario

LIMITS = "Limits"
MANY = "Many plans"
SHOWN_AFTER = 2.0  # seconds without a bar: most plans take less


@dataclass(frozen=True)
class Bounds:
    """Options that bound the recipes."""

    max_tokens: Annotated[str | None, option("Most student tokens.", "TOKENS", LIMITS)] = None
    available_tokens: Annotated[
        str | None,
        option("Different tokens that exist; seen at most --epochs times.", "TOKENS", LIMITS),
    ] = None
    epochs: Annotated[
        str,
        option("How often a token may be seen; up to about 4 counts as fresh.", "NUMBER", LIMITS),
    ] = "1"
    max_teacher_tokens: Annotated[str | None, option("Most teacher tokens.", "TOKENS", LIMITS)] = (
        None
    )
    max_teacher_params: Annotated[str | None, option("Largest teacher.", "PARAMS", LIMITS)] = None
    teacher_sizes: Annotated[str | None, option("A menu of teacher sizes.", "LIST", LIMITS)] = None


@dataclass(frozen=True)
class Hours:
    """Options that turn FLOPs into hours and money."""

    device: AcceleratorName = None
    utilisation: Utilisation = None
    price: Annotated[str | None, option("Of an hour of one.", "NUMBER", DEVICE)] = None

    def arguments(self, collect: Collector) -> dict[str, Any]:
        """Arguments of the Python functions, with what is no number gathered."""
        numbers = {"utilisation": self.utilisation, "price": self.price}
        return {"device": self.device} | {
            name: None if text is None else collect.number(name, text)
            for name, text in numbers.items()
        }


@dataclass(frozen=True)
class PlanSpread(Spread):
    """Options that spread many plans."""

    workers: Annotated[str | None, option("Processes that plan side by side.", "INTEGER", MANY)] = (
        None
    )
    scheduler: Annotated[
        str | None, option("A Dask cluster, e.g. tcp://host:8786.", "ADDRESS", MANY)
    ] = None
    resume: Annotated[
        str | None, option("Stores finished plans; a second call goes on.", "FOLDER", MANY)
    ] = None


@spread_options
def plan(
    fit: Fit,
    params: Params = None,
    budget: Annotated[
        str | None,
        option("Budgets: FLOPs, '40 PF-days', or '10000 GPU-hours' of --device.", "LIST"),
    ] = None,
    at: Annotated[
        str | None,
        option(
            "A table with params and budget instead, a plan a row; and scenario, if need be.",
            "FILE",
        ),
    ] = None,
    scenario: Annotated[
        str | None,
        option(
            "What of the teacher is paid for: best-case (nothing), teacher-inference (its "
            "logits), teacher-pretraining (its training), teacher-pretraining-and-inference; or "
            "supervised (no teacher). Default: all.",
            "NAMES",
        ),
    ] = None,
    teacher_share: Annotated[
        str | None, option("Part of the teacher's training that you pay.", "0..1")
    ] = None,
    logits_share: Annotated[
        str | None, option("Part of the teacher's inference that you pay.", "0..1")
    ] = None,
    teachers: Annotated[str | None, option("Teachers that exist, to be ranked.", "FILE")] = None,
    criterion: Annotated[
        str | None,
        option(
            "Risk measure to be minimised: mean (default); or of the loss of a single run, noise "
            "included, quantile:0.9, cvar:0.9 or target:LOSS.",
            "CRITERION",
        ),
    ] = None,
    utility: Annotated[str | None, option("Another name of --criterion.", "CRITERION")] = None,
    target_loss: Annotated[
        str | None, option("Least compute and data to reach it.", "LOSS")
    ] = None,
    serve_tokens: Annotated[
        str | None,
        option("Tokens to be served, charged to the budget.", "TOKENS"),
    ] = None,
    flops: Annotated[str, option("eq69 or 6nd.", "COUNT")] = "eq69",
    *,
    bounds: Bounds,
    hours: Hours,
    no_crossovers: Annotated[
        bool, typer.Option("--no-crossovers", help="Leave crossover budgets out.")
    ] = False,
    set: Inputs = None,
    draws: Annotated[str, option("Most posterior draws to plan with.", "INTEGER")] = "500",
    spread: PlanSpread,
    register: RegisterFile = None,
    log_to: LogTo = None,
    allow_failed: AllowFailed = False,
    common: Common,
) -> None:
    """Split a budget between student, logits and teacher, for every posterior draw."""
    collect = Collector()
    tracked = collect.tracked(log_to)
    numbers = {
        name: None if text is None else collect.positive(name, text)
        for name, text in {
            "target_loss": target_loss,
            "serve_tokens": serve_tokens,
            "max_tokens": bounds.max_tokens,
            "available_tokens": bounds.available_tokens,
            "max_teacher_tokens": bounds.max_teacher_tokens,
            "max_teacher_params": bounds.max_teacher_params,
        }.items()
    }
    repeats = collect.positive("epochs", bounds.epochs)
    limits = _limits(collect, numbers, repeats, bounds.teacher_sizes)
    who = _scenarios(collect, scenario, teacher_share, logits_share)
    inputs = collect.assignments("set", set)
    if criterion is not None and utility is not None:
        collect.add(Fault("give either --criterion or --utility", column="criterion"))
    arguments: dict[str, Any] = {
        "at": at,
        "scenario": who,
        "teachers": teachers,
        "criterion": criterion or utility or "mean",
        "limits": limits,
        "flops": flops,
        "target_loss": numbers["target_loss"],
        "served_tokens": numbers["serve_tokens"],
        "draws": collect.integer("draws", draws, 1),
        "interval": collect.probability("interval", common.interval),
        "seed": collect.integer("seed", common.seed),
        **collect.whole(workers=spread.workers),
        "scheduler": spread.scheduler,
        "resume": spread.resume,
        **hours.arguments(collect),
    }
    from bayes_distill.cli.plan_tables import print_plan
    from bayes_distill.compute.units import has_unit
    from bayes_distill.planning.arguments import read_request
    from bayes_distill.planning.plan import plan as call

    many = spread != PlanSpread()
    try:
        if collect.faults:  # only look for more of them
            read_request(params, budget, **arguments)
            collect.check()
        bar = progress_bar(common.quiet, after=SHOWN_AFTER, lines_after=None if many else LONG)
        with kept_in(spread.resume), bar as progress:
            result = call(
                fit,
                params,
                budget,
                **arguments,
                inputs=inputs,
                crossovers=not no_crossovers,
                register=register,
                allow_failed=allow_failed,
                progress=progress,
            )
    except InputError as error:
        flags = {"served_tokens": "serve_tokens"}
        if utility is not None:
            flags["criterion"] = "utility"
        renamed = [
            Fault(f.problem, f.row, flags.get(f.column or "", f.column))
            for f in collect.new(error.faults)
        ]
        raise InputError([*collect.faults, *renamed]) from None
    log_answer(tracked, result, "plan.json", quiet=common.quiet)
    if not common.printed(result):
        print_plan(result, in_units=has_unit(budget))


def _limits(
    collect: Collector, numbers: dict[str, float | None], epochs: float, sizes: str | None
) -> dict[str, Any]:
    from bayes_distill.predict.points import quantities

    bounds: dict[str, Any] = {
        name: numbers[name]
        for name in ("max_tokens", "max_teacher_tokens", "max_teacher_params")
        if numbers[name] is not None
    }
    available = numbers["available_tokens"]
    if available is not None:
        most = bounds.get("max_tokens", math.inf)
        bounds["max_tokens"] = min(most, available * epochs)
        # the teacher learns from the same tokens
        most = bounds.get("max_teacher_tokens", math.inf)
        bounds["max_teacher_tokens"] = min(most, available * epochs)
    if sizes is not None:
        try:
            bounds["teacher_sizes"] = tuple(quantities(sizes))
        except ValueError as error:
            collect.add(Fault(str(error), column="teacher_sizes"))
    return bounds


def _scenarios(
    collect: Collector, names: str | None, teacher_share: str | None, logits_share: str | None
) -> str | Scenario | None:
    if teacher_share is None and logits_share is None:
        return names
    if names is not None:
        collect.add(
            Fault("give either names or --teacher-share and --logits-share", column="scenario")
        )
        return names
    from bayes_distill.compute import Scenario

    shares: dict[str, Any] = {}
    for name, text in (("teacher_share", teacher_share), ("logits_share", logits_share)):
        try:
            shares[name] = 0.0 if text is None else float(text)
        except ValueError:
            collect.add(Fault(f"{text!r} is not a number", column=name))
    if len(shares) < 2:
        return None
    label = f"teacher {shares['teacher_share']:g}, logits {shares['logits_share']:g}"
    try:
        return Scenario(label, **shares)
    except InputError as error:
        collect.faults += error.faults
        return None
