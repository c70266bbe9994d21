"""Reliability and coverage plots: what is on them."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from bayes_distill.plots.coverage import coverage
from bayes_distill.plots.reliability import reliability
from bayes_distill.validation.gap_pairs import reliability as reliability_table
from bayes_distill.validation.result import Validation

LEVELS = (0.5, 0.8, 0.9, 0.95)


@pytest.fixture(autouse=True)
def headless() -> Iterator[None]:
    plt.close("all")
    before = mpl.get_backend()
    plt.switch_backend("Agg")
    yield
    plt.close("all")
    plt.switch_backend(before)


def validation(groups: int = 3) -> Validation:
    generator = np.random.default_rng(0)
    pairs = pd.DataFrame({"credible": generator.uniform(0, 1, 200)})
    pairs["predictive"] = pairs["credible"] * 0.6 + 0.2
    pairs["happened"] = generator.uniform(0, 1, 200) < pairs["predictive"]
    table = pd.DataFrame(
        {
            "group": [*(f"{i + 1}B" for i in range(groups)), "overall"],
            "runs": 20,
            "brier_predictive": 0.123,
            "brier_credible": 0.2,
            **{f"coverage_{100 * v:.6g}": np.linspace(v / 2, v, groups + 1) for v in LEVELS},
        }
    )
    return Validation(
        table, pd.DataFrame(), pairs, reliability_table(pairs), "params", "x", LEVELS, 0.9, {}
    )


@pytest.mark.parametrize("plot", [reliability, coverage])
def test_draws_on_the_axes_given_or_on_its_own(plot):
    _, ax = plt.subplots()
    assert plot(validation(), ax=ax) is ax
    assert len(plt.get_fignums()) == 1
    assert plot(validation()) is not ax
    assert ax.get_xlabel()
    assert ax.get_ylabel()


def test_reliability_shows_the_table_with_its_counts():
    result = validation()
    ax = reliability(result)
    table = result.reliability[result.reliability["pairs"] > 0]
    shown = [line for line in ax.lines if str(line.get_label()).startswith("predictive")]
    mine = table[table["band"] == "predictive"]
    assert np.allclose(shown[0].get_xdata(), mine["forecast"])
    assert np.allclose(shown[0].get_ydata(), mine["observed"])
    assert sorted(text.get_text() for text in ax.texts) == sorted(map(str, table["pairs"]))
    assert "0.123" in str(shown[0].get_label())


@pytest.mark.parametrize("groups", [3, 9])
def test_coverage_shows_every_group_and_all_together(groups):
    result = validation(groups)
    ax = coverage(result)
    lines = [line for line in ax.lines if line.get_label() != "calibrated"]
    assert len(lines) == groups + 1
    for line, row in zip(lines, result.table.to_dict("records"), strict=True):
        assert list(line.get_xdata()) == list(LEVELS)
        assert line.get_ydata()[2] == row["coverage_90"]
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels[-1] == "all together (20 runs)"
    assert len(labels) == (5 if groups == 3 else 3)
