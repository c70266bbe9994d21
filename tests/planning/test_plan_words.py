"""What is said of a plan."""

import pytest

from bayes_distill import plan
from bayes_distill._input.numbers import format_probability
from bayes_distill.planning.words import crossover_words, plan_sentences


def crossing(direction, lower, median, upper, *, never=0.0, always=0.0, prior=False):
    side = {"runs": 4, "prior": prior, "extrapolation": 1.0}
    return {
        "scenario": "teacher-pretraining",
        "params": 1e9,
        "direction": direction,
        "budget": {"lower": lower, "median": median, "upper": upper},
        "p_none": never + always,
        "p_never_better": never,
        "p_always_better": always,
        "rests_on": {**side, "supervised": side},
    }


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            crossing("better_above", 3.8e22, 5.5e22, 8.6e22),
            "from 3.8e22 to 8.6e22 FLOPs (90%; median 5.5e22) on, distilling is better",
        ),
        (crossing("better_below", 1e22, 2e22, None, always=0.2), "up to"),
        (crossing("better_below", None, None, None, always=1.0), "still better at 1e28"),
        (crossing("better_below", None, None, None, never=1.0), "better at no budget up to"),
        (crossing("better_above", 1e22, 1e22, 1e22, prior=True), "rests on the prior and the law"),
    ],
)
def test_both_directions_have_words(row, said):
    text = crossover_words(row, "90%")
    assert text.startswith("teacher-pretraining, 1B student: ")
    assert said in text


def test_first_comes_whether(posterior):
    found = plan(
        posterior,
        "1B",
        "1e21",
        scenario="best-case,teacher-pretraining",
        draws=32,
        crossovers=False,
        teacher_range=False,
    )
    (said,) = plan_sentences(found.to_json())
    row = found.table.iloc[0]
    assert said.startswith("1e21 FLOPs (11.6 PF-days): without a teacher, a 1B model on ")
    assert f"reaches {row['supervised_mean']:.3f} (90%: " in said
    for r in found.table.to_dict("records"):
        better = r["p_beats_supervised"]
        do = "do it" if better >= 0.9 else "do not" if better <= 0.1 else "undecided"
        assert f"Distil, {r['scenario']}: {do} ({r['loss_mean']:.3f} (90%: " in said
        assert f"P(beats supervised on equal budget) {format_probability(better)})" in said
    assert said.endswith(
        "This rests on no supervised run (the prior and the law alone) and no "
        "distilled run (the prior and the law alone)."
    )
