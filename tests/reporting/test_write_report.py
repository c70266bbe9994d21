from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayes_distill as bd
from bayes_distill._input.numbers import format_probability
from bayes_distill.cards import load_card
from bayes_distill.errors import FailedFitError, InputError
from bayes_distill.posterior import POINT, Posterior
from bayes_distill.posterior.stored_runs import runs_of
from bayes_distill.reporting import report
from bayes_distill.reporting.decision import decision_of
from bayes_distill.reporting.plan_words import plan_section
from bayes_distill.reporting.plots_as_svg import ReportFigure
from bayes_distill.reporting.ranges import ranges_of
from bayes_distill.reporting.recipe_tables import recipe_tables
from bayes_distill.reporting.tables import Axis
from bayes_distill.reporting.validation_words import validation_of
from bayes_distill.reporting.words import (
    coefficients_of,
    lead_of,
    no_pictures,
    remarks_of,
    verdict_of,
)
from studies import posterior_of

ROOT = Path(__file__).resolve().parents[2]


def test_the_command_says_what_it_wrote(built):
    assert built.said["report"] == str(built.path)
    assert built.said["bytes"] == built.path.stat().st_size < 8e6
    for kind in ("loss", "p_hurts", "recipe_loss", "recipe_shares"):
        measured = built.said["accuracy"][kind]
        assert 0 < measured["usual"] <= measured["largest"]
    assert built.said["notes"] == list(built.posterior.warnings) != []


def test_the_explorer_is_as_exact_as_it_should_be(built):
    accuracy = {key: each["usual"] for key, each in built.said["accuracy"].items()}
    for kind in ("loss", "credible", "predictive", "supervised"):
        assert accuracy[kind] < 0.002
    for kind in ("p_hurts", "p_beats"):
        # 1000 of 2000 draws: a probability of one half has a standard error of 0.011
        assert accuracy[kind] < 0.025
    assert accuracy["recipe_loss"] < 0.004


def test_the_page_asks_for_nothing_from_elsewhere(built):
    page = re.sub(r"<script>.*?</script>", "", built.text, flags=re.DOTALL)
    assert re.findall(r"""(?:src|href)\s*=\s*["'](?!#|data:)""", page) == []
    assert "default-src 'none'" in page
    assert re.findall(r"url\((?!#)", page) == []


def test_words_of_runs_are_text_and_not_markup(built):
    assert "<b>of</b>" not in built.text
    assert "runs &lt;b&gt;of&lt;/b&gt; ours.csv" in built.text
    assert "double --warmup &lt;now&gt; &amp; wait" in built.text


def test_verdict_coefficients_and_flags_are_in_plain_words(built):
    for words in (
        "With care.",
        "The fit asks for review (rhat_max)",
        "not known from these runs alone: alpha&#39;",
        "1 of 36 runs are worth a second look",
        "Near-duplicates: rows 1 and 2.",
        "0.2 to 0.4",
    ):
        assert words in built.text


def test_pictures_keep_their_text_and_their_ids_apart(built):
    pictures = re.findall(r"<svg fill=.*?</svg>", built.text, flags=re.DOTALL)
    assert pictures
    assert "teacher loss (nats per token)" in pictures[0]
    markup = re.sub(r"<script.*?</script>", "", built.text, flags=re.DOTALL)
    ids = re.findall(r'\bid="([^"]+)"', markup)
    assert len(ids) == len(set(ids))


def test_a_supervised_fit_has_a_page_without_teachers(tmp_path):
    coefficients = {"E": 1.8, "A": 480.0, "B": 2085.0, "alpha": 0.35, "beta": 0.37, "gamma": 1.0}
    card = load_card("supervised-plain")
    names = {c.name for c in card.scaling_law.coefficients}
    posterior = Posterior.from_coefficients(
        card, {k: v for k, v in coefficients.items() if k in names}, POINT, 0.01
    )
    assert verdict_of(posterior)["head"] == "These are point coefficients."
    assert coefficients_of(posterior).tables[0].rows[0][0] == "E"
    report = bd.report(posterior, tmp_path / "alone.html")
    text = report.path.read_text(encoding="utf-8")
    assert 'id="teacher_loss"' not in text
    assert 'id="n-p_stronger_teacher_hurts"' not in text
    assert report.accuracy["loss"].largest < 0.002


def test_every_fault_is_named_and_nothing_is_written(scattered, tmp_path):
    plan = tmp_path / "plan.json"
    plan.write_text('{"rows": [{}]}', encoding="utf-8")
    with pytest.raises(InputError) as caught:
        report(scattered, tmp_path / "none" / "x.html", plan=plan, interval=2.0, seed=-1)
    assert {fault.column for fault in caught.value.faults} == {"interval", "seed", "out", "plan"}
    assert list(tmp_path.iterdir()) == [plan]


def test_a_failed_fit_is_refused_unless_allowed(scattered, tmp_path):
    failed = Posterior(
        scattered.tree, scattered.card, scattered.reference, {**scattered.info, "verdict": "fail"}
    )
    with pytest.raises(FailedFitError):
        report(failed, tmp_path / "x.html")
    assert list(tmp_path.iterdir()) == []
    assert verdict_of(failed)["head"] == "No."
    assert verdict_of(failed)["caution"].startswith("The draws failed checks of the sampling")


def test_a_law_that_failed_stands_beside_the_decision(scattered, tmp_path):
    law = {"verdict": "fail", "checks": []}
    info = {**scattered.info, "verdict": "pass", "diagnostics": {"law": law}}
    wrong = Posterior(scattered.tree, scattered.card, scattered.reference, info)
    verdict = verdict_of(wrong)
    assert verdict["state"] == "fail"
    assert verdict["caution"].startswith("The runs do not look like what the model would make")


def test_a_plan_is_shown(built):
    planned = bd.plan(
        built.posterior,
        1e9,
        1e21,
        scenario="best-case",
        crossovers=False,
        draws=20,
        teacher_range=False,
    )
    row = plan_section(planned.to_json())["tables"][0].rows[0]
    assert row[0] == "best-case"
    assert row[1:3] == ("1B", "1e21")
    assert f"{planned.table['loss_mean'][0]:.4f}" in row[7]
    assert np.isnan(planned.table["near_optimal_teacher_params_lower"]).all()


SHELF = pd.DataFrame({"name": ["mine", "theirs"], "loss": [2.2, 1.9], "params": [1e9, 7e9]})


@pytest.fixture(scope="module")
def planned(built):
    return bd.plan(
        built.posterior,
        5e8,
        1e21,
        scenario=["teacher-inference", "best-case"],
        teachers=SHELF,
        crossovers=False,
        teacher_range=False,
        draws=20,
    ).to_json()


def led_by(built, planned):
    figures = [ReportFigure("First.", "", "<svg/>"), ReportFigure("Second.", "", "<svg/>")]
    ranges = ranges_of(built.posterior)
    return decision_of(built.posterior, planned, ranges, figures, 0.9, 0)


def test_teachers_of_a_plan_lead_the_report(built, planned):
    decision, rest = led_by(built, planned)
    assert decision.heading == "What to do"
    for place, scenario in enumerate(("teacher-inference", "best-case")):
        sentence = decision.sentences[place]
        best = next(t for t in planned["teachers"] if t["scenario"] == scenario)
        assert f"Of your 2 teachers, {best['name']} is best for a 500M student" in sentence
        assert f"(probability {format_probability(best['p_beats_supervised'])})" in sentence
    assert any("without a teacher, a 500M model" in each for each in decision.sentences)
    assert "mine" in decision.figure.svg
    assert [figure.title for figure in rest] == ["First.", "Second."]


def test_the_teachers_of_a_plan_are_a_table(planned):
    table = plan_section(planned)["tables"][0]
    assert table.caption == "Your teachers, best first"
    assert [row[0] for row in table.rows] == [t["name"] for t in planned["teachers"]]
    assert [row[7] for row in table.rows] == [
        format_probability(t["p_best"]) for t in planned["teachers"]
    ]
    assert not any("`" in note for note in plan_section(planned)["notes"])


def test_without_a_plan_the_explorer_s_student_leads(built):
    decision, rest = led_by(built, None)
    start = ranges_of(built.posterior).start
    loss = bd.forecast(
        built.posterior, start["params"], start["tokens"], teacher_loss=start["teacher_loss"]
    ).table["loss_mean"][0]
    assert f"reaches {loss:.3f} nats per token" in decision.sentences[0]
    assert "would make it worse with probability" in decision.sentences[1]
    assert (decision.figure.title, [each.title for each in rest]) == ("First.", ["Second."])


def test_the_explorer_starts_at_a_student_of_the_runs(built):
    runs = runs_of(built.posterior)
    start = ranges_of(built.posterior).start
    same = np.isclose(runs["params"], start["params"]) & np.isclose(runs["tokens"], start["tokens"])
    assert same.sum() == 9
    assert start["teacher_loss"] == pytest.approx(runs["teacher_loss"][same].median(), rel=0.005)


def test_the_answer_comes_ahead_of_the_explorer_and_tables_are_folded(built):
    places = [built.text.index(f'<section id="{name}"') for name in ("decision", "verdict")]
    places.append(built.text.index('<section id="explorer"'))
    assert places == sorted(places)
    coefficients = built.text.partition('<section id="coefficients"')[2].partition("</section>")[0]
    assert coefficients.count("<table") == coefficients.count("<details><summary>") == 2


def test_a_shipped_report_has_its_validation_and_says_where_its_runs_are():
    posterior = bd.load_posterior("busbridge2025")
    found = validation_of(posterior)
    assert found.section.tables[0].rows[-1][:2] == ("overall", "348")
    assert "%" in found.section.tables[0].rows[0][2]
    assert found.figure.svg.startswith("<svg")
    said = [lead_of(posterior), no_pictures(posterior), *remarks_of(posterior)]
    assert said[0].startswith("Fitted to 354 distilled runs")
    assert "do not ship" in said[1]
    assert not any("did not come from runs" in each for each in said)


def test_a_fit_that_wants_the_strongest_teacher_has_tables(monkeypatch):
    names = ["supervised", "best-case"]
    monkeypatch.setattr("bayes_distill.reporting.recipe_tables.scenarios_of", lambda _: names)
    posterior = posterior_of("distillation-no-gap")  # every stronger teacher is better
    ranges = replace(
        ranges_of(posterior),
        plan_params=Axis("params", 1e9, 2e9, 2),
        budget=Axis("budget", 1e24, 1e25, 2),
    )
    found = recipe_tables(posterior, posterior.thin(8), ranges, 0.9, 0, 4)["best-case"].fields
    assert np.isfinite(found["loss_mean"].values).all()
    strongest = found["recipe_teacher_loss"].values  # noqa: PD011
    assert (strongest < posterior.hull.teacher_loss[0]).all()


def test_a_budget_that_pays_for_no_recipe_is_said(built):
    planned = bd.plan(
        built.posterior,
        budget="1e10,1e21",
        scenario="supervised",
        served_tokens="1B",
        crossovers=False,
        draws=8,
        allow_failed=True,
    )
    section = plan_section(planned.to_json())
    without, planned_row = section["tables"][0].rows
    assert without[1] == without[3] == without[7] == "–"
    assert "–" not in planned_row[1]
    assert section["notes"][-1] == planned.table["problem"][0]
