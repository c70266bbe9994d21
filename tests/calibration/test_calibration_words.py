"""A calibration in a sentence."""

from bayes_distill.calibration.words import calibration_sentence
from studies import random_study


def test_what_fails_is_named():
    content = random_study().to_json(ranks=False)
    said = calibration_sentence(content)
    assert said.startswith("90% intervals of a hold the truth in 100% of 60 simulated ")
    assert "should not be relied on: ranks of c0 are not uniform." in said
    assert said.endswith(
        "This rests on 5 quantities of 60 fits, and on runs simulated, not on real ones."
    )


def test_what_passes_can_be_relied_on():
    content = random_study().to_json(ranks=False)
    fine = [q | {"verdict": "pass"} for q in content["quantities"]]
    other = content | {"verdict": "pass", "quantities": fine, "simulator": "b"}
    said = calibration_sentence(other)
    assert "can be relied on for this design" in said
    assert "on runs simulated from b" in said
