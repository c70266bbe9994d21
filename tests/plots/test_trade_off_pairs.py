"""Coefficients that trade off: the numbers, and the plot of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

from bayes_distill.errors import InputError
from bayes_distill.laws import LAWS, Chinchilla, Coefficient
from bayes_distill.plots.trade_off_pairs import trade_off_pairs, trade_offs
from studies import posterior_of


def test_trade_offs_of_the_three_laws(scattered, chinchilla_point, chinchilla):
    found = trade_offs(scattered, draws=200)
    assert found.groups == (("A'", "alpha'", "gamma'"), ("c1", "d1"))
    logs = np.log([found.draws["c1"], found.draws["d1"]])
    assert found.correlation["c1"]["d1"] == pytest.approx(np.corrcoef(logs)[0, 1])
    for name, draws in found.draws.items():
        low, high = found.ranges[name]
        assert np.mean((low <= draws) & (draws <= high)) > 0.97
        assert low < found.published[name] < high
    assert trade_offs(chinchilla.posterior).groups == (("A", "alpha", "E"), ("B", "beta"))
    with pytest.raises(InputError, match="point coefficients"):
        trade_offs(chinchilla_point)


def test_pairs_show_the_draws_on_named_axes(scattered, reads):
    found = trade_offs(scattered, draws=100)
    axes = trade_off_pairs(found)
    named = [(ax.get_ylabel(), ax.get_xlabel()) for ax in axes.flat]
    assert named == [("A′", "α′"), ("A′", "γ′"), ("α′", "γ′"), ("c₁", "d₁")]
    np.testing.assert_allclose(axes[0, 0].lines[0].get_xdata(), found.draws["alpha'"])
    np.testing.assert_allclose(axes[0, 0].lines[0].get_ydata(), found.draws["A'"])
    assert f"{found.correlation['c1']['d1']:.2f}" in axes[1, 1].get_title(loc="left")
    assert "100 draws" in reads.legends(axes[0, 0].figure)


@pytest.mark.parametrize(
    ("subject", "groups", "source"),
    [
        ("data-limited", (("A", "alpha", "E"), ("B", "beta")), "Muennighoff et al. 2023"),
        ("distillation-no-gap", (("A'", "alpha'", "gamma'"), ("B'", "beta'")), "Busbridge et al."),
        ("stack of gap and no gap", (("A'", "alpha'", "gamma'"), ("B'", "beta'")), "Busbridge"),
        ("stack of two supervised laws", (("A", "alpha", "E"), ("B", "beta")), ""),
    ],
)
def test_a_law_says_what_trades_off_and_what_was_published(subject, groups, source):
    found = trade_offs(posterior_of(subject))
    assert found.groups == groups
    assert found.source.startswith(source)
    assert bool(found.source) == bool(source)


@dataclass(frozen=True)
class Other(Chinchilla):
    """A law of somebody else."""

    name: ClassVar[str] = "other"
    coefficients: ClassVar[tuple[Coefficient, ...]] = Chinchilla.coefficients[:3]
    trade_offs: ClassVar[tuple[tuple[str, ...], ...]] = ()


@dataclass(frozen=True)
class OnePair(Other):
    """The same, with one pair of coefficients that trade off."""

    trade_offs: ClassVar[tuple[tuple[str, ...], ...]] = (("A", "B"),)


def under(law, monkeypatch):
    monkeypatch.setitem(LAWS, law.name, law)
    plain = posterior_of("chinchilla")
    return replace(plain, card=plain.card.model_copy(update={"law": law.name}))


def test_a_law_without_trade_offs_is_refused_in_words(monkeypatch):
    with pytest.raises(InputError, match=r"the law other .* names no coefficients that trade off"):
        trade_offs(under(Other(), monkeypatch))


def test_as_many_panels_as_pairs(monkeypatch):
    axes = trade_off_pairs(trade_offs(under(OnePair(), monkeypatch)))
    assert [ax.get_xlabel() for ax in axes.flat if ax.axison] == ["B"]
