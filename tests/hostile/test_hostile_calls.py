"""Every hostile call is refused with one line, and no file changes."""

from __future__ import annotations

import shlex

import pytest
from hostile_cases import CASES, TEXTS, Case
from hostile_home import contents

LONGEST_LINE = 21_000


def typed(case: Case) -> list[str]:
    words = shlex.split(case.typed)
    for place, word in enumerate(words):
        for short, text in TEXTS.items():
            word = word.replace(short, text)
        words[place] = word
    return words


def test_the_table_is_long_enough():
    assert len(CASES) >= 200
    assert len({case.typed for case in CASES}) == len(CASES)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("case", CASES, ids=lambda case: ascii(case.typed[:70]))
def test_case(inside, say, case):
    before = contents(inside)
    said = say(*typed(case))
    assert said.status == 2, said.err[-2000:]
    assert "Traceback" not in said.err
    assert said.out == ""
    assert len(said.err) < LONGEST_LINE
    assert all(c.isprintable() or c == "\n" for c in said.err)
    place = 0
    for number, part in enumerate(case.begins.split("...")):
        found = said.error.find(part, place)
        assert found == 0 or (number and found > 0), said.error[:600]
        place = found + len(part)
    for flag in ("--draws", "--workers", "noise"):
        assert said.error.count(f"{flag}: ") <= 1  # the option and the function find the same
    after = contents(inside)
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    assert changed <= set(case.changes)
