"""What is known of students with unlimited data: then a teacher adds next to nothing.

A teacher's outputs tell a student about the data sooner; with unlimited data of its own the student
reaches what its size can hold either way (Busbridge et al. 2025 find the two to meet as tokens
grow). Runs end long before, and an extrapolated eq. 8 says anything there. So a card may state by
how much the two may differ.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

from bayes_distill.laws.base import Coordinates, Reference, TeacherLaw

SIZES = (0.2, 1.0, 5.0, 25.0)
"""Student parameters over the reference's."""
TOKENS = 1e12
"""Distillation tokens over the reference's: all terms of the data have vanished."""
BETTER = (-0.1, 0.45, 23)
"""Log of the student's supervised loss over the teacher's: from, to, and how many."""
SHARP = 5e-4  # of a smooth minimum over teachers, in units of the reference loss
UNIT = Reference(1.0, 1.0, 1.0)


def gain_with_unlimited_data(law: TeacherLaw, coordinates: Coordinates) -> Array:
    """By how much the best teacher lowers the loss (sizes,), in units of the reference loss."""
    sizes = jnp.asarray(SIZES)
    alone = law.supervised_loss(coordinates, sizes, TOKENS, UNIT)
    teachers = alone[:, None] * jnp.exp(-jnp.linspace(*BETTER))
    taught = law.distilled_loss(coordinates, sizes[:, None], TOKENS, teachers, UNIT)
    best = -SHARP * jax.nn.logsumexp(-taught / SHARP, axis=1)
    return alone - best
