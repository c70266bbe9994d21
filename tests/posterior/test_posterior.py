import ast
import json
from pathlib import Path

import h5netcdf
import h5py
import numpy as np
import pytest
import scipy.stats
import xarray as xr

import bayes_distill
from bayes_distill.cards import load_card, model_names, shipped_posterior
from bayes_distill.errors import FailedFitError, InputError
from bayes_distill.laws import LAWS, TABLE_6, TABLE_6_AS_PRINTED, Reference
from bayes_distill.posterior import FORMAT, FORMAT_VERSION, Posterior, load_posterior

REFERENCE = Reference(params=5.46e8, tokens=1.94e10, loss=2.3)
CHAINS, DRAWS, ROWS = 2, 60, 5


def synthetic(card=None, **info):
    """A posterior with every group that a fit stores, and draws about table 6."""
    card = card or load_card("busbridge2025-plain")
    generator = np.random.default_rng(3)
    middle = {k: float(v) for k, v in card.scaling_law.from_published(TABLE_6, REFERENCE).items()}
    middle |= {"scale": 0.0025, "supervised_scale": 0.01}
    shape = (CHAINS, DRAWS)
    values = {
        name: (("chain", "draw"), value * np.exp(0.02 * generator.standard_normal(shape)))
        for name, value in middle.items()
    }
    values["supervised_z"] = (("chain", "draw", "z"), generator.standard_normal((*shape, 6)))
    rows = {"run": np.array([0, 1, 2, 5, 8])}
    tree = xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset(values, coords={"chain": [0, 1], "draw": np.arange(DRAWS)}),
            "prior": xr.Dataset({"kappa": (("chain", "draw"), generator.lognormal(size=(1, 100)))}),
            "sample_stats": xr.Dataset(
                {"diverging": (("chain", "draw"), generator.random(shape) < 0.1)}
            ),
            "log_likelihood": xr.Dataset(
                {
                    "loss": (
                        ("chain", "draw", "run"),
                        generator.standard_normal((*shape, ROWS)).astype(np.float32),
                    )
                },
                coords=rows,
            ),
            "runs": xr.Dataset(
                {
                    "params": ("run", np.full(5, 1e9)),
                    "tokens": ("run", np.full(5, 2e10)),
                    "loss": ("run", np.full(5, 2.5)),
                    "teacher_loss": ("run", np.array([2.1, np.nan, 2.3, 2.4, 2.5])),
                },
                coords=rows,
            ),
        }
    )
    hull = {"points": [[18.0, 22.0], [21.0, 22.0], [21.0, 25.0]], "teacher_loss": [1.9, 2.8]}
    plain = {"seed": 7, "hull": hull, "notes": ["one — two"], "verdict": "pass", "where": None}
    return Posterior(tree, card, REFERENCE, {**plain, **info})


@pytest.fixture(scope="module")
def posterior():
    return synthetic()


@pytest.fixture
def saved(posterior, tmp_path):
    return posterior.save(tmp_path / "fit.nc")


def refusal(path):
    """The one sentence with which a file is refused."""
    with pytest.raises(InputError) as caught:
        Posterior.load(path)
    (fault,) = caught.value.faults
    assert str(path) in fault.problem
    assert "\n" not in fault.problem
    return fault.problem


# --- save and load ---------------------------------------------------------------------------


def test_saving_and_loading_changes_nothing(posterior, saved):
    found = Posterior.load(saved)
    assert found.card == posterior.card
    assert found.reference == posterior.reference
    assert found.info == posterior.info
    assert found.law is posterior.law
    assert found.hull == posterior.hull
    assert {node.path for node in found.tree.subtree} == {
        node.path for node in posterior.tree.subtree
    }
    for node in posterior.tree.subtree:
        xr.testing.assert_identical(found.tree[node.path].dataset, node.dataset)
        for name, variable in node.data_vars.items():
            assert found.tree[node.path][name].dtype == variable.dtype
    for name, values in posterior.draws.items():
        np.testing.assert_array_equal(found.draws[name], values)


def test_a_second_saving_gives_the_same_again(saved, tmp_path):
    again = Posterior.load(Posterior.load(saved).save(tmp_path / "again.nc"))
    first = Posterior.load(saved)
    assert again.info == first.info
    xr.testing.assert_identical(again.tree["posterior"].dataset, first.tree["posterior"].dataset)


def test_saving_leaves_the_posterior_as_it_was(saved, posterior):
    assert posterior.tree.attrs == {}
    assert saved.is_file()


def test_a_loaded_file_is_closed(saved):
    loaded = Posterior.load(saved)
    saved.unlink()
    assert np.isfinite(loaded.draws["kappa"]).all()


@pytest.mark.parametrize("old", [True, False], ids=["over an old file", "anew"])
def test_a_failure_while_writing_leaves_what_was_there(posterior, tmp_path, monkeypatch, old):
    target = tmp_path / "fit.nc"
    before = posterior.save(target).read_bytes() if old else None

    def fail_half_way(tree, path, **options):
        Path(path).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(xr.DataTree, "to_netcdf", fail_half_way)
    with pytest.raises(InputError, match="No space left"):
        synthetic(seed=8).save(target)
    assert [path.name for path in tmp_path.iterdir()] == (["fit.nc"] if old else [])
    if old:
        assert target.read_bytes() == before
        assert Posterior.load(target).info["seed"] == 7


@pytest.mark.parametrize(("name", "words"), [("none/fit.nc", "does not exist"), (".", "folder")])
def test_a_place_that_cannot_be_written_is_an_input_error(posterior, tmp_path, name, words):
    with pytest.raises(InputError, match=words):
        posterior.save(tmp_path / name)


# --- files that are refused ------------------------------------------------------------------


def test_a_missing_file_and_a_folder(tmp_path):
    assert "does not exist" in refusal(tmp_path / "none.nc")
    assert "is a folder" in refusal(tmp_path)


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file(saved, share):
    content = saved.read_bytes()
    saved.write_bytes(content[: int(len(content) * share)])
    assert "is damaged" in refusal(saved)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_file_with_bytes_overwritten_is_read_or_refused(saved, tmp_path):
    content, generator = saved.read_bytes(), np.random.default_rng(1)
    refused = 0
    for start in np.linspace(0, len(content) - 1, 8).astype(int):
        damaged = bytearray(content)
        damaged[start : start + 64] = generator.bytes(64)
        (tmp_path / "damaged.nc").write_bytes(damaged)
        try:
            Posterior.load(tmp_path / "damaged.nc")
        except InputError:
            refused += 1
    assert refused > 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_flipped_bit_in_any_number_is_noticed(saved):
    content = saved.read_bytes()
    places: list[int] = []

    def chunks(_: str, item: h5py.Dataset | h5py.Group) -> None:
        numbers = isinstance(item, h5py.Dataset) and item.ndim and item.dtype.kind in "fi"
        if numbers and not item.attrs.get("NAME", b"").startswith(b"This is a netCDF dimension"):
            assert item.fletcher32
            chunk = item.id.get_chunk_info(0)
            places.append(chunk.byte_offset + chunk.size // 2)

    with h5py.File(saved) as file:
        file.visititems(chunks)
    assert len(places) > 5
    for place in places[:: max(1, len(places) // 6)]:
        damaged = bytearray(content)
        damaged[place] ^= 1
        saved.write_bytes(damaged)
        assert "is damaged" in refusal(saved)


@pytest.mark.parametrize("error", [AttributeError, IndexError, UnicodeError, OSError])
def test_damage_may_show_as_any_exception_of_the_layers_below(saved, monkeypatch, error):
    def trip(*_, **__):
        raise error("'NoneType' object has no attribute 'split'")

    monkeypatch.setattr(xr, "open_datatree", trip)
    assert "is damaged" in refusal(saved)


@pytest.mark.parametrize("content", [b"", b"run,params\n1,2\n", b"\x89HDF\r\n\x1a\n" + bytes(200)])
def test_a_file_of_another_kind(tmp_path, content):
    (tmp_path / "fit.nc").write_bytes(content)
    assert "not a file written by fit" in refusal(tmp_path / "fit.nc")


def test_another_netcdf(tmp_path):
    xr.Dataset({"kappa": ("draw", np.zeros(3))}).to_netcdf(tmp_path / "x.nc", engine="h5netcdf")
    assert "not one written by bayes-distill" in refusal(tmp_path / "x.nc")


def with_attribute(path, **attributes):
    with h5netcdf.File(path, "a") as file:
        for name, value in attributes.items():
            if value is None:
                del file.attrs[name]
            else:
                file.attrs[name] = value


def test_a_newer_format(saved):
    with_attribute(saved, format_version=FORMAT_VERSION + 1)
    problem = refusal(saved)
    assert f"format {FORMAT_VERSION + 1}" in problem
    assert "upgrade" in problem


def test_an_unknown_law(saved):
    with_attribute(saved, law="quantum")
    problem = refusal(saved)
    assert "'quantum'" in problem
    assert "upgrade" in problem


@pytest.mark.parametrize("name", ["law", "card", "reference", "info", "format_version"])
def test_a_file_without_one_of_its_attributes(saved, name):
    with_attribute(saved, **{name: None})
    problem = refusal(saved)
    assert "is damaged" in problem
    assert name in problem


@pytest.mark.parametrize(
    "attributes",
    [
        {"card": "{"},
        {"card": "[]"},
        {"card": '{"name": "x", "law": "chinchilla"}'},
        {"reference": "[1, 2]"},
        {"reference": "[1, 2, -1]"},
        {"info": "}"},
    ],
    ids=str,
)
def test_attributes_that_make_no_sense(saved, attributes):
    with_attribute(saved, **attributes)
    assert "is damaged" in refusal(saved)


def test_draws_that_are_missing(posterior, tmp_path):
    tree = posterior.tree.copy()
    tree["posterior"] = tree["posterior"].dataset.drop_vars(["kappa", "c0"])
    path = Posterior(tree, posterior.card, REFERENCE, {}).save(tmp_path / "fit.nc")
    assert "lacks draws of c0, kappa" in refusal(path)
    del tree["posterior"]
    path = Posterior(tree, posterior.card, REFERENCE, {}).save(tmp_path / "fit.nc")
    assert "is damaged" in refusal(path)


# --- load_posterior --------------------------------------------------------------------------


def test_a_posterior_is_loaded_from_a_file_or_is_one_already(posterior, saved):
    assert load_posterior(posterior) is posterior
    for source in (saved, str(saved)):
        assert load_posterior(source).info == posterior.info


def test_a_file_need_not_have_a_suffix_to_be_found(posterior, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    posterior.save("pilot")
    assert load_posterior("pilot").info == posterior.info
    with pytest.raises(InputError, match="does not exist"):
        load_posterior("pilot.nc")


def test_a_card_is_not_mistaken_for_a_folder_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "joint").mkdir()
    with pytest.raises(InputError, match="has no posterior yet"):
        load_posterior("joint")


def test_a_card_without_a_posterior_says_how_to_get_one():
    for name in model_names():
        if shipped_posterior(name) is None and load_card(name).coefficients is None:
            with pytest.raises(InputError, match=rf'fit\(.*, model="{name}"\)\.save\(') as caught:
                load_posterior(name)
            assert "no posterior yet" in str(caught.value)


def test_a_misspelt_card_gets_a_suggestion():
    with pytest.raises(InputError, match="did you mean busbridge2025"):
        load_posterior("busbrige2025")


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("busbridge2025-table6-repaired", TABLE_6),
        ("busbridge2025-table6", TABLE_6_AS_PRINTED),
    ],
)
def test_cards_of_point_values_are_posteriors_of_one_draw(name, table):
    found = load_posterior(name)
    assert found.n_draws == 1
    assert found.verdict == "none"
    for coefficient, value in table.items():
        assert found.published[coefficient][0] == pytest.approx(value, rel=1e-9)


def test_shipped_posteriors_load_and_passed_their_checks():
    for name in model_names():
        if shipped_posterior(name) is not None:
            found = load_posterior(name)
            assert found.card == load_card(name)
            assert found.verdict != "fail"


def test_a_failed_fit_is_used_only_when_allowed(tmp_path):
    failed = synthetic(verdict="fail")
    path = failed.save(tmp_path / "fit.nc")
    for source in (failed, path):
        with pytest.raises(FailedFitError, match=r"failed its checks.*`allow_failed=True`"):
            load_posterior(source)
        assert load_posterior(source, allow_failed=True).verdict == "fail"
    for verdict in ("pass", "review"):
        assert load_posterior(synthetic(verdict=verdict)).verdict == verdict


# --- what a posterior says -------------------------------------------------------------------


def test_chains_are_joined_and_vectors_left_out(posterior):
    assert posterior.n_draws == CHAINS * DRAWS
    assert "supervised_z" not in posterior.draws
    stored = posterior.tree["posterior"]["kappa"].to_numpy()
    np.testing.assert_array_equal(posterior.draws["kappa"][:DRAWS], stored[0])
    np.testing.assert_array_equal(posterior.draws["kappa"][DRAWS:], stored[1])


def test_losses_are_those_of_the_published_coefficients(posterior, plain):
    params, tokens, teacher = np.array([2e8, 3e9]), np.array([1e10, 9e10]), np.array([2.2, 2.5])
    c = {name: value[:, None] for name, value in posterior.published.items()}
    np.testing.assert_allclose(
        posterior.supervised_loss(params, tokens), plain.supervised(c, params, tokens), rtol=1e-9
    )
    np.testing.assert_allclose(
        posterior.distilled_loss(params, tokens, teacher),
        plain.distilled(c, params, tokens, teacher),
        rtol=1e-9,
    )


@pytest.mark.parametrize("most", [1, 7, 50, 119, 120, 500])
def test_thinning_keeps_draws_of_every_part(posterior, most):
    thin = posterior.thin(most)
    stride = thin.info["thinned_by"]
    assert 1 <= thin.n_draws <= most
    for name, values in posterior.draws.items():
        np.testing.assert_array_equal(thin.draws[name], values[::stride])
    assert thin.n_draws > most / 2 or most >= posterior.n_draws
    assert set(thin.tree.children) == {"posterior", "runs"}
    xr.testing.assert_identical(thin.tree["runs"].dataset, posterior.tree["runs"].dataset)
    assert {**posterior.info, "thinned_by": stride} == thin.info
    if most >= posterior.n_draws:
        assert thin.n_draws == posterior.n_draws


def test_runs_of_a_thinned_posterior_are_shared_not_copied_and_may_be_left_out(posterior):
    whole, thin = (
        p.tree["runs"]["teacher_loss"].to_numpy() for p in (posterior, posterior.thin(5))
    )
    assert np.shares_memory(whole, thin)
    assert set(posterior.thin(5, keep_runs=False).tree.children) == {"posterior"}


def test_a_thinned_posterior_can_be_stored(posterior, tmp_path):
    thin = posterior.thin(10)
    found = Posterior.load(thin.save(tmp_path / "thin.nc"))
    np.testing.assert_array_equal(found.draws["kappa"], thin.draws["kappa"])


@pytest.mark.parametrize("reference", [REFERENCE, Reference(1e9, 1e11, 0.7)], ids=["nats", "bits"])
def test_point_values_come_back_under_their_names(reference, tmp_path):
    card = load_card("busbridge2025-plain")
    point = Posterior.from_coefficients(card, TABLE_6, reference, noise=0.004, origin="table 6")
    assert point.n_draws == 1
    assert point.info == {"origin": "table 6"}
    assert point.verdict == "none"
    assert point.hull is None
    found = Posterior.load(point.save(tmp_path / "point.nc"))
    for name, value in TABLE_6.items():
        assert found.published[name][0] == pytest.approx(value, rel=1e-9)


# --- new runs --------------------------------------------------------------------------------


def noisy_card(family, scale):
    card = load_card("joint")
    return card.model_copy(
        update={"likelihood": card.likelihood.model_copy(update={"family": family, "scale": scale})}
    )


def fixed_noise(card, **scales):
    """A posterior whose residual scales are the same in every draw, in units of the reference."""
    count = 20_000
    middle = card.scaling_law.from_published(TABLE_6, REFERENCE)
    values = {k: (("chain", "draw"), np.full((1, count), float(v))) for k, v in middle.items()}
    values |= {k: (("chain", "draw"), np.full((1, count), v)) for k, v in scales.items()}
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset(values)})
    return Posterior(tree, card, REFERENCE, {})


@pytest.mark.parametrize("scale", ["absolute", "relative"])
@pytest.mark.parametrize("family", ["student_t", "normal"])
def test_new_runs_scatter_as_the_card_says(family, scale):
    card = noisy_card(family, scale)
    fixed = fixed_noise(card, scale=0.01, supervised_scale=0.03)
    mean = np.broadcast_to([2.0, 4.0, 2.0, 4.0], (fixed.n_draws, 4))
    distilled = np.array([True, True, False, False])
    runs = fixed.new_run(mean, distilled, np.random.default_rng(0))
    unit = mean[0] if scale == "relative" else REFERENCE.loss
    spread = np.array([0.01, 0.01, 0.03, 0.03]) * unit
    shape = scipy.stats.norm() if family == "normal" else scipy.stats.t(4)
    levels = [0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98]
    found = np.quantile((runs - mean) / spread, levels, axis=0)
    expected = np.broadcast_to(shape.ppf(levels)[:, None], found.shape)
    np.testing.assert_allclose(found, expected, rtol=0.06, atol=0.04)
    # runs are independent of each other, not one shift for all
    assert abs(scipy.stats.spearmanr(runs[:, 0], runs[:, 1]).statistic) < 0.03


@pytest.mark.parametrize("stored", ["scale", "supervised_scale"])
def test_one_residual_scale_serves_both_kinds_of_run(stored):
    fixed = fixed_noise(noisy_card("normal", "absolute"), **{stored: 0.02})
    mean = np.full((fixed.n_draws, 2), 2.5)
    runs = fixed.new_run(mean, np.array([True, False]), np.random.default_rng(0))
    assert runs.std(0) == pytest.approx(0.02 * REFERENCE.loss, rel=0.03)


def test_each_draw_has_its_own_scale():
    fixed = fixed_noise(noisy_card("normal", "absolute"), scale=0.0)
    fixed.draws["scale"][::2] = 0.05
    mean = np.full((fixed.n_draws, 1), 2.5)
    runs = fixed.new_run(mean, np.array([True]), np.random.default_rng(0))
    assert (runs[1::2] == mean[1::2]).all()
    assert runs[::2].std() == pytest.approx(0.05 * REFERENCE.loss, rel=0.03)


@pytest.mark.parametrize("family", ["student_t", "normal"])
def test_without_noise_a_new_run_is_the_mean(family):
    card = noisy_card(family, "absolute")
    mean = np.array([[2.0, 2.5]])
    for silent in (
        Posterior.from_coefficients(card, TABLE_6, REFERENCE),
        fixed_noise(card),
    ):
        many = np.broadcast_to(mean, (silent.n_draws, 2))
        found = silent.new_run(many, np.array([True, False]), np.random.default_rng(0))
        np.testing.assert_array_equal(found, many)


@pytest.mark.parametrize(("scale", "spread"), [("absolute", 0.004), ("relative", 0.004 * 5.0)])
def test_the_noise_of_point_values_is_in_the_unit_of_the_loss(scale, spread):
    """Absolute noise is in nats (or bits), whatever the reference; relative is a share."""
    card = noisy_card("normal", scale)
    point = Posterior.from_coefficients(card, TABLE_6, REFERENCE, noise=0.004)
    mean = np.full((1, 20_000), 5.0)
    runs = point.new_run(mean, np.ones(20_000, bool), np.random.default_rng(0))
    assert runs.std() == pytest.approx(spread, rel=0.03)


# --- the file needs no pickle ----------------------------------------------------------------


def imports_and_options(source):
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").split(".")[0]
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.arg


def test_no_source_uses_pickle():
    forbidden = {
        "pickle",
        "_pickle",
        "cPickle",
        "cloudpickle",
        "dill",
        "shelve",
        "marshal",
        "read_pickle",
        "to_pickle",
        "allow_pickle",
    }
    sources = sorted(Path(bayes_distill.__file__).parent.rglob("*.py"))
    assert len(sources) > 30
    for path in sources:
        used = forbidden.intersection(imports_and_options(path.read_text(encoding="utf-8")))
        assert not used, f"{path.name} uses {used}"


def test_the_scan_for_pickle_sees_it():
    for code in ("import pickle", "from pickle import loads", "np.load(f, allow_pickle=True)"):
        assert any("pickle" in name for name in imports_and_options(code))


def test_the_attributes_are_plain_json(saved):
    with h5netcdf.File(saved, "r") as file:
        attributes = dict(file.attrs)
    assert attributes["format"] == FORMAT
    assert attributes["law"] in LAWS
    for name in ("card", "reference", "info"):
        json.loads(attributes[name])
