"""Any card, mapping, table or list of points is read, or refused with one error, and soon."""

from __future__ import annotations

import csv
import io
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from hostile_files import CARD, HEADER, ROWS
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import bayes_distill as bd
from bayes_distill.cards.reading import card_from_dict, card_from_toml
from bayes_distill.errors import InputError
from bayes_distill.predict.points import from_table
from bayes_distill.runs.trackers.mapping import read_mapping

LONGEST = 1.0  # seconds of this process
HUGE = st.sampled_from([0, -1, 10**400, 1e308, 5e-324, float("inf"), float("nan"), True])
PLAIN = st.one_of(st.none(), HUGE, st.floats(), st.integers(), st.text(max_size=20))
ANY = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
GOOD_CARD = tomllib.loads(CARD.format(sd="1.0"))
CARD_KEYS = ["name", "title", "law", "priors", "likelihood", "reference", "coefficients", "noise",
             "data", "members", "discrepancy", "unlimited_data", "joint_prior", "x"]  # fmt: skip
LIKELIHOOD_KEYS = ["family", "priors", "nu", "effect", "run_effect", "x"]
MAPPING_KEYS = ["columns", "keep", "corrections", "source", "x"]
COLUMNS = ["params", "tokens", "loss", "teacher_loss", "teacher_params", "group", "run", "x"]
CELLS = st.one_of(
    st.sampled_from(["", "1e9", "2e10", "2.1", "-1", "inf", "nan", "1e999", "7B", "=1+1", "1_0",
                     "0x10", "\ud800", "9" * 400]),
    st.text(max_size=12),
    st.floats().map(str),
)  # fmt: skip
quick = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@contextmanager
def read_or_refused() -> Iterator[None]:
    """Nothing but an `InputError` of lines that can be printed, and soon."""
    begun, said = time.process_time(), "read"
    try:
        yield
    except InputError as error:
        said = str(error)
    assert 0 < len(said) < 20_000
    assert time.process_time() - begun < LONGEST


def changed(good: dict, path: tuple, value: object) -> dict:
    """A copy with another value somewhere."""
    copy = dict(good)
    inner = copy
    for key in path[:-1]:
        inner[key] = dict(inner[key]) if isinstance(inner.get(key), dict) else {}
        inner = inner[key]
    inner[path[-1]] = value
    return copy


PLACES = st.one_of(
    st.tuples(st.sampled_from(CARD_KEYS)),
    st.tuples(st.just("likelihood"), st.sampled_from(LIKELIHOOD_KEYS)),
    st.tuples(st.just("priors"), st.sampled_from([*GOOD_CARD["priors"], "kappa", "x"])),
    st.tuples(
        st.just("priors"),
        st.sampled_from(list(GOOD_CARD["priors"])),
        st.sampled_from(["family", "median", "sd", "mean", "low", "x"]),
    ),
    st.tuples(st.just("reference"), st.sampled_from(["params", "tokens", "loss", "x"])),
    st.tuples(st.just("discrepancy"), st.sampled_from(["shift", "tilt", "smooth", "x"])),
)


@quick
@given(path=PLACES, value=ANY, more=st.dictionaries(st.sampled_from(CARD_KEYS), ANY, max_size=2))
def test_any_card(path, value, more):
    with read_or_refused():
        card_from_dict({**changed(GOOD_CARD, path, value), **more}, "card.toml")


@quick
@given(
    text=st.one_of(
        st.text(max_size=200),
        st.tuples(st.integers(0, 400), st.text(max_size=10)).map(
            lambda cut: CARD.format(sd="1.0")[: cut[0]] + cut[1] + CARD.format(sd="1.0")[cut[0] :]
        ),
    )
)
@example(text="x = " + "[" * 20_000)
@example(text="x." * 20_000 + "y = 1")
@example(text="[" + "x." * 20_000 + "y]")
@example(text="'x'. " * 20_000 + "y = 1")
@example(text="x = 1" + "0" * 20_000)
@example(text="x" * 200_000)
@example(text="x = '" + "'" * 20_000)
def test_any_text_as_a_card(text):
    with read_or_refused():
        card_from_toml(text, "card.toml")


@quick
@given(content=st.dictionaries(st.sampled_from(MAPPING_KEYS), ANY, max_size=3), text=st.text())
def test_any_mapping(tmp_path, content, text):
    with read_or_refused():
        read_mapping(content)
    path = tmp_path / "map.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with read_or_refused():
        read_mapping(path)


@quick
@given(
    columns=st.dictionaries(
        st.sampled_from(COLUMNS), st.one_of(st.sampled_from(COLUMNS), ANY), max_size=4
    ),
    keep=ANY,
)
def test_any_columns_of_a_mapping_and_its_runs(inside, columns, keep):
    with read_or_refused():
        bd.read_runs("runs.csv", mapping={"columns": columns, "keep": keep})


def as_csv(header: list[str], rows: list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    return text.getvalue().encode("utf-8", "surrogatepass")


TABLES = st.one_of(
    st.binary(max_size=60),
    st.tuples(st.integers(0, 200), st.binary(max_size=6)).map(
        lambda cut: "\n".join([HEADER, *ROWS]).encode()[: cut[0]] + cut[1]
    ),
    st.builds(
        as_csv,
        st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=6),
        st.lists(st.lists(CELLS, max_size=6), max_size=4),
    ),
)


@pytest.mark.parametrize("read", [from_table, bd.check, bd.read_runs], ids=lambda r: r.__name__)
@quick
@given(content=TABLES, suffix=st.sampled_from([".csv", ".jsonl", ".parquet"]))
def test_any_table(tmp_path, read: Callable[[str], object], content, suffix):
    path = tmp_path / f"table{suffix}"
    path.write_bytes(content)
    with read_or_refused():
        read(str(path))


@quick
@given(params=CELLS, tokens=CELLS, teacher=CELLS)
def test_any_numbers_on_the_command_line(inside, say, params, tokens, teacher):
    words = ("--params", params, "--tokens", tokens, "--teacher-loss", teacher)
    begun = time.process_time()
    said = say("forecast", "fit.nc", *words)
    assert time.process_time() - begun < LONGEST
    assert said.status in (0, 2)
    if said.status:
        assert "Traceback" not in said.err
        assert len(said.error) < 20_000
