"""What runs identify, in a sentence."""

from bayes_distill.identification.words import identification_sentence


def candidate(recommended, gain, **changed):
    return {
        "params": 1.4e8,
        "tokens": 2.9e10,
        "teacher_loss": None,
        "flops": 3.8e19,
        "gain": gain,
        "outside": False,
        "recommended": recommended,
        **changed,
    }


def content(*candidates, identified=True):
    coefficient = {"kind": "published", "lower": 1.7, "upper": 1.9}
    return {
        "interval": 0.9,
        "coefficients": [
            {**coefficient, "name": "E", "identified": identified},
            {**coefficient, "name": "A", "identified": False},
            {**coefficient, "name": "floor", "kind": "sampled", "identified": True},
        ],
        "next_run": {"targets": [{"name": "A"}], "candidates": list(candidates)},
    }


def test_the_next_run_is_named_with_what_it_takes():
    cheap = candidate("cheap", 0.08, tokens=9.4e9, flops=1.2e19, teacher_loss=2.1)
    said = identification_sentence(content(candidate("best", 0.1, outside=True), cheap))
    assert said == (
        "The runs identify E (90%: 1.7 to 1.9), and not A. The next run to do is 140M on 29B "
        "tokens: it would remove 10% of the variance of A, for 3.8e19 FLOPs; 140M on 9.4B tokens "
        "under a teacher of loss 2.1 removes 8% for 1.2e19 FLOPs. That is expected, outside the "
        "runs, and rests on the law."
    )


def test_nothing_may_be_identified():
    said = identification_sentence(content(candidate("best", 0.1), identified=False))
    assert said.startswith("The runs do not identify E, A. The next run")
    assert said.endswith("That is expected and rests on the law.")
