"""A stack of laws gives each draw the loss of its own law, and nothing of the others."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bayes_distill.laws import LAWS, TABLE_6, Reference, Stacked, TeacherLaw, stack_laws
from bayes_distill.laws.stacked import prefixed

REFERENCE = Reference(params=5e8, tokens=1.5e10, loss=2.4)
NAMES = ("distillation", "distillation-gain", "distillation-no-gap")
MEMBERS = [LAWS[name] for name in NAMES]
OWN = {"G": 0.02, "X_G": 0.08}
POINTS = (np.geomspace(1e8, 1e10, 7), np.geomspace(4e9, 1e12, 7)[::-1], np.linspace(1.7, 3.2, 7))
MEMBER = np.array([0.0, 2.0, 1.0, 1.0, 0.0])


def coordinates_of(law, scale=1.0):
    found = law.from_published({**TABLE_6, **OWN}, REFERENCE)
    return {name: float(value) * scale for name, value in found.items()}


def stacked_coordinates(members):
    """Five draws; members have coordinates of their own, the same in every draw."""
    found = {"member": MEMBER[:, None]}
    for i, law in enumerate(members):
        for name, value in coordinates_of(law, 1 - 0.01 * i).items():
            found[prefixed(i, name)] = np.full((5, 1), value)
    return found


def each_alone(evaluate):
    """Losses (draws, points) as each draw's own member gives them."""
    alone = [
        np.asarray(evaluate(law, coordinates_of(law, 1 - 0.01 * i)))
        for i, law in enumerate(MEMBERS)
    ]
    return np.stack([alone[int(i)] for i in MEMBER])


@pytest.mark.parametrize("own", [{}, {"shift": 0.01, "tilt": -0.02}], ids=["law", "discrepancies"])
def test_every_draw_has_the_loss_of_its_own_law(own):
    stack = stack_laws(MEMBERS)
    assert isinstance(stack, TeacherLaw)
    found = stack.distilled_loss({**stacked_coordinates(MEMBERS), **own}, *POINTS, REFERENCE)
    expected = each_alone(lambda law, c: law.distilled_loss({**c, **own}, *POINTS, REFERENCE))
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    assert len({round(float(v), 6) for v in expected[:3, 3]}) == 3  # the members do differ


def test_supervised_and_irreducible_losses_are_those_of_the_draws_law():
    stack, draws = stack_laws(MEMBERS), stacked_coordinates(MEMBERS)
    np.testing.assert_allclose(
        stack.supervised_loss(draws, *POINTS[:2], REFERENCE),
        each_alone(lambda law, c: law.supervised_loss(c, *POINTS[:2], REFERENCE)),
        rtol=1e-14,
    )
    np.testing.assert_allclose(
        stack.irreducible_loss(draws, REFERENCE)[:, 0],
        each_alone(lambda law, c: law.irreducible_loss(c, REFERENCE)),
    )


def test_published_coefficients_are_those_that_all_members_have():
    stack, draws = stack_laws(MEMBERS), stacked_coordinates(MEMBERS)
    found = stack.to_published(draws, REFERENCE)
    assert tuple(found) == stack.coefficient_names == LAWS["distillation-no-gap"].coefficient_names
    for name, value in found.items():
        expected = each_alone(lambda law, c, n=name: law.to_published(c, REFERENCE)[n])
        np.testing.assert_allclose(value[:, 0], expected, rtol=1e-12)
    with pytest.raises(TypeError, match="no published form"):
        stack.from_published(TABLE_6, REFERENCE)


def test_a_stack_describes_itself_and_is_a_value():
    stack = stack_laws(MEMBERS)
    assert stack == stack_laws(list(MEMBERS))
    assert hash(stack) == hash(stack_laws(MEMBERS))
    assert stack != stack_laws(MEMBERS[:2])
    assert len(set(stack.coordinate_names)) == len(stack.coordinate_names)
    assert len(stack.coordinates) == 1 + sum(len(law.coordinates) for law in MEMBERS)
    assert all(name in stack.title for name in NAMES)


def test_a_stack_knows_teachers_if_all_its_members_do():
    assert not stack_laws([LAWS["supervised"], LAWS["chinchilla"]]).has_teacher
    mixed = stack_laws([LAWS["supervised"], LAWS["distillation"]])
    assert isinstance(mixed, Stacked)
    assert not mixed.has_teacher


def test_gradients_are_finite_and_zero_for_what_a_draw_does_not_follow():
    stack = stack_laws(MEMBERS[:2])
    params, tokens = np.meshgrid(np.geomspace(1e5, 1e14, 5), np.geomspace(1e6, 1e18, 5))
    draws = {k: v[0, 0] for k, v in stacked_coordinates(MEMBERS[:2]).items()}

    def loss(c, n, d):
        return stack.distilled_loss(c, n, d, 1.9, REFERENCE)

    gradient = jax.jit(jax.vmap(jax.grad(loss), in_axes=(None, 0, 0)))
    for member in (0.0, 1.0):
        found = gradient({**draws, "member": member}, params.ravel(), tokens.ravel())
        for name, value in found.items():
            assert np.isfinite(value).all(), name
            followed = name.startswith(prefixed(int(member), ""))
            assert (jnp.abs(value) > 0).any() == followed or name.endswith("E"), name
