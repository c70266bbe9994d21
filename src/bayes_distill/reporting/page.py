"""Puts the page together: words, tables, charts, scripts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import Any

import numpy as np

from bayes_distill._input.version import __version__
from bayes_distill._runtime.disk_cache import cache_path, read_cached, write_cached
from bayes_distill.posterior import Posterior
from bayes_distill.posterior.stored_runs import runs_of
from bayes_distill.reporting import charts, words
from bayes_distill.reporting.accuracy import Accuracy
from bayes_distill.reporting.decision import Decision
from bayes_distill.reporting.plan_words import plan_section
from bayes_distill.reporting.plots_as_svg import ReportFigure
from bayes_distill.reporting.quantiles import LEVELS
from bayes_distill.reporting.ranges import Ranges
from bayes_distill.reporting.student_tables import StudentTables
from bayes_distill.reporting.tables import Axis, Table
from bayes_distill.reporting.validation_words import Validated

VEGA_LITE = "6.4"
MOST_RUNS = 3000  # dots
START = "teacher-pretraining-and-inference"
SCENARIOS = {
    "supervised": "nobody: supervised training, no teacher",
    "best-case": "somebody else: the teacher is free",
    "teacher-inference": "you pay for its logits",
    "teacher-pretraining": "you pay for its training",
    "teacher-pretraining-and-inference": "you pay for its training and its logits",
}
AMOUNTS = (
    ("student_tokens", "student's tokens"),
    ("teacher_params", "teacher's size"),
    ("teacher_tokens", "teacher's tokens"),
    ("teacher_loss", "teacher's loss"),
)


@cache
def vega_bundle() -> str:
    """Vega, Vega-Lite and vega-embed as one script, put together once for all processes."""
    path = cache_path("vega", f"{VEGA_LITE}-{version('vl-convert-python')}.js")
    bundle = read_cached(path)
    if bundle is None:
        import vl_convert

        script: str = vl_convert.javascript_bundle(vl_version=VEGA_LITE)  # type: ignore[call-arg]
        bundle = script.encode()
        write_cached(path, bundle)
    return bundle.decode().replace("</script", "<\\/script")


def page_of(
    posterior: Posterior,
    ranges: Ranges,
    students: StudentTables,
    recipes: Mapping[str, Table],
    accuracy: Mapping[str, Accuracy],
    decision: Decision,
    figures: list[ReportFigure],
    validated: Validated | None,
    plan: dict[str, Any] | None,
    interval: float,
    vega: str,
    draws: tuple[int, int],
) -> str:
    """The whole page as text; `draws` are how many the tables of students and recipes rest on."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    teacher = students.distilled is not None
    percent = f"{100 * interval:g}%"
    controls = _controls(ranges, teacher)
    shown = _runs(posterior)
    drawn = _charts(teacher, percent, ranges, bool(shown))
    scenario = START if START in recipes else "supervised"
    data = {
        "interval": interval,
        "levels": LEVELS.round(6).tolist(),
        "start": {c["name"]: ranges.start[c["name"]] for c in controls} | {"scenario": scenario},
        "controls": controls,
        "hulls": None if posterior.hulls is None else posterior.hulls.to_json(),
        "alone": students.alone.packed(),
        "best": students.best.packed() if students.best else None,
        "distilled": students.distilled.packed() if students.distilled else None,
        "recipes": {name: table.packed() for name, table in recipes.items()},
        "runs": shown,
        "charts": [{k: c[k] for k in ("id", "rows", "spec")} for c in drawn],
    }
    assets = files("bayes_distill.reporting") / "assets"
    text = {
        name: (assets / name).read_text("utf-8")
        for name in (
            "page.css",
            "interpolation.js",
            "explorer.js",
        )
    }
    environment = Environment(
        loader=PackageLoader("bayes_distill.reporting", "assets"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    planned = None if plan is None else plan_section(plan)
    return environment.get_template("page.html.j2").render(
        version=__version__,
        title=words.title_of(posterior),
        lead=words.lead_of(posterior),
        contents=_contents(planned is not None, validated is not None),
        decision={"heading": decision.heading, "sentences": decision.sentences},
        decision_figure=None if decision.figure is None else _drawn(decision.figure),
        verdict=words.verdict_of(posterior),
        remarks=words.remarks_of(posterior),
        notes=list(posterior.info.get("notes", [])),
        controls=controls,
        scenarios=[(name, SCENARIOS[name]) for name in recipes],
        scenario=scenario,
        percent=percent,
        student_numbers=_student_numbers(teacher, percent),
        recipe_amounts=AMOUNTS if teacher else AMOUNTS[:1],
        recipe_numbers=_recipe_numbers(teacher, percent),
        charts=drawn,
        accuracy=[_accuracy_row(a) for a in accuracy.values()],
        exactness=_exactness(posterior, draws),
        plan=planned,
        figures=[_drawn(figure) for figure in figures],
        no_figures="" if shown else words.no_pictures(posterior),
        validation=None if validated is None else validated.section,
        validation_figure=None if validated is None else _drawn(validated.figure),
        coefficients=words.coefficients_of(posterior),
        diagnostics=words.diagnostics_of(posterior),
        flagged=words.flagged_of(posterior),
        origin=words.origin_of(posterior, {"page made by": f"bayes-distill {__version__}"}),
        css=Markup(text["page.css"]),
        vega=Markup(vega),
        # an end tag inside a string would end the script
        data=Markup(json.dumps(data, allow_nan=False).replace("<", "\\u003c")),
        script=Markup(text["interpolation.js"] + "\n" + text["explorer.js"]),
    )


def _drawn(figure: ReportFigure) -> dict[str, Any]:
    """A figure as the template takes it."""
    from markupsafe import Markup

    return {"title": figure.title, "caption": figure.caption, "svg": Markup(figure.svg)}


def _runs(posterior: Posterior) -> list[list[float | None]]:
    """Size, tokens, loss and teacher's loss of the runs, for the dots of the charts."""
    frame = runs_of(posterior)
    if frame is None:
        return []
    if len(frame) > MOST_RUNS:
        frame = frame.iloc[:: -(-len(frame) // MOST_RUNS)]
    columns = frame.reindex(columns=["params", "tokens", "loss", "teacher_loss"])
    return [
        [float(f"{value:.6g}") if np.isfinite(value) else None for value in row]
        for row in columns.to_numpy(float)
    ]


def _contents(planned: bool, validated: bool) -> list[tuple[str, str]]:
    found = [("decision", "Decision"), ("verdict", "Verdict")]
    found += [("plan", "Plan")] if planned else []
    found += [("explorer", "Explorer")]
    found += [("validation", "Validation")] if validated else []
    return [
        *found,
        ("pictures", "Fit"),
        ("coefficients", "Coefficients"),
        ("diagnostics", "Diagnostics"),
        ("flagged", "Flagged runs"),
        ("origin", "Origin"),
    ]


def _controls(ranges: Ranges, teacher: bool) -> list[dict[str, Any]]:
    from bayes_distill._input.numbers import format_quantity

    def control(axis: Axis, label: str, *, log: bool, step: float) -> dict[str, Any]:
        form = format_quantity if log else (lambda value: f"{value:g}")
        return {
            "name": axis.name,
            "label": label,
            "low": axis.low,
            "high": axis.high,
            "log": log,
            "step": step,
            "start": form(ranges.start[axis.name]),
            "hint": f"{form(axis.low)} to {form(axis.high)}",
        }

    found = [
        control(ranges.params, "Student's size", log=True, step=0.02),
        control(ranges.tokens, "Student's tokens", log=True, step=0.02),
    ]
    if teacher:
        found.append(control(ranges.teacher_loss, "Teacher's loss", log=False, step=0.005))
    return [*found, control(ranges.budget, "Budget (FLOPs)", log=True, step=0.05)]


def _student_numbers(teacher: bool, percent: str) -> list[tuple[str, str]]:
    found = [
        ("mean", "loss, mean"),
        ("credible", f"{percent} credible: where the mean curve lies"),
        ("predictive", f"{percent} predictive: where one run would land"),
    ]
    if not teacher:
        return found
    return [
        *found,
        ("supervised", "supervised training instead, mean"),
        ("supervised_band", f"its {percent} credible interval"),
        ("p_beats_supervised", "P(distillation beats supervised)"),
        ("p_stronger_teacher_hurts", "P(a slightly stronger teacher hurts)"),
        ("optimal_teacher_loss", "loss of the best teacher, mean"),
        ("optimal_teacher_loss_band", f"its {percent} credible interval"),
        ("p_boundary", "P(no teacher is too strong)"),
        ("excess", "cost of this teacher against the best one, mean"),
        ("excess_band", f"its {percent} credible interval"),
    ]


def _recipe_numbers(teacher: bool, percent: str) -> list[tuple[str, str]]:
    found = [
        ("recipe_loss", "loss of the recipe, mean"),
        ("recipe_credible", f"{percent} credible"),
        ("recipe_predictive", f"{percent} predictive"),
    ]
    if not teacher:
        return found
    return [
        *found,
        ("recipe_supervised", "supervised with this budget, mean"),
        ("recipe_p_beats_supervised", "P(recipe beats supervised)"),
        ("recipe_shares", "the budget goes to"),
        ("recipe_regret", "regret: lost against knowing the truth"),
    ]


def _charts(teacher: bool, percent: str, ranges: Ranges, runs: bool) -> list[dict[str, Any]]:
    mean = {"words": "distilled, mean", "colour": "distilled", "line": True}
    alone = {"words": "supervised, mean", "colour": "alone", "line": True, "style": "dashed"}
    bands = [
        {"words": f"{percent} credible", "colour": "distilled", "opacity": 0.45},
        {"words": f"{percent} predictive", "colour": "distilled", "opacity": 0.2},
    ]
    alone_band = {"words": f"supervised, {percent} credible", "colour": "alone", "opacity": 0.4}
    key = [mean, *bands, alone, alone_band]
    if not teacher:
        key = [
            {"words": "mean", "colour": "alone", "line": True},
            {"words": f"{percent} credible", "colour": "alone", "opacity": 0.45},
            {"words": f"{percent} predictive", "colour": "alone", "opacity": 0.2},
        ]
    colour = "distilled" if teacher else "alone"
    dots = {"words": "runs like this one", "colour": colour, "dot": True}
    found = [
        {
            "id": "chart-tokens",
            "rows": "tokens",
            "title": "Loss against tokens",
            "spec": charts.against_tokens(teacher, ranges.tokens),
            "key": [*key, dots] if runs else key,
        },
        {
            "id": "chart-losses",
            "rows": "losses",
            "title": "Recipe's loss against the budget",
            "spec": charts.recipe_losses(teacher, ranges.budget),
            "key": key,
        },
    ]
    if not teacher:
        return found
    best = {"words": f"best teacher, {percent} credible", "colour": "best", "opacity": 0.4}
    same = {"words": "student = teacher", "colour": "muted", "line": True, "style": "dotted"}
    spread = f"bands: {percent} of each draw's own best"
    amounts = [
        {"words": "student's tokens", "colour": "distilled", "line": True},
        {"words": "teacher's tokens", "colour": "alone", "line": True, "style": "dashed"},
        {"words": "teacher's size", "colour": "third", "line": True, "style": "dotted"},
        {"words": spread, "colour": "muted", "opacity": 0.3},
    ]
    return [
        {
            "id": "chart-teacher",
            "rows": "teacher",
            "title": "Loss against the teacher's loss",
            "spec": charts.against_teacher(),
            "key": [*key, best, same, *([dots] if runs else [])],
        },
        *found,
        {
            "id": "chart-amounts",
            "rows": "amounts",
            "title": "Recipe against the budget",
            "spec": charts.recipe_amounts(ranges.budget),
            "key": amounts,
        },
    ]


def _accuracy_row(a: Accuracy) -> dict[str, Any]:
    def shown(value: float) -> str:
        if a.unit == "nats":
            return f"{value:.4f} nats"
        return f"{value:.3f}" if a.unit == "probability" else f"{100 * value:.2g}%"

    return {
        "name": a.name,
        "usual": shown(a.usual),
        "largest": shown(a.largest),
        "points": a.points,
    }


def _exactness(posterior: Posterior, draws: tuple[int, int]) -> str:
    return (
        "The explorer does not know the law. It reads tables that forecast, risk and plan filled "
        f"in, with {draws[0]} of {posterior.n_draws} draws for losses and {draws[1]} for recipes, "
        "and interpolates between their nodes. What that costs was measured when this page was "
        "made: at random points between the nodes, over all that the sliders reach, the numbers "
        "shown were compared with what these commands return from all draws (plan: from its usual "
        "500). These are differences seen, not bounds: other points may pass them, by a bit. Where "
        "a decision hangs on less, ask the commands."
    )
