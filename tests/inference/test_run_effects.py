"""Checkpoints of one run share its luck: in the model, in forecasts, in what was left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bayes_distill.cards import card_from_dict, load_card
from bayes_distill.inference.model import RUN, mean_loss, model_spec
from bayes_distill.inference.model_inputs import model_inputs, reference_point
from bayes_distill.inference.prior_posterior import prior_posterior, prior_reference
from bayes_distill.posterior.stored_runs import RUN_NAME, as_table
from bayes_distill.predict.points import of_frame
from bayes_distill.runs import read_runs
from bayes_distill.runs.checkpoints import run_groups
from bayes_distill.validation.joint_density import joint_log_density
from made_sweeps import grid

CARD = load_card("supervised-plain")


def checkpoints():
    """Sixteen rows: four of each of two runs, the others a run each."""
    frame = grid()
    names = [f"lm-{n:.0f}" if n < 4e8 else f"r{i}" for i, n in enumerate(frame["params"])]
    return read_runs(frame.assign(run=names, schedule="wsd"))


@pytest.fixture(scope="module")
def unseen():
    """Draws of a prior, with luck of a size that is known and noise that is small."""
    posterior = prior_posterior(CARD, prior_reference(CARD), 60, 0)
    tree = posterior.tree.copy()
    group = tree["posterior"].to_dataset()
    luck = group["supervised_scale"] * 0 + 0.01
    tree["posterior"] = group.assign(run_sd=luck, supervised_scale=luck / 10)
    return replace(posterior, tree=tree)


def test_rows_of_a_run_move_together_and_others_do_not():
    runs = checkpoints()
    spec, data, hyper, _ = model_inputs(CARD, runs, reference_point(CARD, runs.frame))
    assert spec.effects == (RUN,)
    assert hyper["groups"][RUN].sum() == 2
    law = spec.law
    values = {c.name: np.float64(0.3) for c in law.coordinates}
    luck = np.zeros(len(hyper["groups"][RUN]))
    before = mean_loss(spec, {**values, "run_effect": luck}, data)
    luck[1] = 0.25
    moved = np.asarray(mean_loss(spec, {**values, "run_effect": luck}, data) - before)
    of_second = run_groups(runs.frame) == 1
    np.testing.assert_allclose(moved[: len(runs)], np.where(of_second, 0.25, 0.0), atol=1e-12)


def test_the_effect_is_there_for_checkpoints_alone_and_can_be_left_out():
    assert model_spec(CARD, "supervised", False).effects == ()
    content = CARD.model_dump(mode="json")
    content["likelihood"]["run_effect"] = False
    without = card_from_dict(content, "without")
    runs = checkpoints()
    spec = model_inputs(without, runs, reference_point(CARD, runs.frame))[0]
    assert spec.effects == ()


def test_names_count_for_the_fingerprint_where_they_repeat():
    runs = checkpoints()
    frame = runs.frame.drop(columns="run")
    alone = replace(runs, frame=frame)
    other = replace(runs, frame=frame.assign(run=[f"r{i}" for i in range(16)]))
    assert alone.fingerprint == other.fingerprint != runs.fingerprint


def test_new_runs_have_luck_of_their_own(unseen):
    mean, none = np.full((unseen.n_draws, 4), 3.0), np.zeros(4, bool)
    unit = unseen.reference.loss
    shared = unseen.shared_effects(none, 1, run=np.array([0, 0, 1, 2])) / unit
    np.testing.assert_array_equal(shared[:, 0], shared[:, 1])
    assert abs(np.corrcoef(shared[:, 1], shared[:, 2])[0, 1]) < 0.5
    # of 60 normal numbers the standard deviation is within 30% but once in a thousand
    assert shared[:, 2].std() == pytest.approx(0.01, rel=0.3)
    new = unseen.new_run(mean, none, np.random.default_rng(0))
    assert (new[:, 0] - 3).std() > 0.006 * unit


def test_left_out_checkpoints_of_one_run_are_one_surprise(unseen):
    frame = pd.DataFrame({"params": 1e9, "tokens": [1e10, 2e10, 4e10], "loss": 3.0})
    points = of_frame(frame)
    middle = points.supervised_draws(unseen)
    loss = middle[0] + 0.02 * unseen.reference.loss
    teacher = points.teacher_draws(unseen)
    together = joint_log_density(unseen, points, loss, teacher, run=np.zeros(3, int))
    apart = joint_log_density(unseen, points, loss, teacher)
    assert together[0] > apart[0] + 2


def test_stored_names_come_back():
    stored = checkpoints().frame.drop(columns="run").rename_axis("run").to_xarray()
    names = np.array(["a", "a", *[""] * 14], object)
    stored[RUN_NAME] = ("run", names)
    frame = as_table(stored, ("params", "run"))
    assert frame["run"].tolist() == ["a", "a", *[None] * 14]
