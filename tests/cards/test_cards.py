import json
import tomllib

import jax
import numpy as np
import numpyro.distributions as dist
import pydantic
import pytest

from bayes_distill.cards import (
    Card,
    card_from_dict,
    card_from_toml,
    load_card,
    model_names,
    models_folder,
    read_card,
    shipped_posterior,
)
from bayes_distill.cards.priors import FAMILIES
from bayes_distill.errors import InputError
from bayes_distill.laws import LAWS, TABLE_6, TABLE_6_AS_PRINTED
from card_texts import PRIORS_OF_CHINCHILLA

every_card = pytest.mark.parametrize("name", model_names())

GOOD = f"""
name = "mine"
law = "chinchilla"
{PRIORS_OF_CHINCHILLA}
"""
PRIORS = {"lognormal": {"median": 0.3, "sd": 0.5}, "logitnormal": {"median": 0.5, "sd": 1.0}}


def plain_card(**changes):
    """A good card of the chinchilla law as plain data, with some keys replaced or left out."""
    content = tomllib.loads(GOOD) | changes
    return {key: value for key, value in content.items() if value is not None}


def faults_of(content):
    with pytest.raises(InputError) as caught:
        card_from_dict(content, "mine.toml")
    first, *faults = caught.value.faults
    assert str(first) == "model card mine.toml cannot be used"
    return {fault.column: fault.problem for fault in faults}


# --- shipped cards ---------------------------------------------------------------------------


def test_the_cards_that_the_documents_name_are_shipped():
    assert {
        "busbridge2025",
        "busbridge2025-loose",
        "distillation",
        "hoffmann2022",
        "hoffmann2022-gamma",
        "joint",
        "supervised",
    } <= set(model_names())
    assert model_names() == sorted(model_names())


@every_card
def test_every_shipped_card_loads(name):
    card = load_card(name)
    assert card.name == name
    assert card.title
    assert card.description.strip()
    if card.formula is None:
        assert card.scaling_law is LAWS[card.law]
    else:
        assert card.scaling_law.name == card.law == "formula"


@every_card
def test_every_coordinate_of_a_shipped_card_has_one_prior_or_a_value(name):
    card = load_card(name)
    if card.coefficients is not None:
        assert set(card.coefficients) == set(card.scaling_law.coefficient_names)
        return
    jointly = LAWS["supervised"].coordinate_names if card.supervised else ()
    assert sorted([*jointly, *card.priors]) == sorted(card.scaling_law.coordinate_names)


def test_table_6_ships_as_repaired_and_as_printed():
    for name, table in (
        ("busbridge2025-table6-repaired", TABLE_6),
        ("busbridge2025-table6", TABLE_6_AS_PRINTED),
    ):
        assert load_card(name).coefficients == dict(table)


@every_card
def test_a_card_survives_json(name):
    card = load_card(name)
    assert Card.model_validate_json(card.model_dump_json()) == card
    assert card_from_dict(json.loads(card.model_dump_json()), "file") == card


@every_card
def test_a_user_edits_a_copy(name, tmp_path):
    text = (models_folder() / name / "card.toml").read_text(encoding="utf-8")
    copy = tmp_path / "mine.toml"
    copy.write_text(text.replace(f'name = "{name}"', 'name = "mine"'), encoding="utf-8")
    card, original = load_card(copy), load_card(name)
    assert card == original.model_copy(update={"name": "mine"})
    assert load_card(str(copy)) == card


def test_a_user_changes_a_prior(tmp_path):
    text = (models_folder() / "joint" / "card.toml").read_text(encoding="utf-8")
    before = '[priors.kappa]\nfamily = "lognormal"\nmedian = 2.5\nsd = 0.7'
    assert before in text
    copy = tmp_path / "mine.toml"
    copy.write_text(text.replace(before, '[priors.kappa]\nfamily = "gamma"\nmean = 3\nsd = 0.5'))
    changed, original = load_card(copy).priors, load_card("joint").priors
    assert changed["kappa"] == FAMILIES["gamma"](family="gamma", mean=3, sd=0.5)
    assert {n for n in changed if changed[n] != original[n]} == {"kappa"}


def test_the_earlier_name_of_the_discrepancy_is_still_read():
    card = load_card("busbridge2025")
    content = card.model_dump(mode="json")
    renamed = {**content, "departures": content["discrepancy"]}
    del renamed["discrepancy"]
    assert card_from_dict(renamed, "stored") == card
    with pytest.raises(InputError, match="departures: Extra inputs"):
        card_from_dict({**content, "departures": content["discrepancy"]}, "both")


def test_cards_are_frozen():
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        load_card("joint").law = "supervised"


def test_only_shipped_cards_have_shipped_posteriors(tmp_path):
    assert shipped_posterior("no such card") is None
    assert shipped_posterior(str(tmp_path)) is None
    for name in model_names():
        found = shipped_posterior(name)
        assert found is None or found.is_file()


# --- faults ----------------------------------------------------------------------------------


def test_the_good_card_of_these_tests_is_good():
    card = card_from_toml(GOOD, "mine.toml")
    assert card == card_from_dict(plain_card(), "mine.toml")
    assert card.likelihood.family == "student_t"


def test_every_fault_is_named_at_once():
    """What pydantic finds and what only the law can tell, in one error, each under its key."""
    priors = plain_card()["priors"]
    del priors["slope_tokens"]
    priors["floor"] = {"family": "beta", "a": 1, "b": 2}
    priors["level"] = {"family": "lognormal", "median": -1, "sd": 0.2, "mode": 3}
    priors["share"] = {"family": "cauchy"}
    priors["slope_parms"] = priors.pop("slope_params")
    faults = faults_of(
        plain_card(
            name="my card",
            colour="red",
            likelihood={"family": "laplace", "degrees_of_freedom": 0},
            reference={"params": -1},
            target_accept=1.5,
            priors=priors,
        )
    )
    assert set(faults) == {
        "name",
        "colour",
        "likelihood.family",
        "likelihood.degrees_of_freedom",
        "reference.params",
        "target_accept",
        "priors",
        "priors.floor",
        "priors.level.median",
        "priors.level.mode",
        "priors.share",
        "priors.slope_parms",
    }
    assert faults["priors"] == "missing for slope_params, slope_tokens"
    assert "beta is for unit coordinates, and floor is positive" in faults["priors.floor"]
    assert "no such coordinate" in faults["priors.slope_parms"]
    assert "slope_params" in faults["priors.slope_parms"]  # what there is instead
    assert "'lognormal'" in faults["priors.share"]


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS.keys())
def test_each_family_is_held_against_the_support(law):
    """A card with the right family for each coordinate is good, and with the wrong one is not."""
    right = {"positive": "lognormal", "unit": "logitnormal", "real": "normal"}
    numbers = PRIORS | {"normal": {"mean": 0.0, "sd": 1.0}}
    priors = {
        c.name: {"family": right[c.support], **numbers[right[c.support]]} for c in law.coordinates
    }
    content = {"name": "mine", "law": law.name, "priors": priors}
    assert card_from_dict(content, "mine.toml").law == law.name
    wrong = {name: {"family": "normal", **numbers["normal"]} for name in priors}
    not_real = {f"priors.{c.name}" for c in law.coordinates if c.support != "real"}
    assert set(faults_of({**content, "priors": wrong})) == not_real


def test_an_unknown_law_is_told_with_the_known_ones():
    faults = faults_of(plain_card(law="chinchila", priors={"floor": {"family": "nonsense"}}))
    assert set(faults) == {"law", "priors.floor"}
    assert all(name in faults["law"] for name in LAWS)


def test_missing_keys_are_faults():
    assert set(faults_of({})) == {"name", "law"}
    assert set(faults_of(plain_card(priors=None))) == {"priors"}


@pytest.mark.parametrize("content", [[], 3, "text", None])
def test_what_is_no_table_at_all_is_an_input_error(content):
    with pytest.raises(InputError, match=r"mine\.toml cannot be used"):
        card_from_dict(content, "mine.toml")


@pytest.mark.parametrize("key", ["priors", "supervised", "likelihood", "reference", "coefficients"])
def test_a_number_where_a_table_belongs(key):
    assert key in faults_of(plain_card(**{key: 3}))


# --- the joint prior and point values --------------------------------------------------------


def joint_card(**supervised):
    text = (models_folder() / "busbridge2025" / "card.toml").read_text(encoding="utf-8")
    content = tomllib.loads(text)
    return {**content, "supervised": {**content["supervised"], **supervised}}


def test_a_prior_under_the_joint_prior_is_one_too_many():
    content = joint_card()
    content["priors"]["floor"] = {"family": "lognormal", "median": 0.6, "sd": 0.4}
    faults = faults_of(content)
    assert set(faults) == {"priors.floor"}
    assert "[supervised]" in faults["priors.floor"]


def test_faults_of_the_joint_prior_come_together():
    faults = faults_of(
        joint_card(
            centre="table9",
            loss_sd=0,
            unit_sd=-1,
            params_range=[1e9, 1e8],
            tokens_per_param_range=[10, 10],
            width=2,
        )
    )
    assert set(faults) == {
        f"supervised.{key}"
        for key in (
            "centre",
            "loss_sd",
            "unit_sd",
            "params_range",
            "tokens_per_param_range",
            "width",
        )
    }
    assert "busbridge2025-table6" in faults["supervised.centre"]
    assert "must rise" in faults["supervised.params_range"]


def test_a_centre_may_be_written_out_and_must_be_whole():
    whole = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37, "gamma": 1.0}
    assert card_from_dict(joint_card(centre=whole), "x").supervised.centre == whole
    del whole["A"], whole["gamma"]
    assert "A, gamma" in faults_of(joint_card(centre=whole))["supervised.centre"]
    assert card_from_dict(joint_card(), "x").supervised.centre == dict(TABLE_6)


def test_a_law_without_gamma_has_no_joint_prior():
    faults = faults_of(plain_card(supervised={}, priors=None))
    assert "no gamma" in faults["supervised"]


def test_point_values_are_whole_known_and_alone():
    values = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}
    good = plain_card(priors=None, coefficients=values)
    assert card_from_dict(good, "x").coefficients == values
    assert "not both" in faults_of(plain_card(coefficients=values))["coefficients"]
    faults = faults_of({**good, "coefficients": {"E": -1.0, "A": 480.0, "B": 1.0, "gama": 1.0}})
    assert set(faults) == {"coefficients", "coefficients.E", "coefficients.gama"}
    assert "alpha, beta" in faults["coefficients"]


# --- files -----------------------------------------------------------------------------------


def test_bad_toml_says_where(tmp_path):
    (tmp_path / "mine.toml").write_text('name = "mine"\nlaw = = "chinchilla"\n')
    with pytest.raises(InputError, match=r"mine\.toml is not valid TOML: .*line 2"):
        load_card(tmp_path / "mine.toml")


@pytest.mark.parametrize(
    ("name", "words"),
    [("none.toml", "does not exist"), ("folder.toml", "cannot be read"), ("bin.toml", "cannot be")],
)
def test_what_cannot_be_read_is_an_input_error(tmp_path, name, words):
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "bin.toml").write_bytes(b"\xff\xfe\x00")
    for read in (load_card, read_card):
        with pytest.raises(InputError, match=words):
            read(tmp_path / name)


def test_a_misspelt_name_gets_a_suggestion():
    with pytest.raises(InputError, match="did you mean busbridge2025-loose"):
        load_card("busbridge-loose")
    with pytest.raises(InputError, match="there are busbridge2025, ") as caught:
        load_card("qqq")
    assert all(name in str(caught.value) for name in model_names())


# --- families --------------------------------------------------------------------------------

EXAMPLES = {
    "lognormal": ({"median": 0.3, "sd": 0.5}, dist.constraints.positive),
    "gamma": ({"mean": 2.0, "sd": 0.4}, dist.constraints.positive),
    "logitnormal": ({"median": 0.7, "sd": 0.9}, dist.constraints.unit_interval),
    "beta": ({"a": 2.0, "b": 5.0}, dist.constraints.unit_interval),
    "normal": ({"mean": -1.0, "sd": 0.5}, dist.constraints.real),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_means_what_it_says(family):
    numbers, support = EXAMPLES[family]
    prior = FAMILIES[family](family=family, **numbers)
    names = {"positive": dist.constraints.positive, "unit": dist.constraints.unit_interval}
    assert names.get(prior.support, dist.constraints.real) is support
    sample = np.asarray(
        prior.distribution(*prior.hyperparameters()).sample(jax.random.key(0), (5000,))
    )
    assert np.asarray(support(sample)).all()
    if "median" in numbers:
        logs = np.log(sample) if prior.support == "positive" else np.log(sample / (1 - sample))
        assert np.median(sample) == pytest.approx(numbers["median"], rel=0.05)
        assert logs.std() == pytest.approx(numbers["sd"], rel=0.05)
    elif "mean" in numbers:
        assert sample.mean() == pytest.approx(numbers["mean"], rel=0.05)
        assert sample.std() == pytest.approx(numbers["sd"], rel=0.05)
    else:
        assert sample.mean() == pytest.approx(2 / 7, rel=0.05)
