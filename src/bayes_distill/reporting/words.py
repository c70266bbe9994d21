"""What a fit says, in plain words and tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bayes_distill._input.numbers import format_quantity
from bayes_distill.posterior import Posterior
from bayes_distill.predict.verdicts import fit_verdicts, law_checks_of, law_notes

CHECKS = {
    "rhat_max": "the chains agree (largest R-hat)",
    "ess_bulk_min": "enough independent draws for the middle (least bulk ESS)",
    "ess_tail_min": "enough independent draws for interval ends (least tail ESS)",
    "divergences": "the sampler got everywhere (divergences)",
    "bfmi_min": "energies are explored (least BFMI)",
    "tree_depth_hits": "no trajectory was cut off (at full tree depth)",
    "contraction_max": "the data taught something (largest contraction)",
    "coordinates_left_to_prior": "coordinates that the data hardly moved",
    "prior_pull_max": "data and prior agree (largest pull, in prior sd)",
}
OF_SAMPLING = {
    "pass": "The draws passed every check of the sampling",
    "review": "Some checks of the sampling ask for review",
    "fail": "The draws failed checks of the sampling: whatever this page shows may be wrong",
}
OF_LAW = {
    "pass": "the runs look like what the model would make",
    "review": "some checks of the law ask for review",
    "fail": "the runs do not look like what the model would make: numbers away from them are worth "
    "little",
    "not checked": "whether the runs look like what the model would make was not checked (fit "
    "again for that)",
}
WEIGHT = {"not checked": "review"}  # of a verdict on the law, for the head
HEADS = {"pass": "Yes.", "review": "With care.", "fail": "No."}
POINTS = (
    "These are point coefficients.",
    "They were not fitted here: every interval is a single value, and that is not a certainty.",
)
UNCHECKED = ("Nobody checked.", "These draws carry no diagnostics: they were not made by fit.")


@dataclass(frozen=True)
class TextTable:
    """A table as it is printed; `words` are the columns that hold words, not numbers."""

    header: Sequence[str]
    rows: Sequence[tuple[str, ...]]
    caption: str = ""
    words: tuple[int, ...] = (0,)


@dataclass(frozen=True)
class Section:
    """Sentences and the tables below them."""

    text: list[str]
    tables: list[TextTable] = field(default_factory=list)


def title_of(posterior: Posterior) -> str:
    """Headline of the page."""
    source = posterior.info.get("source")
    about = f" of {source}" if source and source != posterior.card.name else ""
    return f"{posterior.card.name}: scaling law{about}"


def lead_of(posterior: Posterior) -> str:
    """One sentence on what was fitted."""
    info = posterior.info
    if "n_runs" not in info:
        return (
            f"Law: {posterior.law.name}. {posterior.n_draws} draws; no runs are stored with them."
        )
    kinds = {
        "distillation": "distilled",
        "supervised": "supervised",
        "mixed": "supervised and distilled",
    }
    return (
        f"Fitted to {info['n_runs']} {kinds.get(info['kind'], info['kind'])} runs with the law "
        f"{posterior.law.name}; {posterior.n_draws} posterior draws. Losses are in the unit of the "
        "runs, nats per token unless you measured otherwise."
    )


def verdict_of(posterior: Posterior) -> dict[str, str]:
    """State, head and text of the verdict: a fit is used if sampling and law allow it.

    ``caution`` is what stands beside the decision where one of them does not.
    """
    sampling, law = (fit_verdicts(posterior)[name] for name in ("sampling", "law"))
    if sampling not in OF_SAMPLING:
        head, text = UNCHECKED if posterior.n_draws > 1 else POINTS
        return {"state": sampling, "head": head, "text": text, "caution": ""}
    worst = next(s for s in ("fail", "review", "pass") if s in (sampling, WEIGHT.get(law, law)))
    advice = "" if worst == "pass" else " See the advice under Diagnostics."
    between = ", and " if sampling == law == "pass" else "; "
    text = f"{OF_SAMPLING[sampling]}{between}{OF_LAW[law]}.{advice}"
    amiss = [
        words[verdict]
        for words, verdict in ((OF_SAMPLING, sampling), (OF_LAW, law))
        if WEIGHT.get(verdict, verdict) != "pass"
    ]
    caution = f"{'; '.join(amiss)}." if worst != "pass" else ""
    caution = caution[:1].upper() + caution[1:]
    return {"state": worst, "head": HEADS[worst], "text": text, "caution": caution}


def remarks_of(posterior: Posterior) -> list[str]:
    """What a reader should know before using the numbers, one sentence each."""
    info = posterior.info
    found = [
        f"{c['advice']}."
        for c in _checks(posterior)
        if c["scope"] == "model" and c["verdict"] != "pass" and c.get("advice")
    ]
    vague = [c["name"] for c in info.get("coefficients", []) if not c["identified"]]
    printed = [name for name in vague if name in posterior.published]
    if printed:
        found.append(
            f"Coefficients of the law that are not known from these runs alone: "
            f"{', '.join(printed)}. Forecasts can be sharp all the same."
        )
    flagged = info.get("flagged_runs", [])
    if flagged:
        found.append(f"{len(flagged)} of {info['n_runs']} runs are worth a second look; see below.")
    said = [*posterior.warnings, *law_notes(posterior), *found]
    return [text[0].upper() + text[1:] for text in said]


def no_pictures(posterior: Posterior) -> str:
    """Why a page has no pictures of the fit."""
    if posterior.info.get("shipped"):
        return (
            "The runs do not ship with this posterior. A fit of your own, "
            f"bayes-distill fit {posterior.card.data or posterior.card.name}, has pictures of them."
        )
    return "No runs are stored with this posterior: there is nothing to compare it with."


def coefficients_of(posterior: Posterior) -> Section:
    """Published coefficients and sampled coordinates with intervals, and what is identified."""
    stored = posterior.info.get("coefficients", [])
    if not stored:
        rows = [(name, f"{values.mean():.4g}") for name, values in posterior.published.items()]
        return Section(
            ["Point values, without intervals."]
            if posterior.n_draws == 1
            else ["Means of the draws."],
            [TextTable(("coefficient", "value"), rows)],
        )
    percent = f"{100 * posterior.info['interval']:g}%"
    header = (
        "coefficient",
        "what it is",
        "median",
        f"{percent} credible interval",
        "known from these runs",
    )
    published = set(posterior.published)
    tables = [
        TextTable(
            header,
            [_coefficient(c) for c in stored if (c["name"] in published) == which],
            caption,
            (0, 1, 4),
        )
        for caption, which in (
            ("The paper's coefficients", True),
            ("Coordinates that were sampled", False),
        )
    ]
    return Section(
        [
            f"Intervals are credible, equal-tailed, at {percent}. A coefficient counts as known "
            "where the runs halve the width of its prior and fix it within a factor of 1.6; the "
            "others rest on their prior or trade off with each other. What trades off can be vague "
            "while every forecast is sharp: do not compare such coefficients, compare forecasts."
        ],
        [t for t in tables if t.rows],
    )


def diagnostics_of(posterior: Posterior) -> Section:
    """Every check with its value, threshold, verdict and advice."""
    checks = _checks(posterior)
    if not checks:
        return Section(["There was no sampling to check."])
    found = posterior.info["diagnostics"]
    header = ("check", "value", "threshold", "verdict", "advice")
    words = (0, 3, 4)
    tables = [TextTable(header, _rows_of_checks(checks), "Sampling, and data against prior", words)]
    length = ""
    if {"chains", "draws"} <= set(found):
        length = f"{found['chains']} chains of {found['draws']} draws. "
    text = [
        f"{length}Checks of the sampling decide "
        "its verdict; the last ones tell what data and prior made of each other, which is no "
        "fault of the draws."
    ]
    if of_law := law_checks_of(posterior):
        header = ("check", "adjusted p-value", *header[2:])
        tables.append(TextTable(header, _rows_of_checks(of_law), "The law", words))
        text.append(
            "Checks of the law ask whether the runs look like what the model would make: their "
            "residuals, and the dearer half as the cheaper half would have it forecast."
        )
    return Section(text, tables)


def _rows_of_checks(checks: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    return [
        (
            CHECKS.get(c["name"], c["name"].replace("_", " ")),
            _figure(c.get("value")),
            _figure(c.get("threshold")),
            c["verdict"],
            c.get("advice") or "–",
        )
        for c in checks
    ]


def _figure(value: float | None) -> str:
    return "–" if value is None or value != value else f"{value:.4g}"


def flagged_of(posterior: Posterior) -> Section:
    """Runs that the law does not expect."""
    flagged = posterior.info.get("flagged_runs")
    if flagged is None:
        return Section(["There are no runs."])
    if not flagged:
        return Section(["None: no run is far from what the others lead to expect."])
    if posterior.info.get("shipped"):
        places = ", ".join(str(row) for row in sorted(each["row"] for each in flagged))
        return Section(
            [
                f"Rows {places} of {posterior.info['source']} lie far from what the others lead to "
                "expect. The posterior that ships holds no runs: a fit of your own says what is "
                "odd about each."
            ]
        )
    runs = _rows_of_runs(posterior)
    rows = []
    for each in flagged:
        run = runs.get(each["row"], {})
        rows.append(
            (
                str(each["row"]),
                *(format_quantity(run[n]) if n in run else "–" for n in ("params", "tokens")),
                *(loss_text(run.get(n)) for n in ("teacher_loss", "loss")),
                f"{each['pareto_k']:.2f}",
                each["reason"],
            )
        )
    header = ("row", "params", "tokens", "teacher's loss", "loss", "Pareto k", "why")
    return Section(
        [
            "Rows count from 0 in the table as read. A flag is a reason to look, not to delete: a "
            "wrong label, a failed run, or something that the law does not know."
        ],
        [TextTable(header, rows, words=(0, 6))],
    )


def origin_of(posterior: Posterior, extra: dict[str, str]) -> TextTable:
    """Provenance as rows."""
    info = posterior.info
    rows = {
        "model card": posterior.card.name,
        "law": posterior.law.name,
        "runs": str(info.get("source", "none")),
        "kept where": info.get("where") or "all",
        "fingerprint of the runs": str(info.get("fingerprint", "none")),
        "seed of the fit": str(info.get("seed", "none")),
        "versions at the fit": ", ".join(f"{k} {v}" for k, v in info.get("versions", {}).items())
        or "unknown",
    } | extra
    return TextTable(("what", "value"), list(rows.items()), words=(0, 1))


def _coefficient(c: dict[str, Any]) -> tuple[str, ...]:
    known = "yes" if c["identified"] else "no"
    ends = f"{c['lower']:.4g} to {c['upper']:.4g}"
    return c["name"], c["meaning"], f"{c['median']:.4g}", ends, known


def _checks(posterior: Posterior) -> list[dict[str, Any]]:
    return list(posterior.info.get("diagnostics", {}).get("checks", []))


def _rows_of_runs(posterior: Posterior) -> dict[int, dict[str, float]]:
    if "runs" not in posterior.tree:
        return {}
    frame = posterior.tree["runs"].to_dataset().to_dataframe()
    return {int(str(row)): values for row, values in frame.to_dict("index").items()}  # type: ignore[misc]


def loss_text(value: float | None) -> str:
    """A loss as the tables of the page have it."""
    return "–" if value is None or value != value else f"{value:.4f}"
