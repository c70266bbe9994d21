"""A posterior whose bytes were cut or changed is refused, or is read as it was written."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hostile_damage import write_damaged
from hostile_home import small_posterior
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bayes_distill.errors import InputError
from bayes_distill.posterior import Posterior
from bayes_distill.posterior.io import ATTRIBUTES, content_digest
from bayes_distill.posterior.schema import FARTHEST_DRAW

DAMAGED = 500
ANY = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = ("verdict", "diagnostics", "hull", "coefficients", "notes", "kind", "n_runs", "epochs",
        "interval", "flagged_runs", "stages", "stack", "thinned_by", "shipped", "seconds",
        "other")  # fmt: skip


def described(posterior):
    """Everything that answers come from."""
    blank = dict.fromkeys(ATTRIBUTES, "")
    return (
        content_digest(posterior.tree, blank),
        posterior.card,
        posterior.reference,
        json.dumps(posterior.info, sort_keys=True),
    )


def damaged(content: bytes, number: int) -> bytes:
    """The file with something wrong: cut, one bit flipped, one byte or a stretch overwritten."""
    generator = np.random.default_rng(number)
    place = int(generator.integers(len(content)))
    if number % 5 == 0:
        return content[:place]
    changed = bytearray(content)
    if number % 5 == 1:
        changed[place : place + 64] = generator.bytes(len(changed[place : place + 64]))
    elif number % 5 == 2:
        changed[place] = int(generator.integers(256))
    else:
        changed[place] ^= 1 << int(generator.integers(8))
    return bytes(changed)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_no_damaged_file_answers_wrongly(tmp_path):
    path = small_posterior().thin(6, keep_runs=False).save(tmp_path / "fit.nc")
    content, whole = path.read_bytes(), described(Posterior.load(path))
    refused, messages = 0, []
    for number in range(DAMAGED):
        path.write_bytes(damaged(content, number))
        try:
            found = described(Posterior.load(path))
        except InputError as error:
            refused += 1
            messages.append(str(error))
            continue
        assert found == whole, number
    assert refused > DAMAGED / 10
    assert not any("\n" in message for message in messages)


def test_the_checksum_tells_of_every_part(posterior):
    attributes = dict.fromkeys(ATTRIBUTES, "")
    before = content_digest(posterior.tree, attributes)
    assert before == content_digest(posterior.tree.copy(deep=True), attributes)
    for name in ATTRIBUTES:
        assert before != content_digest(posterior.tree, {**attributes, name: "x"})
    other = posterior.tree.copy(deep=True)
    other["posterior"]["kappa"].to_numpy()[0, 0] *= 1 + 1e-15
    assert before != content_digest(other, attributes)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example(changes={"diagnostics": None})
@given(changes=st.dictionaries(st.sampled_from(KEYS), ANY, min_size=1, max_size=3))
def test_any_plain_data_is_read_or_refused(posterior, tmp_path, changes):
    def change(_, attributes):
        attributes["info"] = json.dumps({**json.loads(attributes["info"]), **changes})

    path = write_damaged(posterior, change, tmp_path / "fit.nc")
    try:
        found = Posterior.load(path)
    except InputError:
        return
    assert found.verdict in ("pass", "review", "fail", "none")
    assert found.hull is None or len(found.hull.points)
    assert isinstance(found.warnings, tuple)


@settings(max_examples=60, deadline=None)
@given(value=st.floats(), name=st.sampled_from(["kappa", "share", "scale", "level"]))
def test_no_draw_out_of_its_support_is_read(tmp_path_factory, value, name):
    posterior = small_posterior()

    def change(groups, _):
        values = groups["posterior"][name].to_numpy().copy()
        values[0, 0] = value
        groups["posterior"][name] = (("chain", "draw"), values)

    path = write_damaged(posterior, change, tmp_path_factory.getbasetemp() / "one.nc")
    inside = 0 < value < (1 if name == "share" else FARTHEST_DRAW)
    if inside:
        Posterior.load(path)
    else:
        with pytest.raises(InputError, match=name):
            Posterior.load(path)
