"""Checks of a fit in sentences."""

import pytest

from bayes_distill.checking.words import predictive_sentence, sensitivity_sentence

PASSED = {"meaning": "largest residual", "verdict": "pass"}
PIT = {"verdict": "pass", "coverage": [{"level": 0.5, "held": 0.4}, {"level": 0.9, "held": 0.85}]}


def checks(*amiss, pit=PIT):
    quantities = [PASSED, *({"meaning": name, "verdict": "review"} for name in amiss)]
    return {"interval": 0.9, "posterior_predictive": {"quantities": quantities}, "loo_pit": pit}


def test_a_fit_that_predicts_runs_like_its_own():
    said = predictive_sentence(checks())
    assert said.startswith("The fit predicts runs like its own: 1 of 1 test quantities are as ")
    assert "its 90% intervals hold 85% of the runs, each left out. Nothing speaks against" in said


@pytest.mark.parametrize("content", [checks("a bend"), checks(pit=PIT | {"verdict": "review"})])
def test_one_that_does_not(content):
    said = predictive_sentence(content)
    assert said.startswith("The fit does not quite predict runs like its own: ")
    assert "Look at that before" in said


def answers(*diagnoses, kind="published"):
    return {
        "rows": [{"name": f"x{i}", "kind": kind, "diagnosis": d} for i, d in enumerate(diagnoses)]
    }


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (answers("rests on the runs"), "Another prior as wide would give the same answers."),
        (
            answers(*["rests on the prior"] * 6),
            "The prior alone decides x0, x1, x2, x3 and 2 more.",
        ),
        (answers("prior and runs pull on it"), "Prior and runs both pull on x0. State and justify"),
        (answers("rests on the runs", "rests on the prior", kind="forecast"), "1 of 2 forecasts"),
    ],
)
def test_what_rests_on_the_prior(content, said):
    assert said in sensitivity_sentence(content)
