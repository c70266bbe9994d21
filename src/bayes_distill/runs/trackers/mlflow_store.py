"""Runs from an MLflow tracking store, which is only read."""

from __future__ import annotations

import logging
import math
import os
import sqlite3
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

from bayes_distill.errors import InputError
from bayes_distill.runs.trackers.servers import check_server
from bayes_distill.runs.trackers.tracker_runs import SCHEME, TrackerRuns, without_password

SQLITE = "sqlite:///"
LARGEST = 1.7e308  # MLflow stores an infinity as the largest float


def read_store(source: str, extremes: Iterable[tuple[str, str]] = ()) -> TrackerRuns:
    """Read the runs of ``mlflow:sqlite:///mlflow.db``, oldest first.

    ``#NAME`` or ``?experiment=NAME`` at the end chooses an experiment; the latter may be repeated
    (``&experiment=OTHER``). Without it all experiments that are not deleted are read.
    A SQLite store is read from a copy, so that it stays as it is whatever MLflow does on opening.

    Parameters
    ----------
    source
        Address of the store.
    extremes
        Names of metrics whose ``min`` or ``max`` is needed, and which.

    Raises
    ------
    InputError
        If MLflow is not installed, there is no such store or experiment, or it holds no runs.
    """
    uri, wanted = _split(source)
    shown = without_password(uri)
    check_server(uri, shown)
    with quietly(), _readable(uri) as tracking_uri:
        try:
            client = client_of(tracking_uri)
            experiments = _experiments(client, shown, wanted)
            runs = _runs(client, list(experiments))
            if not runs:
                named = ", ".join(repr(name) for name in experiments.values())
                raise InputError(f"{shown} holds no runs in its experiments {named}")
            return _tracker_runs(client, runs, experiments, extremes)
        except InputError:
            raise
        except Exception as error:  # MLflow, SQLAlchemy and the network each have their own
            raise InputError(
                f"{shown} cannot be read as an MLflow store: {reason_of(error)}"
            ) from None
        finally:
            close_store(tracking_uri)


def _split(source: str) -> tuple[str, list[str]]:
    """Tracking URI, and the experiments that are chosen."""
    uri, mark, fragment = source.removeprefix(SCHEME).partition("#")
    wanted = [unquote(fragment)] if mark and fragment else []
    uri, _, query = uri.partition("?")
    left = []
    for key, value in parse_qsl(query, keep_blank_values=True):
        if key == "experiment":
            wanted.append(value)
        else:
            left.append(f"{key}={value}")
    return uri + ("?" + "&".join(left) if left else ""), wanted


@contextmanager
def quietly() -> Iterator[None]:
    """No messages, deprecations or usage statistics of MLflow's while runs are read."""
    if "mlflow" not in sys.modules:  # users of MLflow have chosen for themselves
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    # a server that does not answer is asked twice, not for minutes
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            logging.disable(level)


@contextmanager
def _readable(uri: str) -> Iterator[str]:
    """URI that may be opened without harm: of a copy, for a SQLite store."""
    if not uri.startswith(SQLITE):
        if "://" not in uri:
            raise InputError(
                f"{SCHEME}{uri} names no MLflow store: write mlflow:sqlite:///mlflow.db, or with "
                "an absolute path mlflow:sqlite:////path/mlflow.db"
            )
        yield uri
        return
    path = Path(unquote(uri.removeprefix(SQLITE).partition("?")[0]))
    if not path.is_file():
        raise InputError(_no_such_file(uri, path))
    with tempfile.TemporaryDirectory(prefix="bayes-distill-") as folder:
        copy = Path(folder) / "mlflow.db"
        try:
            address = f"{path.resolve().as_uri()}?mode=ro"
            with (
                closing(sqlite3.connect(address, uri=True)) as store,
                closing(sqlite3.connect(copy)) as target,
            ):
                tables = store.execute("select name from sqlite_master where type = 'table'")
                if not {"experiments", "runs"} <= {name for (name,) in tables}:
                    raise InputError(f"{path} is a SQLite file, but no MLflow store")
                store.backup(target)
        except (sqlite3.Error, OSError) as error:
            raise InputError(f"{path} cannot be read as an MLflow store: {error}") from None
        yield f"{SQLITE}{copy}"


def _no_such_file(uri: str, path: Path) -> str:
    text = f"{uri}: there is no file {path}"
    absolute = Path("/") / path
    if not path.is_absolute() and absolute.is_file():
        return f"{text}; the absolute path needs a fourth slash: {SQLITE}{absolute}"
    return text


def client_of(tracking_uri: str) -> Any:
    """MLflow's client of a tracking URI.

    Raises
    ------
    InputError
        If MLflow is not installed.
    """
    try:
        if tracking_uri.startswith("sqlite"):  # MLflow needs them for it and does not say so
            import alembic  # type: ignore[import-not-found,unused-ignore]  # noqa: F401
            import sqlalchemy  # type: ignore[import-not-found,unused-ignore]  # noqa: F401
        from mlflow import MlflowClient  # type: ignore[import-not-found,unused-ignore]
    except ImportError as error:
        raise InputError(
            f'an MLflow store needs MLflow ({error}): pip install "bayes-distill[mlflow]"'
        ) from None
    return MlflowClient(tracking_uri, registry_uri=tracking_uri)


def close_store(tracking_uri: str) -> None:
    """Close the connections that MLflow keeps to a copy."""
    stores = sys.modules.get("mlflow.store.tracking.sqlalchemy_store")
    engines = getattr(getattr(stores, "SqlAlchemyStore", None), "_engine_map", {})
    for key in [key for key in engines if key == tracking_uri]:
        engines.pop(key).dispose()


def _experiments(client: Any, uri: str, wanted: list[str]) -> dict[str, str]:
    """Names of the experiments to read, by their ids."""
    names: dict[str, str] = {}
    token = None
    while True:
        page = client.search_experiments(page_token=token)
        names |= {experiment.experiment_id: experiment.name for experiment in page}
        token = page.token
        if not token:
            break
    missing = [name for name in wanted if name not in names.values()]
    if missing:
        raise InputError(
            f"{uri} has no experiment {', '.join(map(repr, missing))}: it has "
            f"{', '.join(map(repr, sorted(names.values()))) or 'none'}"
        )
    return {key: name for key, name in names.items() if not wanted or name in wanted}


def _runs(client: Any, experiments: list[str]) -> list[Any]:
    runs: list[Any] = []
    token = None
    while True:
        page = client.search_runs(
            experiments, order_by=["attributes.start_time ASC"], page_token=token
        )
        runs += page
        token = page.token
        if not token:
            return runs


def _tracker_runs(
    client: Any, runs: list[Any], experiments: dict[str, str], extremes: Iterable[tuple[str, str]]
) -> TrackerRuns:
    cells: dict[str, list[object]] = {}
    for place, run in enumerate(runs):
        data = run.data
        for kind, values in (("param", data.params), ("metric", data.metrics), ("tag", data.tags)):
            for name, value in values.items():
                column = cells.setdefault(f"{kind}:{name}", [None] * len(runs))
                column[place] = _logged(value)
    extreme_values: dict[tuple[str, str], list[object]] = {}
    for name, which in extremes:
        full = f"metric:{name.removeprefix('metric:')}"
        if full in cells:
            extreme_values[full, which] = [_extreme(client, run, full, which) for run in runs]
    used = Counter(experiments[run.info.experiment_id] for run in runs)
    counted = ", ".join(
        f"{name!r} ({number} run{'s' if number > 1 else ''})" for name, number in used.items()
    )
    return TrackerRuns(
        cells,
        [run.info.run_name or None for run in runs],
        [str(run.info.status).casefold() for run in runs],
        [run.info.start_time for run in runs],
        (f"Read from MLflow: {counted}.",),
        extreme_values,
    )


def _extreme(client: Any, run: Any, full: str, which: str) -> object:
    """Smallest or largest finite value that a run logged of a metric."""
    name = full.removeprefix("metric:")
    if name not in run.data.metrics:
        return None
    history = [metric.value for metric in client.get_metric_history(run.info.run_id, name)]
    finite = [value for value in history if abs(value) < LARGEST]
    if not finite:
        return "NaN"
    return min(finite) if which == "min" else max(finite)


def _logged(value: object) -> object:
    """A value as logged: NaN and infinities as text, so that they are not taken for gaps."""
    if isinstance(value, float):
        if math.isnan(value):
            return "NaN"
        if abs(value) >= LARGEST:
            return "inf" if value > 0 else "-inf"
    return value


def reason_of(error: Exception) -> str:
    """What MLflow, or a library below it, says in an exception, on one line."""
    text = " ".join(str(error).split())
    if "out-of-date" in text or "outdated" in text:
        return (
            "it was made by another version of MLflow; upgrade a copy of it with "
            "'mlflow db upgrade sqlite:///copy.db' and read that"
        )
    return text[:300] or type(error).__name__
