"""What is said of a plan."""

import pytest

from bayes_distill import plan
from bayes_distill._input.numbers import format_probability
from bayes_distill.planning.words import crossover_sentences, plan_sentences


def crossing(direction, lower, median, upper, *, never=0.0, always=0.0, prior=False):
    side = {"runs": 4, "prior": prior, "extrapolation": 1.0}
    budget = {"lower": lower, "median": median, "upper": upper}
    return {
        "scenario": "teacher-pretraining",
        "params": 1e9,
        "direction": direction,
        "budget": budget,
        "budget_if_any": budget,
        "p_none": never + always,
        "p_never_better": never,
        "p_always_better": always,
        "rests_on": {**side, "supervised": side},
    }


STOPS, STARTS = "better_below", "better_above"
NONE = (None, None, None)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            [
                crossing(STOPS, *NONE, never=0.02, always=0.98),
                crossing(STARTS, 3.8e22, 5.5e22, 8.6e22, never=0.02),
            ],
            "better from a budget on, and not below it (3.8e22 to 8.6e22 FLOPs, 90% of these; "
            "median 5.5e22); at no budget up to 1e28 FLOPs with probability 0.02.",
        ),
        (
            [crossing(STOPS, 1e22, 2e22, 4e22, always=0.2)],
            "better up to a budget, and not beyond it with probability 0.80 (1e22 to 4e22 FLOPs, "
            "90% of these; median 2e22); at every budget up to 1e28 FLOPs with probability 0.20.",
        ),
        (
            # a third of the draws: up to 1e22, and again from 1e24 on
            [
                crossing(STOPS, 1e22, 1e22, 1e22, always=0.4),
                crossing(STARTS, 1e24, 1e24, 1e24, always=0.4, never=0.3),
            ],
            "; again from a budget on with probability 0.30 (1e24 to 1e24 FLOPs, ",
        ),
        ([crossing(STOPS, *NONE, always=1.0)], "is better at every budget up to 1e28 FLOPs."),
        ([crossing(STOPS, *NONE, never=1.0)], "is better at no budget up to 1e28 FLOPs."),
        ([crossing(STOPS, *NONE, never=1.0, prior=True)], "this rests on the prior and the law."),
    ],
)
def test_both_directions_are_one_sentence(rows, said):
    (text,) = crossover_sentences({"interval": 0.9, "crossovers": rows})
    assert text.startswith("teacher-pretraining, 1B student: distilling is better ")
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
        assert f"one run {r['new_run_lower']:.3f} to {r['new_run_upper']:.3f}, " in said
        assert f"P(beats supervised on equal budget) {format_probability(better)})" in said
    assert said.endswith(
        "This rests on no supervised run (the prior and the law alone), and on no "
        "distilled run (the prior and the law alone)."
    )
