"""``fit --losses``: one file a loss, one JSON."""

import json

import numpy as np
import pandas as pd
import pytest

from bayes_distill import load_posterior
from bayes_distill.inference import fit_losses as module
from bayes_distill.posterior import Posterior


@pytest.fixture
def table(workplace):
    frame = pd.DataFrame({"params": np.geomspace(1e8, 1e9, 8), "tokens": 1e10})
    loss = 2 + 100 / frame["params"] ** 0.25
    frame.assign(loss_a=loss, loss_b=loss[:6]).to_csv(workplace / "runs.csv", index=False)
    return "runs.csv"


@pytest.fixture
def stub(monkeypatch, chinchilla):
    """In place of sampling: the posterior of other runs, with residuals of these."""

    def fit(table, card, **settings):
        assert settings["chains"] == 2
        tree = chinchilla.posterior.tree.copy()
        runs = table.frame[["params", "tokens"]].assign(residual=np.arange(len(table)) ** 2.0)
        tree["runs"] = runs.rename_axis("run").to_xarray()
        made = chinchilla.posterior
        return Posterior(tree, made.card, made.reference, made.info)

    monkeypatch.setattr(module, "fit", fit)
    # a posterior is held against its runs as it is written
    monkeypatch.setattr(Posterior, "save", lambda self, path, **_: _saved(chinchilla, path))


def _saved(chinchilla, path):
    path.write_bytes(chinchilla.file.read_bytes())
    return path


def test_one_file_and_one_entry_a_loss(command, table, stub, workplace):
    answer = command("fit", table, "--losses", "all", "--chains", "2", "--out", "fit.nc", "--json")
    content = json.loads(answer.out)
    assert [each["loss"] for each in content["losses"]] == ["loss_a", "loss_b"]
    files = [each["fit"] for each in content["losses"]]
    assert files == ["fit-loss_a.nc", "fit-loss_b.nc"]
    for file in files:
        load_posterior(workplace / file)
    assert content["residual_correlations"] == [
        {"a": "loss_a", "b": "loss_b", "runs": 6, "correlation": pytest.approx(1.0)}
    ]


def test_people_read_a_sentence_and_two_tables(command, table, stub):
    out = command("fit", table, "--losses", "all", "--chains", "2", "--out", "fit.nc").out
    assert out.startswith("2 losses were fitted one by one")
    assert "What the laws leave of two losses" in out


def test_what_does_not_go_with_it_is_one_line(command, table):
    answer = command("fit", table, "--losses", "loss_x", "--cut")
    assert answer.status == 2
    assert "--cut: does not go with --losses" in answer.err
    assert "there is no column loss_x" in answer.err
