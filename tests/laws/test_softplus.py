import jax
import numpy as np
import pytest

from bayes_distill.laws.softplus import inverse_softplus, log_softplus

# dense where the two branches meet, and out to where exp(z) is neither zero nor infinite
Z = np.concatenate([np.linspace(-700, 700, 401), np.linspace(-40, -25, 301), [-1e300, 1e300, 0.0]])


def exact_log_softplus(z):
    """By extended precision where exp(z) has a value, and by its limits z and log z elsewhere."""
    z = np.asarray(z, np.longdouble)
    middle = np.log(np.log1p(np.exp(np.clip(z, -700, 700))))
    return np.where(z < -700, z, np.where(z > 700, np.log(np.maximum(z, 1)), middle))


def exact_slope(z):
    z = np.asarray(z, np.longdouble)
    e = np.exp(np.clip(z, -700, 700))
    return np.where(z > 700, 1 / np.maximum(z, 1), e / (1 + e) / np.log1p(e))


def test_log_softplus_is_exact_to_rounding():
    found, exact = np.asarray(log_softplus(Z)), exact_log_softplus(Z)
    assert np.all(np.abs(found - exact) <= 2e-15 * np.maximum(np.abs(exact), 0.2))


def test_slope_of_log_softplus_is_finite_and_exact():
    found = np.asarray(jax.vmap(jax.grad(log_softplus))(Z))
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, exact_slope(Z).astype(float), rtol=5e-15, atol=1e-300)


def test_log_softplus_rises_through_the_joint_of_its_branches():
    z = np.linspace(-38, -36, 2001)
    assert (np.diff(np.asarray(log_softplus(z))) > 0).all()


@pytest.mark.parametrize("z", [1e-300, 1e-12, 1e-3, 0.5, 1.0, 7.0, 40.0, 1e4])
def test_inverse_softplus_is_the_inverse(z):
    w = inverse_softplus(z)
    # through the logarithm, which has a value where softplus itself would underflow
    assert float(log_softplus(w)) == pytest.approx(np.log(z), rel=1e-13, abs=1e-13)
    assert np.isfinite(jax.grad(inverse_softplus)(z))


def test_inverse_softplus_of_a_softplus():
    z = np.linspace(-30, 500, 300)
    np.testing.assert_allclose(inverse_softplus(jax.nn.softplus(z)), z, rtol=1e-12, atol=1e-12)
