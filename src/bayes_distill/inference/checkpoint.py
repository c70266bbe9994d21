"""The state of a sampler, written to a file as it goes, so that a second call continues from there.

The file holds everything that the next transition depends on, bit for bit: a resumed run returns
the draws that the uninterrupted one would have returned.
"""

from __future__ import annotations

import hashlib
import json
import time
import zipfile
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from bayes_distill._input.files import atomic_path
from bayes_distill._input.folders import own_folder, states_in
from bayes_distill._input.version import __version__
from bayes_distill.inference.metric import Metric

FORMAT = 4  # of the file, and part of its name: a file of another format is never read
EVERY = 2.0  # seconds between two writes at least: a kill costs no more, a write far less
MATRIX = "start/inverse_mass_matrix"
NAMES = "names"
DAMAGE = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    EOFError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)
Arrays = dict[str, np.ndarray]
Start = tuple[dict[str, np.ndarray], np.ndarray]


class Position(NamedTuple):
    """How far a sampler has come, and its state there.

    Parameters
    ----------
    stage
        Number of the stage: the windows of warm-up, then the step size, then sampling.
    done
        Transitions of this stage so far.
    state
        Leaves of the kernel's state.
    metric
        Inverse mass matrix of this stage, and the sums that it is estimated from.
    draws, stats
        Of this stage so far, (transitions, chains, ...).
    seconds
        Time so far, by phase.
    """

    stage: int
    done: int
    state: list[np.ndarray]
    metric: Metric
    draws: Arrays
    stats: Arrays
    seconds: dict[str, float]


class Checkpoint:
    """A file that holds the state of one sampling run.

    Parameters
    ----------
    folder
        Where the file is; it is made if it does not exist. Several runs may share it.
    key
        Name of the run, see `key_of`: another model, seed or version is another run.

    Raises
    ------
    InputError
        If the folder cannot be made or written to, is a link, or holds files of another kind.
    """

    def __init__(self, folder: str | Path, key: str) -> None:
        self.path = own_folder(folder) / f"{key}.npz"
        self._stored = self._read()
        self._start: Arrays = {n: v for n, v in self._stored.items() if n.startswith("start/")}
        self._latest: Callable[[], Arrays] | None = None
        self._written = time.monotonic()

    def start(self, find: Callable[[], Start]) -> Start:
        """Starting points and inverse mass matrix: as stored, or else as `find` returns them."""
        if not self._start:
            points, inverse_mass_matrix = find()
            self._start = {f"start/z/{n}": np.asarray(v) for n, v in points.items()}
            self._start[MATRIX] = np.asarray(inverse_mass_matrix)
            self._write(self._start)
        points = {
            n.removeprefix("start/z/"): v
            for n, v in self._start.items()
            if n.startswith("start/z/")
        }
        return points, self._start[MATRIX]

    def position(self) -> Position | None:
        """Position of the run when it was last written; ``None`` if there is none."""
        stored = self._stored
        if "header" not in stored:
            return None
        header = json.loads(stored["header"].tobytes())
        return Position(
            header["stage"],
            header["done"],
            [stored[f"state/{i}"] for i in range(header["leaves"])],
            Metric(**_part(stored, "metric/")),
            _part(stored, "draws/"),
            _part(stored, "stats/"),
            header["seconds"],
        )

    def note(self, position: Callable[[], Position]) -> None:
        """Note the position of the run; `position` is called when it is time to write."""
        self._latest = lambda: _arrays(position())
        if time.monotonic() - self._written >= EVERY:
            self.flush()

    def flush(self) -> None:
        """Write what was noted last, if it was not written yet."""
        if self._latest is not None:
            self._write({**self._start, **self._latest()})
            self._latest = None

    def _read(self) -> Arrays:
        try:
            with self.path.open("rb") as handle, np.load(handle) as file:
                arrays = {name: file[name] for name in file.files}
            # the format has checksums of what the arrays hold, and none of their names
            told = arrays.pop(NAMES).tobytes()
            return arrays if told == _names(arrays).tobytes() else {}
        except DAMAGE:
            return {}  # none yet, or a damaged one: it costs the time, not the answer

    def _write(self, arrays: Arrays) -> None:
        with atomic_path(self.path) as temporary, temporary.open("wb") as file:
            np.savez(file, **arrays, **{NAMES: _names(arrays)})  # type: ignore[arg-type]
        self._written = time.monotonic()


def _names(arrays: Mapping[str, Any]) -> np.ndarray:
    """Digest of the names of arrays."""
    return np.frombuffer(hashlib.sha256(repr(sorted(arrays)).encode()).digest(), np.uint8)


def forget(folder: str | Path) -> None:
    """Remove the checkpoints in a folder, and the folder if nothing else is in it.

    A folder that is a link, or holds anything else, is left as it is.
    """
    with suppress(OSError):  # the posterior is written: what is left costs space and no more
        for path in states_in(folder):
            path.unlink(missing_ok=True)
        if Path(folder).is_dir() and not any(Path(folder).iterdir()):
            Path(folder).rmdir()


def key_of(label: str, settings: Mapping[str, Any], arguments: Any) -> str:
    """Name of a run: two runs share it only if their draws would be the same.

    Parameters
    ----------
    label
        What is sampled, as text.
    settings
        Plain data, the seed among them.
    arguments
        Pytree of the arrays that the density depends on.
    """
    versions = {name: version(name) for name in ("jax", "jaxlib", "numpyro", "numpy")}
    header = {"label": label, "format": FORMAT, "version": __version__, **versions, **settings}
    content = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for place, leaf in jax.tree_util.tree_leaves_with_path(arguments):
        array = np.asarray(leaf)
        content.update(f"{jax.tree_util.keystr(place)}{array.dtype}{array.shape}".encode())
        content.update(np.ascontiguousarray(array).tobytes())
    return content.hexdigest()[:32]


def leaves_of(state: Any) -> list[np.ndarray]:
    """Leaves of a kernel's state as plain arrays."""
    return [np.asarray(leaf) for leaf in jax.tree.leaves(state)]


def state_like(template: Any, leaves: list[np.ndarray]) -> Any:
    """The state of these leaves, with the structure and types of `template`."""
    like, structure = jax.tree.flatten(template)
    made = [np.asarray(new, old.dtype) for old, new in zip(like, leaves, strict=True)]
    return jax.tree.unflatten(structure, made)


def _arrays(position: Position) -> Arrays:
    header = {
        "stage": position.stage,
        "done": position.done,
        "leaves": len(position.state),
        "seconds": position.seconds,
    }
    return {
        "header": np.frombuffer(json.dumps(header).encode(), np.uint8),
        **{f"metric/{name}": values for name, values in position.metric._asdict().items()},
        **{f"state/{i}": leaf for i, leaf in enumerate(position.state)},
        **{f"draws/{name}": values for name, values in position.draws.items()},
        **{f"stats/{name}": values for name, values in position.stats.items()},
    }


def _part(arrays: Arrays, prefix: str) -> Arrays:
    return {n.removeprefix(prefix): v for n, v in arrays.items() if n.startswith(prefix)}
