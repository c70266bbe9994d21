"""Stored programs that JAX cannot read: removed, and nobody is told."""

from __future__ import annotations

import warnings

import pytest

from bayes_distill._runtime.compiled_programs import repaired_programs

READING = "Error reading persistent compilation cache entry for 'jit_one': truncated stream"


@pytest.mark.parametrize("quiet", [False, True])
def test_entries_that_cannot_be_read_are_removed_and_other_warnings_shown(
    quiet, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("BAYES_DISTILL_CACHE", str(tmp_path))
    folder = tmp_path / "jax"
    folder.mkdir()
    for name in ("jit_one-0a1b-cache", "jit_two-0a1b-cache"):
        (folder / name).write_bytes(b"")
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with repaired_programs(quiet=quiet):
            warnings.warn(READING, stacklevel=1)
            warnings.warn("something else", stacklevel=1)
    assert [path.name for path in folder.iterdir()] == ["jit_two-0a1b-cache"]
    assert [str(w.message) for w in seen] == ([] if quiet else ["something else"])
    assert capsys.readouterr().err == ""
