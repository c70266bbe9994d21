"""The longest tests are begun first, and those that share a fit stay in one process."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from xdist.remote import Producer

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


class Worker:
    """Enough of a process of pytest-xdist to be given tests."""

    shutting_down = False

    def __init__(self, name: str) -> None:
        self.gateway = SimpleNamespace(id=name)
        self.given: list[int] = []

    def send_runtest_some(self, indices: list[int]) -> None:
        self.given += indices

    def shutdown(self) -> None:
        self.shutting_down = True


def share_out(names: list[str], dist: str = "loadfile") -> list[list[str]] | None:
    """Tests that two processes are given at first, by the scheduler for this way to share out."""
    values = {"dist": dist, "tx": ["popen", "popen"], "loadscopereorder": True}
    config = SimpleNamespace(option=SimpleNamespace(**values), getvalue=values.__getitem__)
    found = scheduling.scheduler(config, Producer("test", enabled=False))
    if found is None:
        return None
    workers = [Worker("one"), Worker("two")]
    for worker in workers:
        found.add_node(worker)
        found.add_node_collection(worker, names)
    found.schedule()
    return [[names[i] for i in worker.given] for worker in workers]


def test_files_that_share_fits_of_the_real_runs_go_to_one_process() -> None:
    real = ["tests/real/test_a.py::test_one", "tests/real/test_b.py::test_two"]
    docs = ["tests/house/test_docs.py::test_page"]
    many = [f"tests/test_many.py::test_{i}" for i in range(9)]
    few = ["tests/test_few.py::test_last"]
    assert share_out([*real, *docs, *few, *many]) == [[*real, *few], [*docs, *many]]


def test_other_ways_to_share_out_are_those_of_the_plugin() -> None:
    assert share_out(["tests/test_few.py::test_last"], "worksteal") is None


def test_modules_that_tests_import_by_name_have_one_name_each() -> None:
    places = [ROOT / "benchmarks", ROOT / "scripts", ROOT / "tests"]
    names = [path.stem for place in places for path in place.rglob("*.py")]
    twice = {name for name in names if names.count(name) > 1} - {"conftest", "__init__"}
    assert twice == set()
