"""Many independent tasks: in this process, on its cores through joblib, or on a Dask cluster.

A refit without one group of runs, or of one simulated replicate, is a task. Tasks and results are
plain data (what JSON can hold), so that they travel to any process and can be stored in files: a
sweep that was stopped goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from bayes_distill._input.files import atomic_path
from bayes_distill._input.folders import own_folder
from bayes_distill._input.progress import Progress
from bayes_distill._input.text import shown
from bayes_distill._input.version import __version__
from bayes_distill.errors import Fault, InputError

Function = Callable[[Any], Any]
MOST_WORKERS = 1024  # processes: more than any machine has cores for
ADDRESS = re.compile(
    r"(?:(?:tcp|tls|ucx|wss?)://)?(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.%]+\]):[0-9]{1,5}/?|inproc://\S+",
    re.ASCII,
)
"""Of a scheduler. Dask tries others for long, and fails in many ways."""
CONNECT = "10s"  # how long to wait for a Dask scheduler


def map_tasks(
    function: Function,
    tasks: Sequence[Any],
    *,
    workers: int | None = None,
    scheduler: Any = None,
    progress: Progress | None = None,
    store: str | Path | None = None,
    label: str = "tasks",
) -> list[Any]:
    """Call `function` on every task; results in the order of the tasks, each once.

    Parameters
    ----------
    function
        A function of a module, of one task. Other processes import it by its name.
    tasks
        Plain data: what JSON can hold, and NumPy arrays and numbers.
    workers
        Processes of this machine; ``None`` or 1 runs in this process, which is right for refits
        that share compiled programs.
    scheduler
        A Dask cluster instead: the address of its scheduler (``tcp://host:8786``), a ``Client`` or
        a cluster object. A task whose worker dies runs again on another.
    progress
        Called with (`label`, tasks done, tasks in all) whenever a task is done.
    store
        Folder to which each result is written, as JSON, as soon as it is there; it is made if need
        be. A task is not run again if the folder has its result, of the same function and version
        of this package.
    label
        What progress calls the tasks.

    Returns
    -------
    list
        Results as plain data: arrays are lists and tuples are lists, wherever they were computed.

    Raises
    ------
    InputError
        If the number of workers, the scheduler or the folder cannot be used.
    TypeError
        If the function is not one of a module, or a task or result is not plain data.
    """
    name = _module_level(function)
    check_places(workers, scheduler)
    plain_tasks = [plain(task) for task in tasks]
    stored = Store(store, name) if store is not None else None
    results: dict[int, Any] = {}
    if stored is not None:
        for i, task in enumerate(plain_tasks):
            content = stored.read(task)
            if content is not None:
                results[i] = content["result"]
    waiting = [(i, task) for i, task in enumerate(plain_tasks) if i not in results]
    if progress:
        progress(label, len(results), len(plain_tasks))
    with _results(function, waiting, workers, scheduler) as arriving:
        for i, result in arriving:
            if stored is not None:
                stored.write(plain_tasks[i], result)
            results[i] = result
            if progress:
                progress(label, len(results), len(plain_tasks))
    return [results[i] for i in range(len(plain_tasks))]


class Store:
    """A folder of results: one JSON file a task, named after the function and the task."""

    def __init__(self, folder: str | Path, name: str) -> None:
        self.folder, self.name = own_folder(folder), name

    def path(self, task: Any) -> Path:
        """Where the result of a task is, or will be."""
        content = json.dumps([self.name, __version__, task], sort_keys=True)
        key = hashlib.sha256(content.encode()).hexdigest()[:32]
        return self.folder / f"{self.name.rpartition('.')[2].strip('_')}-{key}.json"

    def read(self, task: Any) -> dict[str, Any] | None:
        """The stored result of a task; ``None`` if there is none, or none that can be read."""
        try:
            content = json.loads(self.path(task).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):  # damage costs one task, not the sweep
            return None
        if not isinstance(content, dict) or "result" not in content:
            return None
        stated = content.get("checksum")
        return content if stated in (None, _checksum(content["result"])) else None

    def write(self, task: Any, result: Any) -> None:
        """Write a result, whole or not at all."""
        content = {
            "function": self.name,
            "version": __version__,
            "checksum": _checksum(result),
            "result": result,
        }
        with atomic_path(self.path(task)) as temporary:
            temporary.write_text(json.dumps(content), encoding="utf-8")


def _checksum(result: Any) -> str:
    """Sha256 in hex of a result as JSON: a file in which a digit has changed is not believed."""
    return hashlib.sha256(json.dumps(result, sort_keys=True).encode()).hexdigest()


def plain(value: Any) -> Any:
    """Plain data of what JSON can hold and of NumPy arrays and numbers.

    Raises
    ------
    TypeError
        If there is something else inside.
    """
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, Mapping):
        odd = [key for key in value if not isinstance(key, str)]
        if odd:
            raise TypeError(f"the key {odd[0]!r} is not text: JSON has no other keys")
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    raise TypeError(f"a {type(value).__name__} is not plain data: tasks and results must be")


def _one(function: Function, index: int, task: Any) -> tuple[int, Any]:
    """Run one task, wherever it landed."""
    return index, plain(function(task))


@contextmanager
def _results(
    function: Function, waiting: Sequence[tuple[int, Any]], workers: int | None, scheduler: Any
) -> Iterator[Iterator[tuple[int, Any]]]:
    """Results as they arrive, in any order, each with the number of its task."""
    if not waiting or (scheduler is None and workers in (None, 1)):
        yield (_one(function, i, task) for i, task in waiting)
    elif scheduler is None:
        with joblib.parallel_config("loky", n_jobs=workers):
            calls = (joblib.delayed(_one)(function, i, task) for i, task in waiting)
            yield joblib.Parallel(return_as="generator_unordered", batch_size=1)(calls)
    else:
        # joblib's Dask backend would run everything here where the cluster has a single worker
        with _client(scheduler) as client:
            from distributed import as_completed

            # not pure: a task of the same content as an earlier one runs again
            futures = [client.submit(_one, function, *item, pure=False) for item in waiting]
            arriving = as_completed(futures, with_results=True, loop=client.loop)
            try:
                yield (result for _, result in arriving)
            finally:  # what is still at work when somebody stops is not wanted any more
                client.cancel(futures)


@contextmanager
def _client(scheduler: Any) -> Iterator[Any]:
    """Client of a Dask cluster; one that was handed in is left open."""
    try:
        from distributed import Client
    except ImportError:
        raise InputError(
            Fault(
                "running on a cluster needs Dask: pip install 'bayes-distill[cluster]'",
                column="scheduler",
            )
        ) from None
    if isinstance(scheduler, Client):
        yield scheduler
        return
    try:
        client = Client(scheduler, timeout=CONNECT, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:  # a refused or timed-out connection is both
        raise InputError(
            Fault(
                f"no Dask scheduler answers at {scheduler} ({type(error).__name__}): start one "
                "with 'dask scheduler' and give its address, such as tcp://host:8786",
                column="scheduler",
            )
        ) from None
    try:
        yield client
    finally:
        client.close()


def _module_level(function: Function) -> str:
    """Full name of a function by which another process can import it."""
    name = str(getattr(function, "__qualname__", ""))
    if not name or "<" in name:
        raise TypeError(f"{function!r} is not a function of a module: no other process can find it")
    return f"{function.__module__}.{name}"


def check_places(workers: int | None, scheduler: Any) -> None:
    """Refuse places to run that cannot be.

    Raises
    ------
    InputError
        Naming both if both are at fault.
    """
    faults = []
    if workers is not None and workers < 1:
        faults.append(Fault(f"{workers} is less than 1", column="workers"))
    if workers is not None and workers > MOST_WORKERS:
        faults.append(Fault(f"{workers} is more than {MOST_WORKERS:,}", column="workers"))
    if workers is not None and scheduler is not None:
        faults.append(
            Fault("give either workers of this machine or a scheduler, not both", column="workers")
        )
    if isinstance(scheduler, str) and not ADDRESS.fullmatch(scheduler):
        faults.append(
            Fault(
                f"'{shown(scheduler)}' is no address of a Dask scheduler: write one such as "
                "tcp://host:8786",
                column="scheduler",
            )
        )
    if faults:
        raise InputError(faults)
