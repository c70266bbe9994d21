"""Every law through every question: answers are numbers, and what does not apply is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bayes_distill import InputError, forecast, plan, report, risk
from posteriors import EVERY_LAW, posterior_of_law

STUDENTS = {"params": ["300M", "1B"], "tokens": ["10B", "40B"]}
TEACHERS = {"teacher_loss": [2.0, 2.4]}
PAID = "teacher-pretraining-and-inference"
PLAN = {"draws": 40, "crossovers": False, "teacher_range": False}


def knows_teachers(law: str) -> bool:
    return posterior_of_law(law).law.has_teacher


WITH_TEACHERS = [law for law in EVERY_LAW if knows_teachers(law)]
WITHOUT_TEACHERS = [law for law in EVERY_LAW if not knows_teachers(law)]
every_law = pytest.mark.parametrize("law", EVERY_LAW)
with_teachers = pytest.mark.parametrize("law", WITH_TEACHERS)
without_teachers = pytest.mark.parametrize("law", WITHOUT_TEACHERS)


def rows_of(answer: Any) -> list[dict[str, Any]]:
    """Rows of an answer as scripts read them; there is no NaN and no infinity in JSON."""
    rows = json.loads(json.dumps(answer.to_json(), allow_nan=False))["rows"]
    assert rows
    return list(rows)


def empty(value: Any, name: str = "") -> set[str]:
    """Dotted names of what is null in a row."""
    if isinstance(value, dict):
        return {found for key, part in value.items() for found in empty(part, f"{name}.{key}")}
    return {name[1:]} if value is None else set()


def is_ordered(row: Mapping[str, Any], mean: float) -> bool:
    """Whether a mean is inside its interval."""
    return bool(row["lower"] < mean < row["upper"])


def the_fault_of(question: Any, *arguments: Any, **named: Any) -> str:
    """What the one fault of a refused question says."""
    with pytest.raises(InputError) as caught:
        question(*arguments, **named)
    (fault,) = caught.value.faults
    return str(fault)


@every_law
def test_forecasts_of_supervised_training(law):
    for row in rows_of(forecast(posterior_of_law(law), **STUDENTS)):
        assert all(
            name.startswith("teacher_") or name == "p_beats_supervised" for name in empty(row)
        )
        assert is_ordered(row["credible"], row["mean"])
        assert is_ordered(row["predictive"], row["mean"])


@with_teachers
def test_forecasts_of_students(law):
    for row in rows_of(forecast(posterior_of_law(law), **STUDENTS, **TEACHERS)):
        assert empty(row) <= {"teacher_params", "teacher_tokens"}
        assert is_ordered(row["credible"], row["mean"])


@without_teachers
def test_a_law_without_teachers_refuses_them(law):
    posterior = posterior_of_law(law)
    assert "about teachers" in the_fault_of(forecast, posterior, **STUDENTS, **TEACHERS)
    assert "about teachers" in the_fault_of(risk, posterior, **STUDENTS, **TEACHERS)
    assert "about teachers" in the_fault_of(plan, posterior, "1B", 1e21, scenario=PAID)
    # where no scenario is stated there is the one without a teacher
    assert set(plan(posterior, "1B", 1e21).table["scenario"]) == {"supervised"}


@every_law
def test_repeated_tokens_count_or_are_refused(law):
    posterior = posterior_of_law(law)
    if posterior.law.knows_repeats:
        repeated = rows_of(forecast(posterior, **STUDENTS, unique_tokens="2B"))
        fresh = rows_of(forecast(posterior, **STUDENTS))
        assert all(a["mean"] > b["mean"] for a, b in zip(repeated, fresh, strict=True))
    else:
        fault = the_fault_of(forecast, posterior, **STUDENTS, unique_tokens="2B")
        assert fault.startswith("unique_tokens: ")


@with_teachers
def test_risks_of_a_risk(law):
    for row in rows_of(risk(posterior_of_law(law), **STUDENTS, **TEACHERS)):
        assert empty(row) == set()
        for name in ("p_stronger_teacher_hurts", "p_beats_supervised"):
            assert 0 <= row[name] <= 1
        assert is_ordered(row["loss"], row["loss"]["mean"])
        assert row["excess_loss"]["lower"] >= 0  # of any teacher over the best


@pytest.mark.slow
@every_law
def test_plans(law):
    scenario = PAID if knows_teachers(law) else "supervised"
    found = plan(posterior_of_law(law), "1B", [1e21, 1e22], scenario=scenario, **PLAN)
    repeats = any("no recipe repeats tokens" in note for note in found.notes)
    assert repeats == posterior_of_law(law).law.knows_repeats
    rows = rows_of(found)
    for row in rows:
        assert row["problem"] is None
        unasked = ("flat_teacher", "problem", "budget_as")  # no device is named
        names = {name for name in empty(row) if not name.startswith(unasked)}
        assert all("teacher" in name or "p_" in name for name in names)
        assert names == set() or scenario == "supervised"
        assert sum(row["shares"].values()) == pytest.approx(1.0)
        assert is_ordered(row["loss"], row["loss"]["mean"])
        assert row["regret"]["mean"] >= 0
    assert rows[0]["loss"]["mean"] > rows[1]["loss"]["mean"]  # of the smaller budget


@pytest.mark.slow
@without_teachers
def test_plans_that_choose_the_size(law):
    size_free = {"served_tokens": 1e12, "scenario": "supervised"}
    (row,) = rows_of(plan(posterior_of_law(law), None, 1e22, **size_free, **PLAN))
    assert 0 < row["recipe"]["student_tokens"] < 1e22 / row["params"]
    assert row["shares"]["serving"] > 0
    assert is_ordered(row["loss"], row["loss"]["mean"])


@pytest.mark.slow
@every_law
def test_reports(law, tmp_path):
    written = report(posterior_of_law(law), tmp_path / "report.html")
    json.dumps(written.to_json(), allow_nan=False)
    assert written.accuracy["loss"].largest < 0.01  # nats: what the explorer interpolates
    page = Path(written.path).read_text(encoding="utf-8")
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    json.loads(data, parse_constant=lambda name: pytest.fail(f"{name} in the page"))
