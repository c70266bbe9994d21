"""Two stages and the cut: what goes from one fit to the next, and what does not come back."""

from types import SimpleNamespace

import jax
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayes_distill.cards import load_card
from bayes_distill.errors import InputError
from bayes_distill.inference.fit import fit
from bayes_distill.inference.fitted_model import FittedModel
from bayes_distill.inference.joint_prior import LAW, constrain, joint_prior
from bayes_distill.inference.two_stage import (
    check_against,
    first_stage_card,
    load_supervised,
    supervised_noise,
    supervised_numbers,
    two_stage_card,
)
from bayes_distill.laws import TABLE_6, Chinchilla, Distillation, Reference
from bayes_distill.posterior import Posterior, load_posterior
from bayes_distill.runs import Runs, read_runs, simulate

THERE, HERE = Reference(1e9, 3e10, 2.3), Reference(4e8, 1e10, 2.6)
SIZES, TOKENS = np.array([2e8, 1e9, 5e9]), np.array([1e10, 2e10, 3e11])


def made_up(card="hoffmann2022-gamma", draws=400, spread=0.03, **info) -> Posterior:
    """Draws of a supervised law around table 6, without a fit."""
    law = load_card(card).scaling_law
    generator = np.random.default_rng(3)
    middle = law.from_published({n: TABLE_6[n] for n in law.coefficient_names}, THERE)
    values = {
        name: float(value) * np.exp(spread * generator.standard_normal((4, draws // 4)))
        for name, value in middle.items()
    }
    values["supervised_scale"] = np.full((4, draws // 4), 0.002)
    group = xr.Dataset({name: (("chain", "draw"), value) for name, value in values.items()})
    tree = xr.DataTree.from_dict({"posterior": group})
    return Posterior(tree, load_card(card), THERE, info)


@pytest.mark.parametrize("card", ["hoffmann2022", "hoffmann2022-gamma"])
def test_draws_taken_to_another_reference_predict_the_same_losses(card):
    posterior = made_up(card)
    numbers = supervised_numbers(posterior, HERE)
    assert numbers.shape == (400, 6)
    c = jax.vmap(constrain)(numbers)
    columns = {name: np.asarray(value)[:, None] for name, value in c.items()}
    losses = np.asarray(LAW.supervised_loss(columns, SIZES, TOKENS, HERE))
    np.testing.assert_allclose(losses, posterior.supervised_loss(SIZES, TOKENS), rtol=1e-9)


@pytest.mark.parametrize("name", ["distillation", "joint", "busbridge2025"])
def test_the_prior_of_the_second_stage_says_of_losses_what_the_first_one_found(name):
    posterior = made_up(spread=0.01)
    card, notes = two_stage_card(load_card(name), posterior, HERE, "first.nc")
    built = joint_prior(card.supervised, HERE, 1.0)
    z = np.random.default_rng(0).standard_normal((4000, 6))
    c = jax.vmap(constrain)(built.centre + z @ built.factor.T)
    columns = {name: np.asarray(value)[:, None] for name, value in c.items()}
    prior = np.asarray(LAW.supervised_loss(columns, SIZES, TOKENS, HERE))
    values = posterior.supervised_loss(SIZES, TOKENS)
    np.testing.assert_allclose(prior.mean(0), values.mean(0), rtol=0.002)
    np.testing.assert_allclose(prior.std(0), values.std(0), rtol=0.12)
    assert (card.reference.params, card.reference.loss) == (HERE.params, HERE.loss)
    assert not set(card.priors) & set(LAW.coordinate_names)
    text = " ".join(notes)
    assert "first.nc" in text
    assert ("card's priors on floor, level" if name == "joint" else "[supervised]") in text


def test_a_law_with_gamma_fixed_keeps_it_fixed():
    posterior = made_up("hoffmann2022")
    assert isinstance(posterior.law, Chinchilla)
    card, notes = two_stage_card(load_card("distillation"), posterior, HERE, "first.nc")
    covariance = np.array(card.supervised.fitted.covariance)
    assert card.supervised.fitted.centre[-1] == pytest.approx(0, abs=1e-12)
    assert np.sqrt(covariance[-1, -1]) == pytest.approx(0.001)
    assert np.linalg.eigvalsh(covariance).min() > 0
    assert any("gamma = 1" in note for note in notes)


def test_noise_of_supervised_runs_goes_along_where_it_means_the_same():
    posterior = made_up()
    joint = load_card("joint")
    found = supervised_noise(posterior, joint, HERE)
    assert list(found) == ["supervised_scale"]
    np.testing.assert_allclose(found["supervised_scale"] * HERE.loss, 0.002 * THERE.loss)
    for change in ({"family": "normal"}, {"degrees_of_freedom": 5.0}):
        other = joint.likelihood.model_copy(update=change)
        changed = joint.model_copy(update={"likelihood": other})
        assert supervised_noise(posterior, changed, HERE) == {}


def test_supervised_runs_alone_are_fitted_with_the_priors_of_the_whole():
    joint = load_card("joint")
    card = first_stage_card(joint, HERE)
    assert card.law == "supervised"
    assert card.priors == {name: joint.priors[name] for name in LAW.coordinate_names}
    assert card.likelihood.supervised_prior == joint.likelihood.supervised_prior
    assert card.likelihood.same_family(joint.likelihood)
    assert card.likelihood.teacher_effect is None


def few(kind: str, count: int = 30) -> Runs:
    params = np.geomspace(1e8, 2e9, count)
    loss = made_up(spread=0.0).supervised_loss(params, 20 * params)[0]
    frame = pd.DataFrame({"params": params, "tokens": 20 * params, "loss": loss})
    if kind != "supervised":
        frame["teacher_loss"] = 1.9
    if kind == "mixed":
        frame.loc[::2, "teacher_loss"] = np.nan
    return read_runs(frame)


def test_stages_that_cannot_be_are_refused_in_full():
    with pytest.raises(InputError) as error:
        fit(few("supervised"), supervised=made_up(), cut=True)
    assert {f.column for f in error.value.faults} == {"supervised", "cut"}
    with pytest.raises(InputError, match=r"cut: .*`supervised=FIT`"):
        fit(few("distillation"), cut=True)
    with pytest.raises(InputError, match="supervised runs of its own"):
        fit(few("mixed"), supervised=made_up(), cut=True)
    with pytest.raises(InputError, match="`imputations` is for `cut=True`"):
        fit(few("mixed"), imputations=20)


def test_supervised_fits_that_cannot_be_used_are_refused(scattered):
    with pytest.raises(InputError, match="fit of the distillation law"):
        load_supervised(scattered)
    with pytest.raises(InputError, match="has 40 draws"):
        load_supervised(made_up(draws=40))
    with pytest.raises(InputError, match="failed its checks"):
        load_supervised(made_up(verdict="fail"))


def test_another_unit_of_loss_and_runs_that_count_twice_are_refused():
    table, posterior = few("mixed"), made_up()
    assert check_against(table, posterior) == []
    bits = read_runs(table.frame.assign(loss=0.3 * table.frame["loss"]))
    with pytest.raises(InputError, match=r"0\.3 times .* in one unit"):
        check_against(bits, posterior)
    odd = read_runs(table.frame.assign(loss=1.1 * table.frame["loss"]))
    assert "one validation set?" in check_against(odd, posterior)[0]
    columns = {n: ("run", table.frame[n].to_numpy()) for n in ("params", "tokens", "loss")}
    tree = posterior.tree.copy()
    tree["runs"] = xr.Dataset({n: (d, v[:9]) for n, (d, v) in columns.items()})
    seen = Posterior(tree, posterior.card, posterior.reference, {})
    with pytest.raises(InputError, match=r"5 supervised runs .* count twice"):  # rows 0, 2, ... 8
        check_against(table, seen)


def mixed_design() -> pd.DataFrame:
    # no small models: these only distilled students tell of
    params, ratio = np.meshgrid([1e9, 2e9, 4e9, 8e9], [10, 30, 100, 300, 800])
    alone = pd.DataFrame({"params": params.ravel(), "tokens": (params * ratio).ravel()})
    cells = [(n, n * r) for n in (143e6, 546e6, 1.82e9) for r in (20.0, 100.0)]
    taught = pd.DataFrame(
        [(n, d, t) for n, d in cells for t in np.linspace(1.95, 2.7, 7)],
        columns=["params", "tokens", "teacher_loss"],
    )
    return pd.concat([alone, taught], ignore_index=True)


@pytest.fixture(scope="module")
def stages() -> SimpleNamespace:
    """One table in two stages and with the cut, in short chains."""
    runs = simulate(Distillation(), TABLE_6, mixed_design(), noise=0.004, seed=5)
    settings = {"warmup": 200, "draws": 100}
    alone, taught = (read_runs(runs.frame[m]) for m in (~runs.distilled, runs.distilled))
    first = fit(alone, first_stage_card(load_card("joint-plain"), THERE), **settings)
    first = Posterior(first.tree, first.card, first.reference, {**first.info, "verdict": "review"})
    two = fit(taught, "distillation-plain", supervised=first, **settings)
    cut = fit(taught, "distillation-plain", supervised=first, cut=True, imputations=40, **settings)
    return SimpleNamespace(first=first, two=two, cut=cut)


def width(posterior: Posterior, name: str) -> float:
    return float(np.diff(np.quantile(np.log(posterior.draws[name]), [0.1, 0.9]))[0])


@pytest.mark.slow
def test_the_cut_leaves_the_supervised_posterior_as_it_was(stages):
    group = stages.cut.tree["posterior"].dataset
    assert dict(group.sizes)["chain"] == 40
    floor = group["floor"].to_numpy()
    np.testing.assert_allclose(floor, floor[:, :1] * np.ones_like(floor), rtol=1e-12)
    # every one of them is a draw of the first fit, taken to this reference point
    ours = supervised_numbers(stages.cut, stages.cut.reference)
    theirs = supervised_numbers(stages.first, stages.cut.reference)
    drawn = np.linspace(0, len(theirs) - 1, 40).astype(int)
    np.testing.assert_allclose(ours.reshape(40, -1, 6)[:, 0], theirs[drawn], rtol=1e-6, atol=1e-8)
    # and together they are spread as those are
    error = theirs.std(0) / np.sqrt(40)
    assert (np.abs(ours.mean(0) - theirs.mean(0)) < 4 * error).all()
    np.testing.assert_allclose(ours.std(0) / theirs.std(0), 1, atol=0.5)


@pytest.mark.slow
def test_distillation_runs_narrow_the_supervised_law_unless_they_are_cut(stages):
    there = np.array([143e6]), np.array([1.43e10])  # where supervised runs are far
    sd = {name: posterior.supervised_loss(*there).std() for name, posterior in vars(stages).items()}
    assert sd["two"] < 0.8 * sd["first"]
    assert sd["cut"] == pytest.approx(sd["first"], rel=0.35)  # of 40 draws


@pytest.mark.slow
def test_the_rest_is_at_least_as_wide_with_the_cut(stages):
    names = ["student_level", "kappa", "width", "c0", "scale"]
    ratios = [width(stages.cut, name) / width(stages.two, name) for name in names]
    assert np.exp(np.mean(np.log(ratios))) > 0.95
    assert max(ratios) > 1.05


@pytest.mark.slow
def test_a_cut_fit_is_judged_within_its_chains(stages):
    info = stages.cut.info
    checks = {c["name"]: c for c in info["diagnostics"]["checks"]}
    assert {"first_stage", "drift_max", "rhat_within", "ess_bulk_within", "imputations"} <= set(
        checks
    )
    assert "rhat_max" not in checks  # chains are meant to differ
    assert info["verdict"] in ("pass", "review")
    assert info["stages"]["cut"] is True
    assert info["stages"]["supervised"]["fingerprint"] == stages.first.info["fingerprint"]
    known = {c["name"]: c["identified"] for c in info["coefficients"]}
    assert known["floor"]  # by the supervised runs, though not by these


@pytest.mark.slow
def test_two_stages_are_stored_with_their_prior_and_can_be_taken_up_again(stages, tmp_path):
    loaded = load_posterior(stages.two.save(tmp_path / "two.nc"), allow_failed=True)
    fitted = FittedModel.of(loaded)
    density = loaded.tree["log_prior"].dataset["supervised_z"].to_numpy()
    assert np.isfinite(density).all()
    one = fitted.by_run({n: v[:50] for n, v in loaded.draws.items()})
    stored = loaded.tree["log_likelihood"].dataset["loss"].to_numpy()
    np.testing.assert_allclose(
        one.log_likelihood, stored.reshape(-1, stored.shape[-1])[:50], rtol=1e-4, atol=1e-3
    )
    again = joint_prior(loaded.card.supervised, loaded.reference, 1.0)
    theirs = supervised_numbers(stages.first, loaded.reference)
    np.testing.assert_allclose(again.centre, theirs.mean(0), rtol=1e-12)
    np.testing.assert_allclose(again.factor @ again.factor.T, np.cov(theirs.T), rtol=1e-9)
    # runs without a teacher scatter as the supervised fit says, not as the distilled ones do
    noise_scale = loaded.draws["supervised_scale"] * loaded.reference.loss
    first = stages.first.draws["supervised_scale"]
    assert noise_scale.mean() == pytest.approx(first.mean() * stages.first.reference.loss, rel=0.1)
