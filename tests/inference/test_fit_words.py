"""A fit in a sentence."""

import pytest

from bayes_distill.inference.words import fit_sentence


def info(sampling="pass", law="pass", identified=(True, True, False)):
    names = ("E", "alpha", "A")
    return {
        "diagnostics": {"verdict": sampling, "law": {"verdict": law}},
        "interval": 0.9,
        "n_runs": 103,
        "kind": "supervised",
        "coefficients": [
            {"name": n, "median": 1.8, "lower": 1.7, "upper": 1.9, "identified": known}
            for n, known in zip((*names, "floor"), (*identified, True), strict=True)
        ],
    }


def told(**changed):
    return fit_sentence(info(**changed), "supervised", ["E", "A", "alpha"])


def test_what_is_known_and_what_rests_on_the_prior():
    assert told() == (
        "The fit can be used: its draws passed the checks of the sampling, and the runs look like "
        "what the model would make. Known from the runs: E 1.8 (90%: 1.7 to 1.9), alpha 1.8 (90%: "
        "1.7 to 1.9). A rests on the prior. This rests on 103 supervised runs and the card "
        "supervised."
    )
    assert "E, alpha and A rest on the prior" in told(identified=(False,) * 3)


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        (("fail", "pass"), "The fit should not be used: its draws failed"),
        (("pass", "fail"), "The fit should not be used: its draws passed"),
        (("review", "pass"), "The fit can be used with care: checks of the sampling ask"),
        (("pass", "not checked"), "The fit can be used with care"),
    ],
)
def test_the_worse_verdict_decides(verdicts, said):
    assert told(sampling=verdicts[0], law=verdicts[1]).startswith(said)
