"""What the count of parameters does, between fits of the same runs."""

import numpy as np
import pytest
from tests.posteriors import posterior_of_law

from bayes_distill.cli.main import run
from bayes_distill.comparison.counts import counts_note, counts_table
from bayes_distill.comparison.fits import check_together
from bayes_distill.errors import InputError
from bayes_distill.posterior import Posterior


@pytest.fixture(scope="module")
def fits():
    one = posterior_of_law("chinchilla")
    card = one.card.model_copy(update={"name": "all", "counts": "total"})
    tree = one.tree.copy()
    runs = tree["runs"].dataset
    tree["runs"] = runs.assign(params=runs["params"] + 1e8)
    info = {**one.info, "fingerprint": "another"}
    return {"one": one, "all": Posterior(tree, card, one.reference, info)}


def test_exponents_and_a_forecast_of_each_count(fits):
    table = counts_table(fits, 0.9)
    assert table["counts"].tolist() == ["non-embedding", "total"]
    assert table["alpha_mean"][0] == pytest.approx(fits["one"].published["alpha"].mean())
    one, both = table["params"]
    # the embedding grows with the width, by the cube root
    assert both - one == pytest.approx(1e8 * 10 ** (1 / 6))
    point = np.array([both]), np.array([table["tokens"][1]])
    assert table["loss_mean"][1] == pytest.approx(fits["all"].supervised_loss(*point).mean())
    assert counts_note(table).startswith("what N counts moves alpha by 0, beta by 0")
    assert counts_table({"one": fits["one"]}, 0.9).empty


def test_fits_of_other_counts_are_compared_and_not_put_together(fits):
    check_together(fits, as_one=False)
    with pytest.raises(InputError, match="count parameters differently"):
        check_together(fits)
    moved = fits["all"].tree.copy()
    runs = moved["runs"].dataset
    moved["runs"] = runs.assign(loss=runs["loss"] + 1)
    other = Posterior(moved, fits["all"].card, fits["all"].reference, fits["all"].info)
    with pytest.raises(InputError, match="tokens or losses differ"):
        check_together({**fits, "all": other}, as_one=False)


def test_what_a_stack_is_refused_with_is_one_line(fits, tmp_path, capsys):
    paths = [fit.save(tmp_path / f"{name}.nc") for name, fit in fits.items()]
    answer = run(["compare", *map(str, paths), "--leave-out", "params"])
    assert answer == 2
    assert "count parameters differently" in capsys.readouterr().err
