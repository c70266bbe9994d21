"""The posteriors that ship: they belong to their cards, are small, and hold no runs."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
import shutil
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from bayes_distill.cards import load_card, model_names, models_folder, shipped_posterior
from bayes_distill.errors import InputError
from bayes_distill.posterior import Posterior, load_posterior
from bayes_distill.posterior.shipped import DRAWS, MOST_BYTES, compact, mismatches

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
from card_page import card_page, validation_summary  # noqa: E402

SHIPPED = tuple(name for name in model_names() if shipped_posterior(name) is not None)
ADVICE = "rebuild it: make models ARGS={}"
STUDENT = ("--params", "1B", "--tokens", "100B")


@pytest.fixture(scope="module", params=SHIPPED)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def posterior(name):
    return load_posterior(name)


@pytest.fixture(scope="module")
def builder():
    spec = importlib.util.spec_from_file_location(
        "build_models", ROOT / "scripts" / "build_models.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["build_models"] = module
    spec.loader.exec_module(module)
    return module


def test_these_ship(builder):
    assert set(SHIPPED) == set(builder.NAMES)
    assert {"busbridge2025", "busbridge2025-plain", "hoffmann2022"} == set(SHIPPED)


# --- card and posterior belong together ------------------------------------------------------


def test_it_belongs_to_its_card(name, posterior):
    assert mismatches(load_card(name), posterior) == [], ADVICE.format(name)
    assert posterior.verdict == "pass"


def test_its_page_is_the_one_of_this_posterior(name, posterior):
    folder = models_folder() / name
    found = [json.loads(p.read_text()) for p in sorted(folder.glob("validation-*.json"))]
    page = (folder / "CARD.md").read_text(encoding="utf-8")
    assert page == card_page(posterior, found), ADVICE.format(name)


def test_its_page_states_every_option_of_a_command_once(name):
    page = (models_folder() / name / "CARD.md").read_text(encoding="utf-8")
    commands = [line for line in page.splitlines() if line.startswith("bayes-distill")]
    assert commands
    for command in commands:
        flags = [word for word in shlex.split(command) if word.startswith("--")]
        assert len(flags) == len(set(flags)), command


def test_its_validations_are_of_the_same_card(name, builder):
    for path in (models_folder() / name).glob("validation-*.json"):
        found = json.loads(path.read_text(encoding="utf-8"))
        assert found["model"] == name
        assert found["card"] == builder.digest(load_card(name)), (
            f"{path.name} is of another card: validate again, and {ADVICE.format(name)} "
            "with --validation"
        )


def test_a_card_that_was_edited_is_noticed():
    posterior = load_posterior("hoffmann2022")
    card = load_card("hoffmann2022")
    other = card.model_copy(
        update={"likelihood": card.likelihood.model_copy(update={"degrees_of_freedom": 5.0})}
    )
    (problem,) = mismatches(other, posterior)
    assert problem.endswith("fitted: likelihood")
    (problem,) = mismatches(card, Posterior(posterior.tree, card, posterior.reference, {}))
    assert "data" in problem


def test_it_was_fitted_to_the_runs_of_that_name(real_data, name, posterior):
    from bayes_distill.runs import read_runs

    runs = read_runs(str(posterior.card.data))
    assert posterior.info["fingerprint"] == runs.fingerprint, ADVICE.format(name)
    assert posterior.info["n_runs"] == len(runs)


# --- small, and without observations ---------------------------------------------------------


def test_it_is_small(name, posterior):
    path = shipped_posterior(name)
    assert path is not None
    assert path.stat().st_size < MOST_BYTES
    assert DRAWS / 2 < posterior.n_draws <= DRAWS
    assert all(np.isfinite(values).all() for values in posterior.draws.values())


def test_it_holds_no_observation(real_data, name, posterior):
    from bayes_distill.runs import read_runs

    assert set(posterior.tree.children) == {"posterior"}
    for run in posterior.info["flagged_runs"]:
        assert set(run) == {"row"}
    losses = read_runs(str(posterior.card.data)).frame["loss"].to_numpy(float)
    path = shipped_posterior(name)
    assert path is not None
    numbers = []
    with h5py.File(path) as file:
        file.visititems(
            lambda _, item: (
                numbers.append(np.ravel(item[()]))
                if isinstance(item, h5py.Dataset) and item.dtype.kind == "f"
                else None
            )
        )
        texts = [str(value) for value in file.attrs.values()]
    texts += [p.read_text(encoding="utf-8") for p in path.parent.glob("*.json")]
    told = [float(word) for text in texts for word in re.findall(r"\d+\.\d+(?:e-?\d+)?", text)]
    values = np.concatenate([*numbers, told])
    assert len(told) > 100
    # the reference is the median of the runs, which may be a run; teachers may match a student
    hull = posterior.hull
    apart = [posterior.reference.loss, *(hull.teacher_loss or ())]
    values = values[~np.isin(values, apart)]
    assert [v for v in losses if np.isclose(values, v, rtol=1e-10, atol=0).any()] == []


# --- making one ------------------------------------------------------------------------------


def test_compact_keeps_what_using_it_needs(chinchilla):
    fit = chinchilla.posterior
    card = fit.card.model_copy(update={"data": "hoffmann2022"})
    flagged = [{"row": 3, "pareto_k": 0.9, "residual": 5.0, "reason": "odd"}]
    info = {**fit.info, "verdict": "pass", "source": "hoffmann2022", "flagged_runs": flagged}
    small = compact(Posterior(fit.tree, card, fit.reference, info), draws=100)
    assert set(small.tree.children) == {"posterior"}  # no run ships
    assert small.n_draws == 100
    assert small.info["flagged_runs"] == [{"row": 3}]
    assert small.info["thinned_by"] == fit.n_draws / 100
    chains = fit.tree["posterior"]["floor"].to_numpy()
    kept = small.draws["floor"]
    assert all(np.isin(kept, chain).sum() == 100 / len(chains) for chain in chains)
    assert mismatches(card, small) == []
    again = compact(small, draws=50)
    assert again.info["thinned_by"] == fit.n_draws / 50


def test_what_cannot_ship_is_refused_with_every_reason(scattered):
    with pytest.raises(InputError) as caught:
        compact(scattered)
    said = str(caught.value)
    assert "verdict is none" in said
    assert "not fitted to all of" in said


def test_a_summary_of_a_validation_names_no_run():
    plain = dict.fromkeys(
        ("model", "verdict", "settings", "levels", "interval", "groups", "overall", "gap_risk"), 1
    )
    notes = ["41 of 354 students end below", "the fit without 143M asks for review"]
    kept = validation_summary(
        {**plain, "leave_out": "params", "rows": [{"loss": 2}], "notes": notes}
    )
    assert set(kept) == {*plain, "leave_out", "notes"}
    assert kept["notes"] == notes[1:]


def test_the_builder_takes_a_fit_and_refuses_another(builder, tmp_path, monkeypatch, capsys):
    folder = tmp_path / "models"
    shutil.copytree(models_folder() / "hoffmann2022", folder / "hoffmann2022")
    for module in ("cards", "cards.registry"):
        monkeypatch.setattr(f"bayes_distill.{module}.models_folder", lambda: folder)
    own, other = shipped_posterior("hoffmann2022"), models_folder() / "busbridge2025-plain"
    before = {p.name: p.read_bytes() for p in (folder / "hoffmann2022").iterdir()}
    assert builder.main(["hoffmann2022", "--fit", str(own)]) == 0
    after = {p.name: p.read_bytes() for p in (folder / "hoffmann2022").iterdir()}
    assert after["CARD.md"] == before["CARD.md"]
    assert (
        builder.main(["hoffmann2022", "--fit", str(ROOT / "models" / other.name / "posterior.nc")])
        == 1
    )
    assert "is no fit of the card hoffmann2022" in capsys.readouterr().err
    assert {p.name: p.read_bytes() for p in (folder / "hoffmann2022").iterdir()} == after


# --- commands --------------------------------------------------------------------------------


@pytest.fixture
def command(capsys):
    from bayes_distill.cli.main import run

    def call(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = run([str(a) for a in arguments])
        return status, *capsys.readouterr()

    return call


@pytest.mark.parametrize(
    "arguments",
    [
        ("predictive", "NAME"),
        ("sensitivity", "NAME"),
        ("identify", "NAME"),
        ("plot", "observed-against-predicted", "NAME", "--out", "x.png"),
    ],
    ids=lambda a: a[0],
)
def test_what_needs_runs_says_so_and_what_to_do(command, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    status, out, err = command(*(a.replace("NAME", "hoffmann2022") for a in arguments))
    assert (status, out) == (2, "")
    (line,) = [text for text in err.splitlines() if text.startswith("error: ")]
    assert "ships with hoffmann2022 holds draws and no runs" in line
    assert "bayes-distill fit hoffmann2022 --model hoffmann2022 --out fit.nc" in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("forecast", "hoffmann2022", *STUDENT),
        ("forecast", "busbridge2025", *STUDENT, "--teacher-loss", "2.0"),
        ("risk", "busbridge2025", *STUDENT, "--teacher-loss", "2.0"),
        ("plot", "coefficients-against-published", "hoffmann2022", "--out", "x.png"),
        ("plot", "student-against-teacher", "busbridge2025-plain", "--out", "x.png"),
    ],
    ids=lambda a: " ".join(a[:2]),
)
def test_what_needs_none_answers(command, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    status, out, err = command(*arguments)
    assert status == 0, err
    assert out


def test_students_of_a_posterior_without_runs_lie_within_its_runs():
    from bayes_distill.plots.fitted_runs import students_of

    posterior = load_posterior("busbridge2025")
    students = students_of(posterior)
    assert 3 <= len(students) <= 5
    assert posterior.hull is not None
    for size, tokens in students:
        assert posterior.hull.factors(size, tokens) == (1.0, 1.0)
        assert tokens == pytest.approx(20 * size)


def test_a_report_leaves_out_what_needs_runs(tmp_path):
    from bayes_distill.reporting.write import report

    written = report("hoffmann2022", tmp_path / "report.html")
    text = written.path.read_text(encoding="utf-8")
    assert "Rows " in text
    assert "observed-against-predicted" not in text
