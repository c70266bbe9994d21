"""What N counts: params from other counts or from a shape, in tables and in questions."""

import numpy as np
import pandas as pd
import pytest
from tests.card_texts import PRIORS_OF_CHINCHILLA

from bayes_distill.cards import card_from_toml
from bayes_distill.errors import InputError
from bayes_distill.predict.points import from_table, grid
from bayes_distill.runs import check, read_runs

WIDTH, DEPTH, VOCABULARY = np.array([512, 1024, 2048]), np.array([8, 16, 24]), 50_000
PARAMS = 12.0 * DEPTH * WIDTH**2
EMBEDDING = VOCABULARY * WIDTH.astype(float)
RUNS = pd.DataFrame({"tokens": [1e10, 2e10, 4e10], "loss": [3.2, 2.9, 2.6]})
SHAPE = {"d_model": WIDTH, "n_layers": DEPTH, "vocab_size": VOCABULARY}


def law(counts):
    text = f'name = "mine"\nlaw = "chinchilla"\ncounts = "{counts}"\n{PRIORS_OF_CHINCHILLA}'
    return card_from_toml(text, "the card").scaling_law


@pytest.mark.parametrize(
    ("columns", "counts", "expected"),
    [
        ({"params": PARAMS, "params_total": 1.0}, "non-embedding", PARAMS),
        (
            {"total_params": PARAMS + EMBEDDING, "params_embedding": EMBEDDING},
            "non-embedding",
            PARAMS,
        ),
        (SHAPE, "non-embedding", PARAMS),
        ({"N": PARAMS, "params_total": PARAMS + 7}, "total", PARAMS + 7),
        ({"params": PARAMS, "params_embedding": EMBEDDING}, "total", PARAMS + EMBEDDING),
        ({"params": PARAMS, **SHAPE}, "total", PARAMS + EMBEDDING),
        (SHAPE, "total", PARAMS + EMBEDDING),
        ({"params": PARAMS, "active_params": PARAMS / 2}, "active", PARAMS / 2),
    ],
)
def test_params_are_those_that_the_law_counts(columns, counts, expected):
    runs = read_runs(RUNS.assign(**columns), law=law(counts))
    np.testing.assert_allclose(runs.frame["params"], expected)


def test_check_says_what_was_computed_of_what():
    notes = check(RUNS.assign(**SHAPE), law=law("total")).notes
    assert notes[0] == (
        "The law counts total parameters, which are 12 depth width^2 + vocabulary width."
    )
    assert not any("not used" in note for note in notes)


def test_a_count_without_a_way_to_it_is_one_fault():
    with pytest.raises(InputError) as error:
        read_runs(RUNS.assign(params=PARAMS), law=law("active"))
    assert str(error.value) == ("params: active parameters are counted: give params_active")
    with pytest.raises(InputError, match="row 1, params_active: 'x' is not a number"):
        read_runs(RUNS.assign(params_active=["1B", "x", "2B"]), law=law("active"))


def test_points_take_any_count_that_can_be_converted():
    inputs = {"width": "1024,2048", "depth": 24, "vocabulary": "50K"}
    total = 12 * 24 * np.array([1024, 2048.0]) ** 2 + 50_000 * np.array([1024, 2048.0])
    np.testing.assert_allclose(grid(None, "20B", inputs=inputs, law=law("total")).params, total)
    both = {"params_total": 1.2e9, "params_embedding": 2e8}
    assert grid(None, "20B", inputs=both, law=law("non-embedding")).params == pytest.approx([1e9])
    assert grid("1B", "20B", inputs={"params_embedding": 1e8}, law=law("total")).params == (
        pytest.approx([1.1e9])
    )
    assert grid("1B", "20B", law=law("total")).params == pytest.approx([1e9])
    table = pd.DataFrame({"tokens": [2e10], "params_total": [3e9]})
    assert from_table(table, law("total")).params == pytest.approx([3e9])


@pytest.mark.parametrize(
    ("params", "inputs", "said"),
    [
        (None, {"params_total": 1e9}, "non-embedding parameters are counted: give params; or"),
        ("1B", {"params_embedding": 1e8}, "params_embedding: is not used"),
        (None, {"width": "x", "depth": 24}, "width: "),
        (None, {"params_total": 1e9, "params_embedding": 2e9}, "is not a positive number"),
    ],
)
def test_counts_that_do_not_go_together_are_named(params, inputs, said):
    with pytest.raises(InputError, match=said):
        grid(params, "20B", inputs=inputs, law=law("non-embedding"))
