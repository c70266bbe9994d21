from __future__ import annotations

import base64

import numpy as np
import pytest

from bayes_distill.reporting.tables import Axis, Field, Table

X, Y = Axis("x", 1.0, 1e4, 9), Axis("y", 2.0, 32.0, 7)


def grid():
    return np.meshgrid(np.log(X.nodes), np.log(Y.nodes), indexing="ij")


def somewhere(count=200):
    generator = np.random.default_rng(0)
    return {
        axis.name: axis.low * (axis.high / axis.low) ** generator.random(count) for axis in (X, Y)
    }


def test_nodes_are_even_on_the_logarithm_and_exact_at_the_ends():
    assert X.nodes[0] == 1.0
    assert X.nodes[-1] == 1e4
    assert np.diff(np.log(X.nodes)) == pytest.approx(np.full(8, np.log(1e4) / 8))


def test_what_lies_outside_an_axis_is_taken_to_its_end():
    assert X.place(np.array([0.1, 1.0, 100.0, 1e9])) == pytest.approx([0, 0, 4, 8])


def test_a_quadratic_of_the_logarithms_is_reproduced_between_nodes_up_to_both_ends():
    def truth(x, y):
        return 1 + 0.3 * x - 0.05 * x**2 + 0.7 * y - 0.2 * y**2 + 0.01 * x * y

    values = truth(*grid())
    at = somewhere()
    table = Table((X, Y), {"v": Field(values)})
    right = truth(np.log(at["x"]), np.log(at["y"]))
    # what is left is rounding to steps
    assert table.at(at, ["v"])["v"] == pytest.approx(right, abs=2 * np.ptp(values) / 65534)


def test_powers_are_straight_lines_on_the_logarithm():
    x, y = grid()
    at = somewhere()
    table = Table((X, Y), {"v": Field(np.exp(2 * x - y), log=True)})
    assert table.at(at, ["v"])["v"] == pytest.approx(at["x"] ** 2 / at["y"], rel=1e-3)


def test_nothing_passes_the_bounds_of_a_field():
    x, _ = grid()
    table = Table((X, Y), {"p": Field((x > 4).astype(float), low=0.0, high=1.0)})
    found = table.at(somewhere(), ["p"])["p"]
    free = Table((X, Y), {"p": Field((x > 4).astype(float))}).at(somewhere(), ["p"])["p"]
    assert free.max() > 1.01  # a spline overshoots beside a step
    assert found.min() == 0
    assert found.max() == 1


def test_a_missing_node_is_missing_around_it_and_nowhere_else():
    values = np.ones((9, 7))
    values[0, :] = np.nan
    table = Table((X, Y), {"v": Field(values)})
    found = table.at({"x": X.nodes, "y": np.full(9, 4.0)}, ["v"])["v"]
    assert np.isnan(found).tolist() == [True] + [False] * 8


@pytest.mark.parametrize("values", [np.full((9, 7), np.nan), np.full((9, 7), 3.0)])
def test_a_field_without_any_spread_is_stored_too(values):
    found = Table((X, Y), {"v": Field(values)}).at(somewhere(5), ["v"])["v"]
    assert found == pytest.approx(np.full(5, values[0, 0]), nan_ok=True)


def test_the_page_gets_two_bytes_a_value_in_the_order_of_the_axes():
    x, y = grid()
    values = x + 100 * y
    packed = Table((X, Y), {"v": Field(values)}).packed()
    steps = np.frombuffer(base64.b64decode(packed["steps"]), "<u2").reshape(9, 7)
    field = packed["fields"][0]
    back = field["from"] + (field["to"] - field["from"]) * steps / 65534
    assert back == pytest.approx(values, abs=np.ptp(values) / 65534)
