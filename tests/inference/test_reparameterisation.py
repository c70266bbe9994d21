"""Sampling coordinates follow from what a law declares, whatever its coordinates are called."""

from __future__ import annotations

from types import SimpleNamespace

import jax
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from bayes_distill.inference import reparameterisation
from bayes_distill.laws import LAWS, Bracket, Supervised, TeacherLaw
from bayes_distill.laws.supervised import PUBLISHED


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_what_a_law_declares_are_coordinates_of_it(law):
    supports = {c.name: c.support for c in law.coordinates}
    assert supports[law.floor] == "positive"
    assert all(supports[name] == "positive" for name in law.tail_reach)
    assert law.brackets
    for bracket in law.brackets:
        assert supports[bracket.share] == "unit"
        names = (bracket.level, bracket.slope_params, bracket.slope_tokens, bracket.gamma)
        assert all(supports[name] == "positive" for name in names if name is not None)
    if isinstance(law, TeacherLaw):
        assert law.student_bracket in law.brackets
    # a coefficient is either free or fixed
    assert {c.name for c in PUBLISHED} <= set(law.fixed) | set(law.coefficient_names)
    assert not set(law.fixed) & set(law.coefficient_names)


class Renamed(Supervised):
    """A law with names of its own, of which it declares what trades off."""

    floor = "e"
    brackets = (Bracket("r", "s", "a", "b", "g"),)
    tail_reach = {"g": 2.0, "e": 1.0}  # noqa: RUF012


def test_other_names_are_sheared_and_tails_straightened():
    spec = SimpleNamespace(law=Renamed(), smooth=(), size_offset=False)
    sites = {n: np.asarray(0.3 * i - 0.6) for i, n in enumerate(("a", "b", "e", "g", "r", "s"))}
    of_law, stated = reparameterisation.forward(spec, sites, None, {})
    log_s = -np.log1p(np.exp(-sites["s"]))
    np.testing.assert_allclose(of_law["a"], sites["a"] - log_s, rtol=1e-12)
    np.testing.assert_allclose(of_law["b"], sites["b"] + sites["s"] - log_s, rtol=1e-12)
    for name, reach in Renamed.tail_reach.items():
        at = np.asarray(of_law[name])
        np.testing.assert_allclose(at - reach * np.exp(-np.exp(at)), sites[name], rtol=1e-9)
    back = reparameterisation.inverse(spec, of_law, None, {})
    for name, value in sites.items():
        np.testing.assert_allclose(back[name], value, rtol=1e-9)
    flat, unravel = ravel_pytree(sites)
    jacobian = jax.jacfwd(
        lambda x: ravel_pytree(reparameterisation.forward(spec, unravel(x), None, {})[0])[0]
    )(flat)
    sign, log_determinant = np.linalg.slogdet(jacobian)
    assert sign == 1
    assert float(stated) == pytest.approx(log_determinant, abs=1e-6)
