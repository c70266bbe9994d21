"""An MLflow store made with MLflow itself: two experiments, with good runs and bad ones."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np


def log(
    client: Any,
    experiment: str,
    name: str,
    *,
    params: float,
    tokens: float,
    losses: list[float],
    status: str = "FINISHED",
    **tags: str,
) -> None:
    """Log one run."""
    made = client.create_run(experiment, run_name=name, tags=tags)
    key = made.info.run_id
    client.log_param(key, "model.n_params", params)
    client.log_param(key, "n_params", params)
    client.log_metric(key, "tokens_seen", tokens / 1e9)
    client.log_param(key, "batch_tokens", 2**19)
    client.log_metric(key, "steps", tokens / 2**19, step=len(losses))
    for step, loss in enumerate(losses):
        client.log_metric(key, "val/loss", loss, step=step)
    if status != "RUNNING":
        client.set_terminated(key, status)


def make_store(path: Path) -> Path:
    """Make the store at `path`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mlflow import MlflowClient

        logging.disable(logging.CRITICAL)
        client = MlflowClient(f"sqlite:///{path}", registry_uri=f"sqlite:///{path}")
        sweep = client.create_experiment("sweep", artifact_location=str(path.parent))
        for place, size in enumerate((1e8, 2e8, 4e8, 8e8)):
            losses = [3.9, 3.0 - 0.1 * place, 3.1 - 0.1 * place]
            log(
                client,
                sweep,
                f"s{place}",
                params=size,
                tokens=20 * size,
                losses=losses,
                purpose="scaling",
            )
        log(client, sweep, "going", params=1e9, tokens=1e9, losses=[4.0], status="RUNNING")
        log(client, sweep, "broke", params=1e9, tokens=1e9, losses=[4.0], status="FAILED")
        log(client, sweep, "ended", params=1e9, tokens=1e9, losses=[4.0], status="KILLED")
        log(client, sweep, "empty", params=1e9, tokens=2e10, losses=[])
        log(client, sweep, "burst", params=1e9, tokens=2e10, losses=[2.5, np.nan])
        log(client, sweep, "flown", params=1e9, tokens=2e10, losses=[2.5, np.inf])
        log(client, sweep, "s0", params=1e8, tokens=2e9, losses=[2.99], purpose="again")
        log(client, sweep, "s0", params=3e8, tokens=6e9, losses=[2.85], purpose="debug")
        other = client.create_experiment("other", artifact_location=str(path.parent))
        log(client, other, "o", params=7.0, tokens=2e9, losses=[2.9])
        client.create_experiment("unused", artifact_location=str(path.parent))
        client._tracking_client.store._dispose_engine()
        logging.disable(logging.NOTSET)
    return path
