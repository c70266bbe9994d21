"""A Dask cluster of this machine, for tests."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


@contextmanager
def local_cluster(workers: int) -> Iterator[Any]:
    """Workers with one thread each, every one a process watched by a nanny that restarts it."""
    distributed = pytest.importorskip("distributed")
    with (
        warnings.catch_warnings(),
        distributed.LocalCluster(
            n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
    ):
        warnings.simplefilter("ignore")  # of ports and memory limits: not this package's
        yield cluster
