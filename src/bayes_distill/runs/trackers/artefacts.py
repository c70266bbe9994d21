"""Fits, answers and reports as artefacts of an MLflow run.

``mlflow:RUN_ID`` is a run of the store that ``MLFLOW_TRACKING_URI`` names, and
``mlflow:sqlite:///mlflow.db#RUN_ID`` one of the store before the sign.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from bayes_distill._input.plain import finite
from bayes_distill._input.text import shown
from bayes_distill.errors import InputError
from bayes_distill.runs.trackers.mlflow_store import SQLITE, client_of, quietly, reason_of
from bayes_distill.runs.trackers.servers import check_server
from bayes_distill.runs.trackers.tracker_runs import SCHEME, without_password

FOLDER = "bayes-distill"
"""Folder of the artefacts of a run."""
VARIABLE = "MLFLOW_TRACKING_URI"


@dataclass(frozen=True)
class TrackedRun:
    """A run of an MLflow store that takes artefacts.

    Parameters
    ----------
    uri
        Tracking URI of the store.
    run_id
        Its id.
    """

    uri: str
    run_id: str

    @classmethod
    def of(cls, address: str) -> TrackedRun:
        """Read an address, and check that the run is there.

        Raises
        ------
        InputError
            If it is none, MLflow is not installed, no server answers, or there is no such run.
        """
        rest = address.removeprefix(SCHEME)
        store, mark, run = rest.rpartition("#")
        uri = store if mark else os.environ.get(VARIABLE, "")
        if not address.startswith(SCHEME) or not run:
            raise InputError(
                f"'{shown(address)}' is no run: write mlflow:RUN_ID, or mlflow:STORE#RUN_ID as in "
                "mlflow:sqlite:///mlflow.db#RUN_ID"
            )
        if not uri:
            raise InputError(
                f"'{shown(address)}' names no store, and {VARIABLE} is not set: write "
                "mlflow:STORE#RUN_ID"
            )
        path = Path(unquote(uri.removeprefix(SQLITE).partition("?")[0]))
        if uri.startswith(SQLITE) and not path.is_file():
            raise InputError(f"{uri}: there is no file {path}")
        found = cls(uri, run)
        with found._client() as client:
            state = client.get_run(run).info.lifecycle_stage
        if state == "deleted":
            raise InputError(f"the run {shown(run)} of {without_password(uri)} is deleted")
        return found

    def log_file(self, path: str | Path, name: str | None = None) -> str:
        """Log a copy of a file, under another name if one is given; returns its place.

        Raises
        ------
        InputError
            If the store does not take it.
        """
        source = Path(path)
        with tempfile.TemporaryDirectory(prefix="bayes-distill-") as folder:
            copy = Path(folder) / (name or source.name)
            try:
                shutil.copyfile(source, copy)
            except OSError as error:
                raise InputError(f"{source} cannot be read: {error.strerror}") from None
            with self._client() as client:
                client.log_artifact(self.run_id, str(copy), FOLDER)
        return f"{FOLDER}/{name or source.name}"

    def log_text(self, text: str, name: str) -> str:
        """Log text as a file; returns its place.

        Raises
        ------
        InputError
            If the store does not take it.
        """
        with tempfile.TemporaryDirectory(prefix="bayes-distill-") as folder:
            file = Path(folder) / name
            file.write_text(text, encoding="utf-8")
            return self.log_file(file)

    @contextmanager
    def _client(self) -> Iterator[Any]:
        shown_uri = without_password(self.uri)
        check_server(self.uri, shown_uri)
        with quietly():
            try:
                yield client_of(self.uri)
            except InputError:
                raise
            except Exception as error:  # MLflow, SQLAlchemy and the network each have their own
                raise InputError(f"{shown_uri}: {reason_of(error)}") from None


def log_to(address: str, result: Any, name: str | None = None) -> str:
    """Log a fit, an answer or a file as an artefact of an MLflow run.

    Parameters
    ----------
    address
        ``mlflow:RUN_ID`` (of the store in ``MLFLOW_TRACKING_URI``) or ``mlflow:STORE#RUN_ID``.
    result
        A `Posterior`, which becomes ``fit.nc``; an answer (`Forecast`, `Plan`, ...), whose
        ``to_json()`` becomes ``forecast.json`` and so on; or the path of a file, as of a report.
    name
        Name of the artefact.

    Returns
    -------
    str
        Its place among the artefacts of the run.

    Raises
    ------
    InputError
        If the run cannot be reached, or does not take it.
    """
    run = TrackedRun.of(address)
    if isinstance(result, (str, Path)):
        return run.log_file(result, name)
    if hasattr(result, "save") and not hasattr(result, "to_json"):
        with tempfile.TemporaryDirectory(prefix="bayes-distill-") as folder:
            return run.log_file(result.save(Path(folder) / "fit.nc"), name)
    text = json.dumps(finite(result.to_json()), allow_nan=False, indent=2) + "\n"
    return run.log_text(text, name or f"{type(result).__name__.lower()}.json")
