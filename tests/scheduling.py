"""In which order several processes take up the tests, and which tests stay in one process.

A file stays in one process, for its tests share fits; so do the files that share a fit of the real
runs. What takes longest is begun first: pytest-xdist itself begins with the files of most tests,
so that a file of a few long ones comes last, and the other processes wait for it.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest
    from xdist.scheduler import LoadScopeScheduling

# what stays together and takes longest, the longest first; all else follows
LONGEST = (
    "tests/real",
    "tests/house/test_docs.py",
    "tests/house/test_notebooks.py",
    "tests/test_every_law.py",
    "tests/likelihoods/test_contaminated_fits.py",
)
TOGETHER = ("tests/real",)  # folders whose files share long fits


def share_of(nodeid: str) -> str:
    """Name of what stays in one process: the file of a test, or its folder."""
    file = nodeid.partition("::")[0]
    folders = [str(folder) for folder in PurePosixPath(file).parents]
    return next((folder for folder in TOGETHER if folder in folders), file)


def rank(nodeid: str) -> int:
    """Place of a test's share in `LONGEST`, or behind them all."""
    share = share_of(nodeid)
    return LONGEST.index(share) if share in LONGEST else len(LONGEST)


def scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    """Scheduler for ``--dist loadfile``; pytest-xdist's own for other ways to share out tests."""
    from xdist.scheduler import LoadScopeScheduling

    class LongestFirst(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return share_of(nodeid)

    if config.getvalue("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False  # the order of `rank`, not that of numbers of tests
    return LongestFirst(config, log)
