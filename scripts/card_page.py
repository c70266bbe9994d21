"""The page of a card that ships with a posterior, as Markdown: what it rests on, what it is for."""

from __future__ import annotations

import math
import shlex
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bayes_distill._input.numbers import format_quantity
from bayes_distill.cards import Card
from bayes_distill.inference.identification import SCALES, meaning_of_scale
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
# sampled scale -> setting of the likelihood that is its prior
SCALE_PRIORS = {
    "scale": "prior",
    "supervised_scale": "supervised_prior",
    "teacher_sd": "teacher_effect",
    "condition_sd": "condition_effect",
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
    yield "Known faults and oddities of the table:"
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
        "The coordinates of the law refer to a point in the middle of the runs: "
        f"{format_quantity(reference.params)} parameters, {format_quantity(reference.tokens)} "
        f"tokens, a loss of {reference.loss:.4g}. Levels and scales are in units of that loss."
    )
    meanings = {c.name: c.meaning for c in law.coordinates}
    rows = [(name, meanings[name], _prior(prior)) for name, prior in card.priors.items()]
    likelihood = card.likelihood
    for name, field in SCALE_PRIORS.items():
        prior = getattr(likelihood, field)
        if prior is not None and name in posterior.draws:
            rows.append((name, SCALES[name], _prior(prior)))
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
                rows.append((name, SCALES[name], _prior(prior)))
    yield _table(TextTable(("coordinate", "what it is", "prior"), rows, words=(0, 1, 2)))
    if card.supervised is not None:
        yield _joint_prior(card)
    yield (
        f"Likelihood: {likelihood.description}, with a scale of the observation noise that is "
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
    yield f"Verdict: **{posterior.verdict}**. These checks are of all draws, before thinning."
    yield from section.text
    yield from (_table(table) for table in section.tables)


def _coefficients(posterior: Posterior) -> Iterator[str]:
    relative = posterior.card.likelihood.scale == "relative"
    stored = [
        {**c, "meaning": meaning_of_scale(c["name"], relative)} if c["name"] in SCALES else c
        for c in posterior.info.get("coefficients", [])
    ]
    section = coefficients_of(replace(posterior, info={**posterior.info, "coefficients": stored}))
    yield "## What is and what is not identified"
    yield from section.text
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
            "This card has not been validated for this page; `bayes-distill validate` refits it "
            "without some of its runs."
        )
        return
    yield (
        "The card was fitted again without some of the runs. The tables show the share of these "
        "runs inside the predictive bands (of one new run). The width of the band, the bias "
        "(forecast minus loss) and the mean absolute error are in the unit of the loss."
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
            notes = (
                n.replace("fit without all but", "fit to the runs with") for n in each["notes"]
            )
            yield "\n".join(_item(note[0].upper() + note[1:] + ".") for note in notes)
        if each["gap_risk"] and each["leave_out"] != "tail":
            yield from _gap_risk(each["gap_risk"])


def _gap_risk(risk: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"Gap risk: the predictive probability that the stronger of two teachers gives the worse "
        f"student, for {risk['pairs']} pairs of teachers of one left-out student. It did in "
        f"{100 * risk['observed']:.1f}% of them. The Brier score is "
        f"{risk['predictive']['brier']:.4f}, against {risk['brier_base_rate']:.4f} if this share "
        "were forecast for every pair:"
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
        "Forecasts far outside the runs: there the bands are right only if the law is, which has "
        "not been checked.",
    ]
    if known:
        items.append(
            "Comparisons of single coefficients that are not known from the runs, among each other "
            "or with other papers: they trade off. Compare forecasts."
        )
    if posterior.law.has_teacher:
        items.append(
            "Teachers of another family or trained on other data: the law sees only a teacher's "
            "loss, and the teachers of these runs share family and data with the students."
        )
    if card.supervised is not None:
        items.append(
            "Conclusions about supervised training: supervised losses rest on the prior above, and "
            'so does the probability that distillation "beats supervised".'
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
        v, stated = each["settings"], each.get("options", "")
        given = {word.partition("=")[0] for word in shlex.split(stated)}
        words = [f"bayes-distill validate {card.data} --model {card.name}", stated]
        for flag, value in (
            ("--leave-out", each["leave_out"]),
            ("--warmup", v["warmup"]),
            ("--draws", v["draws"]),
        ):
            if flag not in given:
                words.append(f"{flag} {value}")
        commands.append(" ".join(filter(None, [*words, "--out validation.json"])))
    yield "```sh\n" + "\n".join(commands) + "\n```"
    yield (
        f"Fitted with {versions}; seed {info['seed']}; fingerprint of the runs "
        f"`{info['fingerprint'][:16]}`; one of every {info['thinned_by']} draws ships."
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
