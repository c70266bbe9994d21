"""The named tables of real runs, as a table."""

from __future__ import annotations

import pandas as pd

from bayes_distill.runs.datasets import list_datasets


def datasets() -> pd.DataFrame:
    """List the named data, which `read_runs` takes by their names.

    Returns
    -------
    DataFrame
        One row a table of runs: ``name``, ``description``, ``rows``, where it comes from
        (``url``, ``source``, ``licence``), and its ``file``, ``size`` in bytes and ``sha256``.
    """
    return pd.DataFrame([dataset.to_json() for dataset in list_datasets()])
