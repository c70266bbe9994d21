"""Temporary files: what a killed process left is removed, what a living one writes is not."""

from __future__ import annotations

import os
import subprocess
import sys

from bayes_distill._input.files import atomic_path
from bayes_distill._input.folders import HALF_WRITTEN
from bayes_distill._input.temporary import temporary_beside


def test_what_a_killed_process_left_goes_with_the_next_call(tmp_path):
    target = tmp_path / "fit.nc"
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    mine = temporary_beside(target)
    left = mine.with_name(mine.name.replace(f"-{os.getpid()}-", f"-{ended.pid}-"))
    left.write_bytes(b"half")
    of_another_file = left.with_name(left.name.replace(".fit-", ".other-"))
    of_another_file.write_bytes(b"half")
    own = tmp_path / ".fit-notes.nc"
    own.write_text("a user's", encoding="utf-8")
    with atomic_path(target) as temporary:
        temporary.write_bytes(b"whole")
    assert sorted(tmp_path.iterdir()) == sorted([target, mine, of_another_file, own])
    assert target.read_bytes() == b"whole"


def test_unfinished_work_knows_its_temporaries(tmp_path):
    for name in (f"{'0a' * 16}.npz", f"planning-{'0a' * 16}.json"):
        assert HALF_WRITTEN.fullmatch(temporary_beside(tmp_path / name).name)
