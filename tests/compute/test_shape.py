"""Shapes to train."""

import numpy as np
import pytest

from bayes_distill.compute import Architecture, shape_of
from bayes_distill.compute.shape import ASPECT, HEAD
from bayes_distill.errors import InputError


@pytest.mark.parametrize("params", np.geomspace(5e7, 1e13, 25))
@pytest.mark.parametrize("family", [Architecture(), Architecture(aspect_ratio=64)])
def test_a_shape_has_the_size_that_was_asked_for(params, family):
    shape = shape_of(params, family)
    # a layer or a head more is at most a tenth of a small model
    assert shape.params == pytest.approx(params, rel=0.05 if params < 1e9 else 0.02)
    assert shape.params == family.exact_params(shape.layers, shape.width)
    assert shape.width == shape.heads * HEAD
    slack = 1.5  # whole layers and heads
    ratio = shape.width / shape.layers / family.aspect_ratio
    assert 1 / (ASPECT * slack) < ratio < ASPECT * slack


def test_a_known_model_keeps_its_shape():
    # table 13 of Busbridge et al. 2025: 1.82B is 21 layers of width 2688
    assert (shape_of(1.82e9).layers, shape_of(1.82e9).width) == (21, 2688)


@pytest.mark.parametrize("params", [1e3, 1e5, 1e6])
def test_small_sizes_have_a_shape(params):
    shape = shape_of(params)
    assert min(shape.layers, shape.heads) >= 1


def test_no_size_has_no_shape():
    with pytest.raises(InputError, match="positive"):
        shape_of(0.0)
