"""A fit of runs that repeat their tokens, and what it is used for."""

import numpy as np
import pandas as pd
import pytest

from bayes_distill.errors import InputError
from bayes_distill.inference.fit import fit
from bayes_distill.inference.simulation import simulate_from_card
from bayes_distill.laws import MUENNIGHOFF
from bayes_distill.plots.observed_against_predicted import observed
from bayes_distill.posterior import Posterior, evaluate, load_posterior
from bayes_distill.predict.forecast import forecast
from bayes_distill.runs.writing import write_runs
from bayes_distill.validation.refit import score


def design():
    """Four sizes, three tokens per parameter; and three sets of unique tokens, up to 64 epochs."""
    new = [(n, r * n, np.nan) for n in (1e8, 3e8, 1e9, 3e9) for r in (10, 30, 100)]
    again = [
        (n, u * e, u) for n in (1e8, 4e8, 1.5e9) for u in (1e9, 4e9) for e in (2, 4, 8, 16, 32, 64)
    ]
    return pd.DataFrame([*new, *again], columns=["params", "tokens", "unique_tokens"])


@pytest.fixture(scope="module")
def swept():
    runs, _ = simulate_from_card(
        "data-limited-plain", design(), coefficients=MUENNIGHOFF, noise=0.001, seed=4
    )
    return runs


@pytest.fixture(scope="module")
def fitted(swept):
    return fit(swept, "data-limited-plain", warmup=400, draws=400, seed=0)


def test_a_sweep_with_repeats_tells_what_repeats_are_worth(fitted):
    assert fitted.verdict != "fail"
    repeated = {c["name"]: c for c in fitted.info["coefficients"]}
    for name in ("R*_D", "R*_N"):
        assert repeated[name]["identified"]
        draws = np.log(fitted.published[name])
        assert abs(draws.mean() - np.log(MUENNIGHOFF[name])) < 3 * draws.std()
        assert draws.std() < 0.25
    assert fitted.info["epochs"] == pytest.approx(64)


def test_forecasts_know_of_repeats(fitted, swept, tmp_path):
    fitted.save(tmp_path / "fit.nc")
    loaded = Posterior.load(tmp_path / "fit.nc")
    repeated = forecast(loaded, "1B", "20B,100B", unique_tokens="20B")
    plenty = forecast(loaded, "1B", "20B,100B")
    assert repeated.table["unique_tokens"].tolist() == [20e9, 20e9]
    np.testing.assert_allclose(repeated.draws["loss"][:, 0], plenty.draws["loss"][:, 0])
    assert (repeated.draws["loss"][:, 1] > plenty.draws["loss"][:, 1]).all()
    assert (repeated.draws["loss"][:, 1] < repeated.draws["loss"][:, 0]).all()
    assert [row["unique_tokens"] for row in repeated.to_json()["rows"]] == [20e9, 20e9]
    at = forecast(loaded, at=pd.DataFrame({"N": ["1B"], "D": ["100B"], "epochs": [5]}))
    np.testing.assert_allclose(at.draws["loss"][:, 0], repeated.draws["loss"][:, 1])
    often = forecast(loaded, "1B", "200B", unique_tokens="2B")
    assert any("100 times) than any run did (64)" in note for note in often.notes)
    again = observed(loaded)
    assert np.abs(again.table["residual"]).median() < 0.004
    assert again.table["unique_tokens"].min() == 1e9
    scored = score(loaded, swept.frame.iloc[-6:], levels=(0.9,))
    np.testing.assert_allclose(scored["rows"]["mean"], again.table["loss_mean"].iloc[-6:])


def test_a_law_that_knows_no_repeats_says_so_and_refuses(swept, chinchilla):
    from bayes_distill.cards import load_card
    from bayes_distill.inference.model_inputs import model_inputs, reference_point

    card = load_card("supervised-plain")
    notes = model_inputs(card, swept, reference_point(card, swept.frame))[3]
    assert any("36 of 48 runs repeat their tokens" in note for note in notes)
    with pytest.raises(InputError, match="chinchilla, which takes repeated tokens for new ones"):
        forecast(chinchilla.posterior, "1B", "100B", unique_tokens="20B")
    plain = forecast(chinchilla.posterior, "1B", "10B", unique_tokens="20B")
    expected = chinchilla.posterior.supervised_loss(np.array([1e9]), np.array([1e10]))
    np.testing.assert_array_equal(plain.draws["loss"], expected)


@pytest.mark.parametrize("value", ["-1B", "few", "0"])
def test_faulty_unique_tokens_are_named(value):
    with pytest.raises(InputError) as caught:
        forecast("muennighoff2023", "1B", "100B", unique_tokens=value)
    assert [fault.column for fault in caught.value.faults] == ["unique_tokens"]


def test_the_published_card_is_the_published_law():
    posterior = load_posterior("muennighoff2023")
    sizes = np.array([8.67e9]), np.array([178e9]), np.array([44e9])
    law, reference = posterior.law, posterior.reference
    draws = law.from_published(MUENNIGHOFF, reference)
    draws = {name: np.atleast_1d(value) for name, value in draws.items()}
    expected = evaluate.supervised_loss(law, draws, *sizes[:2], reference, sizes[2])
    np.testing.assert_allclose(posterior.supervised_loss(*sizes), expected, rtol=1e-6)


def test_simulated_repeats_survive_a_file(swept, tmp_path):
    from bayes_distill.runs import read_runs

    write_runs(swept, tmp_path / "runs.csv")
    back = read_runs(tmp_path / "runs.csv")
    np.testing.assert_allclose(back.frame["unique_tokens"], swept.frame["unique_tokens"])
    assert any(
        "36 of 48 runs saw tokens more than once (at most 64 times)" in n for n in back.notes
    )
