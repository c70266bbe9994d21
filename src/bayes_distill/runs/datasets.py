"""The named tables: where they come from, and getting them once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType

from bayes_distill._input.suggestions import did_you_mean
from bayes_distill.errors import InputError

MIRROR = "BAYES_DISTILL_DATA"
CACHE = "BAYES_DISTILL_CACHE"


@dataclass(frozen=True, slots=True)
class Dataset:
    """A public table of runs that has a name here.

    Parameters
    ----------
    name, description
        What it is called, and what it is.
    rows
        Number of runs.
    file
        Name of its file in the cache or a mirror.
    size, sha256
        Bytes of that file, and their checksum.
    url
        Where it is downloaded from, at a fixed commit.
    source
        Who made it, and the paper behind it.
    licence
        Terms upstream.
    """

    name: str
    description: str
    rows: int
    file: str
    size: int
    sha256: str
    url: str
    source: str
    licence: str

    def to_json(self) -> dict[str, str | int]:
        """The same as a plain dictionary."""
        return asdict(self)


_ALL = (
    Dataset(
        name="busbridge2025",
        description="distillation runs read off the vector figure of Distillation Scaling Laws: "
        "student size, tokens, teacher and student loss in nats per token",
        rows=354,
        file="busbridge2025_distillation.parquet",
        size=6751,
        sha256="792d08f936b797e2328e75fb278287b29f4d10d2f6a9a8f1263db53ef05e6a80",
        url="https://raw.githubusercontent.com/PlanarG/active-sl/"
        "b19473747bf98e2d04dbc35ce499e72101a8c098/extra/distillation/data/all_data.parquet",
        source="GitHub PlanarG/active-sl, from Busbridge et al. 2025 (arXiv 2502.08606)",
        licence="MIT",
    ),
    Dataset(
        name="hoffmann2022",
        description="Chinchilla training runs read off figure 4 of Hoffmann et al. 2022: model "
        "size, training FLOPs (tokens = FLOPs / (6 params)) and loss in nats per token",
        rows=245,
        file="hoffmann2022_svg_extracted_data.csv",
        size=23224,
        sha256="193478df4e90f040016431996c45682659306840ecdadf83cfb9cd5ca0aa1b30",
        url="https://raw.githubusercontent.com/epoch-research/analyzing-chinchilla/"
        "92258837425e1b5f2851d624287f0120583a3d0e/data/svg_extracted_data.csv",
        source="GitHub epoch-research/analyzing-chinchilla, from Besiroglu et al. 2024 "
        "(arXiv 2404.10102)",
        licence="none stated upstream",
    ),
)
DATASETS: Mapping[str, Dataset] = MappingProxyType({dataset.name: dataset for dataset in _ALL})
"""The named tables by name."""


def list_datasets() -> tuple[Dataset, ...]:
    """All named tables."""
    return tuple(DATASETS.values())


def cache_folder() -> Path:
    """Folder of downloaded tables; the environment variable ``BAYES_DISTILL_CACHE`` moves it."""
    import platformdirs

    root = os.environ.get(CACHE) or platformdirs.user_cache_dir("bayes-distill")
    return Path(root) / "data"


def fetch(name: str) -> Path:
    """Path of the file of a named table, downloaded if it is not here yet.

    With the environment variable ``BAYES_DISTILL_DATA`` set, the file is taken from that folder
    and nothing is ever downloaded. Its checksum is verified in either case.

    Raises
    ------
    InputError
        If there is no such name, the download fails, or the folder lacks the file or has
        another one.
    """
    dataset = DATASETS.get(name)
    if dataset is None:
        hint = did_you_mean(name, DATASETS, f"there are {', '.join(DATASETS)}", cutoff=0.5)
        raise InputError(f"{name!r} is no named data: {hint}")
    mirror = os.environ.get(MIRROR)
    return _mirrored(dataset, Path(mirror)) if mirror else _downloaded(dataset)


def _mirrored(dataset: Dataset, folder: Path) -> Path:
    path = folder / dataset.file
    if not folder.is_dir():
        raise InputError(f"{MIRROR} is set to {folder}, which is no folder: correct or unset it")
    if not path.is_file():
        raise InputError(
            f"{MIRROR} is set to {folder}, which has no {dataset.file}: put it there"
            f" (from {dataset.url}), or unset {MIRROR} to have it downloaded"
        )
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    if digest != dataset.sha256:
        raise InputError(
            f"{path} is not the published {dataset.name}: its sha256 is {digest}, not"
            f" {dataset.sha256}; fetch it again from {dataset.url}"
        )
    return path


def _downloaded(dataset: Dataset) -> Path:
    from pooch.core import retrieve

    try:
        return Path(
            retrieve(
                url=dataset.url,
                known_hash=f"sha256:{dataset.sha256}",
                fname=dataset.file,
                path=cache_folder(),
            )
        )
    except (OSError, ValueError) as error:  # no network, no room, or another checksum
        raise InputError(
            f"{dataset.name} could not be downloaded from {dataset.url} ({error}): to use a copy,"
            f" save it as {dataset.file} in a folder and set {MIRROR} to that folder"
        ) from error
