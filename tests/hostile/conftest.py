"""A folder of a person's files, and commands that are run in it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hostile_damage import DAMAGES, write_damaged
from hostile_files import write_files
from hostile_home import small_posterior, small_supervised

from bayes_distill.cli.main import run
from bayes_distill.posterior import Posterior


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
    small_supervised().save(folder / "supervised.nc")
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
