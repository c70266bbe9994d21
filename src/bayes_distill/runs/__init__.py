"""The table of runs: reading, checking, named data, simulation.

Pooch, pyarrow and JAX are imported by the functions that need them, because commands
that need none of them must start quickly.
"""

from bayes_distill.runs.datasets import DATASETS, Dataset, fetch, list_datasets
from bayes_distill.runs.reading import read_runs
from bayes_distill.runs.simulation import chinchilla_design, paper_design, simulate
from bayes_distill.runs.table import Runs
from bayes_distill.runs.table_check import RunsReport, check

__all__ = [
    "DATASETS",
    "Dataset",
    "Runs",
    "RunsReport",
    "check",
    "chinchilla_design",
    "fetch",
    "list_datasets",
    "paper_design",
    "read_runs",
    "simulate",
]
