"""Fixtures for tests of the command line: run it, and see what it said and wrote."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayes_distill.cli.main import run


@dataclass(frozen=True)
class Answer:
    """What a command returned and printed."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON object on stdout; anything else there is an error."""
        decoder = json.JSONDecoder(parse_constant=_no_constant)
        content, end = decoder.raw_decode(self.out)
        assert self.out[end:].strip() == ""
        assert isinstance(content, dict)
        return content

    @property
    def error(self) -> str:
        """The one ``error:`` line on stderr."""
        lines = [line for line in self.err.splitlines() if line.strip()]
        assert len([line for line in lines if line.startswith("error: ")]) == 1, self.err
        assert lines[-1].startswith("error: ")
        return lines[-1].removeprefix("error: ")

    def check_refused(self, *parts: str) -> None:
        """Check that bad input was refused, with each part in the one error line."""
        assert self.status == 2
        assert self.out == ""
        for part in parts:
            assert part in self.error, part


def _no_constant(name: str) -> float:
    raise AssertionError(f"{name} is no JSON")


Command = Callable[..., Answer]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run the command line in this process."""

    def call(*arguments: str | Path) -> Answer:
        capsys.readouterr()
        status = run([str(argument) for argument in arguments])
        return Answer(status, *capsys.readouterr())

    return call


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def sound() -> pd.DataFrame:
    """Thirty sound distillation runs."""
    params = np.geomspace(1e8, 2e9, 30)
    return pd.DataFrame(
        {
            "params": params,
            "tokens": 20 * params,
            "loss": np.linspace(2.9, 2.3, 30).round(3),
            "teacher_loss": np.tile([2.0, 2.1, 2.2], 10),
        }
    )


@pytest.fixture(scope="session")
def scattered_file(scattered, fits_folder) -> Path:
    """The made-up draws as a file like those that fit writes."""
    return scattered.save(fits_folder / "scattered.nc")
