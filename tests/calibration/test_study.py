"""Studies from end to end: the right prior passes, a wrong one is caught, and nothing is lost."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bayes_distill import calibrate
from bayes_distill.calibration.quantities import Quantity
from bayes_distill.calibration.result import LEVELS, Study, read_calibration, summarise
from bayes_distill.errors import InputError

COORDINATES = ["floor", "level", "share", "slope_params", "slope_tokens"]


def test_the_right_prior_passes(right):
    assert right.verdict == "pass"
    assert (right.table["p_adjusted"] > 0.05).all()
    assert right.failing() == []
    names = list(right.table["name"])
    assert names[:6] == [*COORDINATES, "supervised_scale"]
    assert list(right.table["kind"]) == ["coordinate"] * 5 + ["noise"] + ["forecast"] * 5
    assert (right.table["meaning"] != "").all()
    assert len(right.ranks) == 40 * 11
    assert right.ranks["pit"].between(0, 1).all()
    # 440 intervals, though not independent ones
    assert right.table["coverage_90"].mean() == pytest.approx(0.9, abs=0.07)
    assert right.table["coverage_50"].mean() == pytest.approx(0.5, abs=0.12)


def test_a_wrong_prior_is_caught(wrong):
    assert wrong.verdict == "fail"
    level = wrong.table.set_index("name").loc["level"]
    assert level["p_adjusted"] < 1e-3
    assert level["shift"] > 0.2
    assert level["coverage_90"] < 0.8
    assert wrong.failing()[0] in ("level", "floor", "loss_beyond")
    assert any(note == "level: the posterior lies too low" for note in wrong.notes)


def test_replicates_are_stored_and_do_not_depend_on_how_many_there_are(
    card, nine_runs, settings, store, right
):
    reports = []
    again = calibrate(
        card,
        nine_runs,
        replicates=11,
        resume=store,
        progress=lambda *now: reports.append(now),
        **settings,
    )
    assert reports == [("replicates", 11, 11)]
    first = right.ranks[right.ranks["replicate"] < 11]
    assert again.ranks["pit"].tolist() == first["pit"].tolist()


def test_the_same_seed_gives_the_same_ranks(card, nine_runs, settings, right):
    again = calibrate(card, nine_runs, sweeps=10, **settings)  # by the earlier name
    first = right.ranks[right.ranks["replicate"] < 10]
    assert again.ranks["pit"].tolist() == first["pit"].tolist()


def test_everything_is_written_to_a_file(wrong, tmp_path):
    path = wrong.save(tmp_path / "study.json")
    calibration = read_calibration(path)
    assert calibration.study == wrong.study
    assert calibration.notes == wrong.notes
    for part in ("table", "ranks", "fits", "bands"):
        mine, its = getattr(wrong, part), getattr(calibration, part)
        assert mine.columns.tolist() == its.columns.tolist()
        assert mine.equals(its)
    assert wrong.to_json()["by_sweep"]["sweep"] == list(range(15))
    small = wrong.to_json(ranks=False)
    assert small["sweeps"] == small["settings"]["sweeps"] == 15
    assert "ranks" not in small
    assert small["simulator"] == "narrow"
    assert small["verdict"] == "fail"
    assert small["quantities"][1]["coverage"]["90"] == wrong.table["coverage_90"][1]
    json.dumps(small, allow_nan=False)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": "bayes-distill calibration"}'])
def test_another_file_is_refused(tmp_path, content):
    path = tmp_path / "other.json"
    path.write_text(content)
    with pytest.raises(InputError, match=r"other\.json"):
        read_calibration(path)


def made_up(failed: int = 0, pits: np.ndarray | None = None):
    """A study of made-up ranks, uniform by default, whose first fits failed."""
    pits = np.random.default_rng(0).uniform(size=100) if pits is None else pits
    replicates = [
        {
            "replicate": i,
            "verdict": "fail" if i < failed else "pass",
            "fits": 3 if i < failed else 1,
            "rhat_max": 1.0,
            "ess_bulk_min": 500.0,
            "divergences": 0,
            "seconds": 1.0,
            "quantities": {
                "level": {
                    "rank": int(100 * pit),
                    "draws": 99,
                    "pit": float(pit),
                    "truth": 1.0,
                    "mean": 1.0,
                    "sd": 0.1,
                    "inside": [abs(pit - 0.5) < v / 2 for v in LEVELS],
                }
            },
        }
        for i, pit in enumerate(pits)
    ]
    study = Study("a", "a", "chinchilla", "d", 9, {"params": 1.0}, {"seed": 0})
    return summarise(replicates, [Quantity("level", "coordinate", "of something")], study)


def test_failed_fits_count_and_are_reported_beside():
    pits = np.random.default_rng(0).uniform(size=100)
    pits[:4] = 1e-6
    calibration = made_up(4, pits)
    (row,) = calibration.table.to_dict("records")
    assert row["coverage_95"] == pytest.approx((np.abs(pits - 0.5) < 0.475).mean())
    assert row["coverage_95_without_failed"] == pytest.approx(
        (np.abs(pits[4:] - 0.5) < 0.475).mean()
    )
    assert row["p_without_failed"] > 0.05 > 5 * row["p_value"]
    assert any("4 of 100 fits failed" in note for note in calibration.notes)
    assert calibration.to_json()["fits"] == {"pass": 96, "review": 0, "fail": 4}


def test_nothing_is_called_good_when_many_fits_failed():
    assert made_up(5).verdict == "pass"
    assert made_up(6).verdict == "review"


@pytest.mark.parametrize(
    ("pits", "said"),
    [
        (np.linspace(0.0, 1.0, 100) ** 2, "too high"),
        (np.linspace(0.0, 1.0, 100) ** 0.5, "too low"),
        (np.sin(np.linspace(-1.5, 1.5, 100)) / 2 + 0.5, "too narrow"),
        (np.linspace(0.3, 0.7, 100), "too wide"),
    ],
)
def test_notes_say_in_which_way_ranks_are_not_uniform(pits, said):
    calibration = made_up(pits=pits)
    assert calibration.verdict == "fail"
    assert calibration.notes == (
        f"level: the posterior {'is' if 'n' in said or 'wide' in said else 'lies'} {said}",
    )


def test_every_fault_is_named_at_once(nine_runs):
    with pytest.raises(InputError) as caught:
        calibrate(
            "supervisd",
            nine_runs.assign(params=-1.0),
            replicates=3,
            chains=1,
            warmup=10,
            draws=5,
            simulator="nothing",
            workers=0,
            seed=-1,
        )
    said = str(caught.value)
    for named in (
        "supervisd",
        "simulator",
        "nothing",
        "row 0",
        "replicates",
        "chains",
        "warmup",
        "draws",
        "workers",
        "seed",
    ):
        assert named in said, named


def test_a_card_must_suit_the_design(nine_runs):
    with pytest.raises(InputError, match="no run of"):
        calibrate("distillation", nine_runs)
    with pytest.raises(InputError, match="published coefficients"):
        calibrate("busbridge2025-table6", "paper")
