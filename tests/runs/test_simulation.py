import numpy as np
import pandas as pd
import pytest

from bayes_distill.errors import InputError
from bayes_distill.laws import TABLE_6, Chinchilla, Distillation, Reference, Supervised
from bayes_distill.runs import check, chinchilla_design, paper_design, read_runs, simulate


def supervised(params, tokens):
    c = TABLE_6
    bracket = c["A"] / params ** c["alpha"] + c["B"] / tokens ** c["beta"]
    return c["E"] + bracket ** c["gamma"]


def distilled(params, tokens, teacher_loss):
    c = TABLE_6
    bend = (teacher_loss / (supervised(params, tokens) * c["d1"])) ** (1 / c["f1"])
    bracket = c["A'"] / params ** c["alpha'"] + c["B'"] / tokens ** c["beta'"]
    suppression = (1 + bend) ** (-c["c1"] * c["f1"])
    return teacher_loss + teacher_loss ** -c["c0"] * suppression * bracket ** c["gamma'"]


def test_without_noise_losses_are_those_of_the_printed_formula():
    design = paper_design()
    runs = simulate(Distillation(), TABLE_6, design, noise=0)
    expected = distilled(design["params"], design["tokens"], design["teacher_loss"])
    np.testing.assert_allclose(runs.frame["loss"], expected, rtol=1e-10)
    assert runs.kind == "distillation"
    assert len(runs) == len(design)


def test_rows_without_a_teacher_are_supervised_and_sizes_give_teacher_losses(table):
    design = pd.DataFrame(
        {
            "N": "1B",
            "D": "20B",
            "LT": [2.0, None, None],
            "NT": [None, "7B", None],
            "DT": [None, "140B", None],
        }
    )
    runs = simulate(Distillation(), TABLE_6, design, noise=0)
    teacher = supervised(7e9, 140e9)
    np.testing.assert_allclose(runs.frame["teacher_loss"], [2.0, teacher, np.nan])
    expected = [distilled(1e9, 2e10, 2.0), distilled(1e9, 2e10, teacher), supervised(1e9, 2e10)]
    np.testing.assert_allclose(runs.frame["loss"], expected)
    assert runs.kind == "mixed"


def test_coordinates_are_taken_with_a_reference():
    reference = Reference(5e8, 2e10, 2.5)
    law = Distillation()
    coordinates = {n: float(v) for n, v in law.from_published(TABLE_6, reference).items()}
    one = simulate(law, coordinates, paper_design(), reference=reference)
    two = simulate(law, TABLE_6, paper_design())
    np.testing.assert_allclose(one.frame["loss"], two.frame["loss"], rtol=1e-9)
    with pytest.raises(InputError, match="reference: is needed"):
        simulate(law, coordinates, paper_design())


@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize(("likelihood", "tail"), [("normal", 0.0027), ("student_t", 0.04)])
def test_noise_is_what_was_asked_for(likelihood, relative, tail):
    design = pd.concat([chinchilla_design()] * 40)
    exact = simulate(Supervised(), TABLE_6, design, noise=0).frame["loss"]
    noisy = simulate(
        Supervised(), TABLE_6, design, noise=0.01, likelihood=likelihood, relative=relative
    ).frame["loss"]
    z = (np.log(noisy / exact) if relative else noisy - exact) / 0.01
    assert np.mean(abs(z) > 3) == pytest.approx(tail, rel=0.35)
    assert np.median(abs(z)) == pytest.approx(
        {"normal": 0.6745, "student_t": 0.7407}[likelihood], rel=0.04
    )


def test_the_seed_decides():
    def losses(seed):
        return (
            simulate(Supervised(), TABLE_6, chinchilla_design(), seed=seed).frame["loss"].tolist()
        )

    assert losses(1) == losses(1)
    assert losses(1) != losses(2)


def test_a_measured_teacher_loss_scatters_by_its_error():
    design = paper_design().assign(teacher_loss_se=0.02)
    runs = simulate(Distillation(), TABLE_6, design, noise=0)
    errors = runs.frame["teacher_loss"] - design["teacher_loss"]
    assert errors.std() == pytest.approx(0.02, rel=0.15)
    truth = distilled(design["params"], design["tokens"], design["teacher_loss"])
    np.testing.assert_allclose(runs.frame["loss"], truth)


def test_a_design_may_be_a_file_or_runs_and_its_losses_do_not_count(tmp_path):
    design = chinchilla_design()
    design.assign(loss="unknown").to_csv(tmp_path / "design.csv", index=False)
    one = simulate(Supervised(), TABLE_6, tmp_path / "design.csv")
    two = simulate(Supervised(), TABLE_6, design)
    assert one.fingerprint == two.fingerprint
    assert simulate(Supervised(), TABLE_6, two).fingerprint == two.fingerprint


def test_every_fault_at_once():
    design = pd.DataFrame({"N": [7, "x"], "D": [1e10, -1]})
    bad = {"E": -1.0, "A": 1.0, "B": 1.0, "alpha": 0.4, "delta": 1.0}
    with pytest.raises(InputError) as caught:
        simulate(Chinchilla(), bad, design, noise=-1, likelihood="cauchy", df=0)
    assert [(f.row, f.column) for f in caught.value.faults] == [
        (None, "noise"),
        (None, "likelihood"),
        (None, "df"),
        (0, "N"),
        (1, "N"),
        (1, "D"),
        (None, "beta"),
        (None, "delta"),
        (None, "E"),
    ]


def test_a_chinchilla_law_does_not_take_a_gamma():
    with pytest.raises(InputError, match="gamma: is no coefficient of chinchilla"):
        simulate(Chinchilla(), TABLE_6, chinchilla_design())


def test_a_law_without_teachers_refuses_them():
    with pytest.raises(InputError, match="knows no teachers: drop teacher_loss"):
        simulate(Supervised(), TABLE_6, paper_design())


def test_noise_that_makes_losses_negative_is_refused():
    with pytest.raises(InputError, match="negative"):
        simulate(Supervised(), TABLE_6, chinchilla_design(), noise=5.0)


def test_the_designs_are_like_the_real_sweeps():
    paper = paper_design()
    assert sorted(set(paper["params"])) == [143e6, 198e6, 546e6, 975e6, 1.82e9]
    assert len(paper) == 352
    assert (paper["teacher_loss"].min(), paper["teacher_loss"].max()) == (1.95, 2.75)
    assert not paper.duplicated().any()
    chinchilla = chinchilla_design()
    flops = 6 * chinchilla["params"] * chinchilla["tokens"]
    assert flops.round(-16).nunique() == 9
    assert len(chinchilla) == 225


def test_what_is_simulated_can_be_read_again(tmp_path):
    runs = simulate(Distillation(), TABLE_6, paper_design())
    runs.frame.to_csv(tmp_path / "runs.csv", index=False)
    again = read_runs(tmp_path / "runs.csv")
    assert again.fingerprint == runs.fingerprint
    assert check(tmp_path / "runs.csv").faults == ()
    assert set(again.frame["group"]) == {"143M", "198M", "546M", "975M", "1.82B"}
