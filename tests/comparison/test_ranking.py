"""Fits ranked by leave-one-out, by groups left out, and by extrapolation."""

import json

import numpy as np
import pandas as pd
import pytest

from bayes_distill import Posterior, compare, forecast, load_posterior, stack
from bayes_distill.errors import FailedFitError, InputError
from bayes_distill.validation.refit import score

SHORT = {"chains": 4, "warmup": 500, "draws": 500}  # as the fits: shares their compiled programs


@pytest.fixture
def answered(pair, monkeypatch):
    """Refits are answered by the fits themselves; what was asked for is kept."""
    asked = []

    def answer(function, tasks, **places):
        results = []
        for task in tasks:
            frame = pd.DataFrame(task["columns"], index=pd.Index(task["rows"], name="row"))
            fit = pair.bent if task["card"]["law"] == "supervised" else pair.straight
            held = frame[np.array(task["held"])]
            results.append(
                {
                    "group": task["group"],
                    "fitted": 40,
                    "verdict": "pass",
                    "rhat_max": 1.0,
                    **score(fit, held, **task["scoring"]),
                }
            )
            asked.append(task)
        return results

    monkeypatch.setattr("bayes_distill.comparison.refits.map_tasks", answer)
    monkeypatch.setattr("bayes_distill.validation.leave_out.map_tasks", answer)
    return asked


def test_the_law_that_made_the_runs_comes_first(pair):
    result = compare(pair.fits)
    best, other = result.table.to_dict("records")
    assert (best["fit"], best["law"], best["rank"]) == ("hoffmann2022-gamma", "supervised", 1)
    assert (other["fit"], other["law"], other["rank"]) == ("supervised", "chinchilla", 2)
    assert best["elpd_diff"] == 0
    assert other["elpd_diff"] < -4 * other["se_diff"] < 0
    assert result.weights["hoffmann2022-gamma"] > 0.8
    assert list(result.weights) == ["supervised", "hoffmann2022-gamma"]
    assert sum(result.weights.values()) == pytest.approx(1)
    assert result.left_out == {}
    assert result.verdict == "none"


def test_figures_are_those_of_the_stored_runs_in_the_unit_of_the_loss(pair):
    table = compare(pair.fits).table.set_index("fit")
    each = {}
    for name, fit in (("hoffmann2022-gamma", pair.bent), ("supervised", pair.straight)):
        each[name] = fit.tree["runs"]["elpd_i"].to_numpy() - np.log(fit.reference.loss)
        assert table.loc[name, "elpd"] == pytest.approx(each[name].sum())
        high = int((fit.tree["runs"]["pareto_k"] > 0.7).sum())
        assert table.loc[name, "high_pareto_k"] == high
    gap = each["supervised"] - each["hoffmann2022-gamma"]
    assert table.loc["supervised", "elpd_diff"] == pytest.approx(gap.sum())
    assert table.loc["supervised", "se_diff"] == pytest.approx(
        np.sqrt(len(gap)) * gap.std(), rel=0.02
    )


def test_groups_left_out_are_ranked_by_their_joint_density(pair, answered):
    result = compare(pair.fits, leave_out="params", groups=["100M", "10B"], weights="params")
    assert [task["group"] for task in answered] == ["100M", "10B"] * 2
    table = result.left_out["params"]
    assert table["fit"].tolist() == ["hoffmann2022-gamma", "supervised"]
    assert table["groups"].tolist() == [2, 2]
    assert table["joint_lpd_diff"].iloc[0] == 0 > table["joint_lpd_diff"].iloc[1]
    for name, fit in (("hoffmann2022-gamma", pair.bent), ("supervised", pair.straight)):
        row = table.set_index("fit").loc[name]
        lpd = [
            np.sum(score(fit, pair.runs.frame[np.array(t["held"])], **t["scoring"])["rows"]["lpd"])
            for t in answered[:2]
        ]
        assert row["lpd"] == pytest.approx(sum(lpd))
    assert result.weighted_by == "params"
    assert result.weights["hoffmann2022-gamma"] == pytest.approx(
        table.set_index("fit").loc["hoffmann2022-gamma", "weight"]
    )


def test_validations_that_exist_are_used_and_give_the_same(pair, answered, tmp_path):
    from bayes_distill import validate

    files = []
    for card in (pair.straight.card, pair.bent.card):
        found = validate(pair.runs, card, leave_out="params")
        files.append(tmp_path / f"{card.name}.json")
        files[-1].write_text(json.dumps(found.to_json()), encoding="utf-8")
    read = compare(pair.fits, validation=files).left_out["params"]
    anew = compare(pair.fits, leave_out=["params"]).left_out["params"]
    pd.testing.assert_frame_equal(read, anew)


@pytest.mark.slow
def test_an_extrapolation_is_refitted_and_ranked(pair, tmp_path):
    result = compare(pair.fits, tail="params < 3e9", resume=tmp_path / "refits", **SHORT)
    table = result.left_out["tail"].set_index("fit")
    assert set(table["groups"]) == {1}
    assert np.isnan(table["joint_lpd_se_diff"]).all()
    assert table.loc["hoffmann2022-gamma", "mae"] < table.loc["supervised", "mae"] / 2
    assert table.loc["hoffmann2022-gamma", "rank"] == 1
    assert len(list((tmp_path / "refits").glob("*"))) == 2


def test_weights_that_are_given_make_the_stack(pair):
    result = compare(pair.fits, weights=[1, 3])
    assert result.weights == {"supervised": 0.25, "hoffmann2022-gamma": 0.75}
    assert result.weighted_by == "given"
    mixture = stack(pair.fits, list(result.weights.values()), draws=400)
    assert [piece["draws"] for piece in mixture.info["stack"]] == [100, 300]
    assert mixture.info["fingerprint"] == pair.runs.fingerprint
    assert mixture.hull == pair.bent.hull
    bent, straight, between = (  # where the two laws differ by ten times the sd of the wider
        forecast(fit, "100M", "10T").table["loss_mean"].iloc[0]
        for fit in (pair.bent, pair.straight, mixture)
    )
    gap = abs(bent - straight)
    assert between == pytest.approx(0.75 * bent + 0.25 * straight, abs=0.02 * gap)


def test_a_stack_may_have_the_weights_of_leave_one_out(pair):
    found = {piece["fit"]: piece["weight"] for piece in stack(pair.fits, "loo").info["stack"]}
    assert found == pytest.approx(compare(pair.fits).weights)


def test_two_fits_of_one_card_are_told_apart_by_their_files(pair, tmp_path):
    first, second = (pair.bent.save(tmp_path / f"{name}.nc") for name in ("one", "two"))
    assert set(compare([first, second]).weights) == {"one", "two"}
    assert set(compare([pair.bent, pair.bent]).weights) == {
        "hoffmann2022-gamma-1",
        "hoffmann2022-gamma-2",
    }


# --- what is refused -------------------------------------------------------------------------


def refusal(*arguments, **named):
    with pytest.raises(InputError) as caught:
        compare(*arguments, **named)
    return str(caught.value)


def test_fits_of_other_runs_are_named(pair):
    fit = pair.straight
    other = Posterior(fit.tree, fit.card, fit.reference, {**fit.info, "fingerprint": "ffff"})
    text = refusal([*pair.fits, other])
    assert "not fits of the same runs" in text
    short = pair.runs.fingerprint[:8]
    assert f"supervised-1 and hoffmann2022-gamma (runs {short}), against supervised-3" in text


def test_every_fault_is_named_before_anything_is_fitted(pair, answered, tmp_path):
    (tmp_path / "x.json").write_text("{}", encoding="utf-8")
    text = refusal(
        [*pair.fits],
        leave_out="params,sizes",
        tail="tokens <",
        weights="group",
        validation=[tmp_path / "x.json", tmp_path / "none.json"],
        chains=1,
        interval=2.0,
    )
    for part in (
        "'sizes' is none of",
        "was not written by `validate(RUNS).save(FILE)`",
        "none.json does not exist",
        "`chains` is 1",
        'weights: needs `leave_out="group"`',
        "interval",
        "tail",
    ):
        assert part in text, (part, text)
    assert not answered
    assert "stacking on it would leave one fit" in refusal(pair.fits, weights="tail")
    assert "nor numbers" in refusal(pair.fits, weights="best")
    assert "no column group" in refusal(pair.fits, leave_out="group")


def test_validations_of_other_runs_or_of_one_fit_alone_are_refused(pair, answered):
    from bayes_distill import validate

    mine = validate(pair.runs, "hoffmann2022-gamma")
    assert "none of supervised" in refusal(pair.fits, validation=[mine])
    assert "two validations of hoffmann2022-gamma" in refusal(pair.fits, validation=[mine, mine])
    moved = {**mine.to_json(), "rows": [{**r, "loss": 9.0} for r in mine.to_json()["rows"]]}
    assert "is of other runs than the fit hoffmann2022-gamma" in refusal(
        pair.fits, validation=[moved]
    )
    strange = {**mine.to_json(), "model": "quantum"}
    assert "no fit here is of that card" in refusal(pair.fits, validation=[strange])


def test_posteriors_that_were_not_fitted_and_failed_fits(pair, scattered):
    text = refusal([scattered, scattered])
    assert "busbridge2025-plain-1 holds no leave-one-out figures" in text
    failed = Posterior(
        pair.straight.tree,
        pair.straight.card,
        pair.straight.reference,
        {**pair.straight.info, "verdict": "fail"},
    )
    with pytest.raises(FailedFitError):
        compare([failed, pair.bent])
    allowed = stack([failed, pair.bent], [1, 1], allow_failed=True)
    assert allowed.verdict == "fail"
    with pytest.raises(FailedFitError):
        load_posterior(allowed)
