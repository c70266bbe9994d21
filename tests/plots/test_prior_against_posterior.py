"""Prior against posterior: what is on the plot."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from bayes_distill.identification.identifiability import identifiability
from bayes_distill.plots.prior_against_posterior import prior_against_posterior


def test_prior_against_posterior_is_on_the_prior_s_scale(chinchilla):
    report = identifiability(chinchilla.posterior, interval=0.5)
    _, ax = plt.subplots()
    assert prior_against_posterior(report, "published", ax=ax) is ax
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == ["beta", "alpha", "B", "A", "E"]
    assert any("50%\ncredible" in text.get_text() for text in ax.get_legend().get_texts())
    variables = report.variables["published"]
    before, after = (np.log(d["E"]) for d in (variables.prior, variables.posterior))
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    expected = (np.median(after) - before.mean()) / before.std()
    assert dots[-1].get_xdata()[0] == pytest.approx(expected, abs=0.05)
