"""What is said of forecasts and risks."""

import pandas as pd
import pytest

from bayes_distill._input.numbers import format_probability
from bayes_distill.predict.capacity_gap import risk
from bayes_distill.predict.forecast import forecast
from bayes_distill.predict.words import (
    forecast_sentence,
    grounds_in_words,
    risk_sentence,
    risk_sentences,
)


def test_a_forecast_says_the_answer_its_interval_and_whether_the_teacher_is_worth_it(scattered):
    found = forecast(scattered, 1e9, 1e11, teacher_loss=2.0)
    r = found.table.iloc[0]
    said = forecast_sentence(found.to_json()["rows"][0], "90%")
    assert said.startswith(
        f"A 1B student on 100B tokens under a teacher of loss 2 reaches {r['loss_mean']:.3f} nats "
        f"per token (90%: {r['loss_lower']:.3f} to {r['loss_upper']:.3f}; one run "
    )
    assert "That is better than without the teacher" in said
    assert (
        format_probability(r["p_beats_supervised"])
        in said.split("(beats supervised on equal tokens) ")[1]
    )
    alone = forecast(scattered, 1e9, 1e11)
    said = forecast_sentence(alone.to_json()["rows"][0], "90%")
    assert "without a teacher reaches" in said
    assert said.endswith("This rests on supervised runs.")


@pytest.mark.parametrize(("teacher", "words"), [(1.9, "is too strong"), (2.6, "is not too strong")])
def test_a_risk_says_whether_the_teacher_is_too_strong(scattered, teacher, words):
    found = risk(scattered, 198e6, 4.9e9, teacher_loss=teacher)
    said = risk_sentence(found.to_json()["rows"][0], "90%")
    assert said.startswith(f"A teacher of loss {teacher} {words} for a 198M student on 4.9B tokens")
    assert f"{found.table['optimal_teacher_loss_mean'].item():.3f} (90%: " in said


def test_listed_teachers_are_told_by_name_in_one_sentence(scattered):
    listed = pd.DataFrame({"name": ["weak", "strong"], "loss": [2.6, 1.9]})
    found = risk(scattered, "198M", "4.9B", teachers=listed)
    assert list(found.table["name"]) == ["weak", "strong"]
    (said,) = risk_sentences(found.to_json())
    first, second = found.teachers.to_dict("records")
    assert said.startswith(
        f"Of 2 teachers, {first['name']} is best for a 198M student on 4.9B tokens with "
        f"probability {format_probability(first['p_best'])}: it reaches {first['loss_mean']:.3f} "
    )
    assert f"The next, {second['name']}, reaches {second['loss_mean']:.3f} " in said
    hurts = found.table.set_index("name")["p_stronger_teacher_hurts"].map(format_probability)
    assert f"worse): weak {hurts['weak']}, strong {hurts['strong']}." in said


def test_grounds_name_both_kinds_of_run_and_the_factor():
    near = {"runs": 39, "prior": False, "extrapolation": 1.0}
    far = {"runs": 64, "prior": False, "extrapolation": 2.727}
    none = {"runs": 0, "prior": True, "extrapolation": 1.0}
    both = [("supervised", near), ("distilled", far)]
    assert grounds_in_words(both) == (
        "This rests on 39 supervised runs, and on 64 distilled runs (up to 2.7 times outside them)."
    )
    taught = [("supervised", near | {"runs": 45, "teachers": 6})]
    assert grounds_in_words(taught) == "This rests on 39 supervised runs and 6 teachers."
    taught = [("supervised", near | {"runs": 6, "teachers": 6})]
    assert grounds_in_words(taught) == "This rests on 6 teachers."
    assert grounds_in_words([("supervised", none)]) == (
        "This rests on no supervised run (the prior and the law alone)."
    )
