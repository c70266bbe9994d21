"""No circles among modules, within layers or across, and a first level seen at a glance."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

import grimp
import pytest

MOST_AT_THE_FIRST_LEVEL = 25


@pytest.fixture(scope="module")
def imports() -> dict[str, set[str]]:
    """What each module imports of this package, for types and inside functions too."""
    graph = grimp.build_graph("bayes_distill", cache_dir=None)
    return {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}


def test_no_module_imports_itself_in_a_circle(imports):
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def test_the_first_level_is_seen_at_a_glance(imports):
    first = {name for name in imports if name.count(".") == 1}
    assert len(first) <= MOST_AT_THE_FIRST_LEVEL, sorted(first)
