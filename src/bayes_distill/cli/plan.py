"""``bayes-distill plan``: how to spend a budget, with how sure each answer is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bayes_distill.cli.options import (
    AllowFailed,
    Collector,
    Fit,
    Interval,
    Json,
    Params,
    Quiet,
    Seed,
)
from bayes_distill.cli.output import print_json, progress_bar, say
from bayes_distill.errors import Fault, InputError

if TYPE_CHECKING:
    from bayes_distill.compute import Scenario
    from bayes_distill.planning.solver.limits import Limits

LIMITS = "Limits"
MANY = "Many plans"
SHOWN_AFTER = 2.0  # seconds without a bar: most plans take less


def plan(
    fit: Fit,
    params: Params = None,
    budget: Annotated[
        str | None, typer.Option(help="Budgets in FLOPs, e.g. 1e21,1e22.", metavar="LIST")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            help="A table with params and budget instead, a plan a row; and scenario, if need be.",
            metavar="FILE",
        ),
    ] = None,
    scenario: Annotated[
        str | None,
        typer.Option(
            help="Who pays for the teacher: supervised, best-case, teacher-inference, "
            "teacher-pretraining, teacher-pretraining-and-inference. Default: all.",
            metavar="NAMES",
        ),
    ] = None,
    teacher_share: Annotated[
        str | None,
        typer.Option(help="Part of the teacher's training that you pay.", metavar="0..1"),
    ] = None,
    logits_share: Annotated[
        str | None,
        typer.Option(help="Part of the teacher's inference that you pay.", metavar="0..1"),
    ] = None,
    teachers: Annotated[
        str | None, typer.Option(help="Teachers that exist, to be ranked.", metavar="FILE")
    ] = None,
    criterion: Annotated[
        str | None,
        typer.Option(
            help="Risk measure to be minimised: mean (default), quantile:0.9, cvar:0.9 or "
            "target:LOSS.",
            metavar="CRITERION",
        ),
    ] = None,
    utility: Annotated[
        str | None, typer.Option(help="Another name of --criterion.", metavar="CRITERION")
    ] = None,
    target_loss: Annotated[
        str | None, typer.Option(help="Least compute and data to reach it.", metavar="LOSS")
    ] = None,
    serve_tokens: Annotated[
        str | None,
        typer.Option(
            help="Tokens to be served, charged to the budget; then --params may be left out.",
            metavar="TOKENS",
        ),
    ] = None,
    flops: Annotated[str, typer.Option(help="eq69 or 6nd.", metavar="COUNT")] = "eq69",
    max_tokens: Annotated[
        str | None,
        typer.Option(help="Most student tokens.", metavar="TOKENS", rich_help_panel=LIMITS),
    ] = None,
    available_tokens: Annotated[
        str | None,
        typer.Option(
            help="Different tokens that exist; seen at most --epochs times.",
            metavar="TOKENS",
            rich_help_panel=LIMITS,
        ),
    ] = None,
    epochs: Annotated[
        str,
        typer.Option(
            help="How often a token may be seen; up to about 4 counts as fresh.",
            metavar="NUMBER",
            rich_help_panel=LIMITS,
        ),
    ] = "1",
    max_teacher_tokens: Annotated[
        str | None,
        typer.Option(help="Most teacher tokens.", metavar="TOKENS", rich_help_panel=LIMITS),
    ] = None,
    max_teacher_params: Annotated[
        str | None,
        typer.Option(help="Largest teacher.", metavar="PARAMS", rich_help_panel=LIMITS),
    ] = None,
    teacher_sizes: Annotated[
        str | None,
        typer.Option(help="A menu of teacher sizes.", metavar="LIST", rich_help_panel=LIMITS),
    ] = None,
    no_crossovers: Annotated[
        bool, typer.Option("--no-crossovers", help="Leave crossover budgets out.")
    ] = False,
    draws: Annotated[
        str, typer.Option(help="Most posterior draws to plan with.", metavar="INTEGER")
    ] = "500",
    workers: Annotated[
        str | None,
        typer.Option(
            help="Processes that plan side by side.", metavar="INTEGER", rich_help_panel=MANY
        ),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="A Dask cluster, e.g. tcp://host:8786.", metavar="ADDRESS", rich_help_panel=MANY
        ),
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option(
            help="Stores finished plans; a second call goes on.",
            metavar="FOLDER",
            rich_help_panel=MANY,
        ),
    ] = None,
    allow_failed: AllowFailed = False,
    json: Json = False,
    seed: Seed = "0",
    interval: Interval = "0.9",
    quiet: Quiet = False,
) -> None:
    """Split a budget between student, logits and teacher, for every posterior draw."""
    collect = Collector()
    numbers = {
        name: None if text is None else collect.positive(name, text)
        for name, text in {
            "target_loss": target_loss,
            "serve_tokens": serve_tokens,
            "max_tokens": max_tokens,
            "available_tokens": available_tokens,
            "max_teacher_tokens": max_teacher_tokens,
            "max_teacher_params": max_teacher_params,
        }.items()
    }
    repeats = collect.positive("epochs", epochs)
    limits = _limits(collect, numbers, repeats, teacher_sizes)
    who = _scenarios(collect, scenario, teacher_share, logits_share)
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
        "interval": collect.probability("interval", interval),
        "seed": collect.integer("seed", seed),
        "workers": None if workers is None else collect.integer("workers", workers),
        "scheduler": scheduler,
        "resume": resume,
    }
    from bayes_distill.cli.plan_tables import print_plan
    from bayes_distill.planning.arguments import read_request
    from bayes_distill.planning.plan import plan as call

    many = workers is not None or scheduler is not None or resume is not None
    try:
        if collect.faults:  # only look for more of them
            read_request(params, budget, **arguments)
            collect.check()
        with progress_bar(quiet, after=SHOWN_AFTER, lines=many) as progress:
            result = call(
                fit,
                params,
                budget,
                **arguments,
                crossovers=not no_crossovers,
                allow_failed=allow_failed,
                progress=progress,
            )
    except InputError as error:
        flags = {"served_tokens": "serve_tokens"}
        if utility is not None:
            flags["criterion"] = "utility"
        renamed = [
            Fault(f.problem, f.row, flags.get(f.column or "", f.column))
            for f in error.faults
            if f not in collect.faults
        ]
        raise InputError([*collect.faults, *renamed]) from None
    for note in result.notes:
        say(f"note: {note}", quiet)
    if json:
        print_json(result.to_json())
    else:
        print_plan(result)


def _limits(
    collect: Collector, numbers: dict[str, float | None], epochs: float, sizes: str | None
) -> Limits | None:
    from bayes_distill.planning.solver.limits import Limits
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
    if collect.faults:
        return None
    try:
        return Limits(**bounds)
    except InputError as error:
        collect.faults += error.faults
        return None


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
