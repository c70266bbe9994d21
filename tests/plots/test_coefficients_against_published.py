"""Coefficients beside their prior and print: the numbers, and the plot of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bayes_distill.laws import MUENNIGHOFF
from bayes_distill.laws.published import BESIROGLU, TABLE_6_AS_PRINTED, TABLE_6_INTERVALS
from bayes_distill.plots.coefficients_against_published import (
    coefficients,
    coefficients_against_published,
)
from studies import posterior_of


def test_coefficients_beside_table_6(scattered):
    table = coefficients(scattered, interval=0.8).table.set_index("name")
    assert list(table.index) == list(scattered.law.coefficient_names)
    draws = scattered.published["alpha'"]
    wanted = np.quantile(draws, [0.1, 0.5, 0.9])
    np.testing.assert_allclose(
        table.loc["alpha'", ["lower", "median", "upper"]].astype(float), wanted
    )
    for name, (lower, upper) in TABLE_6_INTERVALS.items():
        row = table.loc[name]
        assert row["published"] == TABLE_6_AS_PRINTED[name]
        assert (row["published_lower"], row["published_upper"]) == (lower, upper)
        assert lower <= row["published"] <= upper
    assert table["prior_median"].isna().all()  # made up: it has no prior


def test_a_fit_has_its_prior_and_what_is_identified(sweep):
    table = coefficients(sweep.posterior).table.set_index("name")
    assert (table["prior_upper"] > table["prior_lower"]).all()
    told = {c["name"]: c["identified"] for c in sweep.posterior.info["coefficients"]}
    assert table["identified"].to_dict() == {name: told[name] for name in table.index}


def test_coefficients_have_panels_with_both_intervals(scattered, reads):
    found = coefficients(scattered, interval=0.8)
    axes = coefficients_against_published(found)
    panels = {
        ax.get_title(loc="left").split()[0]: ax for ax in axes.flat if ax.get_title(loc="left")
    }
    assert list(panels) == list(found.table["symbol"])
    row = found.table.set_index("name").loc["alpha'"]
    x = [np.asarray(line.get_xdata(), float).tolist() for line in panels["α′"].lines]
    assert [row["lower"], row["upper"]] in x
    assert [0.319, 0.324] in x  # as table 6 prints it
    assert [0.321] in x
    said = reads.legends(axes.flat[0].figure)
    assert "80% credible interval, equal-tailed" in said
    assert "table 6" in said


def test_what_is_not_identified_is_marked(scattered):
    found = coefficients(scattered)
    found.table.loc[found.table["name"] == "c1", "identified"] = False
    axes = coefficients_against_published(found)
    titles = [ax.get_title(loc="left") for ax in axes.flat]
    assert [t for t in titles if "not identified" in t] == ["c₁   (not identified)"]


@pytest.mark.parametrize(
    ("law", "source", "values"),
    [
        ("data-limited", "Muennighoff et al. 2023", MUENNIGHOFF),
        ("chinchilla", "Besiroglu et al. 2024", BESIROGLU),
        ("supervised", "Busbridge et al. 2025, table 6", TABLE_6_AS_PRINTED),
        ("distillation-no-gap", "Busbridge et al. 2025, table 6", TABLE_6_AS_PRINTED),
    ],
)
def test_a_law_is_compared_with_what_was_published_of_it(law, source, values):
    found = coefficients(posterior_of(law))
    assert found.source.startswith(source)
    printed = found.table.set_index("name")["published"]
    assert printed.to_dict() == {name: values[name] for name in printed.index}


def test_a_stack_of_laws_of_different_sources_is_compared_with_nothing(reads):
    found = coefficients(posterior_of("stack of two supervised laws"))
    assert list(found.table["name"]) == ["E", "A", "B", "alpha", "beta"]
    assert found.table["published"].isna().all()
    assert found.source == ""
    figure = coefficients_against_published(found)[0, 0].figure
    assert "et al." not in reads.legends(figure)


def test_a_coefficient_of_which_nothing_is_known_does_not_count_as_identified(scattered, reads):
    known = {
        "coefficients": [{"name": "E", "identified": True}, {"name": "A", "identified": False}]
    }
    found = coefficients(replace(scattered, info={**scattered.info, **known}))
    identified = found.table.set_index("name")["identified"]
    assert identified[["E", "A"]].tolist() == [True, False]
    assert identified.drop(["E", "A"]).isna().all()
    figure = coefficients_against_published(found)[0, 0].figure
    assert "not known whether the runs identify it" in reads.legends(figure)
    assert coefficients(scattered).table["identified"].isna().all()
    nothing = coefficients_against_published(coefficients(scattered))[0, 0].figure
    assert "not identified" not in reads.legends(nothing)
    assert "not known which of them the runs identify" in reads.legends(nothing)
