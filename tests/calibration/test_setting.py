"""What replicates share: one prior for simulator and fit, whatever the data are."""

from __future__ import annotations

import jax
import numpy as np
import pandas as pd
import pytest

from bayes_distill.calibration.quantities import (
    components,
    forecast_quantities,
    forecasts,
    points_of,
    sampled_names,
    sampled_quantity,
)
from bayes_distill.calibration.setting import make_setting, read_design
from bayes_distill.calibration.simulator import simulate_replicate
from bayes_distill.cards import load_card
from bayes_distill.errors import InputError
from bayes_distill.inference.density import constrainer, prior_sampler
from bayes_distill.inference.joint_prior import NAMES, joint_prior
from bayes_distill.laws import Reference


def truths(setting, count):
    """Truths of many replicates, stacked: name -> (count, ...)."""
    computed = [simulate_replicate(setting, jax.random.key(i))[0] for i in range(count)]
    return {name: np.stack([one[name] for one in computed]) for name in computed[0]}


@pytest.fixture(scope="module")
def taught():
    """The distillation card on the paper's design."""
    return make_setting(load_card("distillation"), None, read_design("paper")[0])


def test_losses_are_the_law_s_with_the_scatter_of_the_likelihood(card, nine_runs):
    setting = make_setting(card, None, nine_runs)
    residuals = []
    for i in range(300):
        truth, data = simulate_replicate(setting, jax.random.key(i))
        loss = np.asarray(data.loss)[:9] * setting.reference.loss
        exact = card.scaling_law.supervised_loss(
            truth, nine_runs["params"].to_numpy(), nine_runs["tokens"].to_numpy(), setting.reference
        )
        residuals.append((loss / np.asarray(exact) - 1) / truth["supervised_scale"])
    degrees = card.likelihood.degrees_of_freedom
    from scipy import stats

    assert stats.kstest(np.ravel(residuals), stats.t(degrees).cdf).pvalue > 0.01


def test_truths_have_the_prior_s_distribution(card, nine_runs):
    computed = truths(make_setting(card, None, nine_runs), 400)
    for name, prior in card.priors.items():
        if prior.family == "lognormal":
            z = (np.log(computed[name]) - np.log(prior.median)) / prior.sd
            assert abs(z.mean()) < 0.15
            assert z.std() == pytest.approx(1, abs=0.12)


def test_fit_and_simulator_use_one_prior(taught):
    """What the fit's own prior draws, and what truths are, cannot be told apart."""
    spec, hyper, data = taught.fitted.spec, taught.fitted.hyper, taught.data
    keys = jax.random.split(jax.random.key(9), 1500)
    fitted = constrainer(spec)(prior_sampler(spec)(keys, data, hyper), data, hyper)
    simulated = truths(taught, 200)
    for name in ("floor", "level", "student_level", "kappa", "scale"):
        one, other = np.log(np.asarray(fitted[name])), np.log(simulated[name])
        assert abs(one.mean() - other.mean()) < 4 * one.std() / np.sqrt(200)
        assert other.std() == pytest.approx(one.std(), rel=0.25)


@pytest.mark.parametrize("name", ["distillation", "busbridge2025"])
def test_the_prior_is_the_one_that_runs_in_its_unit_get(name):
    """The ratio of losses to the prior's centre is held at one, and is uncertain where it was."""
    card = load_card(name)
    setting = make_setting(card, None, read_design("paper")[0])
    prior = joint_prior(card.supervised, setting.reference, 1 + 1e-9)
    np.testing.assert_allclose(setting.fitted.hyper["supervised"]["centre"], prior.centre)
    np.testing.assert_allclose(setting.fitted.hyper["supervised"]["factor"], prior.factor)
    # by the scale of the losses, which other units change
    sd = float(np.linalg.norm(prior.factor[NAMES.index("floor")]))
    assert (sd > card.supervised.unit_sd * 0.99) == (name == "distillation")


def test_losses_of_a_design_do_not_matter(card, nine_runs):
    with_losses = nine_runs.assign(loss=np.linspace(7.0, 9.0, 9))
    for table in (nine_runs, with_losses):
        setting = make_setting(card, None, read_design(table)[0])
        assert setting.reference == Reference(3e8, 1e10, 2.5)


def test_the_card_s_own_reference_is_used(card, nine_runs):
    point = {"params": 2e8, "tokens": 3e9, "loss": 2.9}
    content = card.model_dump() | {"reference": point}
    setting = make_setting(type(card).model_validate(content), None, nine_runs)
    assert setting.reference == Reference(**point)


def test_another_simulator_has_its_own_prior_at_the_same_reference(card, nine_runs, shifted):
    setting = make_setting(card, shifted(3.0), nine_runs)
    assert setting.simulator.card is not setting.fitted.card
    level = np.log(truths(setting, 200)["level"] / card.priors["level"].median) / 0.1
    assert level.mean() == pytest.approx(3.0, abs=0.3)


def test_a_simulator_must_be_for_the_same_runs_and_reference(card, nine_runs):
    with pytest.raises(InputError, match=r"simulator: .*distillation law"):
        make_setting(card, load_card("distillation"), nine_runs)
    with pytest.raises(InputError, match=r"simulator: .*published coefficients"):
        make_setting(card, load_card("busbridge2025-table6"), nine_runs)
    elsewhere = type(card).model_validate(card.model_dump() | {"reference": {"params": 1e9}})
    with pytest.raises(InputError, match="reference point of its own"):
        make_setting(card, elsewhere, nine_runs)


def test_forecasts_are_those_of_the_law(plain):
    taught = make_setting(load_card("distillation-plain"), None, read_design("paper")[0])
    """Five quantities, held against the paper's equations at the points that they name."""
    values = truths(taught, 12)
    computed = forecasts(taught, taught.fitted, values, np.random.default_rng(0))
    assert list(computed) == [quantity.name for quantity in forecast_quantities(taught)]
    published = taught.fitted.card.scaling_law.to_published(values, taught.reference)
    c = {name: np.asarray(value) for name, value in published.items()}
    points = points_of(taught)
    np.testing.assert_allclose(computed["supervised_loss"], plain.supervised(c, *points.middle))
    for name, at, teacher in (
        ("distilled_loss", points.middle, points.teacher),
        ("distilled_loss_beyond", points.beyond, points.strong),
    ):
        np.testing.assert_allclose(computed[name], plain.distilled(c, *at, teacher), rtol=1e-6)
    low, high = (plain.distilled(c, *points.small, points.strong + e) for e in (-1e-4, 1e-4))
    np.testing.assert_allclose(computed["teacher_slope"], (high - low) / 2e-4, rtol=1e-3, atol=1e-4)
    best = computed["optimal_teacher_loss"]
    at_best = plain.distilled(c, *points.middle, best)
    for factor in (0.98, 1.02):
        allowed = factor * best >= c["E"]
        other = plain.distilled(c, *points.middle, factor * best)
        assert (at_best[allowed] <= other[allowed] + 1e-9).all()


def test_groups_of_the_default_card_are_ranked_and_its_discrepancies_forecast():
    """Discrepancies of five sizes, effects of teachers and conditions; padding is nobody's."""
    setting = make_setting(load_card("busbridge2025"), None, read_design("paper")[0])
    values = truths(setting, 20)
    assert values["shift"].shape == (20, 8)
    sites = [n for n in values if n not in setting.fitted.spec.law.coordinate_names]
    names = sampled_names(setting.fitted, sites) & set(values)
    assert {
        "shift",
        "tilt",
        "teacher_effect",
        "condition_effect",
        "shift_sd",
    } <= names
    assert not any(name.endswith("_z") for name in names)
    computed = components({name: values[name] for name in sorted(names)}, setting.data)
    assert [n for n in computed if n.startswith("shift[")] == [f"shift[{i}]" for i in range(5)]
    np.testing.assert_array_equal(computed["tilt[4]"], values["tilt"][:, 4])
    conditions = [n for n in computed if n.startswith("condition_effect[")]
    assert (len(conditions), conditions[0], conditions[-1]) == (
        12,
        "condition_effect[0]",
        "condition_effect[13]",
    )
    described = {name: sampled_quantity(setting.fitted, name) for name in computed}
    assert described["shift[2]"].meaning == "shift of size 2"
    assert described["teacher_effect[0]"].kind == "level"
    assert described["tilt_sd"].kind == described["scale"].kind == "noise"
    # a new size, or a new condition, departs by what is drawn for it; a seen one by its own
    at = [
        forecasts(setting, setting.fitted, values, np.random.default_rng(seed)) for seed in (0, 1)
    ]
    assert all(np.isfinite(value).all() for value in at[0].values())
    # the jitter of the discrepancies moves a seen size by some 1e-7
    changed = {n for n in at[0] if not np.allclose(at[0][n], at[1][n], rtol=1e-5, atol=1e-4)}
    with_teacher = {"distilled_loss", "distilled_loss_beyond"}
    assert changed == with_teacher | {"optimal_teacher_loss", "teacher_slope"}


def test_supervised_forecasts_are_those_of_the_law(card, nine_runs, plain):
    setting = make_setting(card, None, nine_runs)
    values = truths(setting, 5)
    computed = forecasts(setting, setting.fitted, values, np.random.default_rng(0))
    assert list(computed) == [quantity.name for quantity in forecast_quantities(setting)]
    c = {
        n: np.asarray(v)
        for n, v in card.scaling_law.to_published(values, setting.reference).items()
    }
    c["gamma"] = np.ones(5)
    expected = {
        "loss_middle": plain.supervised(c, 3e8, 1e10),
        "loss_beyond": plain.supervised(c, 1e10, 5e11),
        "loss_most_tokens": plain.supervised(c, 1e8, 5e10),
        "loss_fewest_tokens": plain.supervised(c, 1e9, 2e9),
        "gain_from_tokens": plain.supervised(c, 3e8, 1e10) - plain.supervised(c, 3e8, 2e10),
    }
    for name, value in expected.items():
        np.testing.assert_allclose(computed[name], value, rtol=1e-9)


def test_a_design_with_teachers_by_size_alone_is_fine():
    design = read_design("paper")[0].iloc[::30].drop(columns="teacher_loss").reset_index(drop=True)
    design = design.assign(teacher_params=3e9, teacher_tokens=6e10)
    setting = make_setting(
        load_card("joint"),
        None,
        pd.concat([design, design[["params", "tokens"]]], ignore_index=True),
    )
    assert setting.fitted.spec.predicts_teachers
    assert setting.fitted.spec.kind == "mixed"
    truth, data = simulate_replicate(setting, jax.random.key(0))
    assert {"scale", "supervised_scale"} <= set(truth)
    assert np.isfinite(np.asarray(data.loss)).all()
    assert (points_of(setting).teacher, points_of(setting).strong) == (2.25, 2.0)
