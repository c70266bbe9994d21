import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayes_distill.runs.column_names import ALIASES, EPOCHS, FLOPS, canonical_name, resolve_columns
from bayes_distill.runs.table import CANONICAL

PAIRS = [(alias, name) for name, aliases in ALIASES.items() for alias in aliases]


def test_every_canonical_column_has_its_names():
    assert set(ALIASES) == {*CANONICAL, FLOPS, EPOCHS}


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("N", "params"),
        ("n", "params"),
        ("NS", "params"),
        ("n_params", "params"),
        ("model_size", "params"),
        ("Model Size", "params"),
        ("num_params", "params"),
        ("D", "tokens"),
        ("DS", "tokens"),
        ("num_tokens", "tokens"),
        ("n_tokens", "tokens"),
        ("L", "loss"),
        ("LS", "loss"),
        ("val_loss", "loss"),
        ("Validation Loss", "loss"),
        ("LT", "teacher_loss"),
        ("NT", "teacher_params"),
        ("DT", "teacher_tokens"),
        ("student_params", "params"),
        ("student_tokens", "tokens"),
        ("student_loss", "loss"),
        ("Training FLOP", FLOPS),
        ("training flop(s)", FLOPS),
        ("FLOPs", FLOPS),
        ("compute", FLOPS),
        (" loss ", "loss"),
        ("val-loss", "loss"),
        ("colour", None),
        ("", None),
    ],
)
def test_names_that_people_give(header, name):
    assert canonical_name(header) == name


@given(st.sampled_from(PAIRS), st.randoms(use_true_random=False), st.sampled_from(" _-."))
def test_case_and_separators_do_not_count(pair, random, separator):
    alias, name = pair
    written = "".join(random.choice([c.lower(), c.upper()]) for c in alias)
    assert canonical_name(written.replace("_", separator)) == name


def test_no_alias_means_two_things():
    plain = [(alias.casefold().replace("_", ""), name) for alias, name in PAIRS]
    for alias, name in plain:
        assert {other for a, other in plain if a == alias} == {name}


def test_l_with_lt_is_the_students_loss():
    found = resolve_columns(["L", "N", "LT", "D"])
    assert found.position == {"loss": 0, "params": 1, "teacher_loss": 2, "tokens": 3}
    assert found.faults == ()


@pytest.mark.parametrize(
    ("header", "one", "two", "column"),
    [
        (["N", "NS", "D", "L"], "'N'", "'NS'", "params"),
        (["N", "D", "loss", "val_loss"], "'loss'", "'val_loss'", "loss"),
        (["N", "D", "loss", "loss"], "'loss'", "'loss'", "loss"),
        (["N", "D", "loss", "loss.1"], "'loss'", "'loss.1'", "loss"),
        (["N", "flop", "compute", "L"], "'flop'", "'compute'", FLOPS),
    ],
)
def test_two_columns_that_mean_the_same_are_both_named(header, one, two, column):
    (fault,) = resolve_columns(header).faults
    assert fault.column == column
    assert f"{one} and {two}" in fault.problem


def test_missing_columns_are_all_named_with_aliases_and_what_is_there():
    faults = resolve_columns(["N", "colour"]).faults
    assert [fault.column for fault in faults] == ["tokens", "loss"]
    assert "D, DS" in faults[0].problem
    assert "training_flops" in faults[0].problem
    assert "columns found: N, colour" in faults[1].problem


def test_flops_stand_in_for_tokens_only_where_there_are_none():
    assert resolve_columns(["N", "flops", "L"]).faults == ()
    both = resolve_columns(["N", "D", "flops", "L"])
    assert FLOPS not in both.position
    assert both.unused == ("flops",)


@pytest.mark.parametrize(("there", "missing"), [("NT", "teacher_tokens"), ("DT", "teacher_params")])
def test_half_a_teacher_is_a_fault(there, missing):
    (fault,) = resolve_columns(["N", "D", "L", there]).faults
    assert fault.column == missing
    assert there in fault.problem
