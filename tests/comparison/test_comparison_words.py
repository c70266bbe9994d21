"""A comparison of fits in a sentence."""

import pytest

from bayes_distill.comparison.words import comparison_sentence


def fits(behind, se, kind=None):
    score, error = ("joint_lpd_diff", "joint_lpd_se_diff") if kind else ("elpd_diff", "se_diff")
    rows = [{"fit": "b", score: -behind, error: se}, {"fit": "a", score: 0.0, error: 0.0}]
    alone = [{"fit": "b", "elpd_diff": 0.0, "se_diff": 0.0}, *rows[1:]] if kind else rows
    return {"fits": alone, "left_out": {kind: rows} if kind else {}}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (fits(30.0, 4.0), "a predicts best, 30.0 nats ahead of b (standard error 4.0): the "),
        (fits(30.0, 4.0), "the difference counts. Use a. This rests on single runs left out"),
        (fits(5.0, 4.0), "the difference does not count. Use either, or their stack (`stack`)."),
        (fits(9.0, 2.0, "params"), "Use a. This rests on student sizes left out."),
        (fits(9.0, None, "tail"), "one group does not tell. This rests on the dearest runs left"),
        ({"fits": fits(0, 0)["fits"][1:], "left_out": {}}, "a is the only fit."),
    ],
)
def test_who_predicts_best_and_whether_that_counts(content, said):
    assert said in comparison_sentence(content)
