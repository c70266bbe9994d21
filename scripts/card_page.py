"""The page of a card that ships with a posterior, as Markdown: what it rests on, what it is for."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bayes_distill._input.numbers import format_quantity
from bayes_distill.cards import Card
from bayes_distill.inference.identification import SPREAD
from bayes_distill.laws import LAWS
from bayes_distill.posterior import Posterior
from bayes_distill.reporting.words import TextTable, coefficients_of, diagnostics_of
from bayes_distill.runs.datasets import DATASETS

WIDTH = 120
LEFT_OUT = {
    "params": "One student size left out in turn",
    "group": "One group of runs left out in turn",
    "tail": "The best runs left out at once",
}
FAMILY = {
    "lognormal": "log-normal, median {median:g}, sd of the log {sd:g}",
    "gamma": "gamma, mean {mean:g}, sd {sd:g}",
    "logitnormal": "logit-normal, median {median:g}, sd of the log odds {sd:g}",
    "beta": "beta({a:g}, {b:g})",
    "normal": "normal, mean {mean:g}, sd {sd:g}",
}
EFFECTS = {
    "prior": ("scale", "residual scale of a single run"),
    "teacher_effect": ("teacher_sd", "offset that students of one teacher share"),
    "condition_effect": ("condition_sd", "offset that runs of one size and tokens share"),
}


def card_page(posterior: Posterior, validations: Sequence[Mapping[str, Any]] = ()) -> str:
    """Page of a shipped posterior, as Markdown.

    Parameters
    ----------
    posterior
        What ships; see `bayes_distill.posterior.shipped.compact`.
    validations
        What ``validate`` found for this card, as `validation_summary` keeps it.
    """
    card = posterior.card
    paragraphs = card.description.strip().split("\n\n")
    parts = [
        f"# {card.name}",
        f"{card.title}. This page is written by `make models`.",
        *(" ".join(p.split()) for p in paragraphs),
        *_use(posterior),
        *_data(posterior),
        *_law(posterior),
        *_diagnostics(posterior),
        *_coefficients(posterior),
        *_validations(validations),
        *_limits(posterior),
        *_rebuild(posterior, validations),
    ]
    return "\n\n".join(_wrapped(part) for part in parts) + "\n"


def validation_summary(found: Mapping[str, Any]) -> dict[str, Any]:
    """What of the JSON of ``validate`` may ship: scores of groups, and nothing of single runs."""
    names = ("leave_out", "model", "verdict", "settings", "levels", "interval", "groups")
    kept = {name: found[name] for name in (*names, "overall", "gap_risk")}
    refits = [note for note in found["notes"] if note.startswith("the fit")]
    return kept | {"notes": refits}


def _use(posterior: Posterior) -> Iterator[str]:
    name = posterior.card.name
    teacher = " --teacher-loss 2.0" if posterior.law.has_teacher else ""
    lines = [f"bayes-distill forecast {name} --params 1B --tokens 100B{teacher}"]
    if posterior.law.has_teacher:
        lines.append(f"bayes-distill risk {name} --params 1B --tokens 100B{teacher}")
    scenario = "" if posterior.law.has_teacher else " --scenario supervised"
    lines.append(f"bayes-distill plan {name} --params 1B --budget 1e21,1e22{scenario}")
    yield "## Use"
    yield "```sh\n" + "\n".join(lines) + "\n```"
    yield (
        f"The posterior that ships has {posterior.n_draws} draws and none of the runs. What needs "
        "runs (`predictive`, `sensitivity`, `identify`) needs a fit of your own, by the command at "
        "the end of this page."
    )


def _data(posterior: Posterior) -> Iterator[str]:
    data, info, hull = DATASETS[str(posterior.card.data)], posterior.info, posterior.hull
    yield "## Data"
    yield (
        f"`{data.name}`: {info['n_runs']} {data.description}. Source: {data.source}; "
        f"licence: {data.licence}."
    )
    if hull is not None:
        corners = list(zip(*hull.points, strict=True))
        sizes, tokens = ([math.exp(end(c)) for end in (min, max)] for c in corners)
        text = (
            f"The runs have {_range(sizes)} parameters and {_range(tokens)} tokens, not in every "
            "combination; answers say by how much a question lies outside of them."
        )
        if hull.teacher_loss:
            low, high = hull.teacher_loss
            text += f" Teachers have losses of {low:.3g} to {high:.3g}."
        yield text
    yield "What is wrong or odd with them:"
    notes = list(info.get("notes", []))
    flagged = info.get("flagged_runs", [])
    if flagged:
        rows = ", ".join(str(run["row"]) for run in sorted(flagged, key=lambda run: run["row"]))
        notes.append(f"{len(flagged)} runs lie far from what the others lead to expect: {rows}.")
    yield "\n".join(_item(note) for note in notes or ["Nothing that is known."])


def _law(posterior: Posterior) -> Iterator[str]:
    card, law, reference = posterior.card, posterior.law, posterior.reference
    yield "## Law, priors and likelihood"
    yield f"Law `{law.name}`:"
    yield f"```text\n{law.title}\n```"
    yield (
        "The law counts from a reference in the middle of the runs: "
        f"{format_quantity(reference.params)} parameters, {format_quantity(reference.tokens)} "
        f"tokens, a loss of {reference.loss:.4g}. Levels and scales are in units of that loss."
    )
    meanings = {c.name: c.meaning for c in law.coordinates}
    rows = [(name, meanings[name], _prior(prior)) for name, prior in card.priors.items()]
    likelihood = card.likelihood
    for field, (name, meaning) in EFFECTS.items():
        prior = getattr(likelihood, field)
        if prior is not None:
            rows.append((name, meaning, _prior(prior)))
    rows += [
        (each.name, each.meaning, _prior(likelihood.priors[each.name]))
        for each in likelihood.kind.parameters()
        if each.name in likelihood.priors
    ]
    if card.discrepancy is not None:
        for kind, says in (("shift", "under every teacher"), ("tilt", "under strong teachers")):
            prior, length = getattr(card.discrepancy, kind), card.discrepancy.lengths[kind]
            if prior is not None:
                text = f"how far a size lies off the law {says}, alike within {length:g} in ln N"
                rows.append((f"{kind}_sd", text, _prior(prior)))
        for name in ("condition_stretch_sd", "condition_place_sd"):
            if (prior := getattr(card.discrepancy, name.removesuffix("_sd"))) is not None:
                rows.append((name, SPREAD[name], _prior(prior)))
    yield _table(TextTable(("coordinate", "what it is", "prior"), rows, words=(0, 1, 2)))
    if card.supervised is not None:
        yield _joint_prior(card)
    yield (
        f"Likelihood: {likelihood.description}, with a residual scale that is "
        + (
            "proportional to the loss."
            if likelihood.scale == "relative"
            else "the same at every loss."
        )
    )


def _joint_prior(card: Card) -> str:
    prior = card.supervised
    assert prior is not None
    names = LAWS["supervised"].coefficient_names
    centre = ", ".join(f"{name} {prior.centre[name]:g}" for name in names)
    low, high = (format_quantity(value) for value in prior.params_range)
    least, most = prior.tokens_per_param_range
    return (
        f"The supervised coefficients have one joint prior, centred on {centre}: supervised losses "
        f"of models of {low} to {high} parameters on {least:g} to {most:g} tokens a parameter vary "
        f"by {100 * prior.loss_sd:g}% (one standard deviation) around that."
    )


def _diagnostics(posterior: Posterior) -> Iterator[str]:
    section = diagnostics_of(posterior)
    yield "## Diagnostics"
    yield f"Verdict: **{posterior.verdict}**. They are of the whole fit, before it was thinned."
    yield from section.text
    yield from (_table(table) for table in section.tables)


def _coefficients(posterior: Posterior) -> Iterator[str]:
    section = coefficients_of(posterior)
    yield "## What is and what is not identified"
    yield from section.text
    stored = posterior.info.get("coefficients", [])
    for known, says in ((True, "Known from these runs"), (False, "Not known from these runs")):
        names = [c["name"] for c in stored if c["identified"] is known]
        yield f"{says}: {', '.join(f'`{name}`' for name in names) or 'none'}."
    for table in section.tables:
        yield f"{table.caption}:"
        yield _table(table)


def _validations(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "## Does it hold on runs that it has not seen?"
    if not found:
        yield (
            "Nobody has refitted this card without some of its runs for this page; "
            "`bayes-distill validate` does."
        )
        return
    yield (
        "Refits without some of the runs, and the share of those that the predictive bands (of one "
        "new run) then hold. Width of the band, bias (forecast minus loss) and mean absolute error "
        "are in the unit of the loss."
    )
    for each in found:
        levels = [f"{100 * level:g}" for level in each["levels"]]
        header = (
            "left out",
            "runs",
            *(f"in {level}%" for level in levels),
            f"width of {100 * each['interval']:g}%",
            "bias",
            "mean abs. error",
            "largest error",
        )
        groups = each["groups"]
        rows = [
            (
                str(g["group"]),
                str(g["runs"]),
                *(f"{100 * g['coverage'][level]:.0f}%" for level in levels),
                f"{g['width']:.4f}",
                f"{g['bias']:+.4f}",
                f"{g['mae']:.4f}",
                f"{100 * g['max_relative_error']:.2f}%",
            )
            for g in ([*groups, each["overall"]] if len(groups) > 1 else groups)
        ]
        yield f"{LEFT_OUT[each['leave_out']]}:"
        yield _table(TextTable(header, rows))
        if each["notes"]:
            yield "\n".join(_item(note[0].upper() + note[1:] + ".") for note in each["notes"])
        if each["gap_risk"] and each["leave_out"] != "tail":
            yield from _gap_risk(each["gap_risk"])


def _gap_risk(risk: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"Is the stronger teacher's student the worse one? Asked of {risk['pairs']} pairs of "
        f"teachers of one left-out student ({100 * risk['observed']:.1f}% yes), by predictive "
        f"probability; Brier score {risk['predictive']['brier']:.4f}, against "
        f"{risk['brier_base_rate']:.4f} for always saying the base rate:"
    )
    rows = [
        (
            f"{r['lower']:g} to {r['upper']:g}",
            str(r["pairs"]),
            f"{r['forecast']:.3f}",
            f"{r['observed']:.3f}",
        )
        for r in risk["predictive"]["reliability"]
        if r["pairs"]
    ]
    yield _table(TextTable(("forecast", "pairs", "mean forecast", "observed"), rows))


def _limits(posterior: Posterior) -> Iterator[str]:
    card, info = posterior.card, posterior.info
    known = {c["name"] for c in info.get("coefficients", []) if not c["identified"]}
    items = [
        "Other data, tokenizers or architectures: these are losses of one family of models on one "
        "mixture of data. Fit your own runs, with this card as a start.",
        "Promises far outside the runs: the bands there rest on the law being right, and nobody "
        "has checked that.",
    ]
    if known:
        items.append(
            "Comparing single coefficients that are not known from the runs, here or with other "
            "papers: they trade off. Compare forecasts."
        )
    if posterior.law.has_teacher:
        items.append(
            "Teachers of another kind: a teacher counts by its loss alone, and all of them are "
            "of the family and the data of the students."
        )
    if card.supervised is not None:
        items.append(
            "Learning about supervised training: the supervised losses rest on the prior above, "
            'and "beats supervised" with them.'
        )
    if not posterior.law.has_teacher:
        items.append("Questions about distillation: the law knows no teacher.")
    yield "## What it must not be used for"
    yield "\n".join(_item(text) for text in items)


def _rebuild(posterior: Posterior, validations: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    card, info = posterior.card, posterior.info
    s = info["settings"]
    versions = ", ".join(f"{name} {version}" for name, version in info["versions"].items())
    yield "## Rebuild"
    commands = [
        "make models  # this page and the posterior",
        f"bayes-distill fit {card.data} --model {card.name} --chains {s['chains']} "
        f"--warmup {s['warmup']} --draws {s['draws']} --seed {info['seed']} --out fit.nc",
    ]
    for each in validations:
        v = each["settings"]
        commands.append(
            f"bayes-distill validate {card.data} --model {card.name} --leave-out "
            f"{each['leave_out']} {each.get('options', '')}".rstrip()
            + f" --warmup {v['warmup']} --draws {v['draws']} --out validation.json"
        )
    yield "```sh\n" + "\n".join(commands) + "\n```"
    yield (
        f"Fitted with {versions}; seed {info['seed']}; fingerprint of the runs "
        f"`{info['fingerprint'][:16]}`; {info['thinned_by']} draws of the fit to one that ships."
    )


def _prior(prior: Any) -> str:
    return FAMILY[prior.family].format(**prior.model_dump())


def _range(ends: Sequence[float]) -> str:
    return " to ".join(format_quantity(end) for end in ends)


def _item(text: str) -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent="* ",
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _table(table: TextTable) -> str:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    rules = ["---" if i in table.words else "---:" for i in range(len(table.header))]
    return "\n".join([line(table.header), line(rules), *(line(row) for row in table.rows)])


def _wrapped(part: str) -> str:
    if part.startswith(("#", "|", "*", "```")):
        return part
    return textwrap.fill(part, WIDTH, break_long_words=False, break_on_hyphens=False)
