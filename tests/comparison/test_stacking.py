"""Several posteriors as one: the mixture of theirs, in every use."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayes_distill import forecast, load_posterior, plan, risk, stack
from bayes_distill.cards import Card, card_from_dict, card_from_toml, load_card
from bayes_distill.errors import InputError
from bayes_distill.inference.fit import check_card
from bayes_distill.laws import TABLE_6, Reference
from bayes_distill.posterior import Posterior
from bayes_distill.runs import read_runs

REFERENCE = Reference(5.46e8, 1.94e10, 2.4)
SIZES = np.array([1.5e8, 6e8, 2e9])
POINTS = (np.array([3e8, 1e9]), np.array([1e10, 4e10]), np.array([2.2, 2.5]))


def made(name, *, seed, draws=80, departs=(), scale=0.002, card=None, **effects):
    """A made-up posterior about table 6; `departs` names discrepancies that it has."""
    card = card or load_card(name)
    generator = np.random.default_rng(seed)
    middle = card.scaling_law.from_published({**TABLE_6, "G": 0.02, "X_G": 0.08}, REFERENCE)
    shape = (2, draws // 2)
    values = {
        k: (("chain", "draw"), float(v) * np.exp(0.01 * generator.standard_normal(shape)))
        for k, v in middle.items()
    }
    for k, v in {"scale": scale, **effects}.items():
        values[k] = (("chain", "draw"), np.full(shape, v))
    for k in departs:
        seen = 0.004 * generator.standard_normal((*shape, len(SIZES)))
        values[k] = (("chain", "draw", "size"), seen)
        values[f"{k}_sd"] = (("chain", "draw"), np.full(shape, 0.004))
        values[f"{k}_new"] = (("chain", "draw"), generator.standard_normal(shape))
    group = xr.Dataset(values, coords={"size": SIZES} if departs else {})
    return Posterior(xr.DataTree.from_dict({"posterior": group}), card, REFERENCE, {})


@pytest.fixture(scope="module")
def members():
    plain = load_card("busbridge2025-plain")
    relative = plain.model_copy(
        update={
            "name": "other-noise",
            "likelihood": plain.likelihood.model_copy(
                update={"family": "normal", "scale": "relative"}
            ),
        }
    )
    return (
        made("busbridge2025", seed=0, departs=("shift", "tilt"), teacher_sd=0.03),
        made("other-noise", seed=1, card=relative, scale=0.05),
        made("distillation-no-gap", seed=2),
    )


@pytest.fixture(scope="module")
def stacked(members):
    return stack(members, [0.5, 0.25, 0.25])


def pieces(stacked):
    return [rows for _, rows in stacked.parts]


def test_each_member_has_its_share_and_no_draw_is_used_twice(stacked, members):
    assert stacked.n_draws == 160
    assert [rows.stop - rows.start for rows in pieces(stacked)] == [80, 40, 40]
    for place, (member, rows) in enumerate(zip(members, pieces(stacked), strict=True)):
        floors = stacked.draws[f"{place}:floor"][rows]
        assert len(set(floors)) == len(floors)
        assert set(floors) <= set(member.draws["floor"])
    assert [m["weight"] for m in stacked.info["stack"]] == [0.5, 0.25, 0.25]


def test_losses_are_those_of_the_members_draws_one_after_the_other(stacked, members):
    halves = slice(1, None, 2)  # evenly spaced: (k + 1/2) * 80 / 40
    for method, points in (("distilled_loss", POINTS), ("supervised_loss", POINTS[:2])):
        each = [getattr(member, method)(*points) for member in members]
        expected = np.concatenate([each[0], each[1][halves], each[2][halves]])
        np.testing.assert_allclose(getattr(stacked, method)(*points), expected, rtol=1e-12)


def test_a_student_has_the_discrepancies_of_each_draws_own_model(stacked, members):
    found, first = stacked.student(3e8), members[0].student(3e8)
    for name in ("shift", "tilt"):
        np.testing.assert_allclose(found[name][:80], first[name])
        assert np.abs(first[name]).min() > 0
        assert (found[name][80:] == 0).all()


def test_new_runs_scatter_by_each_draws_own_likelihood(stacked, members):
    distilled = np.ones(4000, bool)
    mean = np.full((stacked.n_draws, 4000), 3.0)
    runs = stacked.new_run(mean, distilled, np.random.default_rng(0)) - mean
    first, second, third = (runs[rows] for rows in pieces(stacked))
    # the first has a teacher's offset of 0.03 and little else, the second 5% of the loss
    assert first.std() == pytest.approx(0.03 * REFERENCE.loss, rel=0.03)
    assert second.std() == pytest.approx(0.05 * 3.0, rel=0.02)
    inner = np.quantile(third, [0.25, 0.75]) / (0.002 * REFERENCE.loss)
    np.testing.assert_allclose(inner, [-0.7407, 0.7407], rtol=0.03)  # Student t, 4 degrees
    loss = np.array([3.0])
    density = stacked.log_density(loss, mean[:, :1], distilled[:1])
    halves = slice(1, None, 2)
    for rows, member, own in zip(
        pieces(stacked), members, (slice(None), halves, halves), strict=True
    ):
        alone = member.log_density(loss, np.full((80, 1), 3.0), distilled[:1])
        np.testing.assert_allclose(density[rows], alone[own])


def test_a_forecast_has_the_quantiles_of_the_mixture(stacked, members):
    table = forecast(stacked, "1B", "20B", teacher_loss="2.2").table.iloc[0]
    each = [
        forecast(member, "1B", "20B", teacher_loss="2.2").draws["loss"].to_numpy()[:, 0]
        for member in members
    ]
    mixture = np.concatenate([each[0], each[1][1::2], each[2][1::2]])
    assert table["loss_mean"] == pytest.approx(mixture.mean(), rel=1e-12)
    np.testing.assert_allclose(
        [table["loss_lower"], table["loss_upper"]], np.quantile(mixture, [0.05, 0.95])
    )


def test_the_gap_risk_is_the_mean_of_the_members(stacked, members):
    def ask(who):
        draws = risk(who, "300M", "10B", teacher_loss="2.2").draws
        return draws["slope"].to_numpy()[:, 0], draws["optimal_teacher_loss"].to_numpy()[:, 0]

    each = [ask(member) for member in members]
    for found, alone in zip(ask(stacked), zip(*each, strict=True), strict=True):
        mixture = np.concatenate([alone[0], alone[1][1::2], alone[2][1::2]])
        np.testing.assert_allclose(found, mixture, rtol=1e-7, atol=1e-9)


def test_thinning_keeps_the_shares(stacked):
    thin = stacked.thin(16)
    assert [rows.stop - rows.start for rows in pieces(thin)] == [8, 4, 4]
    np.testing.assert_allclose(thin.distilled_loss(*POINTS), stacked.distilled_loss(*POINTS)[::10])


def test_a_stack_is_stored_in_one_file(stacked, tmp_path):
    found = load_posterior(stacked.save(tmp_path / "stacked.nc"))
    assert found.card == stacked.card
    assert [member.name for member in found.card.members] == [
        "busbridge2025",
        "other-noise",
        "distillation-no-gap",
    ]
    assert found.law == stacked.law
    np.testing.assert_array_equal(found.distilled_loss(*POINTS), stacked.distilled_loss(*POINTS))
    assert set(found.published) == set(found.law.coefficient_names)


def test_a_plan_runs_on_a_stack():
    two = stack(
        [
            made("busbridge2025-plain", seed=3, draws=8),
            made("busbridge2025-loose", seed=4, draws=8),
        ],
        [1, 1],
    )
    found = plan(two, "1B", "1e21", scenario="supervised")
    spread = found.samples["supervised_loss"][:, 0]
    tokens = found.table["recipe_student_tokens"].to_numpy()
    np.testing.assert_allclose(spread, two.supervised_loss(np.array([1e9]), tokens)[:, 0])


def test_a_share_below_one_draw_is_left_out_and_said():
    two = [made("busbridge2025-plain", seed=3), made("busbridge2025-loose", seed=4)]
    found = stack(two, [1.0, 1e-6], draws=50)
    assert [card.name for card in found.card.members] == ["busbridge2025-plain"]
    assert found.n_draws == 50
    assert any("busbridge2025-loose was left out" in note for note in found.info["notes"])


# --- what is refused -------------------------------------------------------------------------


def refusal(call, *arguments, **named):
    with pytest.raises(InputError) as caught:
        call(*arguments, **named)
    return str(caught.value)


def test_every_fault_of_a_call_is_named(members, tmp_path):
    text = refusal(stack, [members[0], tmp_path / "none.nc"], [0.5, -1, 2], draws=0)
    for part in ("none.nc does not exist", "3 weights for 2 fits", "-1", "0 is less than 1"):
        assert part in text
    assert "at least two" in refusal(stack, [members[0]], [1.0])
    assert "all weights are 0" in refusal(stack, members, [0, 0, 0])


def test_fits_of_other_runs_or_another_reference_do_not_stack(members):
    def of(posterior, reference=REFERENCE, **info):
        return Posterior(posterior.tree, posterior.card, reference, info)

    a, b, c = members
    text = refusal(
        stack,
        [of(a, fingerprint="aa11"), of(b, fingerprint="aa11"), of(c, fingerprint="bb22")],
        [1, 1, 1],
    )
    assert (
        "busbridge2025 and other-noise (runs aa11), against distillation-no-gap (runs bb22)" in text
    )
    text = refusal(stack, [a, of(b, Reference(1e9, 2e10, 2.4))], [1, 1])
    assert "count from different points" in text
    assert "1e+09 params" in text


def test_a_stack_is_not_stacked_again_nor_fitted(stacked, members):
    assert "a stack already" in refusal(stack, [stacked, members[0]], [1, 1])
    runs = read_runs(
        pd.DataFrame({"params": 1e9, "tokens": np.geomspace(1e9, 1e11, 30), "loss": 2.0})
    )
    assert "is of a stack" in refusal(check_card, stacked.card, runs)


def test_cards_of_stacks_hold_members_and_nothing_else(stacked):
    content = stacked.card.model_dump(mode="json")
    assert Card.model_validate(content) == stacked.card
    for change, said in (
        ({"law": "distillation"}, "a card with members has 'stacked'"),
        ({"coefficients": {"E": 1.0}}, "belongs to the members"),
        ({"members": [content]}, "cannot be a member of a stack"),
    ):
        assert said in refusal(card_from_dict, {**content, **change}, "x")
    assert "'stacked' is not known" in refusal(card_from_dict, {**content, "members": []}, "x")
    assert "made of fits" in refusal(card_from_toml, "law = 'stacked'\n[[members]]\n", "x.toml")
