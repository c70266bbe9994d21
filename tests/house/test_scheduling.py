"""The longest tests are begun first, and those that share a fit stay in one process."""

from __future__ import annotations

from pathlib import Path

import pytest

import scheduling

ROOT = Path(__file__).parents[2]


def test_what_is_named_is_there() -> None:
    assert [name for name in scheduling.LONGEST if not (ROOT / name).exists()] == []
    assert set(scheduling.TOGETHER) <= set(scheduling.LONGEST)


def test_a_share_is_a_file_or_a_folder_of_shared_fits() -> None:
    assert (
        scheduling.share_of("tests/runs/test_table.py::test_a[x::y]") == "tests/runs/test_table.py"
    )
    assert scheduling.share_of("tests/real/test_hoffmann2022.py::test_a") == "tests/real"


def test_tests_are_collected_with_the_longest_first(request: pytest.FixtureRequest) -> None:
    ranks = [scheduling.rank(item.nodeid) for item in request.session.items]
    assert ranks == sorted(ranks)
