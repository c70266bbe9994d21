"""Coverage of left-out runs: what is on the plot."""

from __future__ import annotations

import pytest

from bayes_distill.plots.coverage import coverage
from studies import random_validation

LEVELS = (0.5, 0.8, 0.9, 0.95)


@pytest.mark.parametrize("groups", [3, 9])
def test_coverage_shows_every_group_and_all_together(groups):
    result = random_validation(groups)
    ax = coverage(result)
    lines = [line for line in ax.lines if line.get_label() != "calibrated"]
    assert len(lines) == groups + 1
    for line, row in zip(lines, result.table.to_dict("records"), strict=True):
        assert list(line.get_xdata()) == list(LEVELS)
        assert line.get_ydata()[2] == row["coverage_90"]
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels[-1] == "all together (20 runs)"
    assert len(labels) == (5 if groups == 3 else 3)
