"""A folder of a person's files, and commands that are run in it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from hostile_damage import DAMAGES, write_damaged
from hostile_files import write_files

from bayes_distill.cli.main import run
from bayes_distill.posterior import Posterior
from posteriors import posterior_of_law

CHECKS = {
    "verdict": "review",
    "checks": [{"name": "R-hat", "scope": "sampling", "verdict": "review", "value": 1.02}],
}


def small_posterior() -> Posterior:
    """Forty draws of a distillation law, with the runs that they are taken to be of."""
    whole = posterior_of_law("distillation", draws=40)
    info = {**whole.info, "verdict": "review", "diagnostics": CHECKS}
    return Posterior(whole.tree, whole.card, whole.reference, info)


@dataclass(frozen=True)
class Said:
    """What a command returned and printed."""

    status: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one ``error:`` line."""
        lines = [line for line in self.err.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1, self.err[-2000:]
        return lines[0].removeprefix("error: ")


@pytest.fixture(scope="session")
def posterior() -> Posterior:
    return small_posterior()


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory, posterior: Posterior) -> Path:
    """The folder: tables, cards, fits, plans, links, damaged fits under ``bad``."""
    folder = tmp_path_factory.mktemp("home")
    posterior.save(folder / "fit.nc")
    posterior.save(folder / "other.nc")
    (folder / "bad").mkdir()
    for name, (damage, _) in DAMAGES.items():
        write_damaged(posterior, damage, folder / "bad" / f"{name}.nc")
    write_files(folder)
    return folder


@pytest.fixture
def inside(home: Path) -> Iterator[Path]:
    """The folder as the working directory."""
    before = Path.cwd()
    os.chdir(home)
    yield home
    os.chdir(before)


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    def command(*arguments: str) -> Said:
        status = run([str(each) for each in arguments])
        said = capsys.readouterr()
        return Said(status, said.out, said.err)

    return command


def contents(folder: Path) -> dict[str, str]:
    """Checksum of every file under a folder, where links lead, and what is no file."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = f"link to {path.readlink()}"
        elif path.is_file():
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        else:
            found[name] = "folder" if path.is_dir() else "other"
    return found


@pytest.fixture(scope="session")
def runs_frame(posterior: Posterior) -> pd.DataFrame:
    return posterior.tree["runs"].to_dataframe()[["params", "tokens", "loss", "teacher_loss"]]
